// SPDX-License-Identifier: MIT
#include "train/batch.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/random.h"

namespace biglittle {
namespace {

// One sample's random changes: its origin shifts by (dy, dx), then it may be mirrored, then the
// rectangle is blanked.
struct Change {
  std::int64_t dy = 0;
  std::int64_t dx = 0;
  bool mirrored = false;
  std::int64_t blank_top = 0;
  std::int64_t blank_bottom = 0;
  std::int64_t blank_left = 0;
  std::int64_t blank_right = 0;
};

std::int64_t draw(Random& random, std::int64_t bound) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound)));
}

Change draw_change(const AugmentOptions& augment, const Shape& shape, AugmentSeed seed,
                   std::int64_t row) {
  Random random(seed.seed, static_cast<std::uint64_t>(seed.epoch),
                static_cast<std::uint64_t>(row));
  Change change;
  if (augment.crop_pad > 0) {
    // A signal of height 1 moves along its width only.
    if (shape.height > 1) {
      change.dy = draw(random, 2 * augment.crop_pad + 1) - augment.crop_pad;
    }
    change.dx = draw(random, 2 * augment.crop_pad + 1) - augment.crop_pad;
  }
  if (augment.flip) change.mirrored = draw(random, 2) == 1;
  if (augment.cutout > 0) {
    const std::int64_t top = draw(random, shape.height) - augment.cutout / 2;
    const std::int64_t left = draw(random, shape.width) - augment.cutout / 2;
    change.blank_top = std::clamp<std::int64_t>(top, 0, shape.height);
    change.blank_bottom = std::clamp<std::int64_t>(top + augment.cutout, 0, shape.height);
    change.blank_left = std::clamp<std::int64_t>(left, 0, shape.width);
    change.blank_right = std::clamp<std::int64_t>(left + augment.cutout, 0, shape.width);
  }
  return change;
}

// raw -> real for bytes by table, for floats by formula.
class ByteReal {
 public:
  explicit ByteReal(const Preprocessing& preprocessing) {
    for (std::size_t byte = 0; byte < table_.size(); ++byte) {
      table_[byte] = static_cast<float>(preprocessing.scale *
                                        (static_cast<double>(byte) - preprocessing.offset));
    }
  }
  float operator()(std::uint8_t raw) const { return table_[raw]; }

 private:
  std::array<float, 256> table_{};
};

class FloatReal {
 public:
  explicit FloatReal(const Preprocessing& preprocessing)
      : scale_(static_cast<float>(preprocessing.scale)),
        offset_(static_cast<float>(preprocessing.offset)) {}
  float operator()(float raw) const { return scale_ * (raw - offset_); }

 private:
  float scale_;
  float offset_;
};

template <typename Raw, typename Real>
void write_sample(const Raw* sample, const Shape& shape, const Change& change, const Real& real,
                  float* out) {
  const std::int64_t channels = shape.channels;
  const std::int64_t height = shape.height;
  const std::int64_t width = shape.width;
  for (std::int64_t y = 0; y < height; ++y) {
    float* row = out + y * width * channels;
    const std::int64_t from_y = y + change.dy;
    const bool blank_row = y >= change.blank_top && y < change.blank_bottom;
    if (from_y < 0 || from_y >= height) {
      std::fill_n(row, width * channels, 0.0f);
      continue;
    }
    // Output columns whose source column x + dx (before mirroring) lies in the sample.
    const std::int64_t first = std::clamp<std::int64_t>(-change.dx, 0, width);
    const std::int64_t last = std::clamp<std::int64_t>(width - change.dx, 0, width);
    const bool whole = first == 0 && last == width;
    if (!whole) std::fill_n(row, width * channels, 0.0f);
    const std::int64_t start = change.mirrored ? width - 1 : 0;
    const std::int64_t step = change.mirrored ? -1 : 1;
    for (std::int64_t c = 0; c < channels; ++c) {
      const Raw* source = sample + (c * height + from_y) * width + change.dx;
      for (std::int64_t x = first; x < last; ++x) {
        row[(start + step * x) * channels + c] = real(source[x]);
      }
    }
    if (blank_row) {
      std::fill(row + change.blank_left * channels, row + change.blank_right * channels, 0.0f);
    }
  }
}

// Calls `write(pointer to the row's raw values, converter)` with the samples' own type.
template <typename Write>
void with_raw(const Samples& samples, const Preprocessing& preprocessing, const Write& write) {
  if (samples.type() == SampleType::u8) {
    write(samples.bytes().data(), ByteReal(preprocessing));
  } else {
    write(samples.floats().data(), FloatReal(preprocessing));
  }
}

}  // namespace

std::vector<std::int64_t> epoch_order(std::int64_t count, std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  Random(seed, static_cast<std::uint64_t>(epoch)).shuffle(std::span(order));
  return order;
}

void fill_training_batch(const Samples& samples, std::span<const std::int64_t> rows,
                         const Preprocessing& preprocessing, const AugmentOptions& augment,
                         AugmentSeed seed, std::span<float> batch,
                         std::span<std::uint8_t> flipped) {
  const std::int64_t size = samples.shape.count();
  with_raw(samples, preprocessing, [&](const auto* raw, const auto& real) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Change change = draw_change(augment, samples.shape, seed, rows[i]);
      flipped[i] = change.mirrored ? 1 : 0;
      write_sample(raw + rows[i] * size, samples.shape, change, real,
                   batch.data() + static_cast<std::int64_t>(i) * size);
    }
  });
}

void fill_batch(const Samples& samples, std::int64_t begin, std::int64_t end,
                const Preprocessing& preprocessing, Mirror mirror, std::span<float> batch) {
  const std::int64_t size = samples.shape.count();
  Change change;
  change.mirrored = mirror == Mirror::yes;
  with_raw(samples, preprocessing, [&](const auto* raw, const auto& real) {
    for (std::int64_t row = begin; row < end; ++row) {
      write_sample(raw + row * size, samples.shape, change, real,
                   batch.data() + (row - begin) * size);
    }
  });
}

}  // namespace biglittle
