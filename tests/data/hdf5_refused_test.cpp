// SPDX-License-Identifier: MIT
// Every condition under which a dataset file is refused, once, with its line.

#include <cmath>
#include <fstream>
#include <limits>
#include <regex>

#include "data/hdf5_editor.h"
#include "data/small_dataset.h"
#include "testing/temporary_folder.h"

namespace biglittle {
namespace {

using testing::expect_error;
using testing::Hdf5Editor;
using testing::TemporaryFolder;

/// A good file, a change, and the line after "FILE: ".
struct BadFile {
  const char* name;
  void (*damage)(Hdf5Editor&);
  const char* message;
};
void PrintTo(const BadFile& bad, std::ostream* out) { *out << bad.name; }

/// Two digests and a file's size are not known before; everything else of a line is.
std::string without_digests(std::string message, std::uintmax_t file_bytes) {
  message = std::regex_replace(message, std::regex("is [0-9a-f]{64}, expected [0-9a-f]{64}"),
                               "is COMPUTED, expected STORED");
  return std::regex_replace(message, std::regex("of " + std::to_string(file_bytes) + " bytes"),
                            "of FILE_BYTES bytes");
}

class DatasetFileRefused : public ::testing::TestWithParam<BadFile> {};

TEST_P(DatasetFileRefused, WithOneLine) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "d.h5";
  Dataset dataset = testing::small_float_dataset();
  finish_dataset(dataset, "test");
  write_dataset(file, dataset);
  {
    Hdf5Editor editor(file);
    GetParam().damage(editor);
  }
  const testing::Thrown thrown = testing::error_of([&] { read_dataset(file); });
  EXPECT_EQ(thrown.kind, ErrorKind::bad_data);
  EXPECT_EQ(without_digests(thrown.message, std::filesystem::file_size(file)),
            file.string() + ": " + GetParam().message);
}

template <typename Value>
const void* value(Value content) {
  thread_local Value kept;
  kept = content;
  return &kept;
}

void chunked(Hdf5Editor& editor, const std::vector<hsize_t>& shape,
             const std::vector<hsize_t>& chunk, herr_t (*add_filter)(hid_t), const void* values) {
  const auto creation = Hdf5Editor::creation();
  Hdf5Editor::check(H5Pset_chunk(creation.id(), 4, chunk.data()));
  if (add_filter != nullptr) Hdf5Editor::check(add_filter(creation.id()));
  editor.replace("/tune/samples", H5T_IEEE_F32LE, shape, creation, values);
}

const BadFile kDescriptions[] = {
    {"NoFormat", [](Hdf5Editor& e) { e.remove_attribute("/", "format"); },
     "no attribute 'format' of /, expected it; import the data again"},
    {"OtherFormat",
     [](Hdf5Editor& e) {
       e.replace_attribute("/", "format", Hdf5Editor::text_type(8).id(), {}, "pictures");
     },
     "format is 'pictures', expected 'biglittle-dataset'; import the data again"},
    {"VariableText",
     [](Hdf5Editor& e) {
       e.replace_attribute("/", "format", Hdf5Editor::text_type(H5T_VARIABLE).id(), {},
                           value("biglittle-dataset"));
     },
     "attribute 'format' of / is something else, expected fixed-length text of at most 64 bytes; "
     "import the data again"},
    {"NewerVersion",
     [](Hdf5Editor& e) {
       e.replace_attribute("/", "format_version", H5T_STD_I64LE, {}, value(std::int64_t{2}));
     },
     "format version 2, expected 1; import the data again"},
    {"VersionOfAnotherType",
     [](Hdf5Editor& e) {
       e.replace_attribute("/", "format_version", H5T_IEEE_F64LE, {}, value(1.0));
     },
     "attribute 'format_version' of / is something else, expected 1 int64; import the data again"},
    {"ShapeOfTwo",
     [](Hdf5Editor& e) {
       e.replace_attribute("/", "input_shape", H5T_STD_I64LE, {2},
                           value(std::array<std::int64_t, 2>{2, 3}));
     },
     "attribute 'input_shape' of / is something else, expected 3 int64; import the data again"},
    {"NegativeShape",
     [](Hdf5Editor& e) {
       e.replace_attribute("/", "input_shape", H5T_STD_I64LE, {3},
                           value(std::array<std::int64_t, 3>{2, -1, 3}));
     },
     "input shape 2x-1x3, expected channels, height and width from 1 to 65536; correct the shape"},
    {"LongDigest",
     [](Hdf5Editor& e) {
       const std::string text(65, 'a');
       e.replace_attribute("/test", "digest", Hdf5Editor::text_type(65).id(), {}, text.data());
     },
     "attribute 'digest' of /test is something else, expected fixed-length text of at most 64 "
     "bytes; import the data again"},
    {"NumbersForClasses",
     [](Hdf5Editor& e) { e.replace("/classes", H5T_STD_I64LE, {1}, value(std::int64_t{3})); },
     "/classes has another type, expected fixed-length text of at most 256 bytes; import the data "
     "again"},
    {"TooManyClasses",
     [](Hdf5Editor& e) {
       const std::vector<char> names(65'537 * 4, 'x');
       e.replace("/classes", Hdf5Editor::text_type(4).id(), {65'537}, names.data());
     },
     "/classes has 65537 names, expected at most 65536; import the data again"},
    {"ListForProvenance",
     [](Hdf5Editor& e) { e.replace("/provenance", Hdf5Editor::text_type(2).id(), {2}, "abcd"); },
     "/provenance has rank 1, expected 0; import the data again"},
};

const BadFile kMembers[] = {
    {"ExtraMember",
     [](Hdf5Editor& e) {
       Hdf5Editor::own(H5Gcreate2(e.id(), "/notes", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                       H5Gclose);
     },
     "/notes is not part of the format, expected no such member; import the data again"},
    {"NoSplit", [](Hdf5Editor& e) { e.remove("/calibration"); },
     "no /calibration, expected it; import the data again"},
    {"NoLabels", [](Hdf5Editor& e) { e.remove("/tune/labels"); },
     "no /tune/labels, expected it; import the data again"},
    {"SoftLink",
     [](Hdf5Editor& e) {
       e.remove("/test/labels");
       Hdf5Editor::check(
           H5Lcreate_soft("/train/labels", e.id(), "/test/labels", H5P_DEFAULT, H5P_DEFAULT));
     },
     "/test/labels is a soft link, expected the object itself; import the data again"},
    {"ExternalLink",
     [](Hdf5Editor& e) {
       e.remove("/test");
       Hdf5Editor::check(
           H5Lcreate_external("other.h5", "/test", e.id(), "/test", H5P_DEFAULT, H5P_DEFAULT));
     },
     "/test is an external link, expected the object itself; import the data again"},
    {"DatasetForGroup", [](Hdf5Editor& e) { e.replace("/statistics", H5T_STD_I64LE, {1}); },
     "/statistics is another kind of object, expected a group; import the data again"},
    {"GroupForDataset",
     [](Hdf5Editor& e) {
       e.remove("/train/samples");
       Hdf5Editor::own(H5Gcreate2(e.id(), "/train/samples", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                       H5Gclose);
     },
     "/train/samples is another kind of object, expected a dataset; import the data again"},
};

const BadFile kArrays[] = {
    {"DoubleSamples",
     [](Hdf5Editor& e) {
       e.replace("/train/samples", H5T_IEEE_F64LE, {6, 2, 1, 3});
     },
     "/train/samples has another type, expected little-endian uint8 or float32; import the data "
     "again"},
    {"BigEndianSamples",
     [](Hdf5Editor& e) {
       e.replace("/train/samples", H5T_IEEE_F32BE, {6, 2, 1, 3});
     },
     "/train/samples has another type, expected little-endian uint8 or float32; import the data "
     "again"},
    {"ShortLabels", [](Hdf5Editor& e) { e.replace("/train/labels", H5T_STD_I32LE, {6}); },
     "/train/labels has another type, expected little-endian int64; import the data again"},
    {"FlatSamples",
     [](Hdf5Editor& e) {
       e.replace("/tune/samples", H5T_IEEE_F32LE, {3, 6});
     },
     "/tune/samples has rank 2, expected 4; import the data again"},
    {"NoRows",
     [](Hdf5Editor& e) {
       e.replace("/tune/samples", H5T_IEEE_F32LE, {0, 2, 1, 3});
     },
     "/tune/samples has shape 0x2x1x3, expected no empty axis; import the data again"},
    {"OtherSampleShape",
     [](Hdf5Editor& e) {
       const std::vector<float> values(18, 1.0F);
       e.replace("/tune/samples", H5T_IEEE_F32LE, {3, 2, 3, 1}, values.data());
     },
     "/tune/samples has samples of shape 2x3x1, expected 2x1x3 as input_shape says; import the "
     "data again"},
    {"FewLabels",
     [](Hdf5Editor& e) {
       e.replace("/tune/labels", H5T_STD_I64LE, {2}, value(std::array<std::int64_t, 2>{0, 1}));
     },
     "/tune/labels has 2 rows but /tune/samples has 3, expected as many; import the data again"},
    {"LongStatistics",
     [](Hdf5Editor& e) {
       e.replace("/statistics/mean", H5T_IEEE_F64LE, {3}, value(std::array<double, 3>{1, 2, 3}));
     },
     "/statistics/mean has 3 rows, expected 2, one a channel; import the data again"},
    {"HugeSamples",
     [](Hdf5Editor& e) {
       e.replace("/tune/samples", H5T_IEEE_F32LE, {hsize_t{1} << 40, 2, 1, 3});
     },
     "/tune/samples has shape 1099511627776x2x1x3, expected at most 17179869184 bytes; import the "
     "data again"},
    {"OverflowingSamples",
     [](Hdf5Editor& e) {
       const auto creation = Hdf5Editor::creation();
       const std::vector<hsize_t> chunk = {1, 1, 1, 1};
       Hdf5Editor::check(H5Pset_chunk(creation.id(), 4, chunk.data()));
       e.replace("/tune/samples", H5T_IEEE_F32LE, {hsize_t{1} << 58, 4, 1, 1}, creation);
     },
     "/tune/samples has shape 288230376151711744x4x1x1, expected at most 17179869184 bytes; import "
     "the data again"},
    {"NeverWritten",
     [](Hdf5Editor& e) {
       e.replace("/tune/samples", H5T_IEEE_F32LE, {3, 2, 1, 3});
     },
     "/tune/samples needs 72 bytes for shape 3x2x1x3, expected them inside the file of FILE_BYTES "
     "bytes; import the data again"},
};

const BadFile kStorage[] = {
    {"ExternalStorage",
     [](Hdf5Editor& e) {
       const auto creation = Hdf5Editor::creation();
       Hdf5Editor::check(H5Pset_external(creation.id(), "/etc/hostname", 0, 72));
       e.replace("/tune/samples", H5T_IEEE_F32LE, {3, 2, 1, 3}, creation);
     },
     "/tune/samples is stored in another file, expected its values in this file; import the data "
     "again"},
    {"Virtual",
     [](Hdf5Editor& e) {
       const auto creation = Hdf5Editor::creation();
       const auto space = Hdf5Editor::space({3, 2, 1, 3});
       Hdf5Editor::check(
           H5Pset_virtual(creation.id(), space.id(), "other.h5", "/tune/samples", space.id()));
       e.replace("/tune/samples", H5T_IEEE_F32LE, {3, 2, 1, 3}, creation);
     },
     "/tune/samples is a virtual dataset, expected its values in this file; import the data "
     "again"},
    {"Fletcher",
     [](Hdf5Editor& e) {
       const std::vector<float> values(18, 1.0F);
       chunked(e, {3, 2, 1, 3}, {1, 2, 1, 3}, H5Pset_fletcher32, values.data());
     },
     "/tune/samples uses HDF5 filter 3, expected none but shuffle and deflate; import the data "
     "again"},
    {"MissingChunks",
     [](Hdf5Editor& e) {
       chunked(e, {3, 2, 1, 3}, {1, 2, 1, 3}, nullptr, nullptr);
     },
     "/tune/samples has 0 chunks in 0 bytes, expected 3 chunks for shape 3x2x1x3; import the data "
     "again"},
    {"HugeChunk",
     [](Hdf5Editor& e) {
       chunked(e, {hsize_t{1} << 25, 2, 1, 3}, {hsize_t{1} << 25, 1, 1, 1}, nullptr, nullptr);
     },
     "/tune/samples has chunks of 134217728 bytes, expected at most 67108864; import the data "
     "again"},
};

const BadFile kContents[] = {
    {"LabelOutOfRange",
     [](Hdf5Editor& e) {
       e.overwrite("/tune/labels", H5T_STD_I64LE, value(std::array<std::int64_t, 3>{0, 1, 3}));
     },
     "split tune: label 3 in row 2, expected 0 to 2 for 3 classes; correct the labels or the class "
     "names"},
    {"NotFinite",
     [](Hdf5Editor& e) {
       std::vector<float> values(18, 1.0F);
       values[6] = std::numeric_limits<float>::quiet_NaN();
       e.overwrite("/tune/samples", H5T_IEEE_F32LE, values.data());
     },
     "split tune: value nan in sample 1, expected finite numbers; remove or repair the sample"},
    {"ChangedLabel",
     [](Hdf5Editor& e) {
       e.overwrite("/tune/labels", H5T_STD_I64LE, value(std::array<std::int64_t, 3>{0, 1, 1}));
     },
     "digest of split tune is COMPUTED, expected STORED as the file says; restore a copy or import "
     "again"},
    {"ChangedClass",
     [](Hdf5Editor& e) {
       e.overwrite("/classes", Hdf5Editor::text_type(4).id(), "cat\0cow\0bird");
     },
     "digest of the dataset is COMPUTED, expected STORED as the file says; restore a copy or "
     "import "
     "again"},
    {"ChangedStatistics",
     [](Hdf5Editor& e) {
       e.overwrite("/statistics/mean", H5T_IEEE_F64LE, value(std::array<double, 2>{1, 2}));
     },
     "statistics differ from those of split train, expected its mean and deviation per channel; "
     "import the data again"},
    {"SameSplitTwice",
     [](Hdf5Editor& e) {
       e.remove("/test");
       Hdf5Editor::check(
           H5Lcreate_hard(e.id(), "/train", e.id(), "/test", H5P_DEFAULT, H5P_DEFAULT));
     },
     "split test: sample 0 equals sample 0 of split train, expected splits without common samples; "
     "remove one of the two"},
};

const auto kName = [](const auto& bad) { return bad.param.name; };
INSTANTIATE_TEST_SUITE_P(Descriptions, DatasetFileRefused, ::testing::ValuesIn(kDescriptions),
                         kName);
INSTANTIATE_TEST_SUITE_P(Members, DatasetFileRefused, ::testing::ValuesIn(kMembers), kName);
INSTANTIATE_TEST_SUITE_P(Arrays, DatasetFileRefused, ::testing::ValuesIn(kArrays), kName);
INSTANTIATE_TEST_SUITE_P(Storage, DatasetFileRefused, ::testing::ValuesIn(kStorage), kName);
INSTANTIATE_TEST_SUITE_P(Contents, DatasetFileRefused, ::testing::ValuesIn(kContents), kName);

TEST(DatasetFile, NamesAMissingFileAFolderAndAForeignFile) {
  const TemporaryFolder folder;
  for (const std::filesystem::path& file : {folder / "absent.h5", folder.path()}) {
    expect_error(ErrorKind::missing_input,
                 file.string() +
                     ": cannot be opened, expected a dataset file; make one with "
                     "`biglittle import`",
                 [&] { read_dataset(file); });
  }
  std::ofstream(folder / "text.h5") << "not this";
  expect_error(ErrorKind::bad_data,
               (folder / "text.h5").string() +
                   ": no HDF5 signature, expected a dataset file; make one with `biglittle import`",
               [&] { read_dataset(folder / "text.h5"); });
}

}  // namespace
}  // namespace biglittle
