// SPDX-License-Identifier: MIT
#pragma once

// One small int8 network that passes every check, for tests that break it.

#include "quant/int8_model.h"

namespace biglittle::testing {

/// input 2x4x4 -> conv (3 channels) -> relu -> mean -> logits (2 classes).
Int8Model small_model();

}  // namespace biglittle::testing
