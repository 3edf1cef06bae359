#include "harness/probe/probe.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "probes/sessions/fact_sheet.hpp"
#include "probes/uniqueness/identifiers.hpp"
#include "probes/wire/bytes.hpp"

namespace assay::probes::uniqueness {

namespace {

constexpr std::size_t kMostValues = 200;  // of one generator

constexpr ParameterSpec kParameters[] = {
    {"dictionary", ValueKind::text, "\"common-passwords\"", "list of common passwords by id; empty: none"},
};

constexpr FactSpec kFacts[] = {
    {"uniqueness.samples", ValueKind::integer, "factory values that the DUT file gives (password_samples)"},
    {"uniqueness.relations", ValueKind::list,
     "what values have in common with each other, with identifiers and with lists, each rarer by chance than once in "
     "100,000 sets, but for equal and listed values, which are told always: kind (equal, counter, ordered, shared, "
     "identifier, common, pattern), what, mechanism, values (places in password_samples), at and length (characters), "
     "chance (\"1 in 10^9\")"},
    {"uniqueness.identifiers", ValueKind::list, "kinds of identifiers that the values were held against"},
    {"uniqueness.forms", ValueKind::list,
     "by mechanism: samples, shortest, longest, fewest_classes, classes, equal_in_a_row, equal_to_login (numbers of "
     "values)"},
    {"uniqueness.entropy", ValueKind::list,
     "by mechanism, in bits: bits with low and high (from the characters, as if each were drawn by itself: no bound of "
     "a generator that works otherwise), words (null; where all values are put together of words and numbers, bits and "
     "low are those of so many words from a list of assumed_list, which is an assumption), at_most (the only bound "
     "that "
     "needs none), shown (that no two are equal), samples, characters, independent (no relation was found)"},
};

/// Values by the mechanism that they belong to.
std::map<std::string, Values> generators_of(const Dut& dut) {
  std::map<std::string, Values> out;
  for (std::size_t i = 0; i < dut.password_samples.size(); ++i) {
    if (dut.password_samples[i].secret.empty()) {
      continue;  // as in the count of samples
    }
    auto& values = out[dut.password_samples[i].mechanism];
    if (values.size() < kMostValues) {
      const auto& given = dut.password_samples[i];
      values.push_back({given.secret.reveal(), std::to_string(i + 1), identifiers_of(dut, given)});
    }
  }
  return out;
}

Result<std::vector<std::string>> list_of(const ProbeContext& context) {
  const auto* id = context.parameters.if_contains("dictionary");
  const auto name = id != nullptr && id->is_string() ? std::string_view{id->get_string()} : std::string_view{};
  std::vector<std::string> out;
  if (name.empty()) {
    return out;
  }
  const auto* dictionary = context.library.dictionary(name);
  if (dictionary == nullptr) {
    return Error{ErrorKind::bad_input, "there is no dictionary \"" + wire::printable(name, 40) + "\"", {}};
  }
  for (const auto& one : dictionary->passwords) {
    out.push_back(one.reveal());
  }
  for (const auto& pair : dictionary->credentials) {
    if (!pair.password.empty()) {
      out.push_back(pair.password.reveal());
    }
  }
  return out;
}

json::object shown(const Relation& relation, const std::string& mechanism) {
  json::object out{{"kind", relation.kind}, {"what", relation.what}, {"mechanism", mechanism}};
  json::array values;
  for (const auto& name : relation.values) {
    values.emplace_back(name);
  }
  out["values"] = std::move(values);
  out["at"] = relation.at < 0 ? json::value(nullptr) : json::value(relation.at);
  out["length"] = relation.length < 0 ? json::value(nullptr) : json::value(relation.length);
  out["chance"] = "1 in 10^" + std::to_string(static_cast<std::int64_t>(relation.luck));
  return out;
}

json::object shown(const Form& form, std::size_t samples, const std::string& mechanism) {
  json::array classes;
  for (const auto& one : form.classes) {
    classes.emplace_back(one);
  }
  return {{"mechanism", mechanism},
          {"samples", static_cast<std::int64_t>(samples)},
          {"shortest", form.shortest},
          {"longest", form.longest},
          {"fewest_classes", form.fewest_classes},
          {"classes", std::move(classes)},
          {"equal_in_a_row", form.equal_in_a_row},
          {"equal_to_login", form.equal_to_login}};
}

double tenth(double number) {
  return std::round(number * 10) / 10;
}

json::object shown(const Entropy& entropy, std::size_t samples, bool independent, const std::string& mechanism) {
  return {{"mechanism", mechanism},
          {"samples", static_cast<std::int64_t>(samples)},
          {"bits", tenth(entropy.bits)},
          {"low", tenth(entropy.low)},
          {"high", tenth(entropy.high)},
          {"at_most", tenth(entropy.at_most)},
          {"shown", tenth(entropy.shown)},
          {"characters", entropy.characters},
          {"words", entropy.words == 0
                        ? json::value(nullptr)
                        : json::value(json::object{{"in_a_value", entropy.words}, {"assumed_list", kAssumedWords}})},
          {"independent", independent}};
}

std::vector<Relation> relations_of(const Values& values, const std::vector<std::string>& list) {
  std::vector<Relation> out;
  for (auto part : {equal_values(values), counters(values), recurrences(values), shared_parts(values),
                    identifier_relations(values), shifted_identifiers(values), common_values(values, list)}) {
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

json::array kinds_of(const std::map<std::string, Values>& generators) {
  std::map<std::string, bool> kinds;
  for (const auto& [mechanism, values] : generators) {
    for (const auto& value : values) {
      for (const auto& one : value.identifiers) {
        kinds[one.kind] = true;
      }
    }
  }
  json::array out;
  for (const auto& [kind, there] : kinds) {
    out.emplace_back(kind);
  }
  return out;
}

void record(sessions::FactSheet& sheet, const std::map<std::string, Values>& generators,
            const std::vector<std::string>& list) {
  json::array relations;
  json::array forms;
  json::array entropy;
  json::array counts;
  for (const auto& [mechanism, values] : generators) {
    const auto name = wire::printable(mechanism, 64);
    const auto found = relations_of(values, list);
    for (const auto& one : found) {
      relations.push_back(shown(one, name));
    }
    forms.push_back(shown(form_of(values), values.size(), name));
    entropy.push_back(shown(entropy_of(values), values.size(), found.empty(), name));
    counts.push_back({{"mechanism", name}, {"samples", static_cast<std::int64_t>(values.size())}});
  }
  auto kinds = kinds_of(generators);
  const json::object evidence{{"relations", relations}, {"forms", forms}, {"entropy", entropy}, {"identifiers", kinds}};
  sheet.recorder().coverage("values",
                            {{"mechanisms", counts}, {"common_passwords", std::ssize(list)}, {"identifiers", kinds}});
  sheet.fact("uniqueness.relations", std::move(relations));
  sheet.fact("uniqueness.forms", std::move(forms));
  sheet.fact("uniqueness.entropy", std::move(entropy));
  sheet.fact("uniqueness.identifiers", std::move(kinds));
  const auto digest = sheet.recorder().artifact("factory values", "application/json", canonical(evidence));
  sheet.evidence_for_values("uniqueness.", digest);
}

/// Looks at the declaration only: nothing is sent.
class Uniqueness final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet sheet{context.record, kFacts};
    for (const auto& one : context.dut.password_samples) {
      context.record.conceal(one.secret);
    }
    const auto list = list_of(context);
    if (!list) {
      sheet.rest_unobserved(list.error().what);
      co_return list.error();
    }
    const auto& given = context.dut.password_samples;
    const auto filled = std::count_if(given.begin(), given.end(), [](const auto& one) { return !one.secret.empty(); });
    sheet.fact("uniqueness.samples", static_cast<std::int64_t>(filled));
    if (filled == 0) {
      sheet.rest_unobserved("the DUT file gives no factory values (password_samples)");
      co_return Result<>{};
    }
    record(sheet, generators_of(context.dut), *list);
    co_return Result<>{};
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<Uniqueness>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "uniqueness",
    .summary =
        "Holds factory passwords of several devices against each other, against their identifiers and against lists.",
    .version = 2,
    .intrusiveness = Intrusiveness::passive,
    .exclusive = Exclusive::none,
    .subject = ProbeSubject::device,
    .deadline = milliseconds{60'000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::uniqueness
