// SPDX-License-Identifier: MIT
#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/console.h"
#include "core/error.h"
#include "core/text.h"
#include "core/version.h"

namespace biglittle {
namespace {

/// Gives a command's arguments to its CLI11 sub-command.
class SubcommandArguments : public Arguments {
 public:
  explicit SubcommandArguments(CLI::App& app) : app_(app) {}

  void required(std::string_view name, std::filesystem::path& value,
                std::string_view help) override {
    app_.add_option(std::string(name), value, std::string(help))->required()->option_text(" ");
  }

  void flag(std::string_view names, bool& value, std::string_view help) override {
    app_.add_flag(std::string(names), value, std::string(help));
  }

  void option(std::string_view names, std::string_view placeholder, std::filesystem::path& value,
              std::string_view help) override {
    app_.add_option(std::string(names), value, std::string(help))
        ->option_text(std::string(placeholder));
  }

  void required_option(std::string_view names, std::string_view placeholder,
                       std::filesystem::path& value, std::string_view help) override {
    app_.add_option(std::string(names), value, std::string(help))
        ->required()
        ->option_text(std::string(placeholder));
  }

  void option(std::string_view names, std::string_view placeholder,
              std::vector<std::string>& values, std::string_view help) override {
    // One value an occurrence: without the limit it would swallow the positional after it.
    app_.add_option(std::string(names), values, std::string(help))
        ->option_text(std::string(placeholder))
        ->expected(1)
        ->take_all();
  }

 private:
  CLI::App& app_;
};

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* subcommand : app.get_subcommands({}))
    names.push_back(subcommand->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

/// The sub-command that argv named, or nothing.
const CLI::App* chosen(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  return parsed.empty() ? nullptr : parsed.front();
}

std::string where_help_is(const CLI::App* subcommand) {
  return subcommand == nullptr ? "biglittle --help"
                               : fmt::format("biglittle {} --help", subcommand->get_name());
}

/// Refuses the first word that nothing claimed.
void refuse_leftovers(const CLI::App& app) {
  const CLI::App* subcommand = chosen(app);
  const CLI::App& scope = subcommand == nullptr ? app : *subcommand;
  const std::string prefix = subcommand == nullptr ? "" : subcommand->get_name() + ": ";
  const std::vector<std::string> words = scope.remaining();
  for (const std::string& word : words) {
    if (word.size() < 2 || word.front() != '-') continue;
    const std::string name = word.substr(0, word.find('='));
    throw Error(ErrorKind::usage,
                fmt::format("{}unknown option '{}'{} (see '{}')", prefix, name,
                            did_you_mean(name, option_names(scope)), where_help_is(subcommand)));
  }
  if (words.empty()) return;
  if (subcommand != nullptr) {
    throw Error(ErrorKind::usage, fmt::format("{}one argument too many: '{}' (see '{}')", prefix,
                                              words.front(), where_help_is(subcommand)));
  }
  throw Error(ErrorKind::usage,
              fmt::format("unknown command '{}'{} (see '{}')", words.front(),
                          did_you_mean(words.front(), command_names(app)), where_help_is(nullptr)));
}

/// Parses; false when help or version was asked for and given.
bool parse(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    print(app.help());
    return false;
  } catch (const CLI::CallForVersion& version) {
    print(fmt::format("{}\n", version.what()));
    return false;
  } catch (const CLI::ParseError& error) {
    refuse_leftovers(app);  // a misspelt option is the cause when it left another one missing
    const CLI::App* subcommand = chosen(app);
    throw Error(
        ErrorKind::usage,
        fmt::format("{}{} (see '{}')", subcommand == nullptr ? "" : subcommand->get_name() + ": ",
                    error.what(), where_help_is(subcommand)));
  }
  refuse_leftovers(app);
  return true;
}

}  // namespace

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(run_command());
  commands.push_back(import_command());
  commands.push_back(train_command());
  commands.push_back(derive_little_command());
  commands.push_back(export_command());
  commands.push_back(evaluate_command());
  commands.push_back(certify_command());
  commands.push_back(recalibrate_command());
  commands.push_back(audit_command());
  commands.push_back(inspect_command());
  commands.push_back(verify_command());
  commands.push_back(doctor_command());
  return commands;
}

int run_command_line(int argc, const char* const* argv) {
  CLI::App app(
      "Trains a big classifier, derives an int8 little one for the classes that matter on a\n"
      "device, and exports both with a certified rule for when the little one may answer.",
      "biglittle");
  app.require_subcommand(0, 1);
  app.allow_extras();  // leftovers are reported by refuse_leftovers, with the closest word
  app.set_version_flag("--version", fmt::format("biglittle {}", program_version()),
                       "Print the version and exit");
  app.footer("'biglittle COMMAND --help' explains a command.");
  const std::vector<std::unique_ptr<Command>> commands = all_commands();
  for (const std::unique_ptr<Command>& command : commands) {
    CLI::App* subcommand =
        app.add_subcommand(std::string(command->name()), std::string(command->summary()));
    subcommand->footer("");
    SubcommandArguments arguments(*subcommand);
    command->declare(arguments);
  }
  if (!parse(app, argc, argv)) return 0;
  for (const std::unique_ptr<Command>& command : commands) {
    if (app.got_subcommand(std::string(command->name()))) return command->run();
  }
  throw Error(ErrorKind::usage, fmt::format("a command is expected: {} (see '{}')",
                                            join_or(command_names(app)), where_help_is(nullptr)));
}

}  // namespace biglittle
