#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "harness/load/check.hpp"
#include "harness/load/declaration.hpp"
#include "harness/load/dut.hpp"
#include "harness/load/mud.hpp"
#include "harness/load/read.hpp"
#include "harness/load/words.hpp"
#include "harness/load/written_secrets.hpp"

namespace assay {

namespace {

constexpr std::size_t kLongestSecret = 4096;

Recipe recipe_of(const Node& node) {
  Recipe out;
  const auto optional = [&](std::string_view key) -> std::optional<std::string> {
    return find(node, key) != nullptr ? std::optional{text_of(node, key)} : std::nullopt;
  };
  out.exec = optional("exec");
  out.prompt = optional("prompt");
  out.emulate = optional("emulate");
  if (find(node, "tcp") != nullptr) {
    out.tcp = Endpoint{Transport::tcp, static_cast<std::uint16_t>(integer_of(node, "tcp", 0))};
  }
  out.within_ms = parse_duration(text_of(node, "within")).value_or(out.within_ms);
  for (const auto& endpoint : texts_of(node, "closes")) {
    if (const auto parsed = Endpoint::parse(endpoint)) {
      out.closes.push_back(*parsed);
    }
  }
  return out;
}

std::map<std::string, Recipe> recipes_at(const Node& mapping, std::string_view key) {
  std::map<std::string, Recipe> out;
  const auto& recipes = child(mapping, key);
  for (std::size_t i = 0; i < recipes.keys.size(); ++i) {
    out[recipes.keys[i].text] = recipe_of(recipes.items[i]);
  }
  return out;
}

std::optional<Recipe> recipe_at(const Node& mapping, std::string_view key) {
  return recipe_in(mapping, key);
}

LabRecipes lab_of(const Node& lab) {
  LabRecipes out;
  out.start = recipe_at(lab, "start");
  out.ready = recipe_at(lab, "ready");
  out.stop = recipe_at(lab, "stop");
  out.states = recipes_at(lab, "states");
  out.triggers = recipes_at(lab, "trigger");
  out.power_cycle = recipe_at(child(lab, "power"), "cycle");
  if (auto cycle = recipe_at(child(lab, "link"), "cycle")) {
    out.link_cycle.push_back(std::move(*cycle));
  }
  const auto& vantages = child(lab, "vantages");
  for (std::size_t i = 0; i < vantages.keys.size(); ++i) {
    out.vantages[vantages.keys[i].text] = {text_of(vantages.items[i], "netns"),
                                           text_of(vantages.items[i], "interface")};
  }
  const auto sources = texts_of(lab, "sources");
  out.sources.assign(sources.begin(), sources.end());
  return out;
}

Pace pace_of(const Node& root, std::string_view instead) {
  const auto& numbers = child(root, "pace");
  const auto profile = numbers.is_mapping() ? text_of(numbers, "profile") : text_of(root, "pace");
  auto out = pace_profile(instead.empty() ? std::string_view{profile} : instead).value_or(Pace{});
  const auto number = [&](std::string_view key, std::uint32_t& value) {
    value = static_cast<std::uint32_t>(integer_of(numbers, key, value));
  };
  number("login_attempts_per_account", out.login_attempts_per_account);
  number("login_interval_ms", out.login_interval_ms);
  if (instead.empty()) {
    number("max_connections", out.max_connections);
    number("max_connects_per_second", out.max_connects_per_second);
    number("max_packets_per_second", out.max_packets_per_second);
    number("connect_timeout_ms", out.connect_timeout_ms);
    number("reply_timeout_ms", out.reply_timeout_ms);
  }
  const auto one = [&](const char* key, Later<std::uint32_t>& field) {
    if (find(numbers, key) != nullptr) {
      field = {static_cast<std::uint32_t>(integer_of(numbers, key, 0))};
    }
  };
  one("guesses_per_login", out.guesses_per_login);
  one("login_attempts_per_endpoint", out.login_attempts_per_endpoint);
  return out;
}

DeviceIdentity device_of(const Node& device) {
  DeviceIdentity out;
  out.vendor = text_of(device, "vendor", out.vendor);
  out.model = text_of(device, "model", out.model);
  out.hardware = text_of(device, "hardware", out.hardware);
  out.firmware = text_of(device, "firmware", out.firmware);
  out.product_class = text_of(device, "product_class", out.product_class);
  out.managed = text_of(device, "managed", out.managed);
  return out;
}

std::vector<Sample> samples_of(const Node& samples) {
  std::vector<Sample> out;
  for (const auto& node : samples.items) {
    Sample sample;
    sample.id = text_of(node, "id");
    sample.serial = text_of(node, "serial");
    sample.mac = text_of(node, "mac");
    sample.destructive = bool_of(node, "destructive", false);
    const auto& at = child(node, "at");
    for (std::size_t i = 0; i < at.keys.size(); ++i) {
      for (const auto* address : one_or_more(at.items[i])) {
        sample.at[at.keys[i].text].push_back(address->text);
      }
    }
    out.push_back(std::move(sample));
  }
  return out;
}

Later<Inherited> inherits_of(const Node& entries) {
  Later<Inherited> out;
  for (const auto& node : entries.items) {
    out.push_back({text_of(node, "certificate"),
                   text_of(node, "scheme"),
                   text_of(node, "component"),
                   text_of(node, "version"),
                   text_of(node, "issued"),
                   text_of(node, "expires"),
                   texts_of(node, "clauses"),
                   text_of(node, "accepted_by"),
                   text_of(node, "file"),
                   {}});
  }
  return out;
}

Later<Variant> family_of(const Node& variants) {
  Later<Variant> out;
  for (const auto& node : variants.items) {
    out.push_back({text_of(node, "model"), text_of(node, "differences"), bool_of(node, "tested", false),
                   text_of(node, "argued")});
  }
  return out;
}

/// "Cookie: …", whatever its case.
bool is_cookie(std::string_view header) {
  constexpr std::string_view kCookie = "cookie:";
  return std::equal(kCookie.begin(), kCookie.end(), header.begin(),
                    header.begin() + static_cast<std::ptrdiff_t>(std::min(header.size(), kCookie.size())),
                    [](char one, char other) { return one == std::tolower(static_cast<unsigned char>(other)); });
}

/// The cookie itself has the token; behind it stand its attributes.
bool carries_token(std::string_view header) {
  return header.substr(0, header.find(';')).find("={token}") != std::string_view::npos;
}

Later<LoginRecipe> logins_of(const Node& logins, Faults& faults) {
  Later<LoginRecipe> out;
  for (const auto& node : logins.items) {
    LoginRecipe entry;
    const auto place = Endpoint::parse(text_of(node, "port"));
    entry.port = place ? *place : Endpoint{};
    entry.path = text_of(node, "path");
    entry.body = text_of(node, "body");
    entry.token = text_of(node, "token");
    entry.header = text_of(node, "header", "Authorization: Bearer {token}");
    entry.check = text_of(node, "check");
    boost::system::error_code failed;
    const auto body = json::parse(entry.body, failed);
    const auto complain = [&](const char* key, const std::string& what) {
      const auto* wrong = find(node, key);
      faults.add(wrong != nullptr ? wrong->place : node.place, what);
    };
    if (entry.port.transport != Transport::tcp) {
      complain("port", "a login over HTTP needs a TCP endpoint such as tcp/443");
    }
    if (failed || !body.is_object() || entry.body.find("{password}") == std::string::npos) {
      complain("body", "the body is a JSON object that holds {password} in one of its texts");
    }
    if (!entry.path.starts_with('/') || !entry.check.starts_with('/')) {
      complain(entry.path.starts_with('/') ? "check" : "path", "a path begins with /");
    }
    if (!entry.token.empty() && !entry.token.starts_with('/')) {
      complain("token", "a JSON Pointer begins with /, such as /data/token");
    }
    if (entry.header.find(':') == std::string::npos || entry.header.find("{token}") == std::string::npos) {
      complain("header", "the header is written as \"Name: value\", with {token} in its value");
    }
    if (is_cookie(entry.header) && !carries_token(entry.header)) {
      complain("header", "a cookie is written as \"Cookie: NAME={token}\", with the attributes of that one behind it");
    }
    const bool twice = std::any_of(out.begin(), out.end(), [&](const auto& other) { return other.port == entry.port; });
    if (twice) {
      complain("port", "one endpoint has one login here");
    }
    out.push_back(std::move(entry));
  }
  return out;
}

/// RFC 4279, 5.1 and 5.3: how long a key and its name may be at least, and what OpenSSL takes at most.
void check_shared_key(const Node& node, const SharedKey& psk, Faults& faults) {
  constexpr std::size_t kLongestIdentity = 128;
  constexpr std::size_t kLongestKey = 256;
  const auto& key = psk.key.reveal();
  if (psk.identity.empty() || psk.identity.size() > kLongestIdentity) {
    faults.add(place_of(node, "identity"), "the name of a pre-shared key has 1 to 128 bytes");
  }
  const bool digits = key.size() % 2 == 0 && key.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (psk.hex && !digits) {
    faults.add(place_of(node, "key"), "this key is no even number of hexadecimal digits");
  }
  const auto size = psk.hex ? key.size() / 2 : key.size();
  if (find(node, "key") != nullptr && faults.empty() && (size == 0 || size > kLongestKey)) {
    faults.add(place_of(node, "key"), "a pre-shared key has 1 to 256 bytes");
  }
}

void read_secrets(const Node& root, const std::filesystem::path& folder, Dut& dut, Faults& faults) {
  for (const auto& node : child(root, "accounts").items) {
    const auto name = "accounts entry " + std::to_string(dut.accounts.size() + 1);
    dut.accounts.push_back(
        {text_of(node, "role"), text_of(node, "username"), resolve_secret(node, "secret", name, folder, faults)});
  }
  for (const auto& node : child(root, "vendor_credentials").items) {
    const auto name = "DUT file vendor_credentials entry " + std::to_string(dut.vendor_credentials.size() + 1);
    dut.vendor_credentials.push_back(
        {text_of(node, "username"), resolve_secret(node, "password", name, folder, faults)});
  }
  for (std::size_t i = 0; i < dut.updates.size(); ++i) {
    if (auto& serve = dut.updates[i].serve; serve && serve->psk) {
      const auto& node = child(child(child(root, "updates").items[i], "serve"), "psk");
      auto& psk = *serve->psk;
      const auto name = "updates entry " + std::to_string(i + 1) + " psk";
      psk.key = resolve_secret(node, "key", name, folder, faults);
      check_shared_key(node, psk, faults);
    }
  }
}

Later<PasswordSample> password_samples_of(const Node& root, const std::filesystem::path& folder, Faults& faults) {
  Later<PasswordSample> out;
  for (const auto& node : child(root, "password_samples").items) {
    const auto name = "password_samples entry " + std::to_string(out.size() + 1);
    PasswordSample one;
    one.secret = resolve_secret(node, "secret", name, folder, faults);
    one.mechanism = text_of(node, "mechanism");
    one.username = text_of(node, "username");
    one.sample = text_of(node, "sample");
    one.serial = text_of(node, "serial");
    one.mac = text_of(node, "mac");
    one.ssid = text_of(node, "ssid");
    one.model = text_of(node, "model");
    one.date = text_of(node, "date");
    out.push_back(std::move(one));
  }
  return out;
}

Secret secret_from_file(const std::string& name, const std::filesystem::path& path, Place place, Faults& faults) {
  auto source = read_source(path);
  if (!source) {
    faults.add(place, "the secret " + shown(name) + " cannot be read: " + source.error().what);
    return {};
  }
  auto& text = source->text;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  if (text.size() > kLongestSecret || text.find('\0') != std::string::npos) {
    faults.add(place, "the secret " + shown(name) + " is longer than 4096 bytes or holds a NUL byte");
    return {};
  }
  return Secret{text, name};
}

}  // namespace

std::optional<Recipe> recipe_in(const Node& mapping, std::string_view key) {
  return find(mapping, key) != nullptr ? std::optional{recipe_of(child(mapping, key))} : std::nullopt;
}

Secret resolve_secret(const Node& mapping, std::string_view key, std::string name, const std::filesystem::path& folder,
                      Faults& faults) {
  const auto* node = find(mapping, key);
  if (node == nullptr || !node->is_scalar()) {
    return {};
  }
  const std::string& text = node->text;
  if (text.starts_with("env:")) {
    const auto variable = text.substr(4);
    const char* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
    if (value == nullptr) {
      faults.add(node->place, "the environment variable " + shown(variable) + " is not set");
      return {};
    }
    return Secret{value, text};
  }
  if (text.starts_with("file:")) {
    return secret_from_file(text, folder / text.substr(5), node->place, faults);
  }
  if (text.starts_with(kMaskedSecret)) {
    faults.add(node->place, "this secret was left out of the bundle: give the DUT file itself with --dut FILE");
    return {};
  }
  return Secret{text, std::move(name)};
}

Loaded<Dut> load_dut(const SourceText& source, std::string_view pace) {
  Faults faults(source.path);
  const auto root = read_yaml(source.text, faults);
  if (!root || !check_file(*root, "dut/1", faults)) {
    return {std::nullopt, faults.errors()};
  }
  check_dut_rules(*root, faults);
  Dut dut;
  dut.device = device_of(child(*root, "device"));
  dut.samples = samples_of(child(*root, "samples"));
  dut.scope = texts_of(*root, "scope");
  dut.ecosystem = object_of(*root, "ecosystem");
  dut.pace = pace_of(*root, pace);
  dut.lab = lab_of(child(*root, "lab"));
  read_declaration(*root, dut);
  dut.inherits = inherits_of(child(*root, "inherits"));
  dut.family = family_of(child(*root, "family"));
  dut.logins = logins_of(child(*root, "logins"), faults);
  dut.web = web_interfaces_of(child(*root, "web"), faults);
  dut.messages = message_interfaces_of(child(*root, "messages"), faults);
  dut.brokers = brokers_of(*root, faults);
  dut.updates = updates_of(*root, faults);
  read_mud(*root, std::filesystem::path{source.path}.parent_path(), dut, faults);
  const auto folder = std::filesystem::path{source.path}.parent_path();
  read_secrets(*root, folder, dut, faults);
  dut.password_samples = password_samples_of(*root, folder, faults);
  if (!faults.empty()) {
    return {std::nullopt, faults.errors()};
  }
  return {std::move(dut), {}};
}

}  // namespace assay
