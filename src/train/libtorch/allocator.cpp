// SPDX-License-Identifier: MIT
#include "train/libtorch/allocator.h"

#include <c10/core/Allocator.h>
#include <sys/mman.h>
#include <torch/version.h>

#include <bit>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

namespace biglittle {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kCacheLine = 64;

// Sizes are rounded up to an eighth of their power of two, so that at most 12.5 % is unused.
std::size_t rounded(std::size_t bytes) {
  const std::size_t step = std::max<std::size_t>(256, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

class CachingAllocator final : public c10::Allocator {
 public:
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
  c10::DataPtr allocate(std::size_t bytes) override { return block_of(bytes); }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
#else
  c10::DataPtr allocate(std::size_t bytes) const override { return block_of(bytes); }
#endif
  c10::DeleterFnPtr raw_deleter() const override { return &release; }

 private:
  // What is free by size, and the size of every block ever made.
  struct Pool {
    std::mutex mutex;
    std::unordered_map<std::size_t, std::vector<void*>> free;
    std::unordered_map<void*, std::size_t> sizes;
  };
  // Never destroyed: tensors with static storage may be released after main.
  static Pool& pool() {
    static Pool* const instance = new Pool;
    return *instance;
  }

  static c10::DataPtr block_of(std::size_t bytes) {
    void* block = bytes == 0 ? nullptr : take(rounded(bytes));
    return {block, block, &release, c10::Device(c10::kCPU)};
  }

  static void* take(std::size_t bytes) {
    Pool& blocks = pool();
    const std::lock_guard lock(blocks.mutex);
    std::vector<void*>& free = blocks.free[bytes];
    if (!free.empty()) {
      void* block = free.back();
      free.pop_back();
      return block;
    }
    const std::size_t alignment = bytes >= kHugePage ? kHugePage : kCacheLine;
    void* block = nullptr;
    if (::posix_memalign(&block, alignment, bytes) != 0) throw std::bad_alloc();
    // Advice only: without huge pages the block works as well, slower.
    if (bytes >= kHugePage) ::madvise(block, bytes, MADV_HUGEPAGE);
    blocks.sizes[block] = bytes;
    return block;
  }

  static void release(void* block) {
    if (block == nullptr) return;
    Pool& blocks = pool();
    const std::lock_guard lock(blocks.mutex);
    blocks.free[blocks.sizes.at(block)].push_back(block);
  }
};

}  // namespace

void install_caching_allocator() {
  static CachingAllocator allocator;
  constexpr std::uint8_t kAboveDefault = 100;
  c10::SetAllocator(c10::kCPU, &allocator, kAboveDefault);
}

}  // namespace biglittle
