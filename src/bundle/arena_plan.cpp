// SPDX-License-Identifier: MIT
#include "bundle/arena_plan.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>

namespace biglittle {
namespace {

using Order = std::vector<std::size_t>;

/// Orders tried around the best one; networks with branches rarely need more than a few.
constexpr int kVariations = 400;

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

bool alive_together(const ArenaTensor& a, const ArenaTensor& b) {
  return a.first <= b.last && b.first <= a.last;
}

/// Gives each tensor of `order` the lowest offset that is free during its whole life.
ArenaPlan place_in_order(std::span<const ArenaTensor> tensors, const Order& order) {
  ArenaPlan plan;
  plan.offsets.resize(tensors.size());
  Order placed;  // by offset
  for (const std::size_t tensor : order) {
    const std::int64_t bytes = aligned(tensors[tensor].bytes);
    std::int64_t offset = 0;
    for (const std::size_t other : placed) {
      if (!alive_together(tensors[tensor], tensors[other])) continue;
      if (plan.offsets[other] >= offset + bytes) break;
      offset = std::max(offset, plan.offsets[other] + aligned(tensors[other].bytes));
    }
    plan.offsets[tensor] = offset;
    plan.bytes = std::max(plan.bytes, offset + bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), tensor,
                                   [&](std::size_t a, std::size_t b) {
                                     return plan.offsets[a] < plan.offsets[b];
                                   }),
                  tensor);
  }
  return plan;
}

/// Tensors by decreasing `weight`, equal ones as given.
Order order_by(std::span<const ArenaTensor> tensors,
               const std::function<std::int64_t(const ArenaTensor&)>& weight) {
  Order order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return weight(tensors[a]) > weight(tensors[b]);
  });
  return order;
}

}  // namespace

std::int64_t liveness_bound(std::span<const ArenaTensor> tensors) {
  std::int64_t bound = 0;
  // The sum of live bytes can only grow where a tensor is born.
  for (const ArenaTensor& born : tensors) {
    std::int64_t live = 0;
    for (const ArenaTensor& tensor : tensors) {
      if (tensor.first <= born.first && born.first <= tensor.last) live += aligned(tensor.bytes);
    }
    bound = std::max(bound, live);
  }
  return bound;
}

ArenaPlan plan_arena(std::span<const ArenaTensor> tensors) {
  const std::int64_t bound = liveness_bound(tensors);
  const auto life = [](const ArenaTensor& t) { return t.last - t.first + 1; };
  const std::vector<Order> starts = {
      order_by(tensors, [](const ArenaTensor& t) { return t.bytes; }),
      order_by(tensors, life),
      order_by(tensors, [&](const ArenaTensor& t) { return t.bytes * life(t); }),
      order_by(tensors, [](const ArenaTensor& t) { return -t.first; }),
  };
  Order best_order = starts.front();
  ArenaPlan best = place_in_order(tensors, best_order);
  const auto try_order = [&](const Order& order) {
    ArenaPlan plan = place_in_order(tensors, order);
    if (plan.bytes > best.bytes) return;
    best = std::move(plan);
    best_order = order;
  };
  for (const Order& order : starts) {
    if (best.bytes == bound) return best;
    try_order(order);
  }
  std::minstd_rand random(1);  // its sequence is fixed by the standard, unlike a distribution's
  for (int i = 0; i < kVariations && best.bytes > bound; ++i) {
    Order order = best_order;
    std::swap(order[random() % order.size()], order[random() % order.size()]);
    try_order(order);
  }
  return best;
}

}  // namespace biglittle
