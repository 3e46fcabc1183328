// SPDX-License-Identifier: MIT
#include "bundle/c_templates.h"

namespace biglittle {

std::string_view device_readme_template() {
  return R"(# The little network as C99

Integers only inside, no allocation, no C library beyond `string.h`. Generated: export again
instead of editing.

| what | bytes |
|---|---|
| weights, biases, multipliers (flash) | @CONSTANT_BYTES@ |
| arena for activations (RAM) | @ARENA_BYTES@ |

| file | content |
|---|---|
| `bl_model.h`, `bl_model.c` | this network: sizes, thresholds, class names, weights, the call |
| `bl_runtime.h`, `bl_runtime.c` | the kernels, the same for every network |
| `bl_selftest.c` | @COUNT@ inputs and the integers they must give; not needed in a product |

## Build

Either add `bl_model.c` and `bl_runtime.c` to a project, or `add_subdirectory` this folder and link
`bl_model`. To try it on this machine:

```
cc -std=c99 -O3 -ffp-contract=off -DBL_SELFTEST_MAIN bl_model.c bl_runtime.c bl_selftest.c -o selftest
./selftest
```

```
cmake -S . -B build && cmake --build build && ctest --test-dir build
```

Do not use `-ffast-math`. On cores without a single-precision unit the kernels round with integers
only, to the same results; `-DBL_SOFT_FLOAT=1` (or 0) overrides the choice. After a port, run
`bl_selftest()` on the device once: it returns 0.

## Call

```c
#include "bl_model.h"

bl_result result = bl_model_run(input);
if (result.escalate) {
  /* send the input to the big network */
} else {
  /* bl_model_class_names[result.class_index] is the answer@IF_OTHER@ */
}
```

`input` points to @INPUT_COUNT@ values of type `@INPUT_TYPE@`, raw, in height, width, channel order
(@HEIGHT@ x @WIDTH@ x @CHANNELS@): `input[(row * @WIDTH@ + column) * @CHANNELS@ + channel]`. Test
vectors and ONNX files of the bundle use channel, height, width order instead.

`bl_model_run` works in a static arena; `bl_model_run_with(arena, input)` takes
`int32_t arena[BL_MODEL_ARENA_BYTES / 4]` from the caller and shares nothing.

## Decision

`result.score` is an integer that says how sure the network is: @SCORE_TEXT@
`result.margin` is the largest minus the second largest of the int32 accumulators
(`result.accumulators`). The device answers when `score >= bl_model_thresholds[class_index]`, the
threshold of the class it names. A tie of the two largest accumulators has the score `BL_TIE_SCORE`,
which is below every threshold, so it always goes up; so does every answer of a class whose
threshold is `BL_ALWAYS_ESCALATE`.

@OTHER_TEXT@

The thresholds are one array near the top of `bl_model.c`, read at every call, so they may be
patched there or in the flash image. A larger one escalates more. Other values than the exported
ones are allowed but not covered by the certificate:

@CERTIFICATE@

## Audit

The certificate speaks about inputs like those it was made on. Whether the field still is like that
shows only where big is asked although the device has answered. `bl_audit(n, BL_MODEL_AUDIT_LIMIT)`
picks @AUDIT_PERCENT@ % of the local answers for it, by their running number alone:

```c
static uint32_t local_answers; /* keep it over restarts, or start it at random */

if (!result.escalate && bl_audit(local_answers++, BL_MODEL_AUDIT_LIMIT)) {
  /* use the answer, and send the input up as well */
}
```

Log each of them in order of time as a CSV line with the columns `little` (the device's answer),
`score` and `big` (big's answer): `biglittle audit BUNDLE --log FILE` tells when the two disagree
more often than they did on calibration.
)";
}

}  // namespace biglittle
