// SPDX-License-Identifier: MIT
#include "core/error.h"

namespace biglittle {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::gate:
      return 1;
    case ErrorKind::usage:
      return 64;
    case ErrorKind::bad_data:
      return 65;
    case ErrorKind::missing_input:
      return 66;
    case ErrorKind::internal:
      return 70;
    case ErrorKind::cannot_create:
      return 73;
    case ErrorKind::io:
      return 74;
    case ErrorKind::config:
      return 78;
  }
  return 70;
}

}  // namespace biglittle
