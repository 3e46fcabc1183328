// SPDX-License-Identifier: MIT
#include "train/libtorch/step_clock.h"

#include <ATen/record_function.h>

#include <memory>
#include <utility>

namespace biglittle {
namespace {

thread_local StepClock* running = nullptr;

constexpr std::array<std::string_view, kParts> kNames = {"convolution forward",
                                                         "convolution backward",
                                                         "batch norm, relu, add forward",
                                                         "batch norm, relu, add backward",
                                                         "pooling",
                                                         "linear",
                                                         "loss",
                                                         "augmentation",
                                                         "teacher",
                                                         "optimizer and sum of gradients",
                                                         "waiting",
                                                         "other"};

// By the name of an autograd node, e.g. ConvolutionBackward0 or CppNode<BatchNormFunction>.
Part part_of_backward(std::string_view node) {
  const auto has = [&](std::string_view word) { return node.find(word) != node.npos; };
  if (has("Convolution") || has("Depthwise")) return Part::convolution_backward;
  if (has("BatchNorm") || has("Relu") || has("Hardtanh")) return Part::norm_backward;
  if (has("Pool") || has("Mean")) return Part::pool;
  if (has("Addmm")) return Part::linear;
  if (has("Loss") || has("Softmax")) return Part::loss;
  return Part::other;
}

struct BackwardScope : at::ObserverContext {
  explicit BackwardScope(Part at_part) : part(at_part) {}
  ScopedPart part;
};

}  // namespace

std::string_view name_of(Part part) { return kNames[static_cast<std::size_t>(part)]; }

void StepClock::start() {
  running = this;
  since_ = std::chrono::steady_clock::now();
}

void StepClock::stop() {
  enter(Part::waiting);
  running = nullptr;
}

Part StepClock::enter(Part part) {
  const Time now = std::chrono::steady_clock::now();
  seconds_[static_cast<std::size_t>(part_)] += std::chrono::duration<double>(now - since_).count();
  since_ = now;
  return std::exchange(part_, part);
}

ScopedPart::ScopedPart(Part part) : clock_(running) {
  if (clock_ != nullptr) outer_ = clock_->enter(part);
}

ScopedPart::~ScopedPart() {
  if (clock_ != nullptr) clock_->enter(outer_);
}

BackwardParts::BackwardParts()
    : handle_(at::addGlobalCallback(
          at::RecordFunctionCallback([](const at::RecordFunction& function)
                                         -> std::unique_ptr<at::ObserverContext> {
            if (running == nullptr) return nullptr;
            return std::make_unique<BackwardScope>(part_of_backward(function.name()));
          }).scopes({at::RecordScope::BACKWARD_FUNCTION}))) {}

BackwardParts::~BackwardParts() { at::removeCallback(handle_); }

}  // namespace biglittle
