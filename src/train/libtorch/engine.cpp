// SPDX-License-Identifier: MIT
#include "train/engine.h"

#include <ATen/ATen.h>
#include <ATen/Config.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>

#include "core/cores.h"
#include "core/error.h"
#include "core/version.h"
#include "train/libtorch/allocator.h"
#include "train/libtorch/blocked_convolution.h"
#include "train/libtorch/device.h"
#include "train/libtorch/inference.h"
#include "train/libtorch/nccl_connection.h"
#include "train/libtorch/processor.h"
#include "train/libtorch/rank_connection.h"
#include "train/libtorch/rank_group.h"
#include "train/libtorch/trainer.h"

// OpenBLAS's name of the processor whose code it runs; absent in other libraries.
extern "C" __attribute__((weak)) char* openblas_get_corename();

namespace biglittle {
namespace {

std::string blas_name() {
  if (openblas_get_corename != nullptr)
    return std::string("OpenBLAS for ") + openblas_get_corename();
  return at::hasMKL() ? "MKL" : at::hasLAPACK() ? "BLAS with LAPACK" : "none";
}

// LibTorch has it inside a sentence, behind a "v".
std::string onednn_version() {
  const std::string text = at::get_mkldnn_version();
  const std::size_t begin = text.find(" v");
  if (begin == text.npos) return "";
  return text.substr(begin + 2, text.find(' ', begin + 2) - begin - 2);
}

std::int64_t worker_count(const ComputeOptions& compute) {
  if (compute.threads > 0) return compute.threads;
  return usable_cores();
}

// The same on each rank: ranks of one machine share its cores, and the smallest machine decides. A
// replica has two samples of a batch at least, whose moments batch norm takes.
std::int64_t replicas_of_rank(const FitRequest& request, const RankGroup& ranks,
                              std::int64_t neighbours) {
  const std::int64_t batch = std::min(request.options.batch_size, request.train->count());
  const std::int64_t most = std::max<std::int64_t>(1, batch / 2);
  if (ranks.size() == 1) return std::min(worker_count(request.compute), most);
  const std::int64_t wanted = request.compute.threads > 0
                                  ? request.compute.threads
                                  : worker_count(request.compute) / neighbours;
  const std::vector<float> all = ranks.gather(std::array{static_cast<float>(wanted)});
  const auto smallest = static_cast<std::int64_t>(*std::ranges::min_element(all));
  return std::max<std::int64_t>(1, std::min(smallest, most / ranks.size()));
}

bool choose_bf16(Precision precision, const Place& place) {
  if (precision == Precision::automatic) return place || detect_processor().has_fast_bf16();
  return precision == Precision::bf16;
}

// Turns LibTorch's exceptions into ours, without their stack traces.
template <typename Work>
auto translated(const Work& work) {
  try {
    return work();
  } catch (const c10::Error& error) {
    throw Error(ErrorKind::internal, std::string("LibTorch: ") + error.what_without_backtrace());
  }
}

template <typename Work>
auto with_trainer(const FitRequest& request, Observer& observer, const Work& work) {
  // An int8 network's integers are exact on the processor only, and bf16 does not count far enough
  // for them.
  const Device wanted = request.quantization ? Device::cpu : request.compute.device;
  choose_place(wanted, 0);  // what is missing is said before ranks wait for each other
  RankGroup ranks(request.ranks, request.compute);
  const RankGroup::Neighbours here = ranks.neighbours();
  const Place place = choose_place(wanted, here.index);
  const bool use_bf16 = !request.quantization && choose_bf16(request.compute.precision, place);
  const std::int64_t replicas = replicas_of_rank(request, ranks, here.count);  // asks the others
  ranks.connect_devices(place, request.compute);
  WorkerPool pool(place ? 1 : replicas);
  Trainer trainer(request, place, use_bf16, pool, ranks, observer);
  return std::invoke(work, trainer);
}

double measure_fp32_gflops() {
  constexpr std::int64_t kSize = 1024;
  at::set_num_threads(1);
  const at::Tensor a = at::rand({kSize, kSize});
  const at::Tensor b = at::rand({kSize, kSize});
  at::mm(a, b);  // the first one pays for set-up
  double best = 1e30;
  for (int round = 0; round < 3; ++round) {
    const auto start = std::chrono::steady_clock::now();
    at::mm(a, b);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::min(best, seconds.count());
  }
  return 2.0 * kSize * kSize * kSize / best * 1e-9;
}

class LibtorchEngine final : public Engine {
 public:
  LibtorchEngine() { install_caching_allocator(); }

  EngineInfo info() const override {
    return translated([] {
      const Processor processor = detect_processor();
      EngineInfo info;
      info.libtorch_version = TORCH_VERSION;
      info.blas = blas_name();
      info.cores = usable_cores();
      info.has_avx2 = processor.avx2;
      info.has_avx512 = processor.avx512;
      if (processor.has_fast_bf16()) info.fast_bf16 = processor.amx_bf16 ? "AMX" : "AVX-512";
      info.gpus = gpu_count();
      info.has_gloo = has_gloo();
      info.has_nccl = has_nccl();
      info.has_winograd = has_winograd();
      info.onednn = onednn_version();
      info.fp32_gflops = measure_fp32_gflops();
      return info;
    });
  }

  FitResult fit(const FitRequest& request, Observer& observer) const override {
    return translated([&] { return with_trainer(request, observer, &Trainer::run); });
  }

  TrainingProfile profile(const FitRequest& request, std::int64_t steps) const override {
    return translated([&] {
      Observer nobody;
      return with_trainer(request, nobody,
                          [&](Trainer& trainer) { return trainer.profile(steps); });
    });
  }

  std::vector<float> logits(const Network& network, const Preprocessing& preprocessing,
                            const Samples& samples, const ComputeOptions& compute) const override {
    return translated([&] {
      WorkerPool pool(worker_count(compute));
      const at::Device device = device_of(choose_place(compute.device, /*index=*/0));
      return infer(pool, FrozenNetwork(network, device), preprocessing, samples);
    });
  }

  void observe(const Network& network, const Preprocessing& preprocessing, const Samples& samples,
               const SeeActivations& see) const override {
    translated([&] {
      const WorkerPool single_threaded(1);
      const c10::NoGradGuard no_gradients;
      const FrozenNetwork frozen(network);
      std::vector<float> values;
      for (std::int64_t begin = 0; begin < samples.count(); begin += kInferenceBatch) {
        const std::int64_t end = std::min(begin + kInferenceBatch, samples.count());
        values.resize(static_cast<std::size_t>((end - begin) * samples.shape.count()));
        fill_batch(samples, begin, end, preprocessing, Mirror::no, values);
        frozen.forward(as_batch(values, samples.shape),
                       [&](const Node& node, const at::Tensor& output) {
                         see(node.name, numbers(output.contiguous()));
                       });
      }
    });
  }
};

}  // namespace
}  // namespace biglittle

// What load_engine looks for.
extern "C" const biglittle::Engine* biglittle_engine() {
  static const biglittle::LibtorchEngine engine;
  return &engine;
}
extern "C" const char* biglittle_engine_version() { return biglittle::program_version().data(); }
