// SPDX-License-Identifier: MIT
#pragma once

namespace biglittle {

/// Makes LibTorch keep freed CPU blocks for the next tensor of their size instead of returning them
/// to the system, large ones on huge pages: a training step asks for the same sizes again and
/// again, and with malloc page faults take over a fifth of it. Lasts until the process ends;
/// calling it again changes nothing.
void install_caching_allocator();

}  // namespace biglittle
