#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bench/ranks.sh PROGRAM [EPOCHS [ROUNDS]]: trains configs/fashion-mnist.toml's big network in one
# process of two threads and in two processes of one thread, in turn, and prints images a second
# (median of the epochs), accuracy on tune, and whether both ended with the same weights.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=$(realpath "$1")
epochs=${2-3}
rounds=${3-2}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$program" import /usr/share/datasets/fashion-mnist --format idx \
  -o "$folder/data.h5" --tune-fraction 0.04 --calibration-fraction 0.08 >&2

# train NAME THREADS: one rank of a training whose files lie in $folder/NAME.
train() {
  "$program" train configs/fashion-mnist.toml --quiet --json --set runs="$folder/$1" \
    --set compute.threads="$2" --set big.train.epochs="$epochs" --set data.file="$folder/data.h5"
}

value() { grep -o "\"$1\": *\"\?[^,\"}]*" "$2" | head -n 1 | sed 's/.*[:"] *//'; }

for ((round = 1; round <= rounds; round++)); do
  train one 2 >"$folder/one-$round.json"
  port=$((20000 + RANDOM % 10000))
  RANK=1 WORLD_SIZE=2 MASTER_PORT=$port train two 1 &
  RANK=0 WORLD_SIZE=2 MASTER_PORT=$port train two 1 >"$folder/two-$round.json"
  wait $!
  for way in one two; do cat "$folder/$way/metrics.jsonl" >>"$folder/$way-metrics"; done
done

images=$("$program" inspect "$folder/data.h5" --json | tr -d ' \n' |
  sed 's/.*"train":{"samples":\([0-9]*\).*/\1/')
for way in one two; do
  seconds=$(grep -o '"seconds":[0-9.e+-]*' "$folder/$way-metrics" | cut -d: -f2 | sort -g |
    awk '{ s[NR] = $1 } END { print (s[int((NR + 1) / 2)] + s[int((NR + 2) / 2)]) / 2 }')
  accuracy=$(grep -o '"tune_accuracy":[0-9.]*' "$folder/$way/metrics.jsonl" | cut -d: -f2 | sort -g | tail -n 1)
  awk -v way=$way -v s="$seconds" -v n="$images" -v a="$accuracy" 'BEGIN {
    name = way == "one" ? "1 process  x 2 threads" : "2 processes x 1 thread"
    printf "%-24s %8.0f images/s   best tune accuracy %.2f %%\n", name, n / s, 100 * a }'
done
first=$(value digest "$folder/one-1.json")
second=$(value digest "$folder/two-1.json")
[ "$first" = "$second" ] && echo "same weights, bit for bit" || echo "weights differ"
