// SPDX-License-Identifier: MIT
#include "core/options.h"

#include "train/engine.h"
#include "train/train_big.h"

namespace biglittle {

void describe(AugmentOptions& options, OptionVisitor& visitor) {
  visitor.field("crop_pad", options.crop_pad, IntRange{0, 64},
                "pixels of padding before a random crop");
  visitor.field("flip", options.flip, "mirror each sample left-right in every other epoch");
  visitor.field("cutout", options.cutout, IntRange{0, 256},
                "side in pixels of a random square that is blanked; 0: none");
}

void describe(TrainOptions& options, OptionVisitor& visitor) {
  visitor.field("epochs", options.epochs, IntRange{1, 100000}, "passes over the train split");
  visitor.field("batch_size", options.batch_size, IntRange{1, 65536}, "samples a step");
  visitor.field("initialization", options.initialization,
                "he: random; whitened: filters at the input whiten it, later layers pass it on");
  visitor.field("optimizer", options.optimizer, "how gradients become steps");
  visitor.field("learning_rate", options.learning_rate, RealRange{1e-8, 100.0},
                "the schedule's peak");
  visitor.field("momentum", options.momentum, RealRange{0.0, 0.9999}, "Nesterov momentum of sgd");
  visitor.field("weight_decay", options.weight_decay, RealRange{0.0, 10.0},
                "pull of weights towards 0; biases and batch norm are left alone");
  visitor.field("schedule", options.schedule, "how the learning rate moves");
  visitor.field("warmup", options.warmup, RealRange{0.0, 0.9},
                "share of all steps spent rising to the peak");
  visitor.field("label_smoothing", options.label_smoothing, RealRange{0.0, 0.9},
                "share of each label spread over all classes");
  visitor.field("ema", options.ema, RealRange{0.0, 0.99999},
                "decay a step of averaged weights; 0: none");
  visitor.field("patience", options.patience, IntRange{0, 100000},
                "stop after this many epochs without improvement on tune; 0: never");
  visitor.field("on_divergence", options.on_divergence,
                "NaN or infinity; rollback: to the last epoch's end, at half the learning rate");
  visitor.field("budget_minutes", options.budget_minutes, RealRange{0.0, 1e6},
                "> 0: as many epochs as fit into that time, measured at the start, not `epochs`");
  visitor.section("augment", options.augment, "random changes of training samples");
}

void describe(ComputeOptions& options, OptionVisitor& visitor) {
  visitor.field("device", options.device,
                "where networks run in float; auto: on a GPU where LibTorch has CUDA");
  visitor.field(
      "precision", options.precision,
      "of training arithmetic; auto: bf16 on a GPU and where the processor multiplies it fast");
  visitor.field("threads", options.threads, IntRange{0, kMostThreads}, "0: one per core");
  visitor.field("rank_timeout", options.rank_timeout, IntRange{1, 86400},
                "seconds that processes training together wait for each other");
  visitor.field("listen", options.listen,
                "where such processes listen: loopback, or a network interface or address");
  visitor.field(
      "nccl", options.nccl,
      "sum their gradients between GPUs, where the program has NCCL and each has its own");
}

void describe(BigOptions& options, OptionVisitor& visitor) {
  visitor.field("test_time_flip", options.test_time_flip,
                "answer with the mean over a sample and its mirror image; doubles big's work");
  visitor.section("network", options.network, "architecture of the big network");
  visitor.section("train", options.train, "how the big network is trained");
}

}  // namespace biglittle
