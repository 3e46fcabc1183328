// SPDX-License-Identifier: MIT
#include "data/priority.h"

#include "data/small_dataset.h"

namespace biglittle {
namespace {

using testing::expect_error;

const std::vector<std::string> kClasses = {"shirt", "sneaker", "bag", "boot"};

PriorityMap resolve(std::vector<std::string> priority) {
  return resolve_priorities(priority, kClasses);
}

TEST(Priorities, KeepTheOrderGivenAndEndWithOther) {
  const PriorityMap map = resolve({"boot", "sneaker"});

  EXPECT_EQ(map.names, (std::vector<std::string>{"boot", "sneaker", "other"}));
  EXPECT_EQ(map.little_of_big, (std::vector<std::int64_t>{2, 1, 2, 0}));
  EXPECT_TRUE(map.has_other);
  EXPECT_EQ(map.classes(), 3);
  EXPECT_EQ(map.priorities(), 2);
  EXPECT_EQ(map.big_of_priority(), (std::vector<std::int64_t>{3, 1}));
}

TEST(Priorities, AllMakesEveryClassAPriorityWithoutOther) {
  const PriorityMap map = resolve({"all"});

  EXPECT_EQ(map.names, kClasses);
  EXPECT_EQ(map.little_of_big, (std::vector<std::int64_t>{0, 1, 2, 3}));
  EXPECT_FALSE(map.has_other);
  EXPECT_EQ(map.priorities(), 4);
  EXPECT_EQ(map.big_of_priority(), (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST(Priorities, AllButOneClassIsPermitted) {
  EXPECT_EQ(resolve({"shirt", "sneaker", "bag"}).little_of_big,
            (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST(Priorities, RefuseAnUnknownClassWithTheClosestOne) {
  expect_error(ErrorKind::missing_input,
               "priority class 'sneeker' is not in the dataset, expected shirt, sneaker, bag or "
               "boot, did you mean 'sneaker'?",
               [] {
                 resolve({"bag", "sneeker"});
               });
}

TEST(Priorities, RefuseAnEmptyList) {
  expect_error(ErrorKind::config,
               "priority is empty, expected class names or \"all\"; name shirt, sneaker, bag or "
               "boot",
               [] { resolve({}); });
}

TEST(Priorities, RefuseARepeatedName) {
  expect_error(ErrorKind::config,
               "priority lists 'bag' twice, expected each class once; remove one", [] {
                 resolve({"bag", "boot", "bag"});
               });
}

TEST(Priorities, RefuseEveryClassListedOneByOne) {
  expect_error(ErrorKind::config,
               "priority lists all 4 classes, so that nothing is left for 'other'; use priority = "
               "\"all\" or remove a class",
               [] {
                 resolve({"bag", "boot", "shirt", "sneaker"});
               });
}

TEST(Priorities, RefuseAllBesideNames) {
  expect_error(ErrorKind::config,
               "priority lists 'all' beside other names, expected \"all\" alone or class names; "
               "remove one or the other",
               [] {
                 resolve({"bag", "all"});
               });
}

TEST(Priorities, RefuseAClassThatIsCalledOther) {
  const std::vector<std::string> classes = {"other", "bag", "boot"};
  const std::vector<std::string> priority = {"other"};
  expect_error(ErrorKind::config,
               "priority class 'other' has the name of the class of everything else; rename it in "
               "the dataset",
               [&] { resolve_priorities(priority, classes); });
}

TEST(Relabel, MapsEveryBigLabel) {
  const PriorityMap map = resolve({"boot", "sneaker"});
  const std::vector<std::int64_t> labels = {3, 0, 1, 2, 3};
  EXPECT_EQ(relabel(labels, map), (std::vector<std::int64_t>{0, 2, 1, 2, 0}));
}

TEST(Relabel, RefusesLabelsOutsideTheClasses) {
  const PriorityMap map = resolve({"boot"});
  for (const std::int64_t label : {-1, 4}) {
    const std::vector<std::int64_t> labels = {label};
    expect_error(ErrorKind::internal,
                 "label " + std::to_string(label) + " was relabelled with 4 big classes",
                 [&] { relabel(labels, map); });
  }
}

TEST(PriorityMapJson, RoundTrips) {
  for (const PriorityMap& map : {resolve({"boot", "sneaker"}), resolve({"all"})}) {
    EXPECT_EQ(priority_map_from_json(to_json(map), "p.json"), map);
  }
}

struct BadMap {
  const char* json;
  const char* message;
};

class PriorityMapJsonRefuses : public ::testing::TestWithParam<BadMap> {};

TEST_P(PriorityMapJsonRefuses, WithOneLine) {
  const Json json = Json::parse(GetParam().json);
  expect_error(ErrorKind::bad_data, GetParam().message,
               [&] { priority_map_from_json(json, "p.json"); });
}

INSTANTIATE_TEST_SUITE_P(
    Maps, PriorityMapJsonRefuses,
    ::testing::Values(
        BadMap{R"({"little_of_big": [0, 2], "names": ["a", "other"], "has_other": true})",
               "p.json: priority map has little class 2, expected 0 to 1; write the file again"},
        BadMap{R"({"little_of_big": [0, -1], "names": ["a", "other"], "has_other": true})",
               "p.json: priority map has little class -1, expected 0 to 1; write the file again"},
        BadMap{R"({"little_of_big": [0, 0, 1], "names": ["a", "other"], "has_other": true})",
               "p.json: priority map gives 'a' 2 big classes, expected one; write the file again"},
        BadMap{R"({"little_of_big": [0], "names": ["a", "other"], "has_other": true})",
               "p.json: priority map gives 'other' 0 big classes, expected at least one; write the "
               "file again"},
        BadMap{R"({"little_of_big": [0, 1], "names": ["a", "rest"], "has_other": true})",
               "p.json: priority map ends with 'rest', expected 'other'; write the file again"},
        BadMap{R"({"little_of_big": [0], "names": ["other"], "has_other": true})",
               "p.json: priority map has no priority class, expected at least one; write the file "
               "again"}));

TEST(PriorityMapJson, NamesTheFileWhenAKeyIsMissing) {
  const auto thrown = testing::error_of(
      [] { priority_map_from_json(Json::parse(R"({"names": ["a"]})"), "p.json"); });
  EXPECT_EQ(thrown.kind, ErrorKind::bad_data);
  EXPECT_TRUE(thrown.message.starts_with("p.json: ")) << thrown.message;
  EXPECT_NE(thrown.message.find("little_of_big"), std::string::npos) << thrown.message;
}

}  // namespace
}  // namespace biglittle
