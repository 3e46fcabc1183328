// SPDX-License-Identifier: MIT
#include "core/option_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace biglittle {
namespace {

class KeyCollector final : public OptionVisitor {
 public:
  std::vector<std::string> keys;

  void field(std::string_view name, bool&, std::string_view) override { add(name); }
  void field(std::string_view name, std::int64_t&, IntRange, std::string_view) override {
    add(name);
  }
  void field(std::string_view name, double&, RealRange, std::string_view) override { add(name); }
  void field(std::string_view name, std::string&, std::string_view) override { add(name); }
  void field(std::string_view name, std::filesystem::path&, std::string_view) override {
    add(name);
  }
  void field(std::string_view name, std::vector<std::string>&, std::string_view) override {
    add(name);
  }
  void field(std::string_view name, std::vector<std::int64_t>&, IntRange,
             std::string_view) override {
    add(name);
  }
  void field(std::string_view name, std::map<std::string, double>&, RealRange,
             std::string_view) override {
    add(name);
  }
  void field(std::string_view name, std::map<std::string, std::map<std::string, double>>&,
             RealRange, std::string_view) override {
    add(name);
  }
  void choice(std::string_view name, std::string_view, std::span<const std::string_view>,
              const std::function<void(std::size_t)>&, std::string_view) override {
    add(name);
  }
  void begin_section(std::string_view name, std::string_view) override {
    add(name);
    path_.enter(name);
  }
  void end_section() override { path_.leave(); }

 private:
  void add(std::string_view name) { keys.push_back(path_.key(name)); }

  SectionPath path_;
};

template <typename Number>
std::string range_text(std::string_view noun, Number low, Number high, bool has_low,
                       bool has_high) {
  if (has_low && has_high) return fmt::format("{} from {} to {}", noun, low, high);
  if (has_low) return fmt::format("{} of at least {}", noun, low);
  if (has_high) return fmt::format("{} of at most {}", noun, high);
  return std::string(noun);
}

}  // namespace

void SectionPath::enter(std::string_view name) { parts_.emplace_back(name); }

void SectionPath::leave() { parts_.pop_back(); }

std::string SectionPath::key(std::string_view name) const {
  std::string key;
  for (const std::string& part : parts_) key += part + ".";
  return key + std::string(name);
}

std::vector<std::string> option_keys(const DescribeOptions& describe_options) {
  KeyCollector collector;
  describe_options(collector);
  return std::move(collector.keys);
}

std::string suggest_key(std::string_view key, std::span<const std::string> known) {
  const std::string similar = did_you_mean(key, known);
  if (!similar.empty()) return similar;
  const auto last_part = [](std::string_view full) {
    return std::string(full.substr(full.rfind('.') + 1));
  };
  std::vector<std::string> last_parts;
  for (const std::string& candidate : known) last_parts.push_back(last_part(candidate));
  const auto found = std::ranges::find(last_parts, closest_word(last_part(key), last_parts));
  if (found == last_parts.end()) return "";
  return fmt::format(", did you mean '{}'?",
                     known[static_cast<std::size_t>(found - last_parts.begin())]);
}

std::string expectation(const IntRange& range) {
  const IntRange unbounded;
  return range_text("an integer", range.low, range.high, range.low != unbounded.low,
                    range.high != unbounded.high);
}

std::string expectation(const RealRange& range) {
  return range_text("a number", range.low, range.high, std::isfinite(range.low),
                    std::isfinite(range.high));
}

std::string table_expectation(const RealRange& range) {
  return "a table, each entry " + expectation(range);
}

std::string nested_expectation(const RealRange& range) {
  return "a table of tables, each entry " + expectation(range);
}

std::string expectation(std::span<const std::string_view> permitted) {
  std::vector<std::string> quoted;
  for (const std::string_view word : permitted) quoted.push_back(fmt::format("'{}'", word));
  return join_or(quoted);
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string toml_key(std::string_view key) {
  const bool bare = !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return bare ? std::string(key) : toml_string(key);
}

std::string real_text(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

}  // namespace biglittle
