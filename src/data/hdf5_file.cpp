// SPDX-License-Identifier: MIT
#include "data/hdf5_file.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/error.h"
#include "data/layout.h"

namespace biglittle::hdf5 {
namespace {

constexpr std::int64_t kBlockBytes = std::int64_t{1} << 23;
constexpr std::int64_t kMaxChunkBytes = std::int64_t{1} << 26;
constexpr const char* kRemedy = "; import the data again";

std::string shape_text(const std::vector<std::int64_t>& shape) {
  if (shape.empty()) return "scalar";
  std::string text = std::to_string(shape.front());
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    text += 'x';
    text += std::to_string(shape[axis]);
  }
  return text;
}

std::int64_t saturating_product(std::int64_t left, std::int64_t right) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(left, right, &product))
    return std::numeric_limits<std::int64_t>::max();
  return product;
}

const char* link_kind(H5L_type_t type) {
  if (type == H5L_TYPE_SOFT) return "a soft link";
  if (type == H5L_TYPE_EXTERNAL) return "an external link";
  return "a user-defined link";
}

}  // namespace

std::string path_of(std::string_view group, std::string_view member) {
  std::string path(group);
  if (path.back() != '/') path += '/';
  path += member;
  return path;
}

std::int64_t StoredArray::row_bytes() const {
  std::int64_t bytes = element_bytes;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    bytes = saturating_product(bytes, shape[axis]);
  }
  return bytes;
}

CheckedFile::CheckedFile(std::filesystem::path file) : name_(file.string()) {
  prepare_library();
  file_bytes_ = static_cast<std::int64_t>(std::filesystem::file_size(file));
  const Handle access = own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "/");
  require(H5Pset_file_locking(access.id(), false, true) >= 0, "/");
  file_ = own(H5Fopen(file.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose, "/");
}

void CheckedFile::refuse(const std::string& message) const {
  throw Error(ErrorKind::bad_data, name_ + ": " + message + kRemedy);
}

void CheckedFile::require(bool ok, const std::string& path) const {
  if (!ok) refuse("damaged HDF5 file, expected " + path + " to be readable");
}

Handle CheckedFile::own(hid_t id, Handle::Close close, const std::string& path) const {
  require(id >= 0, path);
  return Handle(id, close);
}

void CheckedFile::check_members(const std::string& group, std::vector<std::string> expected) const {
  const Handle id = open_object(group, H5I_GROUP);
  H5G_info_t info{};
  require(H5Gget_info(id.id(), &info) >= 0, group);
  for (hsize_t index = 0; index < info.nlinks; ++index) {
    std::array<char, 64> name{};
    H5L_info_t link{};
    require(H5Lget_name_by_idx(id.id(), ".", H5_INDEX_NAME, H5_ITER_INC, index, name.data(),
                               name.size(), H5P_DEFAULT) >= 0 &&
                H5Lget_info_by_idx(id.id(), ".", H5_INDEX_NAME, H5_ITER_INC, index, &link,
                                   H5P_DEFAULT) >= 0,
            group);
    const std::string path = path_of(group, name.data());
    const auto found = std::find(expected.begin(), expected.end(), name.data());
    if (found == expected.end())
      refuse(path + " is not part of the format, expected no such member");
    if (link.type != H5L_TYPE_HARD) {
      refuse(path + " is " + link_kind(link.type) + ", expected the object itself");
    }
    expected.erase(found);
  }
  if (!expected.empty()) refuse("no " + path_of(group, expected.front()) + ", expected it");
}

Handle CheckedFile::open_object(const std::string& path, H5I_type_t type) const {
  Handle id = own(H5Oopen(file_.id(), path.c_str(), H5P_DEFAULT), H5Oclose, path);
  if (H5Iget_type(id.id()) != type) {
    refuse(path + " is another kind of object, expected " +
           (type == H5I_GROUP ? "a group" : "a dataset"));
  }
  return id;
}

Handle CheckedFile::open_attribute(const std::string& object, const char* name) const {
  const Handle parent = own(H5Oopen(file_.id(), object.c_str(), H5P_DEFAULT), H5Oclose, object);
  const htri_t exists = H5Aexists(parent.id(), name);
  require(exists >= 0, object);
  if (exists == 0)
    refuse("no attribute '" + std::string(name) + "' of " + object + ", expected it");
  return own(H5Aopen(parent.id(), name, H5P_DEFAULT), H5Aclose, object);
}

std::vector<std::int64_t> CheckedFile::integers_attribute(const std::string& object,
                                                          const char* name,
                                                          std::int64_t count) const {
  const Handle attribute = open_attribute(object, name);
  const Handle type = own(H5Aget_type(attribute.id()), H5Tclose, object);
  const Handle space = own(H5Aget_space(attribute.id()), H5Sclose, object);
  if (H5Tequal(type.id(), H5T_STD_I64LE) <= 0 ||
      H5Sget_simple_extent_npoints(space.id()) != count) {
    refuse("attribute '" + std::string(name) + "' of " + object + " is something else, expected " +
           std::to_string(count) + " int64");
  }
  std::vector<std::int64_t> values(static_cast<std::size_t>(count));
  require(H5Aread(attribute.id(), H5T_NATIVE_INT64, values.data()) >= 0, object);
  return values;
}

std::int64_t CheckedFile::integer_attribute(const std::string& object, const char* name) const {
  return integers_attribute(object, name, 1).front();
}

std::string CheckedFile::text_attribute(const std::string& object, const char* name,
                                        std::int64_t limit_bytes) const {
  const Handle attribute = open_attribute(object, name);
  const Handle type = own(H5Aget_type(attribute.id()), H5Tclose, object);
  const Handle space = own(H5Aget_space(attribute.id()), H5Sclose, object);
  const std::size_t size = H5Tget_size(type.id());
  if (H5Tget_class(type.id()) != H5T_STRING || H5Tis_variable_str(type.id()) != 0 || size == 0 ||
      size > static_cast<std::size_t>(limit_bytes) ||
      H5Sget_simple_extent_npoints(space.id()) != 1) {
    refuse("attribute '" + std::string(name) + "' of " + object +
           " is something else, expected fixed-length text of at most " +
           std::to_string(limit_bytes) + " bytes");
  }
  std::string text(size, '\0');
  require(H5Aread(attribute.id(), type.id(), text.data()) >= 0, object);
  return text.substr(0, text.find('\0'));
}

StoredArray CheckedFile::open_array(const std::string& path, std::size_t rank) const {
  StoredArray array;
  array.path = path;
  array.id = open_object(path, H5I_DATASET);
  array.type = own(H5Dget_type(array.id.id()), H5Tclose, path);
  array.element_bytes = static_cast<std::int64_t>(H5Tget_size(array.type.id()));
  const Handle space = own(H5Dget_space(array.id.id()), H5Sclose, path);
  const int found = H5Sget_simple_extent_ndims(space.id());
  require(found >= 0 && found <= H5S_MAX_RANK, path);
  std::array<hsize_t, H5S_MAX_RANK> sizes{};
  require(H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr) >= 0, path);
  for (int axis = 0; axis < found; ++axis) {
    // A size beyond int64 is beyond every limit below; saturating keeps it so.
    constexpr hsize_t kMax = std::numeric_limits<std::int64_t>::max();
    array.shape.push_back(
        static_cast<std::int64_t>(std::min(sizes[static_cast<std::size_t>(axis)], kMax)));
  }
  const H5S_class_t kind = H5Sget_simple_extent_type(space.id());
  if (array.shape.size() != rank || kind != (rank == 0 ? H5S_SCALAR : H5S_SIMPLE)) {
    refuse(path + " has rank " + std::to_string(found) + ", expected " + std::to_string(rank));
  }
  if (std::find(array.shape.begin(), array.shape.end(), 0) != array.shape.end()) {
    refuse(path + " has shape " + shape_text(array.shape) + ", expected no empty axis");
  }
  return array;
}

StoredArray CheckedFile::array(const std::string& path, std::span<const hid_t> types,
                               const char* type_names, std::size_t rank) const {
  StoredArray array = open_array(path, rank);
  const bool known = std::any_of(types.begin(), types.end(),
                                 [&](hid_t type) { return H5Tequal(array.type.id(), type) > 0; });
  if (!known) refuse(path + " has another type, expected little-endian " + type_names);
  check_storage(array);
  return array;
}

StoredArray CheckedFile::text_array(const std::string& path, std::size_t rank,
                                    std::int64_t limit_bytes) const {
  StoredArray array = open_array(path, rank);
  if (H5Tget_class(array.type.id()) != H5T_STRING || H5Tis_variable_str(array.type.id()) != 0 ||
      array.element_bytes > limit_bytes) {
    refuse(path + " has another type, expected fixed-length text of at most " +
           std::to_string(limit_bytes) + " bytes");
  }
  check_storage(array);
  return array;
}

void CheckedFile::check_storage(StoredArray& array) const {
  const std::int64_t bytes = saturating_product(array.rows(), array.row_bytes());
  if (bytes > layout::kMaxArrayBytes) {
    refuse(array.path + " has shape " + shape_text(array.shape) + ", expected at most " +
           std::to_string(layout::kMaxArrayBytes) + " bytes");
  }
  array.block_rows = std::max<std::int64_t>(1, kBlockBytes / array.row_bytes());
  const Handle creation = own(H5Dget_create_plist(array.id.id()), H5Pclose, array.path);
  if (H5Pget_external_count(creation.id()) != 0) {
    refuse(array.path + " is stored in another file, expected its values in this file");
  }
  switch (H5Pget_layout(creation.id())) {
    case H5D_COMPACT:
      return;
    case H5D_CONTIGUOUS:
      return check_contiguous(array);
    case H5D_CHUNKED:
      return check_chunks(array, creation.id());
    case H5D_VIRTUAL:
      refuse(array.path + " is a virtual dataset, expected its values in this file");
    default:
      require(false, array.path);
  }
}

void CheckedFile::check_contiguous(const StoredArray& array) const {
  const std::int64_t bytes = array.rows() * array.row_bytes();
  const haddr_t offset = H5Dget_offset(array.id.id());
  const auto stored = static_cast<std::int64_t>(H5Dget_storage_size(array.id.id()));
  const bool inside = offset != HADDR_UNDEF && stored == bytes && bytes <= file_bytes_ &&
                      offset <= static_cast<haddr_t>(file_bytes_ - bytes);
  if (!inside) {
    refuse(array.path + " needs " + std::to_string(bytes) + " bytes for shape " +
           shape_text(array.shape) + ", expected them inside the file of " +
           std::to_string(file_bytes_) + " bytes");
  }
}

void CheckedFile::check_chunks(StoredArray& array, hid_t creation) const {
  const int filters = H5Pget_nfilters(creation);
  require(filters >= 0, array.path);
  for (int index = 0; index < filters; ++index) {
    unsigned flags = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(index), &flags,
                                               &values, nullptr, 0, nullptr, nullptr);
    if (filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE) continue;
    refuse(array.path + " uses HDF5 filter " + std::to_string(filter) +
           ", expected none but shuffle and deflate");
  }
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  require(
      H5Pget_chunk(creation, H5S_MAX_RANK, chunk.data()) == static_cast<int>(array.shape.size()),
      array.path);
  std::int64_t chunk_bytes = array.element_bytes;
  std::int64_t chunks = 1;
  for (std::size_t axis = 0; axis < array.shape.size(); ++axis) {
    const auto size = static_cast<std::int64_t>(chunk[axis]);
    require(size >= 1, array.path);
    chunk_bytes = saturating_product(chunk_bytes, size);
    chunks = saturating_product(chunks, (array.shape[axis] - 1) / size + 1);
  }
  if (chunk_bytes > kMaxChunkBytes) {
    refuse(array.path + " has chunks of " + std::to_string(chunk_bytes) +
           " bytes, expected at most " + std::to_string(kMaxChunkBytes));
  }
  const Handle space = own(H5Dget_space(array.id.id()), H5Sclose, array.path);
  hsize_t present = 0;
  require(H5Dget_num_chunks(array.id.id(), space.id(), &present) >= 0, array.path);
  const auto stored = static_cast<std::int64_t>(H5Dget_storage_size(array.id.id()));
  constexpr std::int64_t kMaxDeflateRatio = 1032;
  const std::int64_t bytes = array.rows() * array.row_bytes();
  const bool plausible = static_cast<std::int64_t>(present) == chunks && stored <= file_bytes_ &&
                         bytes <= saturating_product(stored, kMaxDeflateRatio);
  if (!plausible) {
    refuse(array.path + " has " + std::to_string(present) + " chunks in " + std::to_string(stored) +
           " bytes, expected " + std::to_string(chunks) + " chunks for shape " +
           shape_text(array.shape));
  }
  // Whole chunks at a time, so that none is inflated twice.
  const auto rows = static_cast<std::int64_t>(chunk[0]);
  const std::int64_t rounded = (array.block_rows + rows - 1) / rows * rows;
  if (saturating_product(rounded, array.row_bytes()) <= 4 * kMaxChunkBytes) {
    array.block_rows = rounded;
  }
}

void CheckedFile::read(const StoredArray& array,
                       const std::function<void(std::span<const std::byte>)>& use) const {
  const Handle space = own(H5Dget_space(array.id.id()), H5Sclose, array.path);
  std::vector<std::byte> block;
  for (std::int64_t row = 0; row < array.rows(); row += array.block_rows) {
    const std::int64_t rows = std::min(array.block_rows, array.rows() - row);
    block.resize(static_cast<std::size_t>(rows * array.row_bytes()));
    if (array.shape.empty()) {
      require(
          H5Dread(array.id.id(), array.type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, block.data()) >= 0,
          array.path);
    } else {
      std::vector<hsize_t> start(array.shape.size(), 0);
      std::vector<hsize_t> count(array.shape.begin(), array.shape.end());
      start[0] = static_cast<hsize_t>(row);
      count[0] = static_cast<hsize_t>(rows);
      const Handle memory =
          own(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), H5Sclose,
              array.path);
      require(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                                  nullptr) >= 0 &&
                  H5Dread(array.id.id(), array.type.id(), memory.id(), space.id(), H5P_DEFAULT,
                          block.data()) >= 0,
              array.path);
    }
    use(block);
  }
}

}  // namespace biglittle::hdf5
