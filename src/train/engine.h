// SPDX-License-Identifier: MIT
#pragma once

// What needs tensors and gradients, behind an interface without LibTorch. The implementation is a
// separate shared library that load_engine opens on first use, so that commands which do not train
// start in milliseconds.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/observer.h"
#include "core/options.h"
#include "data/dataset.h"
#include "data/priority.h"
#include "graph/fold.h"
#include "train/fit_state.h"
#include "train/int8_constants.h"
#include "train/ranks.h"

namespace biglittle {

enum class OptimizerKind { sgd, adamw };
template <>
struct EnumNames<OptimizerKind> {
  static constexpr std::array<std::string_view, 2> names = {"sgd", "adamw"};
};
enum class ScheduleKind { one_cycle, cosine, constant };
template <>
struct EnumNames<ScheduleKind> {
  static constexpr std::array<std::string_view, 3> names = {"one-cycle", "cosine", "constant"};
};
/// What weights begin as: He et al. 2015, or that with whitening filters at the input and the
/// identity in later convolutions (Jordan 2024).
enum class Initialization { he, whitened };
template <>
struct EnumNames<Initialization> {
  static constexpr std::array<std::string_view, 2> names = {"he", "whitened"};
};
/// What happens when loss, gradients or weights become NaN or infinite.
enum class OnDivergence { stop, rollback };
template <>
struct EnumNames<OnDivergence> {
  static constexpr std::array<std::string_view, 2> names = {"stop", "rollback"};
};
enum class Precision { automatic, fp32, bf16 };
template <>
struct EnumNames<Precision> {
  static constexpr std::array<std::string_view, 3> names = {"auto", "fp32", "bf16"};
};

enum class Device { automatic, cpu, cuda };
template <>
struct EnumNames<Device> {
  static constexpr std::array<std::string_view, 3> names = {"auto", "cpu", "cuda"};
};

/// Random changes of each training sample, whole batches at a time.
struct AugmentOptions {
  std::int64_t crop_pad =
      0;              ///< pixels of padding (the sample's edge, repeated) before a random crop
  bool flip = false;  ///< mirror each sample left-right in every other epoch
  std::int64_t cutout = 0;  ///< side of a square set to the offset; 0: none
};
void describe(AugmentOptions& options, OptionVisitor& visitor);

struct TrainOptions {
  std::int64_t epochs = 10;
  std::int64_t batch_size = 128;
  Initialization initialization = Initialization::he;
  OptimizerKind optimizer = OptimizerKind::sgd;
  double learning_rate = 0.2;  ///< the schedule's peak
  double momentum = 0.9;       ///< Nesterov momentum of SGD
  double weight_decay = 5e-4;  ///< not applied to biases and batch norm
  ScheduleKind schedule = ScheduleKind::one_cycle;
  double warmup = 0.2;  ///< share of all steps spent rising to the peak
  double label_smoothing = 0.0;
  double ema = 0.0;           ///< decay of averaged weights per step; 0: none
  std::int64_t patience = 0;  ///< stop after this many epochs without improvement on tune; 0: never
  OnDivergence on_divergence = OnDivergence::stop;
  double budget_minutes = 0.0;  ///< > 0: as many epochs as fit into that time, not `epochs`
  AugmentOptions augment;
};
void describe(TrainOptions& options, OptionVisitor& visitor);

/// Where and how numbers are computed; not part of what is learned.
inline constexpr std::int64_t kMostThreads = 1024;

struct ComputeOptions {
  Device device = Device::automatic;
  Precision precision = Precision::automatic;
  std::int64_t threads = 0;         ///< of each process; 0: one per core, shared by its ranks
  std::int64_t rank_timeout = 300;  ///< seconds that ranks wait for each other
  /// Where ranks listen: "loopback", or a network interface or address of this machine.
  std::string listen = "loopback";
  bool nccl = true;  ///< sums gradients between GPUs where it can, not on the processors
};
void describe(ComputeOptions& options, OptionVisitor& visitor);

enum class TeacherLogits { cached, fresh };
template <>
struct EnumNames<TeacherLogits> {
  static constexpr std::array<std::string_view, 2> names = {"cached", "fresh"};
};

/// Knowledge distillation (Hinton, Vinyals, Dean 2015). The teacher's log-probabilities are
/// aggregated over the classes that `map` joins at temperature 1, then softened.
struct Distillation {
  Network teacher;  ///< outputs the big classes
  PriorityMap map;
  double temperature = 3.0;  ///< T >= 1
  double soft_weight = 0.9;  ///< a in a T^2 KL(target || student) + (1 - a) cross-entropy
  TeacherLogits logits = TeacherLogits::cached;  ///< cached: once per (sample, flip), not per crop
};

struct FitRequest {
  Graph graph;
  std::optional<TensorMap> initial;  ///< weights to start from; by options.initialization without
  const Samples* train = nullptr;
  std::span<const std::int64_t> train_labels;  ///< in [0, outputs of graph)
  const Samples* tune = nullptr;
  std::span<const std::int64_t> tune_labels;
  Preprocessing preprocessing;
  TrainOptions options;
  std::optional<Distillation> distillation;
  /// Set: every number of the forward pass, on train and on tune, is the int8 network's.
  std::optional<QuantizationAware> quantization;
  ComputeOptions compute;
  Ranks ranks;  ///< fit is their joint work; the callbacks below are for the one that writes
  std::int64_t seed = 1;
  /// Called after each epoch with its metrics and the seconds it took, for logs.
  std::function<void(const Json&)> on_epoch;
  /// Called whenever tune accuracy improved, with the weights so far and the history.
  std::function<void(const TensorMap&, const Json&)> on_improved;
  std::optional<FitState> resume;  ///< goes on from here instead of from the beginning
  /// Ranks, device, threads and precision may differ from the state's: the run goes on, but not bit
  /// by bit.
  bool allow_changes = false;
  /// Called after each epoch and before Interrupted is thrown, with what `resume` needs.
  std::function<void(const FitState&)> on_state;
};

struct FitResult {
  TensorMap weights;                    ///< of the epoch best on tune
  std::map<std::string, float> scales;  ///< learned with them, by node; empty when none are
  Json history = Json::array();         ///< one object an epoch, without times: reproducible
  double tune_accuracy = 0.0;           ///< in [0, 1]
};

/// How often OnDivergence::rollback goes back, and what it multiplies the learning rate with.
inline constexpr std::int64_t kMostRollbacks = 5;
inline constexpr double kRollbackFactor = 0.5;

/// Where the time of training steps goes.
struct TrainingProfile {
  std::int64_t steps = 0;
  std::int64_t batch_size = 0;
  Device device = Device::cpu;  ///< where the steps ran
  std::int64_t threads = 1;
  Precision precision = Precision::fp32;
  double seconds = 0.0;  ///< of all steps, by the wall
  /// Seconds of all threads together by what they were at; they sum to seconds * threads. On a GPU
  /// there is one part.
  std::vector<std::pair<std::string, double>> parts;
  /// Floating-point operations of a step: two for each multiply-accumulate of convolutions and
  /// linear layers, forward, for weight gradients, and for input gradients except the first
  /// layer's.
  double step_operations = 0.0;
  /// Of a matrix product in the same precision on each thread at once, right after the steps.
  double peak_gflops = 0.0;
};

/// What the machine and LibTorch offer.
struct EngineInfo {
  std::string libtorch_version;
  std::string blas;
  std::int64_t cores = 1;
  bool has_avx2 = false;
  bool has_avx512 = false;
  std::string fast_bf16;      ///< instructions that train faster in bf16 than in float32, or none
  std::int64_t gpus = 0;      ///< that LibTorch can use
  bool has_gloo = false;      ///< several processes can train together
  bool has_nccl = false;      ///< and sum gradients between GPUs
  bool has_winograd = false;  ///< wide float32 convolutions with fewer products
  std::string onednn;         ///< version of the one in LibTorch, "2.7.2"; "" without
  double fp32_gflops = 0.0;   ///< of a 1024^3 float matrix product on one thread
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual EngineInfo info() const = 0;

  /// Trains and returns the best weights on tune. Bit-identical for the same request on the same
  /// machine, number of ranks and thread count, also when it was interrupted after any step and
  /// resumed; under a budget, for the number of epochs that its first steps led to. Every rank
  /// returns the same. Throws Error{gate} when loss, gradients or weights become NaN or infinite,
  /// naming step and tensor (with OnDivergence::rollback only after kMostRollbacks returns to the
  /// end of the last epoch, each of which halves the learning rate), Interrupted when an observer
  /// of any rank asks to stop, and for `resume` Error{config} when ranks, device, threads or
  /// precision are not the state's, Error{bad_data} when its tensors do not fit the graph. Throws
  /// Error{config} when compute.device asks for CUDA and LibTorch has none; so do logits and
  /// profile. Training through the int8 network runs on the processor. With several ranks
  /// also Error{io} when one is lost or silent for compute.rank_timeout, Error{config} when their
  /// requests differ, Error{internal} when their weights do.
  virtual FitResult fit(const FitRequest& request, Observer& observer) const = 0;

  /// Outputs for every sample in inference form: [N, outputs], row by row.
  virtual std::vector<float> logits(const Network& network, const Preprocessing& preprocessing,
                                    const Samples& samples,
                                    const ComputeOptions& compute) const = 0;

  /// Runs `network` (already folded) in float32 over the samples in batches, on one thread, and
  /// gives each node's output [n, C, H, W] in C order to `see`, batch by batch, nodes in graph
  /// order.
  using SeeActivations = std::function<void(std::string_view node, std::span<const float> values)>;
  virtual void observe(const Network& network, const Preprocessing& preprocessing,
                       const Samples& samples, const SeeActivations& see) const = 0;

  /// Runs `steps` >= 1 steps of what fit would do and times their parts; nothing is kept. Throws
  /// what fit throws.
  virtual TrainingProfile profile(const FitRequest& request, std::int64_t steps) const = 0;
};

/// Thrown when a signal ended the work after a safe point; not an error of anybody.
class Interrupted : public std::exception {
 public:
  explicit Interrupted(int exit_code) : exit_code_(exit_code) {}
  const char* what() const noexcept override { return "interrupted"; }
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

/// Opens the engine library: $BIGLITTLE_ENGINE, or beside the executable, or ../lib/biglittle. The
/// one instance lives until the process ends. Throws Error{missing_input} with the remedy.
const Engine& load_engine();

}  // namespace biglittle
