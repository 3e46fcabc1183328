// SPDX-License-Identifier: MIT
// The page, the numbers for programs and the model card say the same, name what they were measured
// on, and load or run nothing.

#include "bundle/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "bundle/report_page.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/text.h"
#include "tiny_bundle.h"
#include "well_formed.h"

namespace biglittle::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

FileSet report_on(const ExportInput& input) {
  const MeasuredOn measured{input.dataset_digest, input.splits};
  const DeviceFootprint footprint{4321, 1234};
  return report_files({input.name,
                       {input.big, input.little, input.little_int8, input.policy},
                       input.answers,
                       measured,
                       footprint});
}

std::string page_of(const ExportInput& input) { return report_on(input).at("report.html"); }

ExportInput tiny() { return tiny_export("unused"); }

ExportInput filtering() {
  ExportInput input = tiny();
  CalibrateOptions options = tiny_options();
  options.other = OtherMode::answer;
  options.dropped = 0.2;
  certify_anew(input, options);
  return input;
}

ExportInput not_certifiable() {
  ExportInput input = tiny();
  CalibrateOptions options = tiny_options();
  options.net_loss = 1e-5;
  certify_anew(input, options);
  return input;
}

/// Names as a hostile data set would give them.
ExportInput hostile() {
  ExportInput input = tiny();
  input.big.classes[1] = "<script>alert('cat')</script>";
  input.big.classes[2] = "\"dog\" & sons |";
  input.little.priority->names[0] = input.big.classes[1];
  input.little.priority->names[1] = input.big.classes[2];
  input.little.classes = input.little.priority->names;
  input.little_int8.priority = input.little.priority;
  CalibrateOptions options = tiny_options();
  options.miss = 0.2;
  certify_anew(input, options);
  return input;
}

void expect_sound(const std::string& page) {
  const Markup markup = read_markup(page);
  EXPECT_EQ(markup.error, "");
  EXPECT_THAT(markup.elements, Contains("svg"));
  const std::set<std::string> ids(markup.ids.begin(), markup.ids.end());
  EXPECT_EQ(ids.size(), markup.ids.size()) << "an id is there twice";
  for (const std::string& reference : markup.references) EXPECT_THAT(ids, Contains(reference));
  for (const char* element : {"script", "iframe", "link", "img", "object", "embed", "base"}) {
    EXPECT_THAT(markup.elements, Not(Contains(element)));
  }
  for (const std::string& attribute : markup.attributes) {
    EXPECT_FALSE(attribute.starts_with("on") || attribute == "src") << attribute;
  }
  std::string rest = page;
  for (const char* name : {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"}) {
    for (std::size_t at; (at = rest.find(name)) != std::string::npos;) rest.erase(at, 20);
  }
  for (const char* loads : {"<script", "http:", "https:", "url(", "@import", "javascript:"}) {
    EXPECT_THAT(rest, Not(HasSubstr(loads)));
  }
}

TEST(ReportPage, IsWellFormedAndLoadsNothing) {
  expect_sound(page_of(tiny()));
  expect_sound(page_of(filtering()));
  expect_sound(page_of(not_certifiable()));
}

TEST(ReportPage, EscapesNames) {
  const std::string page = page_of(hostile());
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&#39;cat&#39;)&lt;/script&gt;"));
  EXPECT_THAT(page, HasSubstr("&quot;dog&quot; &amp; sons |"));
}

TEST(ReportPage, HasTheFourNumbersOfTheJson) {
  for (const ExportInput& input : {tiny(), filtering(), not_certifiable()}) {
    const FileSet files = report_on(input);
    const Json test = parse_json(files.at("report.json"), "report.json").at("test");
    for (const char* key : {"system", "big", "priority_local", "escalated"}) {
      const std::string number = format_percent(test.at(key).at("value").get<double>());
      EXPECT_THAT(files.at("report.html"), HasSubstr("<dd class=\"value\">" + number + "</dd>"))
          << key;
    }
  }
}

TEST(ReportPage, BeginsWithTheCertificateOrWhyThereIsNone) {
  const ExportInput certified = tiny();
  EXPECT_THAT(page_of(certified), HasSubstr(">Certified</p>"));
  EXPECT_THAT(page_of(certified), HasSubstr(explain(certified.policy) + "."));
  EXPECT_THAT(page_of(certified), HasSubstr("chosen-point\" "));
  const ExportInput failed = not_certifiable();
  EXPECT_THAT(page_of(failed), HasSubstr(">Not certified</p>"));
  EXPECT_THAT(page_of(failed), HasSubstr(explain(failed.policy) + "."));
  EXPECT_THAT(page_of(failed), Not(HasSubstr("chosen-point\" ")));
  EXPECT_THAT(page_of(failed), HasSubstr("No local answer is audited"));
}

TEST(ReportPage, SpeaksOfDroppedInputsInFilterModeOnly) {
  EXPECT_THAT(page_of(tiny()), Not(HasSubstr(">dropped<")));
  const FileSet files = report_on(filtering());
  EXPECT_THAT(files.at("report.html"), HasSubstr("</span>dropped</th>"));
  EXPECT_THAT(files.at("report.html"), HasSubstr("other, kept"));
  EXPECT_THAT(files.at("MODEL_CARD.md"), HasSubstr("dropped as other, of all inputs"));
  EXPECT_THAT(files.at("MODEL_CARD.md"), HasSubstr("a confident `other` stays on the device"));
  EXPECT_THAT(report_on(tiny()).at("MODEL_CARD.md"), Not(HasSubstr("dropped")));
}

TEST(ReportPage, NamesEveryHash) {
  const ExportInput input = tiny();
  const std::string page = page_of(input);
  const Certificate& certificate = input.policy.certificate;
  std::vector<std::string> digests = {input.dataset_digest, certificate.big_digest,
                                      certificate.little_digest, input.little_int8.source_digest};
  for (const SplitRecord& split : input.splits) digests.push_back(split.digest);
  for (const std::string& digest : digests) {
    EXPECT_THAT(page, HasSubstr("<code>" + digest + "</code>"));
  }
}

TEST(ReportPage, SaysThatAFieldLogCertified) {
  ExportInput input = tiny();
  CalibrateOptions options = tiny_options();
  options.net_loss = 0.0;
  options.agreement = 0.05;
  certify_on_log(input, tiny_log(input), options);
  const FileSet files = report_on(input);
  EXPECT_THAT(files.at("report.html"), HasSubstr("Calibrated on a field log"));
  EXPECT_THAT(files.at("MODEL_CARD.md"), HasSubstr("Computed on a field log"));
  const Json report = parse_json(files.at("report.json"), "report.json");
  EXPECT_EQ(report.at("policy").at("measured_on").at("log").at("sha256"),
            log_digest(*input.answers.log));
  expect_sound(files.at("report.html"));
}

TEST(ReportPage, SumsUpTheConfusionOfManyClasses) {
  const ExportInput input = tiny();
  const MeasuredOn measured{input.dataset_digest, input.splits};
  const DeviceFootprint footprint;
  const ReportInput report{input.name,
                           {input.big, input.little, input.little_int8, input.policy},
                           input.answers,
                           measured,
                           footprint};
  SystemReport test;
  test.confusion.names.assign(13, "class");
  test.confusion.counts.assign(13, std::vector<std::int64_t>(14, 1));
  const std::string text = confusion_section({report, test});
  EXPECT_THAT(text, HasSubstr("right on the device"));
  EXPECT_THAT(text, HasSubstr(">12</span>")) << "wrong ones are added up";
  test.confusion.names.pop_back();
  test.confusion.counts.pop_back();
  for (auto& row : test.confusion.counts) row.pop_back();
  EXPECT_THAT(confusion_section({report, test}), Not(HasSubstr("right on the device")));
}

TEST(ReportJson, HasForEveryBlockWhatItWasMeasuredOn) {
  const ExportInput input = tiny();
  const Json report = parse_json(report_on(input).at("report.json"), "report.json");
  EXPECT_EQ(report.at("format_version"), 2);
  const Json& test = report.at("test");
  for (const Json* block : {&test, &test.at("classes"), &test.at("confusion"), &test.at("curve"),
                            &test.at("temperature"), &test.at("forecast").at("data")}) {
    const Json& source = block->at("measured_on");
    EXPECT_EQ(source.at("test").at("sha256"), input.splits[3].digest);
    EXPECT_EQ(source.at("test").at("samples"), 100);
    EXPECT_EQ(source.at("little_int8"), input.policy.certificate.little_digest);
    EXPECT_EQ(source.at("big"), input.policy.certificate.big_digest);
  }
  for (const Json* block : {&test.at("temperature"), &test.at("scores"), &report.at("policy")}) {
    EXPECT_EQ(block->at("measured_on").at("tune").at("sha256"), input.splits[1].digest);
  }
  EXPECT_EQ(report.at("policy").at("measured_on").at("calibration").at("sha256"),
            input.splits[2].digest);
  EXPECT_EQ(report.at("cost").at("measured_on").at("big"), input.policy.certificate.big_digest);
  EXPECT_EQ(report.at("statement"), explain(input.policy));
}

TEST(ReportJson, HasTheNumbersOfTheEvaluation) {
  const ExportInput input = tiny();
  const Json test = parse_json(report_on(input).at("report.json"), "report.json").at("test");
  // Both networks are always right here.
  EXPECT_EQ(test.at("system").at("count"), 100);
  EXPECT_EQ(test.at("classes").at("list").size(), 4);
  EXPECT_EQ(test.at("curve").at("points").size(), input.policy.certificate.path.steps.size() + 1);
  const std::int64_t local = test.at("local").at("count").get<std::int64_t>();
  EXPECT_EQ(test.at("escalated").at("count"), 100 - local);
  EXPECT_NEAR(test.at("forecast").at("data").at("total").at("answered").at("value").get<double>(),
              10.0 * static_cast<double>(local), 1e-6);
}

TEST(ReportFiles, AreTheSameBytesEveryTime) { EXPECT_EQ(report_on(tiny()), report_on(tiny())); }

TEST(ModelCard, StatesTheThresholdOfEveryAnswer) {
  const ExportInput input = tiny();
  const std::string card = report_on(input).at("MODEL_CARD.md");
  EXPECT_THAT(card, HasSubstr("| cat | " + std::to_string(input.policy.thresholds[0]) + " |"));
  EXPECT_THAT(card, HasSubstr("| other | never |"));
  EXPECT_THAT(card, HasSubstr("biglittle audit"));
  EXPECT_THAT(report_on(hostile()).at("MODEL_CARD.md"), HasSubstr("\"dog\" & sons \\|"));
  EXPECT_THAT(report_on(not_certifiable()).at("MODEL_CARD.md"),
              HasSubstr("every input goes to the big network"));
}

TEST(WellFormed, RefusesWhatIsNot) {
  EXPECT_THAT(read_markup("<p class=\"a\">x &amp; y<br/></p>").error, IsEmpty());
  for (const char* bad : {"<p>", "<p></b>", "</p>", "<p a=b></p>", "a & b", "<p", "<p>&nbsp;</p>",
                          "<p a=\"<\"></p>", "<P></P>"}) {
    EXPECT_THAT(read_markup(bad).error, Not(IsEmpty())) << bad;
  }
}

}  // namespace
}  // namespace biglittle::testing
