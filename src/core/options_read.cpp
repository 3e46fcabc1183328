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

namespace biglittle {
namespace {

// Begins a message about a place in the text, e.g. "x.toml:3:1".
using Place = std::function<std::string(const toml::source_position&)>;

Place place_in(std::string_view name) {
  return [name = std::string(name)](const toml::source_position& at) {
    return fmt::format("{}:{}:{}", name, at.line, at.column);
  };
}

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
  TomlReader(const toml::table& root, Place place, const std::filesystem::path& base)
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
    if (node == nullptr) return;
    std::optional<double> number = node->value_exact<double>();
    if (const auto whole = node->value_exact<std::int64_t>()) number = static_cast<double>(*whole);
    if (!number || !(*number >= range.low && *number <= range.high)) {
      refuse(*node, name, expectation(range));
    }
    value = *number;
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

  std::string text(const toml::node& node, std::string_view name) const {
    auto stated = node.value_exact<std::string>();
    if (!stated) refuse(node, name, "a string");
    return *std::move(stated);
  }

  Place place_;
  std::filesystem::path base_;
  std::vector<const toml::table*> tables_;
  SectionPath path_;
  std::set<const toml::node*> taken_;
};

void read_table(const toml::table& table, Place place, const std::filesystem::path& base,
                const DescribeOptions& describe_options) {
  TomlReader reader(table, std::move(place), base);
  describe_options(reader);
  reader.refuse_unknown(table, "", option_keys(describe_options));
}

// Parses, and limits what could overrun the stack: each dot of a key may open one more table inside
// the others.
toml::table parse_toml(std::string_view text, const Place& place) {
  constexpr std::ptrdiff_t kMaxDots = 4096;
  if (std::ranges::count(text, '.') > kMaxDots) {
    throw Error(ErrorKind::config,
                fmt::format("{}: the text has more than {} dots", place({1, 1}), kMaxDots));
  }
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    std::string description = one_line(error.description());
    if (description.starts_with('E')) description.front() = 'e';
    throw Error(ErrorKind::config, fmt::format("{}: {}", place(error.source().begin), description));
  }
}

std::optional<toml::table> parse_if_toml(std::string_view text) {
  try {
    return parse_toml(text, [](const toml::source_position&) { return std::string(); });
  } catch (const Error&) {
    return std::nullopt;
  }
}

// The sections and the last name of "a.b.c"; nothing when it is not a key.
std::vector<std::string> key_parts(std::string_view key) {
  // Two lines could be a section's heading and a key.
  if (key.find('\n') != std::string_view::npos) return {};
  const std::optional<toml::table> table = parse_if_toml(fmt::format("{} = 0", key));
  std::vector<std::string> parts;
  const toml::table* at = table ? &*table : nullptr;
  while (at != nullptr) {
    if (at->size() != 1) return {};
    parts.emplace_back(at->begin()->first.str());
    at = at->begin()->second.as_table();
  }
  return parts;
}

// `text` as a TOML value, or as a string when it is none.
toml::table table_of_value(const std::string& key, std::string_view text) {
  std::optional<toml::table> parsed = parse_if_toml(fmt::format("value = {}", text));
  // More keys would be another assignment behind a line break.
  if (parsed && parsed->size() == 1) {
    toml::table named;
    named.insert(key, std::move(*parsed->get("value")));
    return named;
  }
  toml::table named;
  named.insert(key, std::string(text));
  return named;
}

}  // namespace

void read_toml_text(std::string_view text, std::string_view name, const std::filesystem::path& base,
                    const DescribeOptions& describe_options) {
  const Place place = place_in(name);
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
  if (equals != std::string_view::npos) parts = key_parts(assignment.substr(0, equals));
  if (parts.empty()) throw Error(ErrorKind::config, name + ": expected section.key=value");
  toml::table table = table_of_value(parts.back(), assignment.substr(equals + 1));
  for (std::size_t i = parts.size() - 1; i-- > 0;) {
    toml::table outer;
    outer.insert(parts[i], std::move(table));
    table = std::move(outer);
  }
  // Lines and columns of a command-line argument mean nothing to its author.
  const Place place = [&name](const toml::source_position&) { return name; };
  read_table(table, place, {}, describe_options);
}

}  // namespace biglittle
