#include "tests/unit/harness/expr/update_facts.hpp"

/// What attacks on update mechanisms come to: update_taken, update_mechanisms_taken, update_doubts.
using namespace assay;
using namespace assay::update_facts;

TEST_CASE("updates: an attack that was installed is a finding with both versions") {
  UpdateFacts facts;
  facts.attempts.push_back(attempt("older", "UM-1", true));
  facts.attempts.push_back(attempt("cut", "UM-1", false));
  const auto found = facts.run("update_taken(true)");
  REQUIRE(found.items.size() == 1);
  CHECK(first_of(found) == "An attack, on UM-1: it was installed: 2.4.0 before, 2.3.0 after");
  CHECK(found.items[0].at("evidence") == json::value(json::array{"aa", "bb"}));
  CHECK(facts.run("update_taken(.attack == \"cut\")").items.empty());
  CHECK(facts.run("update_doubts(true)").items.empty());
}

TEST_CASE("updates: a device that falls back by itself while its own version is offered again installed nothing") {
  UpdateFacts facts;
  auto again = attempt("same-version", "UM-1", true);
  again["image"] = json::object{{"genuine", true}};
  again["against"] = "metadata";
  facts.attempts.push_back(again);
  CHECK(facts.run("update_taken(true)").items.empty());
  again["attack"] = "unsigned-manifest";
  facts.attempts.push_back(again);
  CHECK(facts.run("update_taken(true)").items.size() == 1);
}

TEST_CASE("updates: an image that is fetched over a false channel is a finding, installed or not") {
  UpdateFacts facts;
  auto over_http = attempt("no-tls", "UM-1", false);
  over_http["against"] = "transport";
  facts.attempts.push_back(over_http);
  CHECK(first_of(facts.run("update_taken(.against == \"transport\")")) ==
        "An attack, on UM-1: the image was fetched over http, 5000 bytes");
}

TEST_CASE("updates: the genuine image is no misuse, however it was delivered, but over a false channel or by nobody") {
  UpdateFacts facts;
  auto interrupted = attempt("power-50", "UM-1", true);
  interrupted["image"] = json::object{{"genuine", true}};
  interrupted["against"] = "power";
  facts.attempts.push_back(interrupted);
  CHECK(facts.run("update_taken(true)").items.empty());
  CHECK(facts.run("update_doubts(true)").items.empty());
  auto deceived = interrupted;
  deceived["against"] = "transport";
  facts.attempts.push_back(deceived);
  CHECK(facts.run("update_taken(true)").items.size() == 1);
  auto open = interrupted;
  open["against"] = "access";
  facts.attempts.push_back(open);
  CHECK(facts.run("update_taken(true)").items.size() == 2);
  CHECK(facts.run("update_taken(.against == \"access\")").items.size() == 1);
}

TEST_CASE("updates: where any mechanism may withstand, one that withstands is enough") {
  UpdateFacts facts;
  facts.attempts.push_back(attempt("older", "UM-1", true));
  facts.attempts.push_back(attempt("older", "UM-2", false));
  CHECK(facts.run("update_mechanisms_taken(true)").items.empty());
  facts.attempts.push_back(attempt("cut", "UM-2", true));
  CHECK(facts.run("update_mechanisms_taken(true)").items.size() == 2);
}

TEST_CASE("updates: refusals prove nothing without the genuine update, and without a device that came") {
  UpdateFacts facts;
  facts.attempts.push_back(attempt("older", "UM-1", false));
  facts.accepted = false;
  CHECK(facts.run("update_doubts(true)").items.size() == 2);
  facts.accepted = true;
  auto unseen = attempt("cut", "UM-1", false);
  unseen["seen"] = false;
  auto boasting = attempt("flip", "UM-1", false);
  boasting["says_success"] = true;
  auto waiting = attempt("slow", "UM-1", false);
  waiting["held"] = true;
  auto failed = attempt("bomb", "UM-1", false);
  failed["offered"] = false;
  for (auto& one : {unseen, boasting, waiting, failed}) {
    facts.attempts.push_back(one);
  }
  const auto doubts = facts.run("update_doubts(.attack != \"older\")");
  CHECK(doubts.items.size() == 4);
  CHECK(first_of(doubts) == "An attack, on UM-1: the device did not come for it, so nothing was refused");
  CHECK(facts.run("update_taken(true)").items.empty());
}

TEST_CASE("updates: what was not tried, and a device that did not come back, are doubts") {
  UpdateFacts facts;
  facts.not_tried.push_back(json::object{{"attack", "other-key"},
                                         {"title", "Another key"},
                                         {"serves", json::array{}},
                                         {"against", "image"},
                                         {"mechanism", "UM-1"},
                                         {"why", "raw: it has no signature"}});
  facts.bricked.push_back(json::object{{"mechanism", "UM-1"}, {"after", "flip"}, {"restored", false}, {"how", "x"}});
  const auto doubts = facts.run("update_doubts(.attack == \"other-key\")");
  REQUIRE(doubts.items.size() == 2);
  CHECK(first_of(doubts) == "The device did not come back after flip on UM-1, and nothing brought it back");
  CHECK(doubts.items[1].at("what") == json::value("Another key, on UM-1: not tried, for raw: it has no signature"));
  CHECK(facts.run("update_doubts(.attack == \"older\")").items.size() == 1);
}
