// SPDX-License-Identifier: MIT
#pragma once

// Changes a dataset file through the HDF5 library, to make files that must be refused.

#include <hdf5.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/hdf5.h"

namespace biglittle::testing {

class Hdf5Editor {
 public:
  using Handle = hdf5::Handle;

  explicit Hdf5Editor(const std::filesystem::path& file)
      : file_(own(H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose)) {}

  hid_t id() const { return file_.id(); }

  static Handle own(hid_t id, Handle::Close close) {
    if (id < 0) throw std::runtime_error("the test's own HDF5 call failed");
    return Handle(id, close);
  }
  static void check(herr_t code) {
    if (code < 0) throw std::runtime_error("the test's own HDF5 call failed");
  }

  void remove(const std::string& path) { check(H5Ldelete(file_.id(), path.c_str(), H5P_DEFAULT)); }
  void remove_attribute(const std::string& object, const char* name) {
    check(H5Adelete_by_name(file_.id(), object.c_str(), name, H5P_DEFAULT));
  }

  static Handle space(const std::vector<hsize_t>& shape) {
    if (shape.empty()) return own(H5Screate(H5S_SCALAR), H5Sclose);
    return own(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
  }
  static Handle creation() { return own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose); }
  static Handle text_type(std::size_t size) {
    Handle type = own(H5Tcopy(H5T_C_S1), H5Tclose);
    check(H5Tset_size(type.id(), size));
    check(H5Tset_cset(type.id(), H5T_CSET_UTF8));
    return type;
  }

  /// Puts an array of another type, shape or storage in the place of `path`.
  void replace(const std::string& path, hid_t type, const std::vector<hsize_t>& shape,
               const Handle& creation, const void* values = nullptr) {
    remove(path);
    const Handle sizes = space(shape);
    const Handle array = own(H5Dcreate2(file_.id(), path.c_str(), type, sizes.id(), H5P_DEFAULT,
                                        creation.id(), H5P_DEFAULT),
                             H5Dclose);
    if (values != nullptr) check(H5Dwrite(array.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  }
  void replace(const std::string& path, hid_t type, const std::vector<hsize_t>& shape,
               const void* values = nullptr) {
    replace(path, type, shape, creation(), values);
  }

  /// Overwrites the values of an array in place.
  void overwrite(const std::string& path, hid_t type, const void* values) {
    const Handle array = own(H5Dopen2(file_.id(), path.c_str(), H5P_DEFAULT), H5Dclose);
    check(H5Dwrite(array.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  }

  void replace_attribute(const std::string& object, const char* name, hid_t type,
                         const std::vector<hsize_t>& shape, const void* values) {
    remove_attribute(object, name);
    const Handle sizes = space(shape);
    const Handle attribute =
        own(H5Acreate_by_name(file_.id(), object.c_str(), name, type, sizes.id(), H5P_DEFAULT,
                              H5P_DEFAULT, H5P_DEFAULT),
            H5Aclose);
    check(H5Awrite(attribute.id(), type, values));
  }

 private:
  Handle file_;
};

}  // namespace biglittle::testing
