// SPDX-License-Identifier: MIT
// A library of the right version that exports no engine.

#include "core/version.h"

extern "C" const char* biglittle_engine_version() { return biglittle::program_version().data(); }
