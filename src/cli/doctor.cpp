// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "bundle/process.h"
#include "cli/command.h"
#include "cli/console.h"
#include "core/cores.h"
#include "core/error.h"
#include "core/json.h"
#include "core/text.h"
#include "train/engine.h"

namespace biglittle {
namespace {

enum class Health { ok, slow, missing };

struct Finding {
  std::string what;
  std::string found;
  Health health = Health::ok;
  std::string remedy;  ///< empty when nothing needs mending
};

std::string_view name_of(Health health) {
  constexpr std::array<std::string_view, 3> kNames = {"ok", "slow", "missing"};
  return kNames.at(static_cast<std::size_t>(health));
}

/// LibTorch's own fallback reaches 5 GFLOP/s on a core where OpenBLAS reaches 140; any processor of
/// the last ten years lies between with an optimised library.
constexpr double kSlowGflops = 20.0;

/// OpenBLAS runs its oldest code on processors that it does not know.
bool is_mistaken_for_old(const EngineInfo& info) {
  return info.has_avx2 && info.blas.find("Prescott") != info.blas.npos;
}

Finding blas_finding(const EngineInfo& info) {
  const std::string found =
      fmt::format("{}, {:.0f} GFLOP/s on one thread", info.blas, info.fp32_gflops);
  if (is_mistaken_for_old(info)) {
    return {"matrix products", found, Health::slow,
            fmt::format("set OPENBLAS_CORETYPE={} in the environment: fully connected layers run "
                        "several times faster",
                        info.has_avx512 ? "SKYLAKEX" : "HASWELL")};
  }
  if (info.fp32_gflops >= kSlowGflops) return {"matrix products", found, Health::ok, ""};
  return {"matrix products", found, Health::slow, "apt install libopenblas0-openmp"};
}

Finding vector_finding(const EngineInfo& info) {
  std::string found;
  const auto add = [&found](bool there, std::string_view name) {
    if (there) found += (found.empty() ? "" : ", ") + std::string(name);
  };
  add(info.has_avx2, "AVX2");
  add(info.has_avx512, "AVX-512");
  if (!found.empty()) return {"vector instructions", found, Health::ok, ""};
  return {"vector instructions", "none that LibTorch uses", Health::slow,
          "train on an x86 processor with AVX2, or on a GPU"};
}

Finding gpu_finding(const EngineInfo& info) {
  if (info.gpus > 0) {
    return {"GPUs", fmt::format("{} that LibTorch can use", info.gpus), Health::ok, ""};
  }
  return {"GPUs", "none that LibTorch can use: everything runs on the processor", Health::ok, ""};
}

Finding bf16_finding(const EngineInfo& info) {
  if (info.gpus > 0) return {"fast bf16", "GPU", Health::ok, ""};
  if (!info.fast_bf16.empty()) return {"fast bf16", info.fast_bf16, Health::ok, ""};
  return {"fast bf16", "none: training runs in float32", Health::slow,
          "a processor with AMX, or one of AMD's with AVX512_BF16, trains faster, in bf16"};
}

Finding winograd_finding(const EngineInfo& info) {
  if (info.has_winograd) return {"Winograd", "wide convolutions in float32", Health::ok, ""};
  if (!info.has_avx512) {
    return {"Winograd", "no AVX-512: others take their place", Health::ok, ""};
  }
  if (!info.onednn.starts_with("2.")) {
    const std::string found = info.onednn.empty() ? "none" : info.onednn;
    return {"Winograd", fmt::format("no: needs oneDNN 2, LibTorch has {}", found), Health::ok, ""};
  }
  return {"Winograd", "no: the program was built without oneDNN 2", Health::slow,
          "apt install libdnnl-dev, then build again"};
}

std::vector<Finding> engine_findings() {
  try {
    const EngineInfo info = load_engine().info();
    return {{"LibTorch", info.libtorch_version, Health::ok, ""},
            blas_finding(info),
            vector_finding(info),
            bf16_finding(info),
            winograd_finding(info),
            gpu_finding(info),
            {"Gloo", info.has_gloo ? "yes" : "no: training takes one process", Health::ok, ""},
            {"NCCL", info.has_nccl ? "yes" : "no: processors sum the gradients of several GPUs",
             Health::ok, ""}};
  } catch (const Error& error) {
    return {{"LibTorch", error.what(), Health::missing,
             "apt install libtorch-dev, then build with -DBIGLITTLE_ENGINE=ON"}};
  }
}

Finding cores_finding() {
  const std::int64_t cores = usable_cores();
  const std::string found = fmt::format("{} usable by this process", cores);
  if (cores > 1) return {"cores", found, Health::ok, ""};
  return {"cores", found, Health::slow, "allow more cores (taskset, container or job limits)"};
}

Finding load_finding() {
  double load = 0.0;
  if (::getloadavg(&load, 1) != 1) return {"load", "not known", Health::ok, ""};
  const auto cores = static_cast<double>(usable_cores());
  const std::string found = fmt::format("{:.1f} over the last minute", load);
  if (load < cores) return {"load", found, Health::ok, ""};
  return {"load", found, Health::slow,
          "end other work: training keeps only its share of the cores"};
}

Finding compiler_finding() {
  const char* chosen = std::getenv("CC");
  std::vector<std::string> names = {"cc", "gcc", "clang"};
  if (chosen != nullptr && *chosen != '\0') names.insert(names.begin(), chosen);
  for (const std::string& name : names) {
    if (const auto program = find_program(name)) {
      return {"C compiler", program->string(), Health::ok, ""};
    }
  }
  return {"C compiler", "none: verify cannot run the device code", Health::missing,
          "apt install gcc libc6-dev"};
}

Finding disk_finding() {
  std::error_code failed;
  const std::filesystem::space_info space = std::filesystem::space(".", failed);
  if (failed) return {"free disk here", "not known", Health::ok, ""};
  const std::string found = format_bytes(static_cast<std::int64_t>(space.available));
  constexpr std::uintmax_t kEnough = std::uintmax_t{1} << 30;  // a dataset, runs and a few bundles
  if (space.available >= kEnough) return {"free disk here", found, Health::ok, ""};
  return {"free disk here", found, Health::slow, "free at least 1 GiB"};
}

class DoctorCommand : public Command {
 public:
  std::string_view name() const override { return "doctor"; }
  std::string_view summary() const override {
    return "Tell what this machine offers, what is slow, and how to mend it";
  }

  void declare(Arguments& arguments) override {
    arguments.flag("--json", json_, "Print the findings as JSON");
  }

  int run() override {
    std::vector<Finding> findings = engine_findings();
    for (Finding finding : {cores_finding(), load_finding(), compiler_finding(), disk_finding()}) {
      findings.push_back(std::move(finding));
    }
    print(json_ ? to_text(findings_json(findings)) : findings_text(findings));
    const bool complete = std::ranges::none_of(
        findings, [](const Finding& finding) { return finding.health == Health::missing; });
    return complete ? 0 : exit_code(ErrorKind::gate);
  }

 private:
  static std::string findings_text(const std::vector<Finding>& findings) {
    std::size_t width = 0;
    for (const Finding& finding : findings) width = std::max(width, finding.what.size());
    std::string text;
    for (const Finding& finding : findings) {
      text += fmt::format("{:<8} {:<{}}  {}\n", name_of(finding.health), finding.what, width,
                          finding.found);
      if (!finding.remedy.empty()) {
        text += fmt::format("{:<8} {:<{}}  mend: {}\n", "", "", width, finding.remedy);
      }
    }
    return text;
  }

  static Json findings_json(const std::vector<Finding>& findings) {
    Json json = Json::array();
    for (const Finding& finding : findings) {
      json.push_back({{"what", finding.what},
                      {"found", finding.found},
                      {"health", name_of(finding.health)},
                      {"remedy", finding.remedy}});
    }
    return json;
  }

  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> doctor_command() { return std::make_unique<DoctorCommand>(); }

}  // namespace biglittle
