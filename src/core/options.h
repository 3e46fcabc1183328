// SPDX-License-Identifier: MIT
#pragma once

// Options are plain structs with defaults; each has one `describe(options, visitor)` that states
// every field's name, permitted values and help. Reading TOML, `--set a.b=c`, printing, saving and
// help are visitors over that one statement, so an option is written once.

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace biglittle {

/// Permitted integers, both ends included.
struct IntRange {
  std::int64_t low = std::numeric_limits<std::int64_t>::min();
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
};

/// Permitted reals, both ends included; NaN is never permitted.
struct RealRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// Specialise for an enum class whose enumerators are 0, 1, 2 ...: `static constexpr
/// std::array<std::string_view, N> names` in that order.
template <typename Enum>
struct EnumNames;

/// The configured spelling of an enumerator.
template <typename Enum>
std::string_view name_of(Enum value) {
  return EnumNames<Enum>::names.at(static_cast<std::size_t>(value));
}

/// What is done with each option: read it, print it, check it. `describe` calls one method a field.
class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;

  virtual void field(std::string_view name, bool& value, std::string_view help) = 0;
  virtual void field(std::string_view name, std::int64_t& value, IntRange range,
                     std::string_view help) = 0;
  virtual void field(std::string_view name, double& value, RealRange range,
                     std::string_view help) = 0;
  virtual void field(std::string_view name, std::string& value, std::string_view help) = 0;
  /// A path; a relative one is meant relative to the file that sets it.
  virtual void field(std::string_view name, std::filesystem::path& value,
                     std::string_view help) = 0;
  /// A list of strings; one string alone stands for a list of one.
  virtual void field(std::string_view name, std::vector<std::string>& value,
                     std::string_view help) = 0;
  virtual void field(std::string_view name, std::vector<std::int64_t>& value, IntRange range,
                     std::string_view help) = 0;
  /// A table of numbers under names that the user chooses. `{...}` states all of it; a section or a
  /// dotted key sets what it names and keeps the rest.
  virtual void field(std::string_view name, std::map<std::string, double>& value, RealRange range,
                     std::string_view help) = 0;
  /// A table of such tables.
  virtual void field(std::string_view name,
                     std::map<std::string, std::map<std::string, double>>& value, RealRange range,
                     std::string_view help) = 0;

  /// One of `permitted`; `set` receives the index of the one chosen.
  virtual void choice(std::string_view name, std::string_view current,
                      std::span<const std::string_view> permitted,
                      const std::function<void(std::size_t)>& set, std::string_view help) = 0;

  virtual void begin_section(std::string_view name, std::string_view help) = 0;
  virtual void end_section() = 0;

  /// An enum class with EnumNames.
  template <typename Enum>
  void field(std::string_view name, Enum& value,
             std::string_view help) requires std::is_enum_v<Enum> {
    choice(
        name, name_of(value), EnumNames<Enum>::names,
        [&value](std::size_t index) { value = static_cast<Enum>(index); }, help);
  }

  /// A nested options struct: `[name]` in TOML.
  template <typename Options>
  void section(std::string_view name, Options& options, std::string_view help) {
    begin_section(name, help);
    describe(options, *this);
    end_section();
  }
};

/// A pass of a visitor over a whole options struct, e.g. `[&](auto& v) { describe(config, v); }`.
using DescribeOptions = std::function<void(OptionVisitor&)>;

/// Sets the options that the TOML file states. Paths become relative to the file's folder. Throws
/// Error{missing_input} when it cannot be read, and Error{config} with `file:line:column:`, what
/// was expected and the closest known key for a syntax error, an unknown or duplicate key, a wrong
/// type or a value out of range.
void read_toml(const std::filesystem::path& file, const DescribeOptions& describe_options);

/// The same for text; `name` stands for the file in messages, `base` is where relative paths start.
void read_toml_text(std::string_view text, std::string_view name, const std::filesystem::path& base,
                    const DescribeOptions& describe_options);

/// Applies one `section.key=value`; the value is TOML, or a bare word taken as a string. Throws
/// Error{config} naming the assignment.
void apply_assignment(std::string_view assignment, const DescribeOptions& describe_options);

/// All options as TOML, in declared order, readable by read_toml. With comments, each option is
/// preceded by its help, range and permitted values.
enum class TomlComments { none, help };
std::string write_toml(const DescribeOptions& describe_options,
                       TomlComments comments = TomlComments::none);

/// Throws Error{config} for a number outside its range, naming it with `section` before it, e.g.
/// "calibrate.delta". Reading does the same; this is for options that a program set.
void check_ranges(const DescribeOptions& describe_options, std::string_view section);

}  // namespace biglittle
