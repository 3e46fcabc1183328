// SPDX-License-Identifier: MIT
#pragma once

// Quantization-aware fine-tuning: the folded float network is trained on while every number of its
// forward pass is the int8 network's, so that weights move to where rounding costs least. The int8
// network comes out of the same lowering as in post-training quantization.

#include "core/observer.h"
#include "quant/quantize.h"
#include "train/engine.h"

namespace biglittle {

/// The integers of `model` as the engine needs them to train through it.
Int8Constants int8_constants(const Int8Model& model);

/// True when `a` does better on tune than `b`: more right answers, or as many with a smaller loss.
bool is_better(const QuantizeResult& a, const QuantizeResult& b);

/// Trains on from `start` (quantize's result for `checkpoint`) with `objective`, that of
/// derivation: its samples, labels, distillation, augmentation, optimizer and compute options, but
/// options.fine_tune's epochs and learning rate and no weight decay, since no batch norm renews the
/// scale of the weights. Ranges stay those of `start`, or are learned. Returns the better of both
/// on tune and tells `observer` which. Throws what Engine::fit throws.
QuantizeResult fine_tune(const Checkpoint& checkpoint, QuantizeResult start, FitRequest objective,
                         const FineTuneOptions& options, const Engine& engine, Observer& observer);

}  // namespace biglittle
