// SPDX-License-Identifier: MIT
#include "cli/option_arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/option_names.h"

namespace biglittle {

/// One option and what was typed for it.
struct OptionArguments::Typed {
  enum class Kind { plain, text, list };

  std::string name;
  std::string option;
  Kind kind = Kind::plain;
  std::vector<std::string> values;

  /// In TOML.
  std::string value() const {
    if (kind == Kind::plain) return values.back();
    if (kind == Kind::text) return toml_string(values.back());
    std::vector<std::string> items;
    for (const std::string& item : values) items.push_back(toml_string(item));
    return fmt::format("[{}]", fmt::join(items, ","));
  }
};

class OptionArguments::Declaration : public OptionVisitor {
  using Kind = Typed::Kind;

 public:
  Declaration(OptionArguments& owner, Arguments& arguments)
      : owner_(owner), arguments_(arguments) {}

  void field(std::string_view name, bool&, std::string_view help) override {
    add(name, "true|false", help, Kind::plain);
  }
  void field(std::string_view name, std::int64_t&, IntRange, std::string_view help) override {
    add(name, "N", help, Kind::plain);
  }
  void field(std::string_view name, double&, RealRange, std::string_view help) override {
    add(name, "X", help, Kind::plain);
  }
  void field(std::string_view name, std::string&, std::string_view help) override {
    add(name, "TEXT", help, Kind::text);
  }
  void field(std::string_view name, std::filesystem::path&, std::string_view help) override {
    add(name, "PATH", help, Kind::text);
  }
  void field(std::string_view name, std::vector<std::string>&, std::string_view help) override {
    add(name, "TEXT", help, Kind::list);
  }
  void field(std::string_view name, std::vector<std::int64_t>&, IntRange,
             std::string_view help) override {
    add(name, "[N,...]", help, Kind::plain);
  }
  void field(std::string_view name, std::map<std::string, double>&, RealRange,
             std::string_view help) override {
    add(name, "{NAME=X,...}", help, Kind::plain);
  }
  void field(std::string_view name, std::map<std::string, std::map<std::string, double>>&,
             RealRange, std::string_view help) override {
    add(name, "{NAME={NAME=X,...},...}", help, Kind::plain);
  }
  void choice(std::string_view name, std::string_view, std::span<const std::string_view> permitted,
              const std::function<void(std::size_t)>&, std::string_view help) override {
    const std::string words = fmt::format("{}", fmt::join(permitted, "|"));
    add(name, words, help, Kind::text);
  }
  void begin_section(std::string_view, std::string_view) override {}
  void end_section() override {}

 private:
  void add(std::string_view name, std::string_view placeholder, std::string_view help, Kind kind) {
    if (std::ranges::find(owner_.left_out_, name) != owner_.left_out_.end()) return;
    std::string option = "--" + std::string(name);
    std::replace(option.begin(), option.end(), '_', '-');
    owner_.typed_.push_back(
        std::make_unique<Typed>(Typed{std::string(name), std::move(option), kind, {}}));
    const std::string more = kind == Kind::list ? "; once for each, in order" : "";
    Typed& typed = *owner_.typed_.back();
    arguments_.option(typed.option, placeholder, typed.values, std::string(help) + more);
  }

  OptionArguments& owner_;
  Arguments& arguments_;
};

OptionArguments::OptionArguments(std::string_view command, std::vector<std::string> left_out)
    : command_(command), left_out_(std::move(left_out)) {}

OptionArguments::~OptionArguments() = default;

void OptionArguments::declare(Arguments& arguments, const DescribeOptions& describe_options) {
  Declaration declaration(*this, arguments);
  describe_options(declaration);
}

void OptionArguments::apply(const DescribeOptions& describe_options) const {
  for (const std::unique_ptr<Typed>& typed : typed_) {
    if (typed->values.empty()) continue;
    const std::string assignment = typed->name + "=" + typed->value();
    try {
      apply_assignment(assignment, describe_options);
    } catch (const Error& error) {
      std::string reason = error.what();
      const std::string place = fmt::format("--set {}: ", assignment);
      if (reason.starts_with(place)) reason.erase(0, place.size());
      throw Error(ErrorKind::usage, fmt::format("{}: {}: {}", command_, typed->option, reason));
    }
  }
}

}  // namespace biglittle
