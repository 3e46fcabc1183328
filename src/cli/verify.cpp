// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "bundle/bundle.h"
#include "cli/command.h"
#include "cli/console.h"
#include "core/json.h"
#include "core/text.h"

namespace biglittle {
namespace {

std::string_view outcome_name(VerifyItem::Outcome outcome) {
  switch (outcome) {
    case VerifyItem::Outcome::passed:
      return "passed";
    case VerifyItem::Outcome::failed:
      return "failed";
    case VerifyItem::Outcome::skipped:
      return "skipped";
  }
  return "";
}

class VerifyCommand : public Command {
 public:
  std::string_view name() const override { return "verify"; }
  std::string_view summary() const override {
    return "Re-check a bundle: hashes, test vectors, device code";
  }

  void declare(Arguments& arguments) override {
    arguments.required("BUNDLE", bundle_, "Folder that export wrote");
    arguments.flag("--no-engines", no_engines_, "Do not compile and run the device code");
    arguments.flag("--json", json_, "Print the checks as JSON");
  }

  int run() override {
    const std::vector<VerifyItem> items =
        verify_bundle(bundle_, no_engines_ ? VerifyEngines::none : VerifyEngines::found);
    const std::int64_t failed =
        std::ranges::count(items, VerifyItem::Outcome::failed, &VerifyItem::outcome);
    print(json_ ? to_text(items_json(items, failed)) : items_text(items, failed));
    return failed == 0 ? 0 : exit_code(ErrorKind::gate);
  }

 private:
  static std::string items_text(const std::vector<VerifyItem>& items, std::int64_t failed) {
    std::string text;
    for (const VerifyItem& item : items) {
      text += fmt::format("{:<8} {}{}{}\n", outcome_name(item.outcome), item.what,
                          item.detail.empty() ? "" : ": ", item.detail);
    }
    return text + (failed == 0 ? std::string("the bundle is what it was when it was exported\n")
                               : fmt::format("{} of {} checks failed\n", failed, items.size()));
  }

  static Json items_json(const std::vector<VerifyItem>& items, std::int64_t failed) {
    Json checks = Json::array();
    for (const VerifyItem& item : items) {
      checks.push_back(
          {{"what", item.what}, {"outcome", outcome_name(item.outcome)}, {"detail", item.detail}});
    }
    return {{"passed", failed == 0}, {"checks", checks}};
  }

  std::filesystem::path bundle_;
  bool no_engines_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> verify_command() { return std::make_unique<VerifyCommand>(); }

}  // namespace biglittle
