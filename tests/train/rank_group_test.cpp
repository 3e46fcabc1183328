// SPDX-License-Identifier: MIT
// Ranks as threads of this process: each has connections of its own, as processes would have.
#include "train/libtorch/rank_group.h"

#include <ATen/ATen.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "core/error.h"
#include "testing/expect_error.h"
#include "testing/free_port.h"
#include "testing/temporary_folder.h"
#include "train/device_engine.h"
#include "train/interruptions.h"
#include "train/libtorch/flat_weights.h"
#include "train/libtorch/rank_connection.h"
#include "train/rank_socket.h"
#include "train/toy_problem.h"

extern "C" const biglittle::Engine* biglittle_engine();

namespace biglittle {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

const Engine& engine() { return *biglittle_engine(); }

ComputeOptions impatient(std::int64_t seconds = 60) {
  ComputeOptions compute;
  compute.rank_timeout = seconds;
  return compute;
}

/// Runs `work` as each of `size` ranks at the same time and returns what each threw, "" for
/// nothing.
std::vector<std::string> as_ranks(std::int64_t size,
                                  const std::function<void(const Ranks&)>& work) {
  const std::int64_t port = testing::free_port();
  std::vector<std::string> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (std::int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        work({rank, size, "127.0.0.1", port});
      } catch (const std::exception& error) {
        errors[static_cast<std::size_t>(rank)] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return errors;
}

/// The same for work over connected ranks.
std::vector<std::string> as_group(std::int64_t size,
                                  const std::function<void(const RankGroup&)>& work) {
  return as_ranks(size, [&](const Ranks& ranks) {
    const RankGroup group(ranks, impatient());
    work(group);
    group.part();
  });
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class RankGroups : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_gloo()) GTEST_SKIP() << "LibTorch came without Gloo";
  }
};

TEST(RankAlone, HasNothingToDo) {
  const RankGroup alone({}, {});
  const at::Tensor values = at::tensor({1.0f, 2.0f});
  alone.sum(values);
  const std::vector<StepReport> reports = alone.tell({0.5, 143});
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].loss, 0.5);
  EXPECT_EQ(reports[0].stop, 143);
  EXPECT_THAT(numbers(values), ElementsAre(1.0f, 2.0f));
  EXPECT_THAT(alone.gather(std::vector<float>{3.0f}), ElementsAre(3.0f));
}

TEST_F(RankGroups, AddInTheOrderOfRanksWhateverTheLength) {
  // Floats for which the order of addition decides: ((1e8 + 1) - 1e8) is 0, any other order
  // gives 1.
  const std::array<float, 3> terms = {1e8f, 1.0f, -1e8f};
  EXPECT_THAT(as_group(3,
                       [&](const RankGroup& group) {
                         const auto rank = static_cast<std::size_t>(group.rank());
                         for (const std::int64_t length : {0, 1, 2, 3, 1000, (1 << 20) + 1}) {
                           const at::Tensor values = at::full({length}, terms[rank], at::kFloat);
                           group.sum(values);
                           EXPECT_THAT(numbers(values), Each(0.0f)) << length;
                         }
                       }),
              Each(""));
}

TEST_F(RankGroups, TellEachOtherHowAStepWent) {
  EXPECT_THAT(
      as_group(3,
               [](const RankGroup& group) {
                 const std::int64_t rank = group.rank();
                 const auto reports = group.tell({1.0 / (static_cast<double>(rank) + 3.0), rank});
                 ASSERT_EQ(reports.size(), 3u);
                 for (std::size_t from = 0; from < 3; ++from) {
                   EXPECT_EQ(reports[from].loss, 1.0 / (static_cast<double>(from) + 3.0));
                   EXPECT_EQ(reports[from].stop, static_cast<std::int64_t>(from));
                 }
               }),
      Each(""));
}

TEST_F(RankGroups, AddEachNumberToItsOwnKind) {
  EXPECT_THAT(as_group(2,
                       [&](const RankGroup& group) {
                         const at::Tensor values =
                             at::arange(5, at::kFloat) * static_cast<double>(group.rank() + 1);
                         group.sum(values);
                         EXPECT_THAT(numbers(values), ElementsAre(0.0f, 3.0f, 6.0f, 9.0f, 12.0f));
                       }),
              Each(""));
}

TEST_F(RankGroups, GatherTextsOfAnyLengthByRank) {
  const std::vector<std::string> texts = {"", "three", std::string(1001, 'x')};
  EXPECT_THAT(as_group(3,
                       [&](const RankGroup& group) {
                         const auto all =
                             group.gather(bytes_of(texts[static_cast<std::size_t>(group.rank())]));
                         ASSERT_EQ(all.size(), 3u);
                         for (std::size_t i = 0; i < 3; ++i) {
                           const auto expected = bytes_of(texts[i]);
                           EXPECT_TRUE(std::ranges::equal(all[i], expected)) << i;
                         }
                         const at::Tensor values =
                             at::full({3}, static_cast<double>(group.rank()) + 7.0, at::kFloat);
                         group.copy_from_first(values);
                         EXPECT_THAT(numbers(values), Each(7.0f));
                       }),
              Each(""));
}

TEST_F(RankGroups, KnowTheirPlaceOnThisMachine) {
  EXPECT_THAT(as_group(3,
                       [](const RankGroup& group) {
                         EXPECT_EQ(group.neighbours().count, 3);
                         EXPECT_EQ(group.neighbours().index, group.rank());
                       }),
              Each(""));
}

TEST_F(RankGroups, NameTheRankThatIsNotLikeTheFirst) {
  EXPECT_THAT(
      as_group(2,
               [](const RankGroup& group) {
                 group.require_alike({{"network", "a"}, {"seed", "1"}});
                 group.require_alike({{"seed", std::to_string(group.rank() + 4)}});
               }),
      Each("rank 1 has seed 5, rank 0 4: start every rank of the same program with the same "
           "config, data and options"));
}

TEST_F(RankGroups, SayWhoseWeightsDifferByOneBit) {
  EXPECT_THAT(as_group(3,
                       [](const RankGroup& group) {
                         std::vector<float> weights = {0.0f, 1.0f};
                         group.require_same_weights(weights, 100);
                         if (group.rank() == 2) weights[0] = -0.0f;
                         group.require_same_weights(weights, 200);
                       }),
              Each("after step 200 the weights of rank 2 are not those of rank 0: one of the "
                   "machines computes wrongly; the best checkpoint so far is kept"));
}

TEST_F(RankGroups, NoticeAtOnceThatOneHasEnded) {
  const std::vector<std::string> errors = as_ranks(3, [](const Ranks& ranks) {
    const RankGroup group(ranks, impatient());
    group.sum(at::ones({10}));
    if (ranks.rank != 1) group.sum(at::ones({10}));
  });
  const std::string rest =
      " of 3 lost another rank, which has ended: look for its message; with "
      "--resume all go on after the last state that was saved";
  EXPECT_THAT(errors, ElementsAre("rank 0" + rest, "", "rank 2" + rest));
}

TEST_F(RankGroups, DoNotWaitForeverForOneThatIsSilent) {
  std::barrier both(2);
  const std::vector<std::string> errors = as_ranks(2, [&](const Ranks& ranks) {
    const RankGroup group(ranks, impatient(1));
    if (ranks.rank == 0) {
      try {
        group.sum(at::ones({10}));
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::io);
        EXPECT_THAT(error.what(), HasSubstr("which did not answer within compute.rank_timeout"));
        both.arrive_and_wait();
        return;
      }
    }
    both.arrive_and_wait();
    EXPECT_EQ(ranks.rank, 1);
  });
  EXPECT_THAT(errors, Each(""));
}

TEST_F(RankGroups, RefuseToListenWhereThisMachineIsNot) {
  const Ranks first{0, 2, "127.0.0.1", testing::free_port()};
  for (const std::string listen : {"", "nosuch0", "no such host", "192.0.2.1"}) {
    ComputeOptions compute = impatient(1);
    compute.listen = listen;
    expect_error(ErrorKind::config,
                 "compute.listen is '" + listen +
                     "', which is no network interface or address of this machine: take one that "
                     "'ip address' shows, or \"loopback\"",
                 [&] { const RankGroup group(first, compute); });
  }
}

TEST_F(RankGroups, NameWhoDidNotCome) {
  const Ranks first{0, 3, "127.0.0.1", testing::free_port()};
  const std::string port = std::to_string(first.master_port);
  expect_error(ErrorKind::io,
               "rank 1, 2 of 3 did not come to 127.0.0.1 port " + port +
                   " within 1 s: start each with the same MASTER_ADDR and MASTER_PORT",
               [&] { const RankGroup group(first, impatient(1)); });
  Ranks second = first;
  second.rank = 1;
  expect_error(ErrorKind::io,
               "rank 1 found no rank 0 at 127.0.0.1 port " + port +
                   " within 1 s: start each with the same MASTER_ADDR and MASTER_PORT",
               [&] { const RankGroup group(second, impatient(1)); });
}

TEST_F(RankGroups, RefuseTwoOfOneRankAndAnotherSize) {
  EXPECT_THAT(as_ranks(3,
                       [](Ranks ranks) {
                         ranks.rank = std::min<std::int64_t>(ranks.rank, 1);
                         const RankGroup group(ranks, impatient(5));
                       }),
              Each("two processes were started as rank 1 of 3"));
  EXPECT_THAT(as_ranks(2,
                       [](Ranks ranks) {
                         ranks.size += ranks.rank;
                         const RankGroup group(ranks, impatient(5));
                       }),
              Each("rank 1 was started as one of 3, rank 0 as one of 2"));
}

/// "0100007F:..." of every socket of this process that listens, from the kernel's own tables.
std::vector<std::string> listening_places() {
  std::string mine;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code closed;
    mine += std::filesystem::read_symlink(entry.path(), closed).string() + "\n";
  }
  std::vector<std::string> places;
  for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    std::ifstream file(table);
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::vector<std::string> word(10);
      for (std::string& each : word) words >> each;
      const bool listens = word[3] == "0A";
      if (listens && mine.find("socket:[" + word[9] + "]") != std::string::npos) {
        places.push_back(word[1]);
      }
    }
  }
  return places;
}

TEST_F(RankGroups, ListenOnLoopbackAloneAndMeetOnlyUntilAllAreConnected) {
  const RankSocket control = listen_at("127.0.0.2", testing::free_port());
  std::set<std::string> seen;
  std::atomic<bool> connected = false;
  std::thread watch([&] {
    while (!connected) {
      for (const std::string& place : listening_places()) seen.insert(place);
    }
  });
  EXPECT_THAT(as_ranks(2,
                       [&](const Ranks& ranks) {
                         const RankGroup group(ranks, impatient());
                         group.sum(at::ones({1}));
                         const std::string meeting =
                             fmt::format("0100007F:{:04X}", ranks.master_port);
                         EXPECT_THAT(listening_places(), Not(Contains(meeting)));
                         group.sum(at::ones({1}));
                         group.part();
                       }),
              Each(""));
  connected = true;
  watch.join();
  EXPECT_GT(seen.size(), 1u);  // the meeting place at least, beside the control
  EXPECT_THAT(seen, Each(MatchesRegex("0[12]00007F:.*")));
}

TEST_F(RankGroups, GoElsewhereOnlyWhenTold) {
  expect_error(
      ErrorKind::usage,
      "MASTER_ADDR is 192.0.2.1, and training listens on this machine's loopback only: set "
      "compute.listen to the network interface that connects the machines",
      [] {
        const RankGroup group({0, 2, "192.0.2.1", 29500}, impatient(1));
      });
  ComputeOptions told = impatient(1);
  told.listen = "lo";
  expect_error(ErrorKind::io,
               "rank 0 cannot listen at 192.0.2.1 port 29500: Cannot assign requested address; "
               "MASTER_ADDR must be an address of its machine and MASTER_PORT a free port",
               [&] {
                 const RankGroup group({0, 2, "192.0.2.1", 29500}, told);
               });
}

/// One fit by `size` ranks of one thread; the results by rank.
std::vector<FitResult> fit_as_ranks(const FitRequest& request, std::int64_t size,
                                    const Engine& engine = *biglittle_engine()) {
  std::vector<FitResult> results(static_cast<std::size_t>(size));
  const std::vector<std::string> errors = as_ranks(size, [&](const Ranks& ranks) {
    FitRequest mine = request;
    mine.ranks = ranks;
    mine.compute.threads = 1;
    mine.compute.rank_timeout = 60;
    Observer silent;
    results[static_cast<std::size_t>(ranks.rank)] = engine.fit(mine, silent);
  });
  EXPECT_THAT(errors, Each(""));
  return results;
}

TEST_F(RankGroups, LearnWhatAsManyThreadsOfOneProcessLearnBitForBit) {
  const testing::ToyProblem problem = testing::make_toy_problem(250, 67, 8);
  for (FitRequest request : testing::resumable_requests(problem)) {
    if (request.compute.threads == 1) continue;
    for (const std::int64_t size : {2, 3}) {
      request.compute.threads = size;
      Observer silent;
      const FitResult together = engine().fit(request, silent);
      for (const FitResult& result : fit_as_ranks(request, size)) {
        EXPECT_EQ(result.weights, together.weights) << size;
        EXPECT_EQ(result.history, together.history);
      }
    }
  }
}

TEST_F(RankGroups, LearnTheSameOnDevices) {
  const testing::ToyProblem problem = testing::make_toy_problem(256, 64, 8);
  FitRequest request = testing::resumable_requests(problem)[2];
  request.options.batch_size = 64;
  request.options.epochs = 2;
  const FitResult expected = fit_as_ranks(request, 2).front();
  const std::vector<FitResult> found = fit_as_ranks(request, 2, testing::DeviceEngine());
  EXPECT_EQ(found[0].weights, found[1].weights);
  for (const auto& [name, tensor] : expected.weights) {
    const auto x = tensor.values<float>();
    const auto y = found[0].weights.at(name).values<float>();
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], 1e-4) << name;
  }
  const testing::DeviceEngine apart(/*connects_devices=*/false);
  EXPECT_EQ(fit_as_ranks(request, 2, apart)[1].weights, found[1].weights);
}

TEST_F(RankGroups, DistilAsOneProcessDoes) {
  const testing::ToyProblem problem = testing::make_toy_problem(128, 32, 5);
  FitRequest request = testing::toy_request(problem, 2);
  Observer silent;
  const FitResult teacher = engine().fit(request, silent);
  request.options.augment = {1, true, 0};
  request.distillation = Distillation{{request.graph, teacher.weights},
                                      {{0, 1, 2, 3}, {"a", "b", "c", "d"}, false},
                                      2.0,
                                      0.5,
                                      TeacherLogits::cached};
  const FitResult together = engine().fit(request, silent);
  for (const FitResult& result : fit_as_ranks(request, 2)) {
    EXPECT_EQ(result.weights, together.weights);
  }
}

TEST_F(RankGroups, StopTogetherWhenOneIsAskedToAndGoOnTogether) {
  const testing::ToyProblem problem = testing::make_toy_problem(256, 64, 8);
  FitRequest request = testing::resumable_requests(problem)[0];
  const FitResult whole = fit_as_ranks(request, 2)[0];
  FitState state;
  const std::vector<std::string> errors = as_ranks(2, [&](const Ranks& ranks) {
    FitRequest mine = request;
    mine.ranks = ranks;
    if (ranks.writes()) mine.on_state = [&](const FitState& now) { state = now; };
    testing::StopsAfter observer(ranks.rank == 1 ? 3 : 0);
    engine().fit(mine, observer);
  });
  EXPECT_THAT(errors, Each("interrupted"));
  EXPECT_EQ(state.step, 4);  // the flag travels with the next step's report
  EXPECT_EQ(state.ranks, 2);
  request.resume = state;
  for (const FitResult& result : fit_as_ranks(request, 2)) {
    EXPECT_EQ(result.weights, whole.weights);
    EXPECT_EQ(result.history, whole.history);
  }
  Observer silent;
  expect_error(ErrorKind::config,
               "the interrupted training ran in 2 process(es), this one in 1: start as many, or "
               "allow changes",
               [&] { engine().fit(request, silent); });
  request.allow_changes = true;
  EXPECT_EQ(engine().fit(request, silent).history.size(), 3u);
}

TEST_F(RankGroups, RefuseToTrainOnDifferentRequests) {
  const testing::ToyProblem problem = testing::make_toy_problem(64, 32, 8);
  EXPECT_THAT(as_ranks(2,
                       [&](const Ranks& ranks) {
                         FitRequest mine = testing::toy_request(problem, 1);
                         mine.ranks = ranks;
                         mine.options.batch_size += ranks.rank;
                         Observer silent;
                         engine().fit(mine, silent);
                       }),
              Each(AllOf(HasSubstr("rank 1 has training options "),
                         HasSubstr(": start every rank of the same program"))));
}

}  // namespace
}  // namespace biglittle
