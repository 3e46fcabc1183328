#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs ONNX Runtime for Node.js and WebAssembly into a cache folder outside the tree, once.
# usage: tests/engines/install.sh [CACHE_DIR]
set -euo pipefail
source_dir="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${1:-${BIGLITTLE_ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/biglittle/engines}}"

for program in node npm; do
  if ! command -v "$program" >/dev/null; then
    echo "tests/engines/install.sh: $program is not installed; run scripts/bootstrap --test" >&2
    exit 69
  fi
done

# The stamp is written last, so that an interrupted installation is done again.
stamp="$cache/installed.json"
if cmp -s "$source_dir/package.json" "$stamp"; then exit 0; fi
mkdir -p "$cache"
cp "$source_dir/package.json" "$cache/package.json"
# --ignore-scripts: the packages hold their CPU libraries; their scripts would fetch CUDA ones.
npm install --prefix "$cache" --ignore-scripts --no-audit --no-fund --no-package-lock \
  --loglevel=error
cp "$source_dir/package.json" "$stamp"
echo "ONNX Runtime is installed in $cache"
