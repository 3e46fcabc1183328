/* SPDX-License-Identifier: MIT */
/* usage: cold_start RUNS PROGRAM ARGUMENT...
 * Starts the program RUNS times and reads its first line. Writes the nanoseconds from before the
 * fork until the line was there, one run a line, then the program's own line. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* One start; the nanoseconds it took, or -1. */
static long long start(char** arguments, char* line, size_t size) {
  const long long begin = now();
  long long end = -1;
  int pipes[2];
  int status = 0;
  size_t length = 0;
  ssize_t count;
  pid_t child;
  if (pipe(pipes) != 0) return -1;
  child = fork();
  if (child == 0) {
    dup2(pipes[1], STDOUT_FILENO);
    close(pipes[0]);
    close(pipes[1]);
    execv(arguments[0], arguments);
    _exit(127);
  }
  close(pipes[1]);
  while (length + 1 < size && (count = read(pipes[0], line + length, size - 1 - length)) > 0) {
    length += (size_t)count;
    if (end < 0 && memchr(line, '\n', length) != NULL) end = now();
  }
  line[length] = '\0';
  close(pipes[0]);
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0 || end < 0) return -1;
  return end - begin;
}

int main(int argc, char** argv) {
  const long runs = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
  char line[256];
  long i;
  if (runs < 1) {
    fprintf(stderr, "usage: cold_start RUNS PROGRAM ARGUMENT...\n");
    return 64;
  }
  for (i = 0; i < runs; ++i) {
    const long long nanoseconds = start(argv + 2, line, sizeof line);
    if (nanoseconds < 0) {
      fprintf(stderr, "%s did not answer\n", argv[2]);
      return 70;
    }
    printf("%lld\n", nanoseconds);
  }
  printf("%s", line);
  return 0;
}
