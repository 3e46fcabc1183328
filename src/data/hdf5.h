// SPDX-License-Identifier: MIT
#pragma once

// The HDF5 C API with one RAII type for all its identifiers, and the library made quiet and closed
// to plugins.

#include <hdf5.h>

#include <utility>

namespace biglittle::hdf5 {

/// Owns one identifier; closes it with the function that belongs to it.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (valid()) close_(id_);
  }

  bool valid() const { return id_ >= 0; }
  hid_t id() const { return id_; }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

/// Stops the library's own printing to stderr and the loading of filter plugins. Call it before
/// anything else of HDF5; calling it again does no harm.
inline void prepare_library() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
}

}  // namespace biglittle::hdf5
