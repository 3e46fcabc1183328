// SPDX-License-Identifier: MIT
#pragma once

// The parsed content of a bundle whose hashes were checked, in the steps that load and verify
// share.

#include <filesystem>

#include "bundle/bundle.h"
#include "bundle/parts.h"

namespace biglittle {

/// Reads both networks, the int8 model, the policy and the report; each is checked by its own
/// reader, not yet against the others. The answers are left to add_answers. Throws
/// Error{missing_input} or Error{bad_data}.
Bundle read_parts(const std::filesystem::path& folder, Manifest manifest);

/// Reads the recorded answers of a bundle whose networks belong together, and checks that they are
/// of the splits in its manifest. Throws Error{missing_input} or Error{bad_data}.
void add_answers(Bundle& bundle);

/// Throws Error{bad_data} unless the policy is bound to the networks, and its certificate to the
/// data beside it.
void check_policy(const Bundle& bundle);

/// The networks and policy of a bundle; refers to it.
Parts parts_of(const Bundle& bundle);

/// Throws Error{bad_data} for the first file whose content is not `expected`.
void compare_files(const std::filesystem::path& folder, const FileSet& expected);

}  // namespace biglittle
