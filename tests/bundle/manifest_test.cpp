// SPDX-License-Identifier: MIT
#include "bundle/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "core/error.h"
#include "core/hash.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using ::testing::HasSubstr;

Manifest example() {
  Manifest manifest;
  manifest.program_version = "0.1.0";
  manifest.name = "fashion-mnist";
  manifest.measured_on.dataset_digest = sha256_hex("data");
  for (std::size_t i = 0; i < 4; ++i) {
    manifest.measured_on.splits[i] = {sha256_hex(kSplitNames[i]), static_cast<std::int64_t>(i)};
  }
  manifest.files = {{"a.json", 3, sha256_hex("abc")}, {"big/b.onnx", 0, sha256_hex("")}};
  manifest.id = bundle_id(manifest.files);
  return manifest;
}

/// The message of the error that reading the changed example throws.
std::string refusal(const std::function<void(Json&)>& change) {
  Json json = to_json(example());
  change(json);
  try {
    (void)manifest_from_json(json, "m.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::bad_data);
    return error.what();
  }
  return "not refused";
}

std::string refusal_of_path(const std::string& path) {
  return refusal([&](Json& json) { json["files"][0]["path"] = path; });
}

TEST(Manifest, RoundTripsThroughText) {
  EXPECT_EQ(manifest_from_json(parse_json(to_text(to_json(example())), "m.json"), "m.json"),
            example());
}

TEST(Manifest, IdIsTheHashOfSortedPathAndHashLines) {
  const std::vector<FileRecord> files = {{"b", 1, sha256_hex("x")}, {"a/c", 1, sha256_hex("y")}};
  EXPECT_EQ(bundle_id(files),
            sha256_hex("a/c " + sha256_hex("y") + "\nb " + sha256_hex("x") + "\n"));
}

TEST(Manifest, PathsOutsideTheBundleAreRefused) {
  const std::vector<std::string> outside = {
      "../a.json", "a/../../b", "/etc/passwd",        "a//b", "a/", "./a", "..", "",
      "a\\b",      "a b",       std::string(201, 'a')};
  for (const std::string& path : outside) {
    EXPECT_THAT(refusal_of_path(path), HasSubstr("is not a plain path inside the bundle")) << path;
  }
  EXPECT_TRUE(is_bundle_path("little/model.int8.onnx"));
  EXPECT_TRUE(is_bundle_path("..a"));
  EXPECT_TRUE(is_bundle_path(std::string(200, 'a')));
}

TEST(Manifest, ControlCharactersOfAPathAreNotPrinted) {
  EXPECT_EQ(refusal_of_path("\x1b[2J"),
            "m.json: file name \"\\u001b[2J\" is not a plain path inside the bundle");
}

TEST(Manifest, AnotherFormatIsRefused) {
  EXPECT_EQ(refusal([](Json& json) { json["format"] = "zip"; }),
            "m.json: 'format' is not \"biglittle-bundle\", so this is no bundle");
  EXPECT_EQ(refusal([](Json& json) { json = Json::array(); }), "m.json: is not a JSON object");
}

TEST(Manifest, FutureAndImpossibleVersionsAreRefused) {
  EXPECT_EQ(refusal([](Json& json) { json["format_version"] = 3; }),
            "m.json: format version 3 is newer than 2, the newest this program reads; use a newer "
            "biglittle");
  EXPECT_EQ(refusal([](Json& json) { json["format_version"] = 0; }),
            "m.json: format version 0 does not exist");
  EXPECT_EQ(refusal([](Json& json) { json["format_version"] = 1.5; }),
            "m.json: 'format_version' is not a count");
  EXPECT_EQ(refusal([](Json& json) { json.erase("format_version"); }),
            "m.json: has no 'format_version'");
}

TEST(Manifest, UnknownAndMissingKeysAreNamed) {
  EXPECT_EQ(refusal([](Json& json) { json["extra"] = 1; }),
            "m.json: the manifest has an unknown key 'extra'");
  EXPECT_EQ(refusal([](Json& json) { json.erase("id"); }), "m.json: the manifest has no 'id'");
  EXPECT_EQ(refusal([](Json& json) { json["files"][1].erase("sha256"); }),
            "m.json: a file has no 'sha256'");
  EXPECT_EQ(refusal([](Json& json) { json["measured_on"]["splits"].erase("tune"); }),
            "m.json: 'splits' has no 'tune'");
  EXPECT_EQ(refusal([](Json& json) { json["measured_on"] = 3; }),
            "m.json: 'measured_on' is not an object");
}

TEST(Manifest, WrongTypesAreNamed) {
  EXPECT_EQ(refusal([](Json& json) { json["files"][0]["bytes"] = -1; }),
            "m.json: 'bytes' is not a count");
  EXPECT_EQ(refusal([](Json& json) { json["files"][0]["bytes"] = 18446744073709551615ull; }),
            "m.json: 'bytes' is not a count");
  EXPECT_EQ(refusal([](Json& json) { json["files"][0]["sha256"] = "ABC"; }),
            "m.json: 'sha256' is not a SHA-256 (64 lower-case hexadecimal digits)");
  EXPECT_EQ(refusal([](Json& json) { json["program_version"] = 1; }),
            "m.json: 'program_version' is not a string");
  EXPECT_EQ(refusal([](Json& json) { json["files"] = 1; }), "m.json: 'files' is not a list");
}

TEST(Manifest, FilesAreSortedAndListedOnce) {
  EXPECT_EQ(refusal([](Json& json) { json["files"][1]["path"] = "a.json"; }),
            "m.json: file 'a.json' is out of order or listed twice");
  EXPECT_EQ(refusal([](Json& json) { json["files"][1]["path"] = "a"; }),
            "m.json: file 'a' is out of order or listed twice");
  EXPECT_EQ(refusal_of_path("manifest.json"), "m.json: the manifest lists itself");
}

TEST(Manifest, TooManyFilesAreRefused) {
  EXPECT_EQ(refusal([](Json& json) {
              const Json file = json["files"][0];
              while (json["files"].size() <= 1000) json["files"].push_back(file);
            }),
            "m.json: lists 1001 files, at most 1000 are permitted");
}

TEST(Manifest, AnIdOfOtherFilesIsRefused) {
  EXPECT_EQ(refusal([](Json& json) { json["files"][0]["sha256"] = sha256_hex("other"); }),
            "m.json: 'id' is not the hash of the listed files");
}

TEST(Manifest, NamesAreLowerCaseLettersDigitsAndDashes) {
  EXPECT_EQ(refusal([](Json& json) { json["name"] = "A/B"; }),
            "m.json: 'name' is not made of lower-case letters, digits and '-'");
  EXPECT_TRUE(is_bundle_name("fashion-mnist-2"));
  EXPECT_TRUE(is_bundle_name(std::string(64, 'a')));
  EXPECT_FALSE(is_bundle_name(std::string(65, 'a')));
  EXPECT_FALSE(is_bundle_name(""));
  EXPECT_FALSE(is_bundle_name("a_b"));
}

TEST(Manifest, DigestsAre64LowerCaseHexadecimalDigits) {
  EXPECT_TRUE(is_digest(std::string(64, 'f')));
  EXPECT_FALSE(is_digest(std::string(63, 'f')));
  EXPECT_FALSE(is_digest(std::string(65, 'f')));
  EXPECT_FALSE(is_digest(std::string(64, 'g')));
  EXPECT_FALSE(is_digest(std::string(64, 'F')));
}

TEST(Manifest, AFolderIsABundleByItsManifestOfWhateverVersion) {
  const testing::TemporaryFolder folder;
  EXPECT_FALSE(is_bundle_folder(folder.path()));
  std::ofstream(folder / "manifest.json") << "{\"name\": \"a web page\"}";
  EXPECT_FALSE(is_bundle_folder(folder.path()));
  std::ofstream(folder / "manifest.json")
      << "{\"format\": \"biglittle-bundle\", \"format_version\": 9}";
  EXPECT_TRUE(is_bundle_folder(folder.path()));
}

TEST(Manifest, ASymbolicLinkIsNotRead) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "real.json") << to_text(to_json(example()));
  std::filesystem::create_symlink("real.json", folder / "manifest.json");
  try {
    (void)read_manifest(folder.path());
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("is a symbolic link, expected a plain file"));
  }
}

}  // namespace
}  // namespace biglittle
