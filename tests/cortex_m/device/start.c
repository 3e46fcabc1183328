/* SPDX-License-Identifier: MIT */
/* Start-up of a bare Cortex-M: memory, floating point unit, output and exit through semihosting,
 * the deepest stack, and the number of instructions. QEMU runs with one nanosecond an instruction,
 * so the system timer counts them. */
#include "cortex_device.h"

extern uint32_t cortex_data_source[], cortex_data_begin[], cortex_data_end[];
extern uint32_t cortex_bss_begin[], cortex_bss_end[];
extern uint32_t cortex_heap_begin[], cortex_heap_end[], cortex_stack_top[];

int main(void);
void cortex_reset(void);

#define CORTEX_REGISTER(address) (*(volatile uint32_t*)(address))
#define CORTEX_COPROCESSORS CORTEX_REGISTER(0xe000ed88u)
#define CORTEX_TIMER_CONTROL CORTEX_REGISTER(0xe000e010u)
#define CORTEX_TIMER_RELOAD CORTEX_REGISTER(0xe000e014u)
#define CORTEX_TIMER_VALUE CORTEX_REGISTER(0xe000e018u)

enum {
  CORTEX_OPEN = 0x01, /* semihosting operations */
  CORTEX_CLOSE = 0x02,
  CORTEX_PRINT = 0x04,
  CORTEX_WRITE = 0x05,
  CORTEX_READ = 0x06,
  CORTEX_EXIT = 0x20,
  CORTEX_APPLICATION_EXIT = 0x20026,
  CORTEX_TIMER_PERIOD = 1 << 24,
  CORTEX_CALIBRATION = 1000000
};

static const uint32_t cortex_paint = 0x5ac3a55au;

/* ---- semihosting ---- */

static uint32_t cortex_call(uint32_t operation, const void* argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void cortex_print(const char* text) { (void)cortex_call(CORTEX_PRINT, text); }

int32_t cortex_open(const char* name, uint32_t mode) {
  uint32_t length = 0;
  while (name[length] != '\0') ++length;
  const uint32_t arguments[3] = {(uint32_t)(uintptr_t)name, mode, length};
  return (int32_t)cortex_call(CORTEX_OPEN, arguments);
}

uint32_t cortex_read(int32_t handle, void* data, uint32_t bytes) {
  const uint32_t arguments[3] = {(uint32_t)handle, (uint32_t)(uintptr_t)data, bytes};
  return cortex_call(CORTEX_READ, arguments);
}

uint32_t cortex_write(int32_t handle, const void* data, uint32_t bytes) {
  const uint32_t arguments[3] = {(uint32_t)handle, (uint32_t)(uintptr_t)data, bytes};
  return cortex_call(CORTEX_WRITE, arguments);
}

int32_t cortex_close(int32_t handle) {
  const uint32_t arguments[1] = {(uint32_t)handle};
  return (int32_t)cortex_call(CORTEX_CLOSE, arguments);
}

static void cortex_print_unsigned(uint32_t number) {
  char digits[12];
  char* first = digits + sizeof digits - 1;
  *first = '\0';
  do {
    *--first = (char)('0' + number % 10u);
    number /= 10u;
  } while (number != 0);
  cortex_print(first);
}

void cortex_print_number(int32_t number) {
  if (number < 0) cortex_print("-");
  cortex_print_unsigned(number < 0 ? 0u - (uint32_t)number : (uint32_t)number);
}

/* ---- counting ---- */

static volatile uint32_t cortex_periods;
static uint64_t cortex_first, cortex_last;

static void cortex_timer(void) { cortex_periods += 1; }

static void cortex_start_timer(void) {
  CORTEX_TIMER_RELOAD = CORTEX_TIMER_PERIOD - 1;
  CORTEX_TIMER_VALUE = 0;
  CORTEX_TIMER_CONTROL = 7;
}

/* The interrupt comes when the value reaches 0, where a period ends. */
static uint64_t cortex_ticks(void) {
  uint32_t periods, value;
  do {
    periods = cortex_periods;
    value = CORTEX_TIMER_VALUE;
  } while (periods != cortex_periods);
  return (uint64_t)periods * CORTEX_TIMER_PERIOD + (value == 0 ? 0 : CORTEX_TIMER_PERIOD - value);
}

void cortex_count_begin(void) {
  cortex_last = 0;
  cortex_first = cortex_ticks();
}

void cortex_count_end(void) { cortex_last = cortex_ticks(); }

/* The ticks of a million rounds of two instructions. */
static uint32_t cortex_calibrate(void) {
  uint32_t rounds = CORTEX_CALIBRATION;
  const uint64_t begin = cortex_ticks();
  __asm__ volatile(".syntax unified\n1: subs %0, #1\n   bne 1b\n" : "+l"(rounds) : : "cc");
  return (uint32_t)(cortex_ticks() - begin);
}

static uint32_t cortex_deepest_stack(void) {
  const uint32_t* word = cortex_heap_end;
  while (word < cortex_stack_top && *word == cortex_paint) ++word;
  return (uint32_t)(cortex_stack_top - word) * 4u;
}

/* ---- start and end ---- */

/* The host divides: code for that would be larger than many a kernel. */
static void cortex_report(uint32_t per_calibration) {
  const uint64_t ticks = cortex_last - cortex_first;
  cortex_print("\n@cortex-m ");
  cortex_print_unsigned((uint32_t)(ticks >> 32));
  cortex_print(" ");
  cortex_print_unsigned((uint32_t)ticks);
  cortex_print(" ");
  cortex_print_unsigned(per_calibration);
  cortex_print(" ");
  cortex_print_unsigned(cortex_deepest_stack());
  cortex_print("\n");
}

static void cortex_exit(int code) {
  const uint32_t arguments[2] = {CORTEX_APPLICATION_EXIT, (uint32_t)code};
  (void)cortex_call(CORTEX_EXIT, arguments);
  for (;;) {
  }
}

static void cortex_fault(void) {
  cortex_print("\nfault\n");
  cortex_exit(99);
}

/* Up to a little below the stack pointer; volatile, so that no library function is called for it.
 */
static void cortex_paint_stack(void) {
  uint32_t pointer;
  __asm__ volatile("mov %0, sp" : "=r"(pointer));
  const volatile uint32_t* const end = (const volatile uint32_t*)(pointer - 64u);
  for (volatile uint32_t* word = cortex_heap_end; word < end; ++word) *word = cortex_paint;
}

void cortex_reset(void) {
#if defined(__ARM_FP)
  CORTEX_COPROCESSORS |= 0xfu << 20;
  __asm__ volatile("dsb\n isb" : : : "memory");
#endif
  const volatile uint32_t* source = cortex_data_source;
  for (volatile uint32_t* word = cortex_data_begin; word < cortex_data_end;) *word++ = *source++;
  for (volatile uint32_t* word = cortex_bss_begin; word < cortex_bss_end;) *word++ = 0;
  cortex_paint_stack();
  cortex_start_timer();
  const uint32_t per_calibration = cortex_calibrate();
  cortex_count_begin();
  const int code = main();
  if (cortex_last == 0) cortex_count_end();
  cortex_report(per_calibration);
  cortex_exit(code);
}

typedef void (*cortex_handler)(void);

__attribute__((section(".vectors"), used)) static const cortex_handler cortex_vectors[16] = {
    (cortex_handler)(uintptr_t)cortex_stack_top,
    cortex_reset,
    cortex_fault,
    cortex_fault,
    cortex_fault,
    cortex_fault,
    cortex_fault,
    0,
    0,
    0,
    0,
    cortex_fault,
    cortex_fault,
    0,
    cortex_fault,
    cortex_timer};
