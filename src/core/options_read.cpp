// SPDX-License-Identifier: MIT
#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/option_names.h"
#include "core/options.h"
#include "core/text.h"
#include "core/toml_text.h"

namespace biglittle {
namespace {

std::string value_text(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>())
    return fmt::format("'{}'", one_line(*text));
  if (const auto number = node.value_exact<std::int64_t>()) return fmt::format("{}", *number);
  if (const auto number = node.value_exact<double>()) return real_text(*number);
  if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
  if (node.is_array()) return "a list";
  if (node.is_table()) return "a section";
  return "a date or time";
}

// Walks the options and takes what the table states. What was stated and not taken is unknown.
class TomlReader final : public OptionVisitor {
 public:
  TomlReader(const toml::table& root, TomlPlace place, const std::filesystem::path& base)
      : place_(std::move(place)), base_(base), tables_{&root} {}

  void field(std::string_view name, bool& value, std::string_view) override {
    const toml::node* node = take(name);
    if (node == nullptr) return;
    const auto flag = node->value_exact<bool>();
    if (!flag) refuse(*node, name, "true or false");
    value = *flag;
  }

  void field(std::string_view name, std::int64_t& value, IntRange range,
             std::string_view) override {
    const toml::node* node = take(name);
    if (node != nullptr) value = integer(*node, name, range);
  }

  void field(std::string_view name, double& value, RealRange range, std::string_view) override {
    const toml::node* node = take(name);
    if (node != nullptr) value = real(*node, name, range);
  }

  void field(std::string_view name, std::string& value, std::string_view) override {
    const toml::node* node = take(name);
    if (node != nullptr) value = text(*node, name);
  }

  void field(std::string_view name, std::filesystem::path& value, std::string_view) override {
    const toml::node* node = take(name);
    if (node == nullptr) return;
    const std::filesystem::path stated = text(*node, name);
    value = stated.empty() || base_.empty() ? stated : (base_ / stated).lexically_normal();
  }

  void field(std::string_view name, std::vector<std::string>& value, std::string_view) override {
    const toml::node* node = take(name);
    if (node == nullptr) return;
    value.clear();
    if (const toml::array* list = node->as_array()) {
      for (const toml::node& item : *list) value.push_back(text(item, name));
    } else if (node->is_string()) {
      value.push_back(text(*node, name));
    } else {
      refuse(*node, name, "a string or a list of strings");
    }
  }

  void field(std::string_view name, std::vector<std::int64_t>& value, IntRange range,
             std::string_view) override {
    const toml::node* node = take(name);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr) refuse(*node, name, "a list, each " + expectation(range));
    value.clear();
    for (const toml::node& item : *list) value.push_back(integer(item, name, range));
  }

  void field(std::string_view name, std::map<std::string, double>& value, RealRange range,
             std::string_view) override {
    const toml::node* node = take(name);
    if (node != nullptr) numbers(*node, name, range, value, table_expectation(range));
  }

  void field(std::string_view name, std::map<std::string, std::map<std::string, double>>& value,
             RealRange range, std::string_view) override {
    const toml::node* node = take(name);
    if (node == nullptr) return;
    const toml::table& table = stated_table(*node, name, value, nested_expectation(range));
    for (const auto& [key, inner] : table) {
      taken_.insert(&inner);
      numbers(inner, entry_name(name, key), range, value[std::string(key.str())],
              table_expectation(range));
    }
  }

  void choice(std::string_view name, std::string_view, std::span<const std::string_view> permitted,
              const std::function<void(std::size_t)>& set, std::string_view) override {
    const toml::node* node = take(name);
    if (node == nullptr) return;
    const auto stated = node->value_exact<std::string>();
    const auto found = stated ? std::ranges::find(permitted, *stated) : permitted.end();
    if (found == permitted.end()) {
      const std::vector<std::string> words(permitted.begin(), permitted.end());
      refuse(*node, name, expectation(permitted) + (stated ? did_you_mean(*stated, words) : ""));
    }
    set(static_cast<std::size_t>(found - permitted.begin()));
  }

  void begin_section(std::string_view name, std::string_view) override {
    const toml::node* node = take(name);
    if (node != nullptr && !node->is_table()) refuse(*node, name, "a section");
    tables_.push_back(node == nullptr ? nullptr : node->as_table());
    path_.enter(name);
  }

  void end_section() override {
    tables_.pop_back();
    path_.leave();
  }

  /// Throws for the first key in the file that no option took.
  void refuse_unknown(const toml::table& table, const std::string& prefix,
                      const std::vector<std::string>& known) const {
    std::vector<std::pair<const toml::key*, const toml::node*>> entries;
    for (const auto& [key, node] : table) entries.emplace_back(&key, &node);
    std::ranges::sort(entries, [](const auto& a, const auto& b) {
      const auto& left = a.first->source().begin;
      const auto& right = b.first->source().begin;
      return std::pair(left.line, left.column) < std::pair(right.line, right.column);
    });
    for (const auto& [key, node] : entries) {
      const std::string full = prefix + std::string(key->str());
      if (!taken_.contains(node)) {
        throw Error(ErrorKind::config,
                    fmt::format("{}: unknown key '{}'{}", place_(key->source().begin),
                                one_line(full), suggest_key(full, known)));
      }
      if (const toml::table* inner = node->as_table()) refuse_unknown(*inner, full + ".", known);
    }
  }

 private:
  const toml::node* take(std::string_view name) {
    const toml::table* table = tables_.back();
    const toml::node* node = table == nullptr ? nullptr : table->get(name);
    if (node != nullptr) taken_.insert(node);
    return node;
  }

  [[noreturn]] void refuse(const toml::node& node, std::string_view name,
                           const std::string& expected) const {
    throw Error(ErrorKind::config,
                fmt::format("{}: {} is {}, expected {}", place_(node.source().begin),
                            path_.key(name), value_text(node), expected));
  }

  std::int64_t integer(const toml::node& node, std::string_view name, IntRange range) const {
    const auto number = node.value_exact<std::int64_t>();
    if (!number || *number < range.low || *number > range.high) {
      refuse(node, name, expectation(range));
    }
    return *number;
  }

  double real(const toml::node& node, std::string_view name, RealRange range) const {
    std::optional<double> number = node.value_exact<double>();
    if (const auto whole = node.value_exact<std::int64_t>()) number = static_cast<double>(*whole);
    if (!number || !(*number >= range.low && *number <= range.high)) {
      refuse(node, name, expectation(range));
    }
    return *number;
  }

  // The table at `node`; `value` keeps what it had only where the table is written in parts.
  template <typename Map>
  const toml::table& stated_table(const toml::node& node, std::string_view name, Map& value,
                                  const std::string& expected) const {
    const toml::table* table = node.as_table();
    if (table == nullptr) refuse(node, name, expected);
    if (table->is_inline()) value.clear();
    return *table;
  }

  void numbers(const toml::node& node, std::string_view name, RealRange range,
               std::map<std::string, double>& value, const std::string& expected) {
    for (const auto& [key, entry] : stated_table(node, name, value, expected)) {
      taken_.insert(&entry);
      value[std::string(key.str())] = real(entry, entry_name(name, key), range);
    }
  }

  static std::string entry_name(std::string_view table, const toml::key& key) {
    return fmt::format("{}.{}", table, one_line(toml_key(key.str())));
  }

  std::string text(const toml::node& node, std::string_view name) const {
    auto stated = node.value_exact<std::string>();
    if (!stated) refuse(node, name, "a string");
    return *std::move(stated);
  }

  TomlPlace place_;
  std::filesystem::path base_;
  std::vector<const toml::table*> tables_;
  SectionPath path_;
  std::set<const toml::node*> taken_;
};

void read_table(const toml::table& table, TomlPlace place, const std::filesystem::path& base,
                const DescribeOptions& describe_options) {
  TomlReader reader(table, std::move(place), base);
  describe_options(reader);
  reader.refuse_unknown(table, "", option_keys(describe_options));
}

}  // namespace

void read_toml_text(std::string_view text, std::string_view name, const std::filesystem::path& base,
                    const DescribeOptions& describe_options) {
  const TomlPlace place = toml_place_in(name);
  read_table(parse_toml(text, place), place, base, describe_options);
}

void read_toml(const std::filesystem::path& file, const DescribeOptions& describe_options) {
  constexpr std::size_t kLimitBytes = std::size_t{1} << 20;
  const std::filesystem::path base = file.has_parent_path() ? file.parent_path() : ".";
  read_toml_text(read_text(file, kLimitBytes), file.string(), base, describe_options);
}

void apply_assignment(std::string_view assignment, const DescribeOptions& describe_options) {
  const std::string name = "--set " + one_line(assignment);
  if (!is_utf8(assignment)) throw Error(ErrorKind::config, name + ": expected UTF-8 text");
  const std::size_t equals = assignment.find('=');
  std::vector<std::string> parts;
  if (equals != std::string_view::npos) parts = toml_key_parts(assignment.substr(0, equals));
  if (parts.empty()) throw Error(ErrorKind::config, name + ": expected section.key=value");
  toml::table table = toml_table_of(parts.back(), assignment.substr(equals + 1));
  for (std::size_t i = parts.size() - 1; i-- > 0;) {
    toml::table outer;
    outer.insert(parts[i], std::move(table));
    table = std::move(outer);
  }
  // Lines and columns of a command-line argument mean nothing to its author.
  const TomlPlace place = [&name](const toml::source_position&) { return name; };
  read_table(table, place, {}, describe_options);
}

}  // namespace biglittle
