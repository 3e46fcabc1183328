// SPDX-License-Identifier: MIT
#include "data/dataset.h"

#include <cmath>
#include <limits>

#include "core/hash.h"
#include "data/small_dataset.h"

namespace biglittle {
namespace {

using testing::expect_error;
using testing::small_dataset;
using testing::small_float_dataset;

TEST(Samples, CountAndTypeFollowTheValues) {
  const Dataset bytes = small_dataset();
  EXPECT_EQ(bytes.split(SplitName::calibration).samples.count(), 4);
  EXPECT_EQ(bytes.split(SplitName::calibration).samples.type(), SampleType::u8);
  EXPECT_EQ(small_float_dataset().split(SplitName::test).samples.type(), SampleType::f32);
  EXPECT_EQ(Samples{}.count(), 0);
}

TEST(Samples, RefuseToBeReadAsAnotherType) {
  expect_error(ErrorKind::internal, "uint8 samples were read as float32",
               [] { (void)small_dataset().splits[0].samples.floats(); });
  expect_error(ErrorKind::internal, "float32 samples were read as uint8",
               [] { (void)small_float_dataset().splits[0].samples.bytes(); });
}

TEST(Select, GivesTheRowsInTheOrderAsked) {
  Samples samples;
  samples.shape = {1, 1, 2};
  samples.values = std::vector<std::uint8_t>{0, 1, 10, 11, 20, 21};
  const std::vector<std::int64_t> rows = {2, 0, 2};

  const Samples selected = select(samples, rows);

  EXPECT_EQ(selected.shape, samples.shape);
  EXPECT_EQ(std::get<0>(selected.values), (std::vector<std::uint8_t>{20, 21, 0, 1, 20, 21}));
}

TEST(Select, RefusesRowsThatDoNotExist) {
  const Samples samples = small_dataset().splits[0].samples;
  for (const std::int64_t row : {-1, 6}) {
    const std::vector<std::int64_t> rows = {row};
    expect_error(ErrorKind::internal, "sample row " + std::to_string(row) + " of 6 was asked for",
                 [&] { select(samples, rows); });
  }
  const std::vector<std::int64_t> last = {5};
  EXPECT_EQ(select(samples, last).count(), 1);
}

/// Two channels of two pixels, two samples in train; numbers small enough to do by hand.
Dataset hand_worked(bool as_float) {
  Dataset dataset;
  dataset.classes = {"a", "b"};
  dataset.input_shape = {2, 1, 2};
  const std::vector<std::vector<std::uint8_t>> values = {
      {1, 3, 10, 10, 5, 7, 10, 14}, {0, 0, 0, 1}, {0, 0, 0, 2}, {0, 0, 0, 3}};
  for (std::size_t split = 0; split < 4; ++split) {
    dataset.splits[split].samples.shape = dataset.input_shape;
    if (as_float) {
      dataset.splits[split].samples.values =
          std::vector<float>(values[split].begin(), values[split].end());
    } else {
      dataset.splits[split].samples.values = values[split];
    }
    dataset.splits[split].labels =
        split == 0 ? std::vector<std::int64_t>{0, 1} : std::vector<std::int64_t>{0};
  }
  return dataset;
}

TEST(Statistics, AreThoseOfTheTrainSplitWorkedByHand) {
  for (const bool as_float : {false, true}) {
    Dataset dataset = hand_worked(as_float);
    finish_dataset(dataset, "hand");
    // Channel 0: 1, 3, 5, 7: mean 4, squared distances 9 + 1 + 1 + 9 = 20, variance 5.
    // Channel 1: 10, 10, 10, 14: mean 11, squared distances 1 + 1 + 1 + 9 = 12, variance 3.
    ASSERT_EQ(dataset.statistics.mean.size(), 2U);
    EXPECT_DOUBLE_EQ(dataset.statistics.mean[0], 4.0);
    EXPECT_DOUBLE_EQ(dataset.statistics.mean[1], 11.0);
    EXPECT_DOUBLE_EQ(dataset.statistics.deviation[0], std::sqrt(5.0));
    EXPECT_DOUBLE_EQ(dataset.statistics.deviation[1], std::sqrt(3.0));
  }
}

TEST(Preprocessing, PoolsTheChannelsAndRoundsTheOffsetOfBytes) {
  // All eight values: mean 7.5; variance = average of 5 + 3.5^2 and 3 + 3.5^2 = 16.25.
  Dataset bytes = hand_worked(false);
  finish_dataset(bytes, "hand");
  const Preprocessing of_bytes = choose_preprocessing(bytes);
  EXPECT_EQ(of_bytes.type, SampleType::u8);
  EXPECT_DOUBLE_EQ(of_bytes.scale, 1.0 / std::sqrt(16.25));
  EXPECT_EQ(of_bytes.offset, 8.0);

  Dataset floats = hand_worked(true);
  finish_dataset(floats, "hand");
  const Preprocessing of_floats = choose_preprocessing(floats);
  EXPECT_EQ(of_floats.type, SampleType::f32);
  EXPECT_DOUBLE_EQ(of_floats.offset, 7.5);
}

TEST(Preprocessing, NeedsAFinishedDataset) {
  expect_error(ErrorKind::internal, "preprocessing was chosen from a dataset without statistics",
               [] { choose_preprocessing(small_dataset()); });
}

TEST(PreprocessingJson, RoundTripsExactly) {
  for (const Preprocessing& value : {Preprocessing{SampleType::u8, 1.0 / 90.1234567, 73.0},
                                     Preprocessing{SampleType::f32, 1e-7, -0.1},
                                     Preprocessing{SampleType::u8, 0.01, 3.0, true}}) {
    EXPECT_EQ(preprocessing_from_json(Json::parse(to_json(value).dump()), "m"), value);
  }
  EXPECT_EQ(to_json(Preprocessing{}).dump(), R"({"type":"uint8","scale":1.0,"offset":0.0})");
}

TEST(PreprocessingJson, RefusesWhatCannotBeUsed) {
  const auto read = [](const char* text) {
    return [text] { preprocessing_from_json(Json::parse(text), "m"); };
  };
  expect_error(ErrorKind::bad_data,
               "m: preprocessing type 'int8', expected 'uint8' or 'float32'; write the file again",
               read(R"({"type": "int8", "scale": 1, "offset": 0})"));
  expect_error(ErrorKind::bad_data,
               "m: preprocessing scale 0.0, expected a positive number; write the file again",
               read(R"({"type": "uint8", "scale": 0.0, "offset": 0})"));
  for (const char* offset : {"-1", "256", "0.5"}) {
    const std::string text =
        std::string(R"({"type": "uint8", "scale": 1, "offset": )") + offset + "}";
    expect_error(ErrorKind::bad_data,
                 std::string("m: preprocessing offset ") + offset +
                     ", expected a whole number from 0 to 255 for uint8 and a finite number for "
                     "float32; write the file again",
                 read(text.c_str()));
  }
  EXPECT_EQ(
      preprocessing_from_json(Json::parse(R"({"type": "uint8", "scale": 1, "offset": 255})"), "m")
          .offset,
      255.0);
}

TEST(FinishDataset, GivesTheDigestThatTheFormatStates) {
  Dataset dataset = hand_worked(false);
  finish_dataset(dataset, "hand");
  // Split tune: the line, bytes 0 0 0 1, one label 0 as eight bytes.
  std::string content = "uint8 1x2x1x2\n";
  content += std::string("\0\0\0\1", 4) + std::string(8, '\0');
  EXPECT_EQ(dataset.split(SplitName::tune).digest, sha256_hex(content));
  std::string whole = "biglittle-dataset 1\n1:a\n1:b\n2x1x2\n";
  for (const Split& split : dataset.splits) whole += split.digest + "\n";
  EXPECT_EQ(dataset.digest, sha256_hex(whole));
}

TEST(FinishDataset, ChangesTheDigestWithEveryPart) {
  Dataset reference = small_dataset();
  finish_dataset(reference, "d");
  const auto digest_after = [](auto&& change) {
    Dataset dataset = small_dataset();
    change(dataset);
    finish_dataset(dataset, "d");
    return dataset.digest;
  };
  EXPECT_EQ(digest_after([](Dataset&) {}), reference.digest);
  EXPECT_NE(digest_after([](Dataset& d) { d.classes[1] = "cow"; }), reference.digest);
  EXPECT_NE(digest_after([](Dataset& d) { d.splits[3].labels[0] = 2; }), reference.digest);
  EXPECT_NE(digest_after([](Dataset& d) { std::get<0>(d.splits[1].samples.values)[0] = 250; }),
            reference.digest);
  EXPECT_NE(digest_after([](Dataset& d) {
              d.input_shape = {3, 1, 2};
              for (Split& split : d.splits) split.samples.shape = {3, 1, 2};
            }),
            reference.digest);
}

struct BadDataset {
  const char* name;
  void (*damage)(Dataset&);
  const char* message;
};
void PrintTo(const BadDataset& bad, std::ostream* out) { *out << bad.name; }

class FinishDatasetRefuses : public ::testing::TestWithParam<BadDataset> {};

TEST_P(FinishDatasetRefuses, WithOneLine) {
  Dataset dataset = small_float_dataset();
  GetParam().damage(dataset);
  expect_error(ErrorKind::bad_data, GetParam().message, [&] { finish_dataset(dataset, "d.h5"); });
}

std::vector<float>& floats(Dataset& dataset, SplitName name) {
  return std::get<1>(dataset.split(name).samples.values);
}

const BadDataset kBadDatasets[] = {
    {"OneClass", [](Dataset& d) { d.classes = {"cat"}; },
     "d.h5: 1 classes, expected 2 to 65536; correct the list of class names"},
    {"EmptyName", [](Dataset& d) { d.classes[1] = ""; },
     "d.h5: name of class 1 is empty, longer than 256 bytes or not plain UTF-8 text; rename it"},
    {"ControlName", [](Dataset& d) { d.classes[1] = "a\nb"; },
     "d.h5: name of class 1 is empty, longer than 256 bytes or not plain UTF-8 text; rename it"},
    {"Latin1Name", [](Dataset& d) { d.classes[2] = "gr\xfcn"; },
     "d.h5: name of class 2 is empty, longer than 256 bytes or not plain UTF-8 text; rename it"},
    {"LongName", [](Dataset& d) { d.classes[0] = std::string(257, 'x'); },
     "d.h5: name of class 0 is empty, longer than 256 bytes or not plain UTF-8 text; rename it"},
    {"RepeatedName", [](Dataset& d) { d.classes[2] = "cat"; },
     "d.h5: class name 'cat' appears twice, expected different names; rename one"},
    {"ZeroShape",
     [](Dataset& d) {
       d.input_shape = {2, 0, 3};
     },
     "d.h5: input shape 2x0x3, expected channels, height and width from 1 to 65536; correct the "
     "shape"},
    {"WideShape",
     [](Dataset& d) {
       d.input_shape = {1, 1, 65537};
     },
     "d.h5: input shape 1x1x65537, expected channels, height and width from 1 to 65536; correct "
     "the shape"},
    {"HugeShape",
     [](Dataset& d) {
       d.input_shape = {1025, 65536, 1};
     },
     "d.h5: input shape 1025x65536x1, expected at most 67108864 values a sample; make the samples "
     "smaller"},
    {"OtherShape",
     [](Dataset& d) {
       d.splits[1].samples.shape = {1, 2, 3};
     },
     "d.h5: split tune: samples of shape 1x2x3, expected 2x1x3; make all splits the same shape"},
    {"TornSample", [](Dataset& d) { floats(d, SplitName::test).pop_back(); },
     "d.h5: split test: 29 values, expected a multiple of 6 for samples of shape 2x1x3; correct "
     "the samples"},
    {"FewLabels", [](Dataset& d) { d.splits[2].labels.pop_back(); },
     "d.h5: split calibration: labels has 3 rows but samples has 4; give each sample one label"},
    {"Empty",
     [](Dataset& d) {
       floats(d, SplitName::tune).clear();
       d.splits[1].labels.clear();
     },
     "d.h5: split tune: no samples, expected at least one; use more data or other fractions"},
    {"MixedTypes",
     [](Dataset& d) { d.splits[3].samples.values = std::vector<std::uint8_t>(30, 1); },
     "d.h5: split test: samples are uint8 but those of train are float32; store all splits as one "
     "type"},
    {"HighLabel", [](Dataset& d) { d.splits[3].labels[4] = 3; },
     "d.h5: split test: label 3 in row 4, expected 0 to 2 for 3 classes; correct the labels or "
     "the class names"},
    {"NegativeLabel", [](Dataset& d) { d.splits[0].labels[0] = -1; },
     "d.h5: split train: label -1 in row 0, expected 0 to 2 for 3 classes; correct the labels or "
     "the class names"},
    {"Infinite",
     [](Dataset& d) { floats(d, SplitName::tune)[7] = std::numeric_limits<float>::infinity(); },
     "d.h5: split tune: value inf in sample 1, expected finite numbers; remove or repair the "
     "sample"},
    {"NotANumber",
     [](Dataset& d) { floats(d, SplitName::test)[29] = std::numeric_limits<float>::quiet_NaN(); },
     "d.h5: split test: value nan in sample 4, expected finite numbers; remove or repair the "
     "sample"},
    {"MissingClass", [](Dataset& d) { d.splits[0].labels = {0, 1, 0, 1, 0, 1}; },
     "d.h5: split train: no sample of class 'bird', expected at least one; add some or remove the "
     "class"},
    {"Constant",
     [](Dataset& d) {
       for (float& value : floats(d, SplitName::train)) value = 1.0F;
     },
     "d.h5: split train: every value of every sample is the same, expected samples that differ; "
     "correct the samples"},
    {"Overlap",
     [](Dataset& d) {
       const auto& train = floats(d, SplitName::train);
       std::copy_n(train.begin() + 12, 6, floats(d, SplitName::calibration).begin() + 18);
     },
     "d.h5: split calibration: sample 3 equals sample 2 of split train, expected splits without "
     "common samples; remove one of the two"},
    {"BadProvenance", [](Dataset& d) { d.provenance = std::string(1, '\xff'); },
     "d.h5: provenance is longer than 16 MiB or not UTF-8 text; shorten or correct it"},
};

INSTANTIATE_TEST_SUITE_P(Datasets, FinishDatasetRefuses, ::testing::ValuesIn(kBadDatasets),
                         [](const auto& bad) { return bad.param.name; });

TEST(FinishDataset, PermitsCopiesWithinOneSplit) {
  Dataset dataset = small_float_dataset();
  auto& train = floats(dataset, SplitName::train);
  std::copy_n(train.begin(), 6, train.begin() + 6);
  EXPECT_NO_THROW(finish_dataset(dataset, "d.h5"));
}

TEST(FinishDataset, PermitsTheLongestClassName) {
  Dataset dataset = small_dataset();
  dataset.classes[0] = std::string(256, 'x');
  EXPECT_NO_THROW(finish_dataset(dataset, "d.h5"));
}

}  // namespace
}  // namespace biglittle
