/* SPDX-License-Identifier: MIT */
/* What the C library's printf asks of the system. */
#include <stddef.h>
#include <sys/stat.h>

#include "cortex_device.h"

extern char cortex_heap_begin[], cortex_heap_end[];

void* _sbrk(ptrdiff_t bytes);
int _write(int file, const char* text, int size);
int _close(int file);
int _fstat(int file, struct stat* status);
int _isatty(int file);
int _lseek(int file, int offset, int origin);
int _read(int file, char* text, int size);

void* _sbrk(ptrdiff_t bytes) {
  static char* end = cortex_heap_begin;
  if (bytes > cortex_heap_end - end) return (void*)-1;
  end += bytes;
  return end - bytes;
}

int _write(int file, const char* text, int size) {
  (void)file;
  char piece[65];
  int used = 0;
  for (int i = 0; i < size; ++i) {
    piece[used++] = text[i];
    if (used == 64 || i + 1 == size) {
      piece[used] = '\0';
      cortex_print(piece);
      used = 0;
    }
  }
  return size;
}

int _close(int file) {
  (void)file;
  return -1;
}

int _fstat(int file, struct stat* status) {
  (void)file;
  status->st_mode = S_IFCHR;
  return 0;
}

int _isatty(int file) {
  (void)file;
  return 1;
}

int _lseek(int file, int offset, int origin) {
  (void)file, (void)offset, (void)origin;
  return 0;
}

int _read(int file, char* text, int size) {
  (void)file, (void)text, (void)size;
  return 0;
}
