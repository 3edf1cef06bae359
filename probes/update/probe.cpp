#include "harness/probe/probe.hpp"

#include <algorithm>

#include "probes/images/byte_source.hpp"
#include "probes/sessions/channel.hpp"
#include "probes/sessions/fact_sheet.hpp"
#include "probes/update/campaign.hpp"
#include "probes/update/servers/pull_site.hpp"
#include "probes/update/transports/transports.hpp"

namespace assay::probes::update {

namespace {

constexpr std::uint64_t kLargestKept = std::uint64_t{1} << 20U;  // bytes of an image that the bundle keeps whole

constexpr ParameterSpec kParameters[] = {
    {"attacks", ValueKind::text, "\"all\"", "ids of the attacks to try, separated by commas; all: the whole list"},
    {"mechanism", ValueKind::text, "\"\"",
     "id in IXIT 7-UpdMech of the one mechanism to attack; empty: each of the DUT file"},
    {"list", ValueKind::text, "\"update\"", "list of attacks, by its id (testplans/attacks)"},
    {"restore", ValueKind::boolean, "true",
     "the device is brought back by the DUT file's recipe; false: none is needed, and what changes the version ends "
     "the attacks"},
    {"watch_s", ValueKind::integer, "0",
     "seconds to watch how often the device asks by itself, before anything is on offer; 0: it is not watched", true},
    {"budget_s", ValueKind::integer, "900",
     "seconds for all attacks together, and the genuine updates before and after; none is begun that could end later",
     true},
};

constexpr FactSpec kFacts[] = {
    {"update.mechanisms", ValueKind::list,
     "mechanisms of the DUT file that were attacked: mechanism, transport, takes_ms"},
    {"update.control", ValueKind::list,
     "by mechanism: accepted (the genuine update was installed each time that it was offered), first and last (as in "
     "update.attempts; null: not offered), restores (the device is brought back in between), pace (what the run plan "
     "estimates by beside what the first one took: takes_ms, took_ms, slower; null: not seen)"},
    {"update.attempts", ValueKind::list,
     "each attack that was tried: attack, title, serves, against, mechanism, image {format, sha256, what, genuine}, "
     "offered, "
     "trouble, power_cut and link_cut (where the attack says that it is cut: it was; else null), seen (the device came "
     "for "
     "it), fetched {connections, handshakes, requests, downloads, bytes, whole, "
     "over, handed_over}, certificate_refused, held (a download without end was still taken when we ended it), "
     "gave_up_ms, refused (before download, after download, null), installed, late (… while another attack was tried), "
     "undecided (the other attack whose image it may have been, so that neither counts as installed; null: none), "
     "made_again (so often, for what came into force meanwhile), activated "
     "(false: installed, and in force only when the power was cut and given back), "
     "says_success, restarted, "
     "version_before, version_after, alive (null: its version could not be asked for to the end), reported (its own "
     "words), took_ms, evidence"},
    {"update.not_tried", ValueKind::list, "each attack that was not: attack, title, serves, mechanism, why"},
    {"update.bricked", ValueKind::list,
     "mechanisms after which the device did not come back: mechanism, after, restored, how"},
    {"update.passive", ValueKind::list,
     "by mechanism, what the genuine update showed (nothing, where none was made: transport is not there): transport, "
     "over, tls {version, cipher, server_name, "
     "newest_offered} or null, unprompted and polling_ms (by itself, and how often; null: not watched), watched_ms "
     "(for so long), "
     "watched_to_the_end (it ran the same version then), identifies_by, "
     "downloads, strangers (connections or datagrams of others that were cut), client (of lwm2m: lwm2m, binding, "
     "lifetime_s, objects, delivery), statuses (of mender: those that it reported), announced (of mqtt: by whose "
     "broker, over what or null), "
     "manifest_signed (it asked for a signature; where there is one)"},
    {"update.static", ValueKind::list,
     "by mechanism, what the genuine image shows: sha256, size, format, facts, created (of its facts, or null), "
     "doubts, "
     "regions (by kind), older "
     "(what tells the older image from it: rollback of its facts, or null)"},
};

/// What is found out about all mechanisms.
struct Gathered {
  json::array mechanisms, control, attempts, not_tried, bricked, passive, images;
};

const Attack* find_attack(const AttackList& list, const std::string& id) {
  const auto found =
      std::find_if(list.attacks.begin(), list.attacks.end(), [&](const auto& one) { return one.id == id; });
  return found == list.attacks.end() ? nullptr : &*found;
}

void describe(json::object& entry, const Attack* attack) {
  if (attack != nullptr) {
    entry["title"] = attack->title;
    entry["serves"] = to_json(attack->serves);
    entry["against"] = attack->against;
  }
}

Result<images::Source> open_file(Bench& bench, const std::string& name) {
  const auto path = bench.file(name);
  if (!path) {
    return path.error();
  }
  auto opened = images::FileSource::open(*path);
  return opened ? Result<images::Source>{images::Source{*opened}} : opened.error();
}

Result<std::shared_ptr<const images::Signer>> signer_of(Bench& bench, const std::optional<ServerIdentity>& named) {
  if (!named) {
    return std::shared_ptr<const images::Signer>{};
  }
  const auto certificate = read_small(bench, named->certificate);
  if (!certificate) {
    return certificate.error();
  }
  const auto key = read_small(bench, named->key);
  return key ? images::Signer::load(*key, *certificate) : Result<std::shared_ptr<const images::Signer>>{key.error()};
}

Result<images::Source> open_image(Bench& bench, const std::optional<UpdateImage>& image) {
  if (!image) {
    return images::Source{};
  }
  auto opened = open_file(bench, image->file);
  if (!opened || image->payload.empty()) {
    return opened;
  }
  auto payload = open_file(bench, image->payload);
  return payload ? with_payload(std::move(*opened), std::move(*payload)) : payload;
}

Result<images::Materials> materials_of(Bench& bench, const UpdateMechanism& mechanism) {
  images::Materials out;
  for (const auto& [image, into] :
       {std::pair<std::optional<UpdateImage>, images::Source&>{mechanism.image, out.genuine},
        std::pair<std::optional<UpdateImage>, images::Source&>{mechanism.older, out.older},
        std::pair<std::optional<UpdateImage>, images::Source&>{mechanism.other_model, out.other_model},
        std::pair<std::optional<UpdateImage>, images::Source&>{mechanism.component(), out.other_component}}) {
    auto source = open_image(bench, image);
    if (!source) {
      return source.error();
    }
    into = std::move(*source);
  }
  const auto signers = mechanism.signers.value_or(UpdateSigners{});
  for (const auto& [named, into] :
       {std::pair<const std::optional<ServerIdentity>&, std::shared_ptr<const images::Signer>&>{signers.expired,
                                                                                                out.expired},
        {signers.revoked, out.revoked},
        {signers.authority, out.authority}}) {
    auto signer = signer_of(bench, named);
    if (!signer) {
      return signer.error();
    }
    into = std::move(*signer);
  }
  return out;
}

std::unique_ptr<Transport> transport_for(ProbeContext& context, const UpdateMechanism& mechanism, const Files& files) {
  switch (mechanism.transport) {
    case UpdateTransport::http_pull:
      return make_pull(context, mechanism, files);
    case UpdateTransport::hawkbit:
      return make_hawkbit(context, mechanism, files);
    case UpdateTransport::mqtt:
      return make_mqtt(context, mechanism, files);
    case UpdateTransport::coap:
      return make_coap(context, mechanism, files);
    case UpdateTransport::lwm2m:
      return make_lwm2m(context, mechanism, files);
    case UpdateTransport::tftp:
      return make_tftp(context, mechanism);
    case UpdateTransport::mender:
      return make_mender(context, mechanism, files);
    case UpdateTransport::upload:
      return make_upload(context, mechanism);
    default:
      return make_exec(context, mechanism);
  }
}

/// One mechanism from its files to its facts.
class Course {
 public:
  Course(ProbeContext& context, const UpdateMechanism& mechanism, const AttackList& list, Gathered& gathered)
      : context_(context), mechanism_(mechanism), list_(list), gathered_(gathered) {}

  asio::awaitable<Result<>> run(Choice choice) {
    if (choice.restore && !mechanism_.restore) {
      none_tried(
          "the DUT file has no recipe that brings the device back (updates, restore); --no-restore does without");
      co_return Result<>{};
    }
    const auto prepared = prepare();
    if (!prepared) {
      none_tried(prepared.error().what);
      co_return Result<>{};
    }
    const auto transport = transport_for(context_, mechanism_, files_);
    const auto opened = co_await transport->open();
    if (!opened) {
      none_tried(opened.error().what);
      co_return sessions::ends_probe(opened.error().kind) && opened.error().kind != ErrorKind::io ? opened : Result<>{};
    }
    Campaign campaign({context_, mechanism_, list_, *transport, materials_, map_, std::move(choice)});
    Result<> ended;
    std::exception_ptr thrown;
    try {
      ended = co_await campaign.run();
    } catch (...) {
      thrown = std::current_exception();
    }
    co_await transport->close();
    if (thrown) {
      std::rethrow_exception(thrown);
    }
    tell(campaign);
    co_return ended;
  }

 private:
  Result<> prepare() {
    auto materials = materials_of(context_.bench, mechanism_);
    if (!materials) {
      return materials.error();
    }
    materials_ = std::move(*materials);
    auto files = read_files(mechanism_, context_.bench);
    if (!files) {
      return files.error();
    }
    files_ = std::move(*files);
    auto map = images::map_image(*materials_.genuine);
    if (!map) {
      return map.error();
    }
    map_ = std::move(*map);
    return tell_image();
  }

  Result<> tell_image() {
    const auto digest = images::sha256_of(*materials_.genuine);
    if (!digest) {
      return digest.error();
    }
    json::object regions;
    for (const auto& region : map_.regions) {
      auto& bytes = regions[enum_name(region.kind)];
      bytes = (bytes.is_int64() ? bytes.get_int64() : 0) + static_cast<std::int64_t>(region.length);
    }
    const auto* created = map_.facts.if_contains("created");
    gathered_.images.push_back(json::object{{"mechanism", mechanism_.mechanism},
                                            {"sha256", *digest},
                                            {"size", static_cast<std::int64_t>(materials_.genuine->size())},
                                            {"format", map_.format},
                                            {"facts", map_.facts},
                                            {"created", created == nullptr ? json::value(nullptr) : *created},
                                            {"doubts", to_json(map_.doubts)},
                                            {"older", older_rollback()},
                                            {"regions", std::move(regions)}});
    if (materials_.genuine->size() <= kLargestKept) {
      const auto whole = images::read_text(*materials_.genuine, 0, materials_.genuine->size(), kLargestKept);
      if (whole) {
        context_.record.artifact("genuine image of " + mechanism_.mechanism, "application/octet-stream", *whole);
      }
    }
    return {};
  }

  /// What the maker's older image is told from the newer one by; null without one.
  json::value older_rollback() const {
    const auto map =
        materials_.older ? images::map_image(*materials_.older) : Result<images::ImageMap>{images::ImageMap{}};
    const auto* rollback = map ? map->facts.if_contains("rollback") : nullptr;
    return rollback == nullptr ? json::value(nullptr) : *rollback;
  }

  void none_tried(const std::string& why) {
    for (const auto& attack : list_.attacks) {
      json::object entry{{"attack", attack.id}, {"mechanism", mechanism_.mechanism}, {"why", why}};
      describe(entry, &attack);
      gathered_.not_tried.push_back(std::move(entry));
    }
    gathered_.control.push_back(json::object{{"mechanism", mechanism_.mechanism},
                                             {"accepted", false},
                                             {"first", nullptr},
                                             {"last", nullptr},
                                             {"restores", false},
                                             {"pace", nullptr},
                                             {"why", why}});
  }

  json::value told(const std::optional<Attempt>& attempt) const {
    return attempt ? json::value(to_facts(*attempt, mechanism_, map_.format)) : json::value(nullptr);
  }

  void tell(const Campaign& campaign) {
    for (const auto& attempt : campaign.attempts()) {
      auto entry = to_facts(attempt, mechanism_, map_.format);
      describe(entry, find_attack(list_, attempt.attack));
      context_.record.evidence("update.attempts", attempt.evidence);
      gathered_.attempts.push_back(std::move(entry));
    }
    for (const auto& [id, why] : campaign.not_tried()) {
      json::object entry{{"attack", id}, {"mechanism", mechanism_.mechanism}, {"why", why}};
      describe(entry, find_attack(list_, id));
      gathered_.not_tried.push_back(std::move(entry));
    }
    const auto& first = campaign.first();
    const auto& last = campaign.last();
    const auto took = [](const std::optional<Attempt>& one) { return one && one->installed.value_or(false); };
    for (const auto* one : {&first, &last}) {
      if (*one) {
        context_.record.evidence("update.control", (*one)->evidence);
      }
    }
    gathered_.control.push_back(json::object{{"mechanism", mechanism_.mechanism},
                                             {"accepted", took(last) && (!first || took(first))},
                                             {"first", told(first)},
                                             {"last", told(last)},
                                             {"restores", mechanism_.restore.has_value()},
                                             {"pace", campaign.pace()},
                                             {"why", nullptr}});
    if (!campaign.bricked().is_null()) {
      auto entry = campaign.bricked().get_object();
      entry["mechanism"] = mechanism_.mechanism;
      gathered_.bricked.push_back(std::move(entry));
    }
    if (!campaign.passive().empty() || !campaign.polling().at("unprompted").is_null()) {
      auto entry = campaign.passive();
      for (const auto& [key, value] : campaign.polling()) {
        entry[key] = value;
      }
      entry["mechanism"] = mechanism_.mechanism;
      gathered_.passive.push_back(std::move(entry));
    }
  }

  ProbeContext& context_;
  const UpdateMechanism& mechanism_;
  const AttackList& list_;
  Gathered& gathered_;
  Files files_;
  images::Materials materials_;
  images::ImageMap map_;
};

class UpdateProbe final : public Probe {
 public:
  asio::awaitable<Result<>> observe(ProbeContext& context) override {
    sessions::FactSheet facts(context.record, kFacts);
    const auto text = [&](std::string_view key) {
      return std::string{std::string_view{context.parameters.at(key).as_string()}};
    };
    const auto wanted = text("mechanism");
    const auto* list = context.library.attacks(text("list"));
    if (list == nullptr) {
      co_return Error{ErrorKind::bad_input, "there is no list of attacks \"" + text("list") + "\"", {}};
    }
    Choice choice;
    choice.attacks = text("attacks");
    choice.watch = std::chrono::seconds{std::max<std::int64_t>(0, context.parameters.at("watch_s").as_int64())};
    choice.restore = context.parameters.at("restore").as_bool();
    choice.until = context.network.elapsed() + std::chrono::seconds{context.parameters.at("budget_s").as_int64()};
    Gathered gathered;
    Result<> ended;
    for (const auto& mechanism : context.dut.updates) {
      if (!ended || (!wanted.empty() && mechanism.mechanism != wanted)) {
        continue;
      }
      gathered.mechanisms.push_back(json::object{{"mechanism", mechanism.mechanism},
                                                 {"transport", enum_name(mechanism.transport)},
                                                 {"takes_ms", mechanism.takes_ms}});
      Course course(context, mechanism, *list, gathered);
      ended = co_await course.run(choice);
    }
    if (gathered.mechanisms.empty()) {
      facts.rest_unobserved(wanted.empty() ? "the DUT file describes no update mechanism (updates)"
                                           : "the DUT file describes no update mechanism " + wanted + " (updates)");
      co_return Result<>{};
    }
    facts.fact("update.mechanisms", std::move(gathered.mechanisms));
    facts.fact("update.control", std::move(gathered.control));
    facts.fact("update.attempts", std::move(gathered.attempts));
    facts.fact("update.not_tried", std::move(gathered.not_tried));
    facts.fact("update.bricked", std::move(gathered.bricked));
    facts.fact("update.passive", std::move(gathered.passive));
    facts.fact("update.static", std::move(gathered.images));
    co_return ended;
  }
};

std::unique_ptr<Probe> make() {
  return std::make_unique<UpdateProbe>();
}

}  // namespace

extern const ProbeDescriptor kDescriptor;
const ProbeDescriptor kDescriptor{
    .id = "update",
    .summary =
        "Offers a device its genuine update, attacks on it one at a time, and the genuine one again; says what it "
        "installed.",
    .version = 1,
    .intrusiveness = Intrusiveness::destructive,
    .exclusive = Exclusive::device,
    .subject = ProbeSubject::device,
    .deadline = milliseconds{960000},
    .parameters = kParameters,
    .facts = kFacts,
    .make = &make,
};

}  // namespace assay::probes::update
