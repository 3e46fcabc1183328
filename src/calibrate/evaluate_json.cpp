// SPDX-License-Identifier: MIT
#include "calibrate/evaluate.h"

namespace biglittle {
namespace {

Json to_json(const PairedDifference& difference) {
  return {{"value", difference.value}, {"low", difference.low}, {"high", difference.high}};
}

Json to_json(const ClassRow& row, OtherMode other) {
  Json json = {{"name", row.name},
               {"priority", row.priority},
               {"n", row.n},
               {"big_accuracy", row.big_accuracy},
               {"system_accuracy", row.system_accuracy},
               {"local", to_json(row.local)}};
  if (other == OtherMode::answer) json["dropped"] = to_json(row.dropped);
  return json;
}

Json to_json(const Confusion& confusion) {
  Json answers = confusion.names;
  answers.push_back("escalated");
  return {{"true_classes", confusion.names}, {"answers", answers}, {"counts", confusion.counts}};
}

Json to_json(const CurvePoint& point) {
  return {{"step", point.step},         {"escalated", point.escalated},
          {"right", point.right},       {"escalation", point.escalation},
          {"accuracy", point.accuracy}, {"low", point.low},
          {"high", point.high}};
}

Json to_json(const ReferencePoint& point) {
  return {{"escalation", point.escalation}, {"accuracy", point.accuracy}};
}

Json to_json(const DeferralCurve& curve) {
  Json points = Json::array();
  for (const CurvePoint& point : curve.points) points.push_back(to_json(point));
  return {{"n", curve.n},
          {"chosen_step", curve.chosen_step},
          {"oracle_step", curve.oracle_step},
          {"over_oracle", curve.over_oracle ? Json(*curve.over_oracle) : Json(nullptr)},
          {"always_big", to_json(curve.always_big)},
          {"always_little", to_json(curve.always_little)},
          {"band",
           {{"level", curve.band_level},
            {"critical", curve.band_critical},
            {"resamples", curve.band_resamples}}},
          {"points", points}};
}

Json to_json(const Reliability& reliability) {
  Json bins = Json::array();
  for (const ReliabilityBin& bin : reliability.bins) {
    bins.push_back(
        {{"count", bin.count}, {"confidence", bin.confidence}, {"accuracy", bin.accuracy}});
  }
  return {{"expected_calibration_error", reliability.expected_error},
          {"log_loss", reliability.log_loss},
          {"bins", bins}};
}

Json to_json(const TemperatureReport& report) {
  return {{"temperature", report.temperature},
          {"fitted_on", report.fitted_on},
          {"n", report.n},
          {"before", to_json(report.before)},
          {"after", to_json(report.after)}};
}

Json to_json(const std::array<Expected, 3>& fates, OtherMode other) {
  Json json;
  for (const Fate fate : kFates) {
    if (fate == Fate::dropped && other == OtherMode::escalate) continue;
    const Expected& expected = fates[static_cast<std::size_t>(fate)];
    json[std::string(name_of(fate))] = {
        {"value", expected.value}, {"low", expected.low}, {"high", expected.high}};
  }
  return json;
}

Json to_json(const Forecast& forecast, OtherMode other) {
  Json classes = Json::array();
  for (const ForecastRow& row : forecast.classes) {
    Json json = {{"name", row.name}, {"inputs", row.inputs}};
    json.update(to_json(row.fate, other));
    classes.push_back(json);
  }
  return {{"per", 1000}, {"total", to_json(forecast.total, other)}, {"classes", classes}};
}

Json to_json(const std::vector<ScoreMerit>& merits) {
  Json json = Json::array();
  for (const ScoreMerit& merit : merits) {
    json.push_back({{"kind", name_of(merit.kind)}, {"area", merit.area}});
  }
  return json;
}

}  // namespace

Json to_json(const SystemReport& report) {
  Json classes = Json::array();
  for (const ClassRow& row : report.classes) classes.push_back(to_json(row, report.other));
  Json json = {
      {"n", report.n},
      {"accuracy_over", report.other == OtherMode::answer ? "little classes" : "big classes"},
      {"big", to_json(report.big)},
      {"little_float", to_json(report.little_float)},
      {"little_int8", to_json(report.little_int8)},
      {"agreement", to_json(report.agreement)},
      {"int8_loss", to_json(report.int8_loss)},
      {"system", to_json(report.system)},
      {"loss", to_json(report.loss)},
      {"local", to_json(report.local)},
      {"escalated", to_json(report.escalated)},
      {"priority_local", to_json(report.priority_local)},
      {"local_correct", to_json(report.local_correct)},
      {"always_little", report.always_little},
      {"random_escalation", report.random_escalation},
      {"classes", classes},
      {"confusion", to_json(report.confusion)},
      {"curve", to_json(report.curve)},
      {"temperature", to_json(report.temperature)},
      {"forecast", {{"data", to_json(report.data_forecast, report.other)}}},
      {"scores", to_json(report.merits)}};
  if (report.other == OtherMode::answer) {
    json["dropped"] = to_json(report.dropped);
    json["priority_dropped"] = to_json(report.priority_dropped);
  }
  if (report.field_forecast) {
    json["forecast"]["field"] = to_json(*report.field_forecast, report.other);
  }
  return json;
}

}  // namespace biglittle
