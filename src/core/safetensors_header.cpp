// SPDX-License-Identifier: MIT
#include "core/safetensors_header.h"

#include <fmt/core.h>

#include <array>
#include <limits>
#include <set>

#include "core/error.h"
#include "core/json.h"
#include "core/text.h"

namespace biglittle {
namespace {

constexpr std::array kDTypes = {DType::u8,  DType::i8,  DType::i32,
                                DType::i64, DType::f32, DType::f64};
// More axes than any network has; a longer list is an attack on memory.
constexpr std::size_t kMaxAxes = 8;

// Follows the one form that a header has:
// {"__metadata__": {KEY: TEXT}, TENSOR: {"dtype": D, "shape": [..], "data_offsets": [begin, end]}}
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(std::string_view file) : file_(file) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool start_object(std::size_t) override {
    if (place_ == Place::outside) {
      place_ = Place::header;
    } else if (place_ == Place::header) {
      keys_.clear();
      place_ = name_ == "__metadata__" ? Place::metadata : Place::entry;
      if (place_ == Place::entry) header_.entries.push_back({name_, DType::f32, {}, 0, 0});
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(std::string& key) override {
    if (place_ == Place::header) {
      if (!names_.insert(key).second) refuse(fmt::format("'{}' appears twice", one_line(key)));
      name_ = key;
      return true;
    }
    const bool known = key == "dtype" || key == "shape" || key == "data_offsets";
    if (place_ == Place::entry && !known) {
      refuse(fmt::format("tensor '{}' has the key '{}', expected dtype, shape and data_offsets",
                         one_line(name_), one_line(key)));
    }
    if (!keys_.insert(key).second) {
      refuse(fmt::format("'{}' has the key '{}' twice", one_line(name_), one_line(key)));
    }
    key_ = key;
    return true;
  }

  bool end_object() override {
    if (place_ == Place::entry && keys_.size() != 3) {
      refuse(fmt::format("tensor '{}' must have dtype, shape and data_offsets", one_line(name_)));
    }
    place_ = place_ == Place::header ? Place::outside : Place::header;
    return true;
  }

  bool string(std::string& text) override {
    if (place_ == Place::metadata) {
      header_.metadata[key_] = text;
    } else if (place_ == Place::entry && key_ == "dtype") {
      header_.entries.back().dtype = dtype(text);
    } else {
      unexpected("a string");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    const bool fits = place_ == Place::entry && key_ != "dtype";
    if (!fits) unexpected("a list");
    place_ = key_ == "shape" ? Place::shape : Place::offsets;
    offsets_ = 0;
    return true;
  }

  bool end_array() override {
    if (place_ == Place::offsets && offsets_ != 2) refuse_offset_count();
    place_ = Place::entry;
    return true;
  }

  bool number_unsigned(std::uint64_t number) override {
    if (place_ == Place::shape) {
      add_axis(number);
    } else if (place_ == Place::offsets) {
      if (offsets_ == 2) refuse_offset_count();
      SafetensorsEntry& entry = header_.entries.back();
      (offsets_++ == 0 ? entry.begin : entry.end) = number;
    } else {
      unexpected("a number");
    }
    return true;
  }

  bool number_integer(std::int64_t) override { unexpected("a negative number"); }
  bool number_float(double, const std::string&) override { unexpected("a fraction"); }
  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("true or false"); }
  bool binary(nlohmann::json::binary_t&) override { unexpected("bytes"); }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::json::exception& error) override {
    refuse(one_line(plain_message(error)));
  }

 private:
  enum class Place { outside, header, metadata, entry, shape, offsets };

  [[noreturn]] void refuse(const std::string& reason) const { refuse_safetensors(file_, reason); }

  [[noreturn]] void unexpected(std::string_view what) const {
    switch (place_) {
      case Place::outside:
        refuse(fmt::format("the header is {}, expected an object", what));
      case Place::header:
        refuse(fmt::format("'{}' is {}, expected an object", one_line(name_), what));
      case Place::metadata:
        refuse(fmt::format("metadata '{}' is {}, expected a string", one_line(key_), what));
      case Place::entry:
        refuse(fmt::format("{} of tensor '{}' is {}, expected {}", key_, one_line(name_), what,
                           key_ == "dtype" ? "a string" : "a list of whole numbers"));
      case Place::shape:
      case Place::offsets:
        break;
    }
    refuse(fmt::format("{} of tensor '{}' contains {}, expected whole numbers from 0", key_,
                       one_line(name_), what));
  }

  [[noreturn]] void refuse_offset_count() const {
    refuse(fmt::format("data_offsets of tensor '{}' must be 2 numbers", one_line(name_)));
  }

  DType dtype(const std::string& text) const {
    for (const DType dtype : kDTypes) {
      if (text == name_of(dtype)) return dtype;
    }
    refuse(fmt::format("tensor '{}' has dtype '{}', expected U8, I8, I32, I64, F32 or F64",
                       one_line(name_), one_line(text)));
  }

  void add_axis(std::uint64_t extent) {
    std::vector<std::int64_t>& shape = header_.entries.back().shape;
    if (shape.size() == kMaxAxes) {
      refuse(fmt::format("tensor '{}' has more than {} axes", one_line(name_), kMaxAxes));
    }
    if (extent > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      refuse(fmt::format("the shape of tensor '{}' overflows", one_line(name_)));
    }
    shape.push_back(static_cast<std::int64_t>(extent));
  }

  std::string_view file_;
  SafetensorsHeader header_;
  Place place_ = Place::outside;
  std::set<std::string> names_;  // of all tensors so far, to find a second one
  std::set<std::string> keys_;   // of the object inside the header
  std::string name_;
  std::string key_;
  int offsets_ = 0;
};

}  // namespace

void refuse_safetensors(std::string_view name, std::string_view reason) {
  throw Error(ErrorKind::bad_data,
              fmt::format("{}: not a valid safetensors file: {}", name, reason));
}

SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view name) {
  if (!text.starts_with('{')) refuse_safetensors(name, "the header does not begin with '{'");
  // The parser takes a NUL for the end of the text and would not look at what follows.
  if (text.find('\0') != std::string_view::npos) {
    refuse_safetensors(name, "the header contains a NUL character");
  }
  HeaderReader reader(name);
  nlohmann::json::sax_parse(text, &reader);
  return reader.take();
}

}  // namespace biglittle
