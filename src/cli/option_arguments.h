// SPDX-License-Identifier: MIT
#pragma once

// Command-line options made from an options struct's one description, so that their names, ranges
// and help are written once.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "core/options.h"

namespace biglittle {

/// Makes "--a-b" of every option "a_b" that is described, keeps what was typed as `--set` keeps it,
/// and checks it the same way.
class OptionArguments {
 public:
  /// `command` begins the messages; options in `left_out` are not offered.
  explicit OptionArguments(std::string_view command, std::vector<std::string> left_out = {});
  ~OptionArguments();
  OptionArguments(const OptionArguments&) = delete;
  OptionArguments& operator=(const OptionArguments&) = delete;

  void declare(Arguments& arguments, const DescribeOptions& describe_options);

  /// Sets the options that were typed. Throws Error{usage} for a value that is not permitted.
  void apply(const DescribeOptions& describe_options) const;

 private:
  class Declaration;
  struct Typed;

  std::string command_;
  std::vector<std::string> left_out_;
  std::vector<std::unique_ptr<Typed>> typed_;  // addresses are handed to the parser: they must stay
};

}  // namespace biglittle
