// SPDX-License-Identifier: MIT
#pragma once

// Visitors over options that need only their place in the tree, and the texts about permitted
// values that reading and help share.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace biglittle {

/// Keeps track of sections: "big.train" while inside [big.train].
class SectionPath {
 public:
  void enter(std::string_view name);
  void leave();
  /// The full key of a field here.
  std::string key(std::string_view name) const;
  const std::vector<std::string>& parts() const { return parts_; }

 private:
  std::vector<std::string> parts_;
};

/// Every full key and every section of the options, in declared order.
std::vector<std::string> option_keys(const DescribeOptions& describe_options);

/// ", did you mean 'big.train.epochs'?" or "": the known key that is spelled most like `key`, else
/// one of the same name in another section.
std::string suggest_key(std::string_view key, std::span<const std::string> known);

/// "an integer from 1 to 100", "an integer of at least 0", "an integer".
std::string expectation(const IntRange& range);
std::string expectation(const RealRange& range);
/// "a table, each entry a number from 0 to 1" and "a table of tables, each entry ...".
std::string table_expectation(const RealRange& range);
std::string nested_expectation(const RealRange& range);
/// "'a', 'b' or 'c'".
std::string expectation(std::span<const std::string_view> permitted);

/// A string as TOML, quoted, whatever it holds.
std::string toml_string(std::string_view text);

/// A key as TOML: bare where that is allowed, else quoted.
std::string toml_key(std::string_view key);

/// A double as TOML: shortest text that reads back the same, always with a point or exponent.
std::string real_text(double value);

}  // namespace biglittle
