// SPDX-License-Identifier: MIT
#include "core/hash.h"

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "core/files.h"
#include "testing/expect_error.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::expect_error;

// FIPS 180 example vectors (NIST, "SHA-256 examples" and CAVS SHA256ShortMsg).
constexpr const char* kOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kOfMillionA =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, EqualsTheStandardsExamples) {
  EXPECT_EQ(sha256_hex(""), kOfNothing);
  EXPECT_EQ(sha256_hex("abc"), kOfAbc);
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                       "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')), kOfMillionA);
}

TEST(Sha256, DoesNotDependOnThePieces) {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.update(std::string(1000, 'a'));
  EXPECT_EQ(hash.finish(), kOfMillionA);
}

TEST(Sha256, OfAFileLongerThanOneBlockIsTheHashOfItsContent) {
  const testing::TemporaryFolder folder;
  const std::string content(3'000'001, 'x');
  write_file(folder / "x", content);
  EXPECT_EQ(sha256_file(folder / "x"), sha256_hex(content));
  write_file(folder / "empty", "");
  EXPECT_EQ(sha256_file(folder / "empty"), kOfNothing);
}

TEST(Sha256, NamesAFileThatIsMissingOrCannotBeRead) {
  const testing::TemporaryFolder folder;
  const std::string missing = (folder / "none").string();
  expect_error(ErrorKind::missing_input, missing + ": cannot be opened: No such file or directory",
               [&] { sha256_file(missing); });
  expect_error(ErrorKind::io, folder.path().string() + ": cannot be read: Is a directory",
               [&] { sha256_file(folder.path()); });
}

}  // namespace
}  // namespace biglittle
