// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"
#include "data/dataset.h"
#include "data/statistics.h"

namespace biglittle {
namespace {

SampleType sample_type_from(const std::string& spelling, std::string_view name) {
  const auto& names = EnumNames<SampleType>::names;
  const auto found = std::find(names.begin(), names.end(), spelling);
  if (found == names.end()) {
    throw Error(ErrorKind::bad_data, std::string(name) + ": preprocessing type '" + spelling +
                                         "', expected 'uint8' or 'float32'; write the file again");
  }
  return static_cast<SampleType>(found - names.begin());
}

}  // namespace

Preprocessing without_mirror(Preprocessing preprocessing) {
  preprocessing.with_mirror = false;
  return preprocessing;
}

Json to_json(const Preprocessing& preprocessing) {
  Json json;
  json["type"] = std::string(name_of(preprocessing.type));
  json["scale"] = preprocessing.scale;
  json["offset"] = preprocessing.offset;
  if (preprocessing.with_mirror) json["with_mirror"] = true;
  return json;
}

Preprocessing preprocessing_from_json(const Json& json, std::string_view name) {
  Preprocessing preprocessing;
  read_json(name, [&] {
    preprocessing.type = sample_type_from(json.at("type").get<std::string>(), name);
    preprocessing.scale = json.at("scale").get<double>();
    preprocessing.offset = json.at("offset").get<double>();
    if (json.contains("with_mirror")) json.at("with_mirror").get_to(preprocessing.with_mirror);
  });
  if (!std::isfinite(preprocessing.scale) || preprocessing.scale <= 0.0) {
    throw Error(ErrorKind::bad_data, std::string(name) + ": preprocessing scale " +
                                         json.at("scale").dump() +
                                         ", expected a positive number; write the file again");
  }
  const double offset = preprocessing.offset;
  const bool is_byte = offset >= 0.0 && offset <= 255.0 && offset == std::floor(offset);
  if (!std::isfinite(offset) || (preprocessing.type == SampleType::u8 && !is_byte)) {
    throw Error(ErrorKind::bad_data,
                std::string(name) + ": preprocessing offset " + json.at("offset").dump() +
                    ", expected a whole number from 0 to 255 for uint8 and a finite number for "
                    "float32; write the file again");
  }
  return preprocessing;
}

Preprocessing choose_preprocessing(const Dataset& dataset) {
  const PooledStatistics pooled = pool(dataset.statistics);
  if (!(pooled.deviation > 0.0)) {
    throw Error(ErrorKind::internal, "preprocessing was chosen from a dataset without statistics");
  }
  Preprocessing preprocessing;
  preprocessing.type = dataset.split(SplitName::train).samples.type();
  preprocessing.scale = 1.0 / pooled.deviation;
  preprocessing.offset =
      preprocessing.type == SampleType::u8 ? std::round(pooled.mean) : pooled.mean;
  return preprocessing;
}

}  // namespace biglittle
