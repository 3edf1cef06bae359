#include "probes/update/transports/transports.hpp"

/// Behaviours of our server, and the files that a mechanism names.
namespace assay::probes::update {

namespace {

constexpr std::uint64_t kMostRead = std::uint64_t{1} << 20U;
constexpr std::size_t kMostTimes = 64;

Result<std::optional<TlsIdentity>> read_identity(const std::optional<ServerIdentity>& named, Bench& bench) {
  if (!named) {
    return std::optional<TlsIdentity>{};
  }
  auto chain = read_small(bench, named->certificate);
  if (!chain) {
    return chain.error();
  }
  auto key = read_small(bench, named->key);
  if (!key) {
    return key.error();
  }
  return std::optional{TlsIdentity{std::move(*chain), std::move(*key)}};
}

}  // namespace

void Fetched::come(milliseconds now) {
  last = now;
  first = first ? first : std::optional{now};
}

void Fetched::ask(milliseconds now) {
  come(now);
  ++requests;
  if (asked.size() < kMostTimes) {
    asked.push_back(now);
  }
}

void Fetched::release(milliseconds now, bool held) {
  holding = false;
  held_to_the_end = held;
  released = released ? released : std::optional{now};
}

void Fetched::end_cut(Loss loss, const Result<>& done) {
  cutting = false;
  lost = done.has_value();
  if (!done) {
    trouble = uncut(loss, done.error());
  }
}

std::string uncut(Loss loss, const Error& why) {
  return "the " + enum_name(loss) + " was not cut: " + why.what;
}

asio::awaitable<void> cut_in_the_middle(const CutOff& by, Loss loss, Fetched& fetched) {
  fetched.begin_cut();
  Result<> done{Error{ErrorKind::unsupported, "nothing cuts it", {}}};
  if (by) {
    auto cut = by(loss);
    done = co_await std::move(cut);
  }
  fetched.end_cut(loss, done);
}

Behaviour behaviour_of(const json::object& object) {
  Behaviour out;
  const auto text = [&](std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string{std::string_view{value->get_string()}} : std::string{};
  };
  const auto flag = [&](std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_bool() && value->get_bool();
  };
  const auto number = [&](std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_int64() ? std::optional{static_cast<int>(value->get_int64())} : std::nullopt;
  };
  out.certificate = text("certificate");
  out.plain = flag("plain");
  out.redirect = text("redirect");
  out.url = text("url");
  out.cut_at = number("cut_at");
  out.stall_at = number("stall_at");
  const bool link = object.contains("link_at") || object.contains("link_installing");
  out.loss = link ? Loss::link : Loss::power;
  out.loss_at = number(link ? "link_at" : "power_at");
  out.loss_installing = flag(link ? "link_installing" : "power_installing");
  out.drip = flag("drip");
  out.endless = flag("endless");
  out.length = number("length").value_or(1);
  out.second = flag("second");
  out.status = number("status").value_or(0);
  out.anonymous = flag("anonymous");
  out.date = text("date");
  return out;
}

std::uint64_t flood_behind(std::uint64_t size) {
  return size * 4 + (std::uint64_t{256} << 10U);
}

std::string cannot_in_the_clear(const Behaviour& behaviour, const std::string& protocol) {
  if (!behaviour.certificate.empty() || behaviour.plain) {
    return protocol + " has no certificates";
  }
  if (!behaviour.redirect.empty()) {
    return protocol + " knows no redirects";
  }
  return behaviour.url.empty() ? std::string{} : protocol + " has nothing to fall back from";
}

const Account* account_of(const ProbeContext& context, const std::string& role) {
  const auto& accounts = context.dut.accounts;
  const auto found = std::find_if(accounts.begin(), accounts.end(), [&](const auto& one) { return one.role == role; });
  return role.empty() || found == accounts.end() ? nullptr : &*found;
}

Result<std::string> read_small(Bench& bench, const std::string& name) {
  const auto path = bench.file(name);
  if (!path) {
    return path.error();
  }
  const auto source = images::FileSource::open(*path);
  if (!source) {
    return Error{ErrorKind::bad_input, name + " cannot be read: " + source.error().what, {}};
  }
  return images::read_text(**source, 0, (*source)->size(), kMostRead);
}

Result<Files> read_files(const UpdateMechanism& mechanism, Bench& bench) {
  Files out;
  const auto serve = mechanism.serve.value_or(UpdateServer{});
  auto genuine = read_identity(serve.genuine, bench);
  auto misnamed = read_identity(serve.misnamed, bench);
  auto expired = read_identity(serve.expired, bench);
  for (const auto* one : {&genuine, &misnamed, &expired}) {
    if (!*one) {
      return one->error();
    }
  }
  out.genuine = std::move(*genuine);
  out.misnamed = std::move(*misnamed);
  out.expired = std::move(*expired);
  const auto manifest = mechanism.manifest.value_or(UpdateManifest{});
  const auto announce = mechanism.announce.value_or(UpdateAnnouncement{});
  const auto expired_one = manifest.expired.empty() ? SignedManifest{} : manifest.expired.front();
  const auto older_one = manifest.older.empty() ? SignedManifest{} : manifest.older.front();
  using Read = std::pair<const std::string&, std::string&>;
  for (const auto& [name, into] :
       {Read{manifest.file, out.manifest.text}, Read{manifest.signature, out.manifest.signature},
        Read{expired_one.file, out.expired_manifest.text}, Read{expired_one.signature, out.expired_manifest.signature},
        Read{older_one.file, out.older_manifest.text}, Read{older_one.signature, out.older_manifest.signature},
        Read{announce.file, out.announcement}}) {
    if (name.empty()) {
      continue;
    }
    auto text = read_small(bench, name);
    if (!text) {
      return text.error();
    }
    into = std::move(*text);
  }
  return out;
}

asio::awaitable<Result<std::string>> Transport::read(std::string place) {
  co_return Error{ErrorKind::unsupported, place + " cannot be read by this transport", {}};
}

}  // namespace assay::probes::update
