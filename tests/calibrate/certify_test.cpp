// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "calibrate/policy.h"
#include "calibrate/rows.h"
#include "calibrate/tests.h"
#include "testing/expect_error.h"

namespace biglittle {
namespace {

using namespace testing;

using Ints = std::vector<std::int64_t>;

const std::vector<std::string> kClasses = {"shirt", "bag", "boot"};
const Row kSureBag{50, kLittleBag, kBag, kBag};
const Row kEscalatedShirt{30, kOther, kShirt, kShirt};

/// Steps with one threshold for both priority classes; tune answers `share` of its samples at each.
SearchPlan plan_of(const Ints& thresholds, std::vector<double> share = {}) {
  SearchPlan plan;
  plan.rule = plain_rule(ScoreKind::margin, bag_and_boot());
  for (const std::int64_t threshold : thresholds) {
    plan.path.steps.push_back({threshold, threshold, kAlwaysEscalate});
  }
  if (share.empty()) share.assign(thresholds.size(), 0.5);
  plan.path.local_share = std::move(share);
  return plan;
}

SearchPlan four_steps() { return plan_of({60, 50, 20, 1}, {0.001, 0.6, 0.61, 0.62}); }

/// 1,000 samples: nothing lost down to score 50, 12 lost at 20, ties that would lose, one gained.
Scores loses_at_twenty() {
  Scores scores;
  add(scores, 600, kSureBag);
  add(scores, 12, {20, kLittleBag, kShirt, kShirt});
  add(scores, 1, {60, kLittleBag, kShirt, kBag});
  add(scores, 10, {kTieScore, kLittleBag, kShirt, kShirt});
  add(scores, 377, kEscalatedShirt);
  return scores;
}

EscalationPolicy certify_bags(const SearchPlan& plan, const Scores& calibration,
                              const CalibrateOptions& options) {
  return certify(plan, calibration, bag_and_boot(), kClasses, options);
}

std::int64_t threshold_of(const EscalationPolicy& policy) { return policy.thresholds.at(0); }

TEST(Certify, KeepsTheLastThresholdThatPassesNetLoss) {
  const EscalationPolicy policy =
      certify_bags(four_steps(), loses_at_twenty(), {.net_loss = 0.01, .seed = 9});
  EXPECT_EQ(policy.rule.kind, ScoreKind::margin);
  EXPECT_EQ(policy.thresholds, (Ints{50, 50, kAlwaysEscalate}));
  EXPECT_FALSE(always_escalates(policy));
  const Certificate& certificate = policy.certificate;
  EXPECT_TRUE(certificate.certified);
  EXPECT_EQ(certificate.step, 1);
  EXPECT_EQ(certificate.starts, Ints{0});
  EXPECT_EQ(certificate.delta, 0.05);
  EXPECT_EQ(certificate.n, 1000);
  EXPECT_EQ(certificate.field_n, 0);
  EXPECT_EQ(certificate.seed, 9);
  EXPECT_EQ(certificate.path, four_steps().path);
  EXPECT_EQ(certificate.tested, 3);  // 60 and 50 pass, 20 fails, 1 is not tried
  EXPECT_EQ(certificate.calibration_digest, "");
  EXPECT_EQ(certificate.big_classes, kClasses);
  ASSERT_EQ(certificate.risks.size(), 1U);
  const RiskResult& loss = certificate.risks[0];
  EXPECT_EQ(loss.risk, "net-loss");
  EXPECT_EQ(loss.bound, 0.01);
  EXPECT_EQ(loss.events, 0);
  EXPECT_EQ(loss.offsets, 1);
  EXPECT_EQ(loss.n, 1000);
  EXPECT_DOUBLE_EQ(loss.estimate, -0.001);
  EXPECT_LE(loss.p_value, 0.05);
  EXPECT_LE(loss.upper_bound, 0.01);
  EXPECT_GE(loss.upper_bound, loss.estimate);
  // Without events: ln(0.05) / ln(0.99) = 298.07.
  EXPECT_EQ(loss.needed, 299);
}

TEST(Certify, MeasuresWhatStaysLocal) {
  const EscalationPolicy policy = certify_bags(four_steps(), loses_at_twenty(), {.net_loss = 0.01});
  EXPECT_EQ(policy.escalation.count, 399);
  EXPECT_EQ(policy.escalation.n, 1000);
  EXPECT_DOUBLE_EQ(policy.escalation.value, 0.399);
  EXPECT_EQ(policy.priority_local.count, 601);
  EXPECT_EQ(policy.priority_local.n, 601);
}

TEST(Certify, RecordsTheDisagreementThatAnAuditMayExpect) {
  const EscalationPolicy policy =
      certify_bags(four_steps(), loses_at_twenty(),
                   {.net_loss = 0.01, .audit_fraction = 0.25, .audit_level = 0.002});
  EXPECT_EQ(policy.audit.fraction, 0.25);
  EXPECT_EQ(policy.audit.level, 0.002);
  // Of the 601 local answers big contradicts one.
  EXPECT_EQ(policy.audit.disagreement, clopper_pearson_upper(1, 601, 0.05));
}

TEST(Certify, StopsAtTheFirstFailureEvenIfALaterThresholdWouldPass) {
  Scores calibration = loses_at_twenty();
  add(calibration, 100, {1, kLittleBag, kShirt, kBag});  // big wrong, little right: gains at 1
  EXPECT_EQ(threshold_of(certify_bags(four_steps(), calibration, {.net_loss = 0.01})), 50);
}

TEST(Certify, GoesToTheEndWhenNothingFails) {
  Scores calibration;
  add(calibration, 700, kSureBag);
  add(calibration, 300, kEscalatedShirt);
  const EscalationPolicy policy = certify_bags(four_steps(), calibration, {.net_loss = 0.01});
  EXPECT_EQ(threshold_of(policy), 1);
  EXPECT_EQ(policy.certificate.tested, 4);
}

TEST(Certify, IsReproducible) {
  const CalibrateOptions options{.net_loss = 0.01, .seed = 3};
  EXPECT_EQ(to_json(certify_bags(four_steps(), loses_at_twenty(), options)),
            to_json(certify_bags(four_steps(), loses_at_twenty(), options)));
}

/// 400 bags, never missed; 100 boots of which two are called bags with score 40.
Scores misses_two_boots() {
  Scores scores;
  add(scores, 400, kSureBag);
  add(scores, 98, {70, kLittleBoot, kBoot, kBoot});
  add(scores, 2, {40, kLittleBag, kBoot, kBoot});
  return scores;
}

SearchPlan sixty_and_forty() { return plan_of({60, 40, 1}); }

TEST(Certify, CertifiesMissOfEveryPriorityClass) {
  const EscalationPolicy policy =
      certify_bags(sixty_and_forty(), misses_two_boots(), {.net_loss = 0.0, .miss = 0.05});
  // P(Binomial(100, 0.05) <= 2) = 0.118: the two boots that 40 lets through are too many.
  EXPECT_EQ(threshold_of(policy), 60);
  EXPECT_EQ(policy.certificate.tested, 2);
  ASSERT_EQ(policy.certificate.risks.size(), 2U);
  const RiskResult& bag = policy.certificate.risks[0];
  EXPECT_EQ(bag.risk, "miss:bag");
  EXPECT_EQ(bag.n, 400);
  EXPECT_NEAR(bag.p_value, std::pow(0.95, 400), 1e-15);
  const RiskResult& boot = policy.certificate.risks[1];
  EXPECT_EQ(boot.risk, "miss:boot");
  EXPECT_EQ(boot.bound, 0.05);
  EXPECT_EQ(boot.n, 100);
  EXPECT_EQ(boot.events, 0);
  EXPECT_NEAR(boot.p_value, std::pow(0.95, 100), 1e-12);
  EXPECT_NEAR(boot.upper_bound, 1 - std::pow(0.05, 1.0 / 100), 1e-12);
  EXPECT_EQ(boot.needed, 59);
}

TEST(Certify, AsksEveryRiskAtOnce) {
  const CalibrateOptions loss_only{.net_loss = 0.02};
  const CalibrateOptions both{.net_loss = 0.02, .miss = 0.05};
  EXPECT_EQ(threshold_of(certify_bags(sixty_and_forty(), misses_two_boots(), loss_only)), 1);
  const EscalationPolicy policy = certify_bags(sixty_and_forty(), misses_two_boots(), both);
  EXPECT_EQ(threshold_of(policy), 60);
  EXPECT_EQ(policy.certificate.risks.size(), 3U);
}

TEST(Certify, EscalatesEverythingWhenNothingCanBeCertified) {
  const EscalationPolicy policy =
      certify_bags(sixty_and_forty(), misses_two_boots(), {.net_loss = 0.0, .miss = 0.02});
  EXPECT_TRUE(always_escalates(policy));
  EXPECT_FALSE(policy.certificate.certified);
  EXPECT_EQ(policy.certificate.step, -1);
  EXPECT_EQ(policy.certificate.tested, 1);
  EXPECT_EQ(policy.escalation.value, 1.0);
  EXPECT_EQ(policy.priority_local.value, 0.0);
  EXPECT_EQ(policy.audit.disagreement, 1.0);
  const RiskResult& boot = policy.certificate.risks[1];
  EXPECT_NEAR(boot.p_value, std::pow(0.98, 100), 1e-12);  // 0.13
  EXPECT_EQ(boot.needed, 149);                            // ln(0.05) / ln(0.98) = 148.3
}

/// `count` right answers at each of the scores 10, 9 ... 1.
Scores right_at_ten_scores(std::int64_t count) {
  Scores scores;
  for (std::int64_t score = 10; score >= 1; --score) {
    add(scores, count, {score, kLittleBag, kBag, kBag});
  }
  return scores;
}

SearchPlan ten_steps() {
  return plan_of({10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1});
}

TEST(Certify, BeginsSelectiveWhereTuneHasEnoughLocalSamples) {
  // 1.5 ln(0.05) / ln(0.95) = 87.6 of 200 samples: the step that answers half of tune is the first
  // with as many.
  const EscalationPolicy policy = certify_bags(ten_steps(), right_at_ten_scores(20),
                                               {.net_loss = 0.0, .selective = 0.05, .starts = 1});
  EXPECT_EQ(policy.certificate.starts, Ints{4});
  EXPECT_EQ(policy.certificate.step, 9);
  EXPECT_EQ(policy.certificate.tested, 6);
  EXPECT_EQ(policy.certificate.risks[0].n, 200);
}

TEST(Certify, SharesDeltaAmongItsStarts) {
  // At 0.025 a step: 1.5 ln(0.025) / ln(0.95) = 107.9 of 200.
  const EscalationPolicy policy = certify_bags(ten_steps(), right_at_ten_scores(20),
                                               {.net_loss = 0.0, .selective = 0.05, .starts = 2});
  EXPECT_EQ(policy.certificate.starts, (Ints{5, 7}));
}

TEST(Certify, StartsNoOftenerThanThePathHasSteps) {
  const EscalationPolicy policy =
      certify_bags(four_steps(), loses_at_twenty(), {.net_loss = 0.01, .starts = 50});
  EXPECT_EQ(policy.certificate.starts, (Ints{0, 1, 2, 3}));
  EXPECT_NO_THROW(recheck(policy, loses_at_twenty(), bag_and_boot(), "p"));
}

TEST(Certify, ALaterStartReachesWhatAnEarlierOneIsKeptFrom) {
  Scores calibration;
  add(calibration, 30, {10, kLittleBag, kShirt, kShirt});  // the surest answers are wrong
  add(calibration, 2000, {5, kLittleBag, kBag, kBag});
  add(calibration, 1000, {5, kLittleBag, kBag, kBag});
  const SearchPlan plan = plan_of({10, 5}, {0.3, 1.0});
  CalibrateOptions options{.net_loss = 0.0, .selective = 0.02, .starts = 1};
  // At the first step 30 of 30 are wrong, at the second 30 of 3,030: P(Binomial <= 30) = 9e-6.
  const EscalationPolicy one = certify_bags(plan, calibration, options);
  EXPECT_EQ(one.certificate.starts, Ints{0});
  EXPECT_FALSE(one.certificate.certified);
  options.starts = 2;
  const EscalationPolicy two = certify_bags(plan, calibration, options);
  EXPECT_EQ(two.certificate.starts, (Ints{0, 1}));
  EXPECT_EQ(two.certificate.step, 1);
  EXPECT_NO_THROW(recheck(two, calibration, bag_and_boot(), "p"));
}

TEST(Certify, HandsTheLevelOfAcceptedStepsToTheNextStart) {
  // Two starts, at steps 0 and 2 of 4, tested at 0.025 each. 72 right local answers give
  // 0.95^72 = 0.0249 at step 0; 60 more at step 2 with one wrong among all would pass by itself.
  Scores calibration;
  add(calibration, 72, {10, kLittleBag, kBag, kBag});
  add(calibration, 20, {8, kLittleBag, kBag, kBag});
  add(calibration, 2, {8, kLittleBag, kShirt, kShirt});
  add(calibration, 33, {6, kLittleBag, kBag, kBag});
  const SearchPlan plan = plan_of({10, 8, 6, 4}, {1.0, 1.0, 1.0, 1.0});
  const CalibrateOptions options{.net_loss = 0.0, .selective = 0.05, .starts = 2};
  const EscalationPolicy policy = certify_bags(plan, calibration, options);
  ASSERT_EQ(policy.certificate.starts, (Ints{0, 2}));
  // P(Binomial(94, 0.05) <= 2) = 0.14 stops the first part at step 1; P(Binomial(127, 0.05) <= 2) =
  // 0.0455 is too much for the second part alone.
  EXPECT_EQ(policy.certificate.step, 0);
  EXPECT_EQ(policy.certificate.tested, 3);
  // Without the stop both parts meet at step 2, and together they are enough.
  Scores smooth;
  add(smooth, 92, {10, kLittleBag, kBag, kBag});
  add(smooth, 2, {6, kLittleBag, kShirt, kShirt});
  add(smooth, 33, {6, kLittleBag, kBag, kBag});
  EXPECT_EQ(certify_bags(plan, smooth, options).certificate.step, 3);
}

TEST(Certify, TellsAConflictBetweenBudgetAndRisk) {
  Scores calibration;
  add(calibration, 300, {50, kLittleBag, kBag, kBag});
  add(calibration, 200, {20, kLittleBag, kShirt, kShirt});
  add(calibration, 500, kEscalatedShirt);
  const SearchPlan plan = plan_of({50, 20}, {0.3, 0.5});
  const EscalationPolicy policy =
      certify_bags(plan, calibration, {.net_loss = 0.02, .budget = 0.6});
  EXPECT_FALSE(policy.certificate.certified);
  // Tune lets half of the samples up at the second step only: that is where the search begins, and
  // net-loss fails there.
  EXPECT_EQ(policy.certificate.starts, Ints{1});
  EXPECT_EQ(policy.certificate.conflict,
            "the other bounds can be kept only where about 70.0 % of the inputs escalate, and that "
            "can only be bounded by 72.4 %");  // Clopper and Pearson: 700 of 1,000 at 5 %
  EXPECT_TRUE(explain(policy).find("; the bounds conflict: the other bounds") != std::string::npos)
      << explain(policy);
  // Without the budget the first step is fine.
  EXPECT_EQ(threshold_of(certify_bags(plan, calibration, {.net_loss = 0.02})), 50);
}

TEST(Certify, KeepsABudgetThatThePathAllows) {
  const EscalationPolicy policy =
      certify_bags(four_steps(), loses_at_twenty(), {.net_loss = 0.01, .budget = 0.55});
  EXPECT_TRUE(policy.certificate.certified);
  ASSERT_EQ(policy.certificate.risks.size(), 2U);
  EXPECT_EQ(policy.certificate.risks[1].risk, "budget");
  EXPECT_EQ(policy.certificate.risks[1].events, 399);
  EXPECT_EQ(policy.certificate.risks[1].p_value, binomial_p_value(399, 1000, 0.55));
}

TEST(Certify, DrawsToTheFieldsMixForStatementsAboutAllInputs) {
  SearchPlan plan = four_steps();
  plan.field_shares = {0.2, 0.8, 0.0};
  const EscalationPolicy policy =
      certify_bags(plan, loses_at_twenty(), {.net_loss = 0.02, .field_prior = {{"bag", 0.8}}});
  EXPECT_GT(policy.certificate.field_n, 400);
  EXPECT_LT(policy.certificate.field_n, 752);  // 601 bags are four fifths of 751
  EXPECT_EQ(policy.certificate.risks[0].n, policy.certificate.field_n);
  EXPECT_EQ(policy.certificate.n, 1000);
  EXPECT_EQ(policy.certificate.field_shares, plan.field_shares);
}

TEST(Certify, NeedsNoLabelsForAgreement) {
  Scores log = loses_at_twenty();
  log.truth.clear();
  const EscalationPolicy policy =
      certify_bags(four_steps(), log, {.net_loss = 0.0, .agreement = 0.01});
  EXPECT_EQ(threshold_of(policy), 50);  // one differs at 60 (P = 0.0005), 13 of 1,000 at 20
  EXPECT_EQ(policy.certificate.risks[0].events, 1);
  EXPECT_EQ(policy.priority_local.n, 0);
  expect_error(ErrorKind::bad_data, "calibration: truth has 0 rows but score has 1000",
               [&] { certify_bags(four_steps(), log, {.net_loss = 0.01}); });
}

TEST(Certify, KeepsTiesOffTheDeviceWhateverTheStep) {
  Scores tied;
  add(tied, 1000, {kTieScore, kLittleBag, kShirt, kShirt});  // every one would be wrong
  const EscalationPolicy policy = certify_bags(four_steps(), tied, {.net_loss = 0.01});
  EXPECT_EQ(threshold_of(policy), 1);
  EXPECT_EQ(policy.escalation.count, 1000);
  EXPECT_EQ(policy.audit.disagreement, 1.0);
}

TEST(Certify, TakesASingleClassUnlessAnotherOneIsAskedAbout) {
  Scores bags;
  add(bags, 1000, kSureBag);
  EXPECT_EQ(threshold_of(certify_bags(four_steps(), bags, {.net_loss = 0.01})), 1);
  EXPECT_EQ(
      threshold_of(certify_bags(four_steps(), bags, {.net_loss = 0.0, .miss_of = {{"bag", 0.01}}})),
      1);
  EXPECT_THROW(certify_bags(four_steps(), bags, {.net_loss = 0.0, .miss = 0.01}), Error);
}

TEST(Certify, RefusesEmptyScores) {
  expect_error(ErrorKind::bad_data, "calibration: no samples, expected at least one",
               [] { certify_bags(four_steps(), {}, {}); });
}

TEST(Recheck, AcceptsWhatWasCertified) {
  const CalibrateOptions options{.net_loss = 0.01,
                                 .harm = 0.02,
                                 .miss_of = {{"bag", 0.05}},
                                 .agreement = 0.02,
                                 .budget = 0.55};
  const EscalationPolicy policy = certify_bags(four_steps(), loses_at_twenty(), options);
  ASSERT_TRUE(policy.certificate.certified);
  EXPECT_EQ(policy.certificate.risks.size(), 5U);
  EXPECT_NO_THROW(recheck(policy, loses_at_twenty(), bag_and_boot(), "p"));
  const EscalationPolicy read = policy_from_json(to_json(policy), "p");
  EXPECT_NO_THROW(recheck(read, loses_at_twenty(), bag_and_boot(), "p"));
}

TEST(Recheck, AcceptsAFailureAsAFailure) {
  const EscalationPolicy policy =
      certify_bags(sixty_and_forty(), misses_two_boots(), {.net_loss = 0.0, .miss = 0.02});
  EXPECT_NO_THROW(recheck(policy, misses_two_boots(), bag_and_boot(), "p"));
}

TEST(Recheck, RefusesNumbersThatTheAnswersDoNotGive) {
  const EscalationPolicy policy = certify_bags(four_steps(), loses_at_twenty(), {.net_loss = 0.01});
  const auto refuse = [&](const EscalationPolicy& changed, const Scores& scores,
                          const std::string& message) {
    expect_error(ErrorKind::bad_data, message,
                 [&] { recheck(changed, scores, bag_and_boot(), "p.json"); });
  };
  Scores other = loses_at_twenty();
  add(other, 1, {60, kLittleBag, kShirt, kShirt});
  EscalationPolicy with_rates = policy;
  with_rates.escalation.n += 1;
  with_rates.audit.disagreement = clopper_pearson_upper(2, 602, 0.05);
  refuse(with_rates, other,
         "p.json: events of net-loss is 1 by the recorded answers, the certificate says 0");
  EscalationPolicy changed = policy;
  changed.certificate.risks[0].p_value = 0.0;
  EXPECT_THROW(recheck(changed, loses_at_twenty(), bag_and_boot(), "p.json"), Error);
  changed = policy;
  changed.certificate.risks[0].risk = "net-gain";
  refuse(changed, loses_at_twenty(), "p.json: unknown risk 'net-gain'");
  changed = policy;
  changed.certificate.risks.push_back(changed.certificate.risks[0]);
  refuse(changed, loses_at_twenty(),
         "p.json: the certificate names a risk twice, or of a class that is no priority class");
  changed = policy;
  changed.certificate.starts = {2};
  refuse(changed, loses_at_twenty(), "p.json: the search did not start where its path says");
  changed = policy;
  changed.audit.disagreement = 0.2;
  refuse(changed, loses_at_twenty(),
         "p.json: escalation, priority_local or audit.disagreement is not what the recorded "
         "answers give");
}

TEST(Recheck, RefusesAStepThatWasReachedPastAFailure) {
  Scores calibration = loses_at_twenty();
  add(calibration, 100, {1, kLittleBag, kShirt, kBag});  // the last step would pass again
  EscalationPolicy policy = certify_bags(four_steps(), calibration, {.net_loss = 0.01});
  ASSERT_EQ(policy.certificate.step, 1);
  // What a search that ignores the failure at step 2 would have recorded.
  SearchPlan only_last = plan_of({1});
  policy.certificate.risks =
      certify_bags(only_last, calibration, {.net_loss = 0.01}).certificate.risks;
  policy.certificate.step = 3;
  policy.thresholds = policy.certificate.path.steps[3];
  const EscalationPolicy last = certify_bags(only_last, calibration, {.net_loss = 0.01});
  policy.escalation = last.escalation;
  policy.priority_local = last.priority_local;
  policy.audit = last.audit;
  expect_error(ErrorKind::bad_data,
               "p.json: the search ends at step 1 by the recorded answers, the certificate says 3",
               [&] { recheck(policy, calibration, bag_and_boot(), "p.json"); });
}

}  // namespace
}  // namespace biglittle
