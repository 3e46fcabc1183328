// SPDX-License-Identifier: MIT
#include <fmt/core.h>

#include "core/option_names.h"
#include "core/options.h"

namespace biglittle {
namespace {

template <typename Items, typename Write>
std::string list_text(const Items& items, const Write& write) {
  std::string text = "[";
  for (const auto& item : items) text += (text.size() > 1 ? ", " : "") + write(item);
  return text + "]";
}

template <typename Value, typename Write>
std::string table_text(const std::map<std::string, Value>& table, const Write& write) {
  if (table.empty()) return "{}";
  std::string text;
  for (const auto& [key, value] : table) {
    text += fmt::format("{}{} = {}", text.empty() ? "{ " : ", ", toml_key(key), write(value));
  }
  return text + " }";
}

std::string numbers_text(const std::map<std::string, double>& table) {
  return table_text(table, real_text);
}

// A section's own fields go to its block, and blocks follow each other in the order of declaration,
// so that a field declared after a subsection still lands in the right section.
class TomlWriter final : public OptionVisitor {
 public:
  explicit TomlWriter(TomlComments comments) : comments_(comments), blocks_(1), open_{0} {}

  void field(std::string_view name, bool& value, std::string_view help) override {
    put(name, value ? "true" : "false", help, "true or false");
  }
  void field(std::string_view name, std::int64_t& value, IntRange range,
             std::string_view help) override {
    put(name, fmt::format("{}", value), help, expectation(range));
  }
  void field(std::string_view name, double& value, RealRange range,
             std::string_view help) override {
    put(name, real_text(value), help, expectation(range));
  }
  void field(std::string_view name, std::string& value, std::string_view help) override {
    put(name, toml_string(value), help, "a string");
  }
  void field(std::string_view name, std::filesystem::path& value, std::string_view help) override {
    put(name, toml_string(value.generic_string()), help, "a path");
  }
  void field(std::string_view name, std::vector<std::string>& value,
             std::string_view help) override {
    put(name, list_text(value, toml_string), help, "a list of strings");
  }
  void field(std::string_view name, std::vector<std::int64_t>& value, IntRange range,
             std::string_view help) override {
    put(name, list_text(value, [](std::int64_t item) { return fmt::format("{}", item); }), help,
        "a list, each " + expectation(range));
  }
  void field(std::string_view name, std::map<std::string, double>& value, RealRange range,
             std::string_view help) override {
    put(name, numbers_text(value), help, table_expectation(range));
  }
  void field(std::string_view name, std::map<std::string, std::map<std::string, double>>& value,
             RealRange range, std::string_view help) override {
    put(name, table_text(value, numbers_text), help, nested_expectation(range));
  }
  void choice(std::string_view name, std::string_view current,
              std::span<const std::string_view> permitted, const std::function<void(std::size_t)>&,
              std::string_view help) override {
    put(name, toml_string(current), help, expectation(permitted));
  }
  void begin_section(std::string_view name, std::string_view help) override {
    const std::string title = path_.key(name);
    path_.enter(name);
    open_.push_back(blocks_.size());
    std::string heading = "\n";
    if (comments_ == TomlComments::help) heading += fmt::format("# {}\n", help);
    blocks_.push_back(heading + fmt::format("[{}]\n", title));
  }
  void end_section() override {
    path_.leave();
    open_.pop_back();
  }

  std::string text() const {
    std::string text;
    for (const std::string& block : blocks_) text += block;
    // Without fields of its own the root would leave the blank line before the first section.
    return text.starts_with('\n') ? text.substr(1) : text;
  }

 private:
  void put(std::string_view name, const std::string& value, std::string_view help,
           const std::string& expected) {
    std::string& block = blocks_[open_.back()];
    if (comments_ == TomlComments::help) block += fmt::format("# {} ({})\n", help, expected);
    block += fmt::format("{} = {}\n", name, value);
  }

  TomlComments comments_;
  std::vector<std::string> blocks_;
  std::vector<std::size_t> open_;
  SectionPath path_;
};

}  // namespace

std::string write_toml(const DescribeOptions& describe_options, TomlComments comments) {
  TomlWriter writer(comments);
  describe_options(writer);
  return writer.text();
}

}  // namespace biglittle
