// SPDX-License-Identifier: MIT
#pragma once

// The system calls of a run at which saving a file can fail, found by watching a run with strace,
// and the options that make strace fail one of them in another run.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace biglittle::testing {

struct SaveSite {
  std::string call;  ///< "write", "fsync" ...
  int number = 0;    ///< counted over all calls of that name by the main thread, from 1
  std::string file;  ///< what is being saved; empty for the folder
  bool is_temporary = false;
  bool must_fail = true;                ///< false: may also do no harm
  bool takes_space = false;             ///< a full disk may fail it
  std::map<std::string, int> replaced;  ///< by file: how often it was replaced or removed before
};

/// False where strace is not installed or may not trace.
bool can_trace();

/// What to run the program under: a log of the calls that saving makes; `fault` is empty or what
/// the call of a site shall do, e.g. "error=ENOSPC".
std::vector<std::string> traced(const std::filesystem::path& log);
std::vector<std::string> traced(const std::filesystem::path& log, const SaveSite& site,
                                const std::string& fault);

/// The sites of the run that wrote `log`, in files of `folder` (as the program names it).
std::vector<SaveSite> save_sites(const std::filesystem::path& log, const std::string& folder);

/// The call that was made to fail in the run that wrote `log`, or "".
std::string injected_call(const std::filesystem::path& log);

}  // namespace biglittle::testing
