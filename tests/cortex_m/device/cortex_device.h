/* SPDX-License-Identifier: MIT */
#ifndef CORTEX_DEVICE_H
#define CORTEX_DEVICE_H

/* What start.c offers to programs besides main(). */

#include <stdint.h>

/* Output without the C library's printf, which is larger than many a network. */
void cortex_print(const char* text);
void cortex_print_number(int32_t number);

/* The instructions between the two are reported when main() returns. */
void cortex_count_begin(void);
void cortex_count_end(void);

#endif
