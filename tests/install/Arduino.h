/* SPDX-License-Identifier: MIT */
#ifndef ARDUINO_H
#define ARDUINO_H

/* What a sketch takes for granted, over the standard streams, so that one can be compiled and run
 * on this machine: setup(), then loop() until the serial line has no more bytes. */

#include <cstddef>
#include <cstdio>
#include <cstdlib>

inline void delay(unsigned long) { std::exit(1); } /* a sketch that waits here waits for ever */

class SerialLine {
 public:
  void begin(unsigned long) {}
  void print(const char* text) { std::fputs(text, stdout); }
  void println(const char* text) { std::puts(text); }
  void println(int number) { std::printf("%d\n", number); }
  std::size_t readBytes(char* bytes, std::size_t count) {
    return std::fread(bytes, 1, count, stdin);
  }
};

static SerialLine Serial;

void setup();
void loop();

int main() {
  setup();
  while (!std::feof(stdin)) loop();
  return 0;
}

#endif
