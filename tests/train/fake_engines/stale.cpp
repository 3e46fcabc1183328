// SPDX-License-Identifier: MIT
// An engine library of another version of the program.

extern "C" const char* biglittle_engine_version() { return "0.0.0-stale"; }
