// SPDX-License-Identifier: MIT
#include "train/finite.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace biglittle {
namespace {

using Limits = std::numeric_limits<float>;

TEST(AllFinite, TakesEveryNumber) {
  EXPECT_TRUE(all_finite({}));
  const std::vector<float> values = {0.0f,          -0.0f,         1.5f, Limits::denorm_min(),
                                     Limits::max(), -Limits::max()};
  EXPECT_TRUE(all_finite(values));
}

TEST(AllFinite, FindsOneThatIsNoneAnywhere) {
  for (const float wrong : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
                            -Limits::quiet_NaN(), Limits::signaling_NaN()}) {
    for (std::size_t place = 0; place < 37; ++place) {  // in and behind vectors of any width
      std::vector<float> values(37, 1.0f);
      values[place] = wrong;
      EXPECT_FALSE(all_finite(values)) << wrong << " at " << place;
    }
  }
}

}  // namespace
}  // namespace biglittle
