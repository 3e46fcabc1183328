// SPDX-License-Identifier: MIT
#pragma once

// Whether two networks, an int8 model and a policy belong together, and the files of a bundle that
// are computed from them alone. Export writes those files; verify computes them again and compares.

#include <map>
#include <string>
#include <string_view>

#include "calibrate/policy.h"
#include "quant/int8_model.h"
#include "train/checkpoint.h"

namespace biglittle {

/// What was trained, quantized and certified. References to things that outlive it.
struct Parts {
  const Checkpoint& big;
  const Checkpoint& little;
  const Int8Model& little_int8;
  const EscalationPolicy& policy;
};

/// Path in the bundle -> content.
using FileSet = std::map<std::string, std::string>;

/// Throws Error{bad_data}, beginning with `name`, unless the int8 model was quantized from
/// `little`, both little forms carry the same priority map and classes, the map covers big's
/// classes and names them alike, and all three take the same raw input.
void check_networks(const Parts& parts, std::string_view name);

/// Throws Error{bad_data}, beginning with `name`, unless the policy's digests are those of big and
/// of the int8 model, it has a threshold and an offset for every little class, `other` stays on the
/// device only where the policy says so, and its certificate names big's classes.
void check_policy_binding(const Parts& parts, std::string_view name);

/// classes.json and preprocessing.json.
FileSet description_files(const Parts& parts);

/// The three ONNX files, folded and with metadata that names the network they hold.
FileSet onnx_files(const Parts& parts);

}  // namespace biglittle
