/* SPDX-License-Identifier: MIT */
/* For bare Cortex-M cores: runs the self-test of every network of fleet.h, then FLEET_SAMPLES raw
 * samples (height, width, channel order) of each network from samples.bin, network after network,
 * and writes the answers to answers.bin as fleet_batch does. Exit code 1: a self-test failed; 2: a
 * file could not be read or written; 3: a sample was written to. */
#include "cortex_device.h"
#include "fleet_networks.h"

#define FLEET_INPUT(name, NAME) name##_input name[NAME##_INPUT_COUNT];
static union { FLEET(FLEET_INPUT) } sample, copy;

static int selftest(const char* name, int (*run)(void)) {
  const int failed = run();
  if (failed == 0) return 0;
  cortex_print(name);
  cortex_print(" fails its self-test at vector ");
  cortex_print_number(failed);
  cortex_print("\n");
  return 1;
}

static int run_sample(const fleet_network* network, int32_t samples, int32_t answers) {
  bl_result result;
  fleet_answer answer;
  if (cortex_read(samples, &sample, (uint32_t)network->input_bytes) != 0) return 2;
  memcpy(&copy, &sample, network->input_bytes);
  result = network->run(NULL, &sample);
  if (memcmp(&copy, &sample, network->input_bytes) != 0) return 3;
  answer = fleet_answer_of(&result);
  if (cortex_write(answers, &answer, sizeof answer) != 0) return 2;
  return cortex_write(answers, result.accumulators, network->classes * sizeof(int32_t)) == 0 ? 0
                                                                                             : 2;
}

int main(void) {
  const int32_t samples = cortex_open("samples.bin", CORTEX_READ_FILE);
  const int32_t answers = cortex_open("answers.bin", CORTEX_WRITE_FILE);
  int failures = 0;
  int code = samples >= 0 && answers >= 0 ? 0 : 2;
  size_t i;
#define FLEET_SELFTEST(name, NAME) failures += selftest(#name, name##_selftest);
  FLEET(FLEET_SELFTEST)
  for (i = 0; i < FLEET_SIZE && code == 0; ++i) {
    long number;
    for (number = 0; number < FLEET_SAMPLES && code == 0; ++number) {
      code = run_sample(&fleet_networks[i], samples, answers);
    }
  }
  if (cortex_close(answers) != 0 && code == 0) code = 2;
  return code != 0 ? code : failures != 0;
}
