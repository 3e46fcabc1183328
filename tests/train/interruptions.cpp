// SPDX-License-Identifier: MIT
#include "train/interruptions.h"

#include "graph/zoo.h"
#include "train/toy_problem.h"

namespace biglittle::testing {
FitResult fit_with_interruptions(const Engine& engine, const FitRequest& request,
                                 const std::vector<std::int64_t>& steps,
                                 const std::filesystem::path& state_file) {
  FitRequest part = request;
  part.on_state = [&](const FitState& state) { save_fit_state(state_file, state, {}); };
  for (const std::int64_t step : steps) {
    StopsAfter observer(step);
    try {
      return engine.fit(part, observer);  // the step lay behind the end
    } catch (const Interrupted&) {
    }
    FitIdentity unused;
    part.resume = load_fit_state(state_file, unused);
  }
  StopsAfter never(0);
  return engine.fit(part, never);
}

std::vector<FitRequest> resumable_requests(const ToyProblem& problem) {
  std::vector<FitRequest> requests;
  for (const OptimizerKind optimizer : {OptimizerKind::sgd, OptimizerKind::adamw}) {
    for (const std::int64_t threads : {1, 2}) {
      FitRequest request = toy_request(problem, threads);
      NetworkOptions network{Architecture::vgg, 4, 32};
      network.dropout = 0.2;
      request.graph = optimizer == OptimizerKind::sgd
                          ? build_network(network, problem.train.shape, 4)
                          : toy_graph(4);
      request.options.optimizer = optimizer;
      request.options.learning_rate = optimizer == OptimizerKind::sgd ? 0.05 : 0.003;
      request.options.epochs = 3;
      request.options.ema = 0.95;
      request.options.label_smoothing = 0.05;
      request.options.augment = {1, true, 3};
      requests.push_back(std::move(request));
    }
  }
  FitRequest in_bf16 = requests[1];
  in_bf16.compute.precision = Precision::bf16;
  requests.push_back(std::move(in_bf16));
  return requests;
}

}  // namespace biglittle::testing
