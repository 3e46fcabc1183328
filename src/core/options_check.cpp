// SPDX-License-Identifier: MIT
#include <fmt/core.h>

#include "core/error.h"
#include "core/option_names.h"
#include "core/options.h"
#include "core/text.h"

namespace biglittle {
namespace {

class RangeChecker final : public OptionVisitor {
 public:
  explicit RangeChecker(std::string_view section) {
    if (!section.empty()) path_.enter(section);
  }

  void field(std::string_view, bool&, std::string_view) override {}
  void field(std::string_view, std::string&, std::string_view) override {}
  void field(std::string_view, std::filesystem::path&, std::string_view) override {}
  void field(std::string_view, std::vector<std::string>&, std::string_view) override {}
  void choice(std::string_view, std::string_view, std::span<const std::string_view>,
              const std::function<void(std::size_t)>&, std::string_view) override {}

  void field(std::string_view name, std::int64_t& value, IntRange range,
             std::string_view) override {
    check(name, value, range);
  }
  void field(std::string_view name, double& value, RealRange range, std::string_view) override {
    check(name, value, range);
  }
  void field(std::string_view name, std::vector<std::int64_t>& value, IntRange range,
             std::string_view) override {
    for (const std::int64_t item : value) check(name, item, range);
  }
  void field(std::string_view name, std::map<std::string, double>& value, RealRange range,
             std::string_view) override {
    for (const auto& [key, number] : value) {
      check(fmt::format("{}.{}", name, one_line(toml_key(key))), number, range);
    }
  }
  void field(std::string_view name, std::map<std::string, std::map<std::string, double>>& value,
             RealRange range, std::string_view help) override {
    for (auto& [key, numbers] : value) {
      field(fmt::format("{}.{}", name, one_line(toml_key(key))), numbers, range, help);
    }
  }
  void begin_section(std::string_view name, std::string_view) override { path_.enter(name); }
  void end_section() override { path_.leave(); }

 private:
  template <typename Number, typename Range>
  void check(std::string_view name, Number value, const Range& range) const {
    if (value >= range.low && value <= range.high) return;  // false for NaN
    throw Error(ErrorKind::config,
                fmt::format("{} is {}, expected {}", path_.key(name), value, expectation(range)));
  }

  SectionPath path_;
};

}  // namespace

void check_ranges(const DescribeOptions& describe_options, std::string_view section) {
  RangeChecker checker(section);
  describe_options(checker);
}

}  // namespace biglittle
