// SPDX-License-Identifier: MIT
#include "train/libtorch/rank_group.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "train/libtorch/nccl_connection.h"
#include "train/libtorch/rank_connection.h"
#include "train/libtorch/worker_pool.h"

namespace biglittle {
namespace {

// Numbers of a bucket: while one is added up, others travel.
constexpr std::int64_t kBucket = std::int64_t{1} << 20;

/// One bucket on its way: each rank adds up its slice of it and hands the sum to all.
class BucketSum {
 public:
  BucketSum(RankConnection& connection, const Ranks& ranks, at::Tensor values)
      : connection_(connection), ranks_(ranks), values_(std::move(values)) {
    for (std::int64_t rank = 0; rank < ranks.size; ++rank) {
      const auto [begin, end] = share(values_.numel(), rank, ranks.size);
      lengths_.push_back(end - begin);
    }
    mine_ = lengths_[static_cast<std::size_t>(ranks.rank)];
    received_ = at::empty({ranks.size, mine_}, values_.options());
    work_ = connection.exchange(values_, lengths_, received_.view({-1}),
                                std::vector<std::int64_t>(lengths_.size(), mine_));
  }

  /// Adds what came, in the order of ranks, and sends the sum.
  void add() {
    connection_.wait(work_);
    const std::int64_t longest = *std::ranges::max_element(lengths_);
    const at::Tensor sent = at::zeros({longest}, values_.options());
    const at::Tensor sum = sent.narrow(0, 0, mine_);
    sum.copy_(received_[0]);
    for (std::int64_t rank = 1; rank < ranks_.size; ++rank) sum.add_(received_[rank]);
    sums_ = at::empty({ranks_.size, longest}, values_.options());
    work_ = connection_.gather(sent, sums_);
  }

  /// Puts the sums in their place.
  void finish() {
    connection_.wait(work_);
    std::int64_t begin = 0;
    for (std::int64_t rank = 0; rank < ranks_.size; ++rank) {
      const std::int64_t length = lengths_[static_cast<std::size_t>(rank)];
      values_.narrow(0, begin, length).copy_(sums_[rank].narrow(0, 0, length));
      begin += length;
    }
  }

 private:
  RankConnection& connection_;
  const Ranks& ranks_;
  at::Tensor values_;                  // [n]
  std::vector<std::int64_t> lengths_;  // of the slices, by rank
  std::int64_t mine_ = 0;
  at::Tensor received_;  // [ranks, mine]
  at::Tensor sums_;      // [ranks, longest slice]
  RankConnection::Work work_;
};

/// `bytes` in whole floats, padded with zeros to `count` of them.
at::Tensor packed(std::span<const std::byte> bytes, std::int64_t count) {
  const at::Tensor words = at::zeros({count}, at::kFloat);
  std::memcpy(words.data_ptr<float>(), bytes.data(), bytes.size());
  return words;
}

/// The same on all processes of one machine since it was started.
std::string machine_name() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string name;
  std::getline(file, name);
  return name;
}

}  // namespace

RankGroup::RankGroup(const Ranks& ranks, const ComputeOptions& compute) : ranks_(ranks) {
  if (ranks.size > 1) host_ = open_host_connection(ranks, compute);
}

RankGroup::~RankGroup() = default;

RankGroup::Neighbours RankGroup::neighbours() const {
  const std::string here = machine_name();
  const std::vector<std::vector<std::byte>> all = gather(std::as_bytes(std::span(here)));
  const auto mine = all.begin() + rank();
  return {std::count(all.begin(), mine, *mine), std::ranges::count(all, *mine)};
}

void RankGroup::connect_devices(const Place& place, const ComputeOptions& compute) {
  if (!host_) return;
  if (place && place->is_cpu()) {
    devices_ = host_;
    return;
  }
  const std::string mine = compute.nccl ? nccl_name(place) : "";
  std::set<std::string> names;
  for (const std::vector<std::byte>& name : gather(std::as_bytes(std::span(mine)))) {
    names.emplace(reinterpret_cast<const char*>(name.data()), name.size());
  }
  if (std::ssize(names) < size() || names.contains("")) return;
  const std::vector<std::byte> id = rank() == 0 ? make_nccl_id(compute) : std::vector<std::byte>();
  devices_ = open_nccl_connection(ranks_, *place, gather(id).front(), compute);
}

std::vector<StepReport> RankGroup::tell(const StepReport& mine) const {
  if (!host_) return {mine};
  const c10::NoGradGuard no_gradients;
  constexpr std::int64_t kCount = sizeof(StepReport) / sizeof(float);
  const at::Tensor all = at::empty({size(), kCount}, at::kFloat);
  host_->wait(host_->gather(packed(std::as_bytes(std::span(&mine, 1)), kCount), all));
  std::vector<StepReport> reports(static_cast<std::size_t>(size()));
  std::memcpy(static_cast<void*>(reports.data()), all.data_ptr<float>(),
              reports.size() * sizeof(StepReport));
  return reports;
}

void RankGroup::sum(const at::Tensor& values) const {
  if (!host_) return;
  const c10::NoGradGuard no_gradients;
  RankConnection& connection = values.is_cpu() ? *host_ : *devices_;
  std::vector<BucketSum> buckets;
  for (std::int64_t begin = 0; begin < values.numel(); begin += kBucket) {
    const std::int64_t length = std::min(kBucket, values.numel() - begin);
    buckets.emplace_back(connection, ranks_, values.narrow(0, begin, length));
  }
  for (BucketSum& bucket : buckets) bucket.add();
  for (BucketSum& bucket : buckets) bucket.finish();
}

std::vector<std::vector<std::byte>> RankGroup::gather(std::span<const std::byte> mine) const {
  if (!host_) return {{mine.begin(), mine.end()}};
  // Lengths first: the texts themselves travel padded to the longest.
  const auto all_packed = [&](std::span<const std::byte> bytes, std::size_t longest) {
    const auto count = static_cast<std::int64_t>(longest / sizeof(float) + 1);
    at::Tensor all = at::empty({size(), count}, at::kFloat);
    host_->wait(host_->gather(packed(bytes, count), all));
    return all;
  };
  const std::uint64_t length = mine.size();
  const at::Tensor all_lengths =
      all_packed(std::as_bytes(std::span(&length, 1)), sizeof length);  // [ranks, 3]
  std::vector<std::uint64_t> lengths(static_cast<std::size_t>(size()));
  for (std::int64_t rank = 0; rank < size(); ++rank) {
    std::memcpy(&lengths[static_cast<std::size_t>(rank)], all_lengths[rank].data_ptr<float>(),
                sizeof length);
  }
  const at::Tensor texts = all_packed(mine, *std::ranges::max_element(lengths));
  std::vector<std::vector<std::byte>> all;
  for (std::int64_t rank = 0; rank < size(); ++rank) {
    const auto* from = reinterpret_cast<const std::byte*>(texts[rank].data_ptr<float>());
    all.emplace_back(from, from + lengths[static_cast<std::size_t>(rank)]);
  }
  return all;
}

std::vector<float> RankGroup::gather(std::span<const float> mine) const {
  std::vector<float> all;
  for (const std::vector<std::byte>& bytes : gather(std::as_bytes(mine))) {
    const std::size_t before = all.size();
    all.resize(before + bytes.size() / sizeof(float));
    if (!bytes.empty()) std::memcpy(all.data() + before, bytes.data(), bytes.size());
  }
  return all;
}

void RankGroup::copy_from_first(const at::Tensor& values) const {
  if (host_ && values.numel() > 0) host_->wait(host_->broadcast(values));
}

void RankGroup::require_alike(const std::map<std::string, std::string>& facts) const {
  const std::string text = Json(facts).dump();
  const std::vector<std::vector<std::byte>> all = gather(std::as_bytes(std::span(text)));
  const auto facts_of = [&](std::size_t rank) {
    const auto* letters = reinterpret_cast<const char*>(all[rank].data());
    return parse_json(std::string_view(letters, all[rank].size()), "facts of a rank")
        .get<std::map<std::string, std::string>>();
  };
  const std::map<std::string, std::string> first = facts_of(0);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    for (const auto& [name, value] : facts_of(rank)) {
      const auto expected = first.find(name);
      if (expected != first.end() && expected->second == value) continue;
      part();
      throw Error(
          ErrorKind::config,
          fmt::format("rank {} has {} {}, rank 0 {}: start every rank of the same program "
                      "with the same config, data and options",
                      rank, name, value, expected == first.end() ? "none" : expected->second));
    }
  }
}

void RankGroup::require_same_weights(std::span<const float> weights, std::int64_t step) const {
  if (!host_) return;
  const std::string mine = sha256_hex(std::as_bytes(weights));
  const std::vector<std::vector<std::byte>> all = gather(std::as_bytes(std::span(mine)));
  const auto other = std::ranges::find_if(all, [&](const auto& hash) { return hash != all[0]; });
  if (other == all.end()) return;
  part();
  throw Error(
      ErrorKind::internal,
      fmt::format("after step {} the weights of rank {} are not those of rank 0: one of the "
                  "machines computes wrongly; the best checkpoint so far is kept",
                  step, other - all.begin()));
}

void RankGroup::part() const noexcept {
  if (host_) host_->barrier();
}

std::vector<float> over_ranks(const RankGroup& ranks, const Samples& samples,
                              const std::function<std::vector<float>(const Samples&)>& work) {
  if (ranks.size() == 1) return work(samples);
  const auto [first, last] = share(samples.count(), ranks.rank(), ranks.size());
  std::vector<std::int64_t> rows(static_cast<std::size_t>(last - first));
  std::iota(rows.begin(), rows.end(), first);
  return ranks.gather(work(select(samples, rows)));
}

}  // namespace biglittle
