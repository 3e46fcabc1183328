// SPDX-License-Identifier: MIT
#include "train/ranks.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>

#include "testing/expect_error.h"
#include "testing/free_port.h"
#include "train/rank_socket.h"

namespace biglittle {
namespace {

using testing::expect_error;
using testing::free_port;

Ranks ranks_in(const std::map<std::string, std::string>& variables) {
  return ranks_from([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Ranks, AreOneWithoutALauncher) {
  const Ranks ranks = ranks_in({{"MASTER_ADDR", "10.0.0.1"}});
  EXPECT_EQ(ranks.size, 1);
  EXPECT_TRUE(ranks.writes());
}

TEST(Ranks, ComeFromEachLauncher) {
  for (const auto& [rank, size] :
       std::map<std::string, std::string>{{"RANK", "WORLD_SIZE"},
                                          {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                          {"PMI_RANK", "PMI_SIZE"},
                                          {"SLURM_PROCID", "SLURM_NTASKS"}}) {
    const Ranks ranks = ranks_in({{rank, "2"}, {size, "3"}});
    EXPECT_EQ(ranks.rank, 2) << rank;
    EXPECT_EQ(ranks.size, 3) << size;
    EXPECT_FALSE(ranks.writes());
    EXPECT_EQ(ranks.master_address, "127.0.0.1");
    EXPECT_EQ(ranks.master_port, 29500);
  }
}

TEST(Ranks, FollowTheInnermostLauncher) {
  const Ranks ranks = ranks_in({{"SLURM_PROCID", "0"},
                                {"SLURM_NTASKS", "8"},
                                {"RANK", "1"},
                                {"WORLD_SIZE", "2"},
                                {"MASTER_ADDR", "node7"},
                                {"MASTER_PORT", "4000"}});
  EXPECT_EQ(ranks.rank, 1);
  EXPECT_EQ(ranks.size, 2);
  EXPECT_EQ(ranks.master_address, "node7");
  EXPECT_EQ(ranks.master_port, 4000);
}

TEST(Ranks, LeaveTheAgentsPortAlone) {
  const std::map<std::string, std::string> pair = {{"RANK", "1"}, {"WORLD_SIZE", "2"}};
  std::map<std::string, std::string> agent = pair;
  agent["TORCHELASTIC_USE_AGENT_STORE"] = "True";
  EXPECT_EQ(ranks_in(agent).master_port, ranks_in(pair).master_port + 1);
}

TEST(Ranks, RefuseWhatIsNoPlace) {
  expect_error(ErrorKind::usage,
               "the environment has RANK but not WORLD_SIZE: set both, or neither", [] {
                 ranks_in({{"RANK", "0"}});
               });
  expect_error(ErrorKind::usage,
               "the environment has PMI_SIZE but not PMI_RANK: set both, or neither", [] {
                 ranks_in({{"PMI_SIZE", "2"}});
               });
  expect_error(ErrorKind::usage, "the environment has RANK=2, expected a number in [0, 1]", [] {
    ranks_in({{"RANK", "2"}, {"WORLD_SIZE", "2"}});
  });
  expect_error(ErrorKind::usage,
               "the environment has WORLD_SIZE=two, expected a number in [1, 4096]", [] {
                 ranks_in({{"RANK", "0"}, {"WORLD_SIZE", "two"}});
               });
  expect_error(ErrorKind::usage,
               "the environment has MASTER_PORT=70000, expected a number in "
               "[1, 65534]",
               [] {
                 ranks_in({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_PORT", "70000"}});
               });
}

TEST(RankSocket, KnowsWhatOtherMachinesCannotReach) {
  EXPECT_TRUE(is_loopback("127.0.0.1"));
  EXPECT_TRUE(is_loopback("127.255.0.9"));
  EXPECT_TRUE(is_loopback("::1"));
  for (const char* address : {"128.0.0.1", "126.255.255.255", "0.0.0.0", "10.0.0.1", "::", "::2"}) {
    EXPECT_FALSE(is_loopback(address)) << address;
  }
  EXPECT_TRUE(is_loopback(numeric_address("localhost")));
  expect_error(ErrorKind::usage,
               "MASTER_ADDR is no.such.host.invalid, which is no known host or "
               "address",
               [] { numeric_address("no.such.host.invalid"); });
}

TEST(RankSocket, CarriesTextsBothWays) {
  const std::int64_t port = free_port();
  const RankSocket listener = listen_at("127.0.0.1", port);
  const RankSocket caller = call("127.0.0.1", port);
  const RankSocket callee = accept_caller(listener, std::chrono::seconds(5));
  ASSERT_TRUE(caller);
  ASSERT_TRUE(callee);
  const std::string long_text(300'000, '\0');
  std::thread sender([&] {
    EXPECT_TRUE(send_text(caller, ""));
    EXPECT_TRUE(send_text(caller, long_text));
  });
  EXPECT_EQ(receive_text(callee), "");
  EXPECT_EQ(receive_text(callee), long_text);
  sender.join();
  EXPECT_TRUE(send_text(callee, "yes"));
  EXPECT_EQ(receive_text(caller), "yes");
}

TEST(RankSocket, SaysWhenNobodyIsThere) {
  const std::int64_t port = free_port();
  EXPECT_FALSE(call("127.0.0.1", port));
  const RankSocket listener = listen_at("127.0.0.1", port);
  EXPECT_FALSE(accept_caller(listener, std::chrono::milliseconds(1)));
  RankSocket caller = call("127.0.0.1", port);
  const RankSocket callee = accept_caller(listener, std::chrono::seconds(5));
  limit_waiting(callee, std::chrono::milliseconds(1));
  EXPECT_EQ(receive_text(callee), std::nullopt);  // silent
  caller = RankSocket();
  EXPECT_EQ(receive_text(callee), std::nullopt);  // gone
  expect_error(ErrorKind::io,
               "rank 0 cannot listen at 127.0.0.1 port " + std::to_string(port) +
                   ": Address already in use; MASTER_ADDR must be an address of its machine and "
                   "MASTER_PORT a free port",
               [&] { listen_at("127.0.0.1", port); });
}

}  // namespace
}  // namespace biglittle
