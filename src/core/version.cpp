// SPDX-License-Identifier: MIT
#include "core/version.h"

namespace biglittle {

std::string_view program_version() { return BIGLITTLE_VERSION; }

}  // namespace biglittle
