/* SPDX-License-Identifier: MIT */
#ifndef CORTEX_DEVICE_H
#define CORTEX_DEVICE_H

/* What start.c offers to programs besides main(). */

#include <stdint.h>

/* Output without the C library's printf, which is larger than many a network. */
void cortex_print(const char* text);
void cortex_print_number(int32_t number);

/* Files of the machine that runs QEMU, in the folder that it was started in. Modes as in
 * semihosting: CORTEX_READ_FILE for "rb", CORTEX_WRITE_FILE for "wb". The handle is negative when
 * there is none. Reading and writing give what is missing of `bytes`: 0 when all was done. */
enum { CORTEX_READ_FILE = 1, CORTEX_WRITE_FILE = 5 };
int32_t cortex_open(const char* name, uint32_t mode);
uint32_t cortex_read(int32_t handle, void* data, uint32_t bytes);
uint32_t cortex_write(int32_t handle, const void* data, uint32_t bytes);
int32_t cortex_close(int32_t handle);

/* The instructions between the two are reported when main() returns. */
void cortex_count_begin(void);
void cortex_count_end(void);

#endif
