// SPDX-License-Identifier: MIT
#include "bundle/c_templates.h"

namespace biglittle {

std::string_view device_readme_template() {
  return R"BL(# The little network as C99

Integers only inside, no allocation, no C library beyond `string.h`. Generated: export again
instead of editing.

| file | content |
|---|---|
| `bl_model.h`, `bl_model.c` | this network: sizes, thresholds, class names, weights, the call |
| `bl_runtime.h`, `bl_runtime.c`, `bl_kernels_*.h` | the kernels, the same for every network |
| `bl_selftest.c` | @COUNT@ inputs and the integers they must give; not needed in a product |
| `CMakeLists.txt` | a library of the network and the kernels, and the self-test |

## Memory

| bytes | microcontrollers, portable C | x86, AArch64 |
|---|---|---|
| weights, biases, multipliers (flash) | @CONSTANT_BYTES@ | @WIDE_CONSTANT_BYTES@ |
| arena for activations (RAM) | @ARENA_BYTES@ | @WIDE_ARENA_BYTES@ |
| stack below `bl_model_run`, at most | @STACK_BYTES@ | @WIDE_STACK_BYTES@ |

The stack is what GCC reports with `-O2` or `-O3`. On a Cortex-M4 code and tables are at most
@CODE_BYTES@ bytes with `-O2 -ffunction-sections -Wl,--gc-sections`, beside `memcpy` and `memset`:
together at most @FLASH_BYTES@ bytes of flash and @RAM_BYTES@ bytes of RAM.

## Range

No input can bring an accumulator beyond @ACCUMULATOR_BOUND@, worked out from the weights when this was
exported; 2^30 would be refused. So 32-bit sums never overflow, in whatever order they are added, and no
form of the kernels adds products in fewer bits than hold them.

## Build

A program needs two C files, `bl_model.c` and `bl_runtime.c`, with the headers beside them. Compile
both with the same flags: the kernels come in several forms (see below), and code for one does not
link with kernels of another. To try it on this machine:

```sh
cc -std=c99 -O3 -ffp-contract=off -DBL_SELFTEST_MAIN bl_model.c bl_runtime.c bl_selftest.c -o selftest
./selftest
```

Do not use `-ffast-math`. After a port, run `bl_selftest()` on the device once: it returns 0.

### Make

`main.c` reads raw inputs and prints what becomes of each:

```c
#include <stdio.h>

#include "bl_model.h"

int main(void) {
  static bl_model_input input[BL_MODEL_INPUT_COUNT];
  while (fread(input, sizeof input, 1, stdin) == 1) {
    const bl_result result = bl_model_run(input);
    puts(result.escalate ? "ask the big network" : bl_model_class_names[result.class_index]);
  }
  return 0;
}
```

and this `Makefile` builds it, here for the processor it runs on:

```make
CFLAGS = -std=c99 -O3 -march=native -ffp-contract=off
OBJECTS = main.o bl_model.o bl_runtime.o

app: $(OBJECTS)
	$(CC) $(CFLAGS) $(OBJECTS) -o app

$(OBJECTS): $(wildcard *.h) Makefile
```

### CMake

This folder is a project of its own, here for the processor it is built on:

```sh
cmake -S . -B build -DCMAKE_C_FLAGS=-march=native
cmake --build build
ctest --test-dir build
```

and a part of yours, here as the folder `device`:

```cmake
cmake_minimum_required(VERSION 3.13)
project(app LANGUAGES C)
add_subdirectory(device)
add_executable(app main.c)
target_link_libraries(app PRIVATE bl_model)
```

Where biglittle is installed, `bl_model.h` and `bl_model.c` are enough, beside `main.c`; the kernels
come with the package and are compiled with the flags of `app`:

```cmake
cmake_minimum_required(VERSION 3.15)
project(app LANGUAGES C)
find_package(biglittle REQUIRED)
add_executable(app main.c bl_model.c)
target_link_libraries(app PRIVATE biglittle::runtime)
```

### Arduino

Copy every `.c` and `.h` file of this folder into the folder of the sketch. The headers are C++ as
well as C. This sketch tests itself, then answers every input that comes over the serial line:

```cpp
#include <Arduino.h>

#include "bl_model.h"

static bl_model_input input[BL_MODEL_INPUT_COUNT];

void setup() {
  Serial.begin(115200);
  const int failed = bl_selftest();
  if (failed != 0) {
    Serial.print("self-test: vector differs: ");
    Serial.println(failed);
    while (true) delay(1000);
  }
  Serial.println("self-test passed");
}

void loop() {
  if (Serial.readBytes((char*)input, sizeof input) != sizeof input) return;
  const bl_result result = bl_model_run(input);
  Serial.println(result.escalate ? "ask the big network"
                                 : bl_model_class_names[result.class_index]);
}
```

### Forms of the kernels

The compiler's target decides, or `-DBL_FORM=` one of these; the integers are the same:

| `BL_FORM_` | for | compile with |
|---|---|---|
| `PORTABLE` | any C99 compiler | |
| `DSP` | Cortex-M4, M7, M33 and others with DSP instructions | `-mcpu=cortex-m4` |
| `AVX2`, `AVX_VNNI`, `AVX512_VNNI` | x86 | `-mavx2`, `-mavxvnni`, `-march=icelake-server` |
| `NEON`, `NEON_DOT` | AArch64 | nothing, `-march=armv8.2-a+dotprod` |

On cores without a single-precision unit the kernels round with integers only, to the same results;
`-DBL_SOFT_FLOAT=1` (or 0) overrides the choice.

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
)BL";
}

}  // namespace biglittle
