#pragma once

#include <string>

#include "harness/expr/expr.hpp"
#include "tests/support/catch.hpp"

/// Facts of the probe `update`, made up, and what an expression makes of them.
namespace assay::update_facts {

inline json::object attempt(const char* attack, const char* mechanism, bool installed) {
  return {{"attack", attack},
          {"title", "An attack"},
          {"serves", json::array{"EN303645@2.1.1:5.3-2"}},
          {"against", "image"},
          {"mechanism", mechanism},
          {"offered", true},
          {"trouble", nullptr},
          {"image", json::object{{"genuine", false}}},
          {"seen", true},
          {"installed", installed},
          {"says_success", false},
          {"restarted", false},
          {"held", false},
          {"alive", true},
          {"version_before", "2.4.0"},
          {"version_after", installed ? "2.3.0" : "2.4.0"},
          {"reported", nullptr},
          {"took_ms", 900},
          {"fetched", json::object{{"downloads", 1}, {"bytes", 5000}, {"whole", true}, {"over", "http"}}},
          {"evidence", "aa"}};
}

/// Facts of one observation with the given attempts on UM-1 and UM-2.
struct UpdateFacts {
  json::array attempts;
  json::array not_tried;
  json::array bricked;
  json::array images;
  bool accepted = true;

  Evaluated run(const std::string& program) const {
    json::array mechanisms;
    json::array control;
    for (const char* one : {"UM-1", "UM-2"}) {
      mechanisms.push_back(json::object{{"mechanism", one}});
      control.push_back(json::object{{"mechanism", one}, {"accepted", accepted}, {"why", nullptr}});
    }
    json::object facts{{"update.mechanisms", std::move(mechanisms)},
                       {"update.control", std::move(control)},
                       {"update.attempts", attempts},
                       {"update.not_tried", not_tried},
                       {"update.bricked", bricked},
                       {"update.static", images}};
    json::array names;
    for (const auto& fact : facts) {
      names.push_back(json::string(fact.key()));
    }
    const json::object seen{{"id", "o1"},
                            {"endpoint", nullptr},
                            {"sample", "A"},
                            {"vantage", "lan"},
                            {"completion", "completed"},
                            {"error", ""},
                            {"facts", std::move(facts)},
                            {"absent", json::array{}},
                            {"unobserved", json::object{}},
                            {"coverage", json::object{}},
                            {"evidence", json::object{{"update.attempts", json::array{"bb"}}}}};
    json::array observations;
    observations.push_back(seen);
    const Evaluation evaluation{program,
                                "c.yaml:1:1",
                                {{"dut", json::object{{"samples", json::array{json::object{{"id", "A"}}}}}},
                                 {"ics", json::object{}},
                                 {"ixit", json::object{}},
                                 {"obs", json::object{{"update", std::move(observations)}}},
                                 {"specs", json::object{{"update", std::move(names)}}},
                                 {"names", json::object{{"ics", json::array{}}, {"ixit", json::array{}}}}},
                                nullptr};
    auto out = evaluate({&evaluation, 1}).front();
    CAPTURE(program);
    CHECK(out.error == "");
    return out;
  }
};

inline json::object not_tried(const char* attack, const char* mechanism) {
  return {{"attack", attack},   {"title", "An attack"},   {"serves", json::array{}},
          {"against", "image"}, {"mechanism", mechanism}, {"why", "the format has nothing like it"}};
}

inline std::string first_of(const Evaluated& evaluated) {
  REQUIRE_FALSE(evaluated.items.empty());
  return std::string{std::string_view{evaluated.items[0].at("what").as_string()}};
}

}  // namespace assay::update_facts
