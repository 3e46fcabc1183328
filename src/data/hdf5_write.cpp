// SPDX-License-Identifier: MIT
#include <algorithm>
#include <span>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "data/dataset.h"
#include "data/hdf5.h"
#include "data/layout.h"

namespace biglittle {
namespace {

using hdf5::Handle;

/// Builds the file in memory (HDF5's core driver), so that writing it to disk is core/files.h's
/// work, with its guarantees. Nothing that depends on the time is stored.
class FileBuilder {
 public:
  explicit FileBuilder(std::string name) : name_(std::move(name)) {
    hdf5::prepare_library();
    constexpr std::size_t kGrowBytes = std::size_t{1} << 24;
    const Handle access = own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    require(H5Pset_fapl_core(access.id(), kGrowBytes, false));
    const Handle create = own(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    require(H5Pset_obj_track_times(create.id(), false));
    file_ = own(H5Fcreate("in-memory", H5F_ACC_TRUNC, create.id(), access.id()), H5Fclose);
  }

  Handle add_group(const char* path) {
    const Handle create = own(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
    require(H5Pset_obj_track_times(create.id(), false));
    return own(H5Gcreate2(file_.id(), path, H5P_DEFAULT, create.id(), H5P_DEFAULT), H5Gclose);
  }

  /// Contiguous, as that reads fastest and the bytes are where a hex viewer expects them.
  void add_array(hid_t parent, const char* name, hid_t type, const std::vector<hsize_t>& shape,
                 const void* values) {
    const Handle space =
        shape.empty() ? own(H5Screate(H5S_SCALAR), H5Sclose)
                      : own(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                            H5Sclose);
    const Handle create = own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    require(H5Pset_layout(create.id(), H5D_CONTIGUOUS));
    require(H5Pset_alloc_time(create.id(), H5D_ALLOC_TIME_EARLY));
    require(H5Pset_fill_time(create.id(), H5D_FILL_TIME_NEVER));
    require(H5Pset_obj_track_times(create.id(), false));
    const Handle array =
        own(H5Dcreate2(parent, name, type, space.id(), H5P_DEFAULT, create.id(), H5P_DEFAULT),
            H5Dclose);
    require(H5Dwrite(array.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  }

  void add_attribute(hid_t parent, const char* name, hid_t type, const std::vector<hsize_t>& shape,
                     const void* values) {
    const Handle space =
        shape.empty() ? own(H5Screate(H5S_SCALAR), H5Sclose)
                      : own(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                            H5Sclose);
    const Handle attribute =
        own(H5Acreate2(parent, name, type, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    require(H5Awrite(attribute.id(), type, values));
  }

  void add_text_attribute(hid_t parent, const char* name, const std::string& text) {
    const Handle type = text_type(text.size());
    add_attribute(parent, name, type.id(), {},
                  padded({text}, std::max<std::size_t>(text.size(), 1)).data());
  }

  /// Fixed-length UTF-8, padded with zeros to the longest of `texts`.
  void add_texts(const char* path, const std::vector<std::string>& texts,
                 const std::vector<hsize_t>& shape) {
    std::size_t size = 1;
    for (const std::string& text : texts) size = std::max(size, text.size());
    const Handle type = text_type(size);
    add_array(file_.id(), path, type.id(), shape, padded(texts, size).data());
  }

  hid_t root() const { return file_.id(); }

  std::vector<std::byte> finish() {
    require(H5Fflush(file_.id(), H5F_SCOPE_GLOBAL));
    const ssize_t size = H5Fget_file_image(file_.id(), nullptr, 0);
    require(size);
    std::vector<std::byte> image(static_cast<std::size_t>(size));
    require(H5Fget_file_image(file_.id(), image.data(), image.size()));
    return image;
  }

 private:
  template <typename Code>
  void require(Code code) const {
    if (code < 0) {
      throw Error(ErrorKind::internal, name_ + ": HDF5 cannot build the file in memory");
    }
  }

  Handle own(hid_t id, Handle::Close close) const {
    require(id);
    return Handle(id, close);
  }

  Handle text_type(std::size_t size) const {
    Handle type = own(H5Tcopy(H5T_C_S1), H5Tclose);
    require(H5Tset_size(type.id(), std::max<std::size_t>(size, 1)));
    require(H5Tset_strpad(type.id(), H5T_STR_NULLPAD));
    require(H5Tset_cset(type.id(), H5T_CSET_UTF8));
    return type;
  }

  static std::string padded(const std::vector<std::string>& texts, std::size_t size) {
    std::string joined;
    for (const std::string& text : texts) {
      joined += text;
      joined.append(size - text.size(), '\0');
    }
    return joined;
  }

  std::string name_;
  Handle file_;
};

void add_split(FileBuilder& builder, std::string_view name, const Split& split) {
  const Handle group = builder.add_group(std::string(name).c_str());
  const auto count = static_cast<hsize_t>(split.samples.count());
  const Shape& shape = split.samples.shape;
  const std::vector<hsize_t> sizes = {count, static_cast<hsize_t>(shape.channels),
                                      static_cast<hsize_t>(shape.height),
                                      static_cast<hsize_t>(shape.width)};
  const hid_t type = split.samples.type() == SampleType::u8 ? H5T_STD_U8LE : H5T_IEEE_F32LE;
  std::visit(
      [&](const auto& list) {
        builder.add_array(group.id(), layout::kSamples, type, sizes, list.data());
      },
      split.samples.values);
  builder.add_array(group.id(), layout::kLabels, H5T_STD_I64LE, {count}, split.labels.data());
  builder.add_text_attribute(group.id(), layout::kDigestAttribute, split.digest);
}

void add_statistics(FileBuilder& builder, const ChannelStatistics& statistics) {
  const Handle group = builder.add_group(layout::kStatistics);
  const std::vector<hsize_t> shape = {statistics.mean.size()};
  builder.add_array(group.id(), layout::kMean, H5T_IEEE_F64LE, shape, statistics.mean.data());
  builder.add_array(group.id(), layout::kDeviation, H5T_IEEE_F64LE, shape,
                    statistics.deviation.data());
}

void add_description(FileBuilder& builder, const Dataset& dataset) {
  builder.add_text_attribute(builder.root(), layout::kFormatAttribute, layout::kFormat);
  builder.add_attribute(builder.root(), layout::kVersionAttribute, H5T_STD_I64LE, {},
                        &layout::kVersion);
  const std::array<std::int64_t, 3> shape = {dataset.input_shape.channels,
                                             dataset.input_shape.height, dataset.input_shape.width};
  builder.add_attribute(builder.root(), layout::kShapeAttribute, H5T_STD_I64LE, {shape.size()},
                        shape.data());
  builder.add_text_attribute(builder.root(), layout::kDigestAttribute, dataset.digest);
  builder.add_texts(layout::kClasses, dataset.classes, {dataset.classes.size()});
  builder.add_texts(layout::kProvenance, {dataset.provenance}, {});
}

}  // namespace

void write_dataset(const std::filesystem::path& file, const Dataset& dataset) {
  if (dataset.digest.empty()) {
    throw Error(ErrorKind::internal, file.string() + ": the dataset was not finished");
  }
  FileBuilder builder(file.string());
  add_description(builder, dataset);
  for (std::size_t index = 0; index < dataset.splits.size(); ++index) {
    add_split(builder, kSplitNames[index], dataset.splits[index]);
  }
  add_statistics(builder, dataset.statistics);
  write_file(file, builder.finish());
}

}  // namespace biglittle
