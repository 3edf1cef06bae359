#include "harness/load/load_device.hpp"

#include <set>

#include "harness/load/check.hpp"
#include "harness/load/read.hpp"

/// device/1 and expected/1.
namespace assay {

namespace {

std::vector<Isolation> modes_of(const Node& node) {
  std::vector<Isolation> out;
  for (const auto& word : texts_of(node, "modes")) {
    if (const auto mode = enum_from<Isolation>(word)) {
      out.push_back(*mode);
    }
  }
  return out;
}

DeviceAccount account_of(const Node& node) {
  DeviceAccount out;
  out.username = text_of(node, "username");
  out.password = text_of(node, "password");
  out.uid = static_cast<std::uint32_t>(integer_of(node, "uid", out.uid));
  out.home = text_of(node, "home", out.home);
  out.shell = text_of(node, "shell", out.shell);
  return out;
}

CertificateSpec certificate_of(const Node& node) {
  CertificateSpec out;
  out.name = text_of(node, "name");
  out.common_name = text_of(node, "common_name");
  out.names = texts_of(node, "names");
  out.key = text_of(node, "key", out.key);
  out.from_days = integer_of(node, "from_days", out.from_days);
  out.to_days = integer_of(node, "to_days", out.to_days);
  out.issuer = text_of(node, "issuer");
  return out;
}

DeviceFile file_of(const Node& node) {
  DeviceFile out;
  out.path = text_of(node, "path");
  out.text = text_of(node, "text");
  out.mode = text_of(node, "mode", out.mode);
  out.modes = modes_of(node);
  return out;
}

DaemonSpec daemon_of(const Node& node) {
  return {text_of(node, "name"),       texts_of(node, "argv"),  texts_of(node, "ready"),
          text_of(node, "ready_file"), texts_of(node, "needs"), modes_of(node)};
}

std::map<std::string, Endpoint> ports_of(const Node& root, const char* key) {
  std::map<std::string, Endpoint> out;
  const auto& ports = child(root, key);
  for (std::size_t i = 0; i < ports.items.size() && i < ports.keys.size(); ++i) {
    const auto endpoint = Endpoint::parse(ports.items[i].text);
    if (endpoint) {  // the table has told about the others
      out.emplace(ports.keys[i].text, *endpoint);
    }
  }
  return out;
}

/// What one key table cannot say: names that refer to other parts of the file.
void check_names(const Node& root, const DeviceSpec& spec, Faults& faults) {
  std::set<std::string> certificates;
  for (const auto& node : child(root, "certificates").items) {
    const auto issuer = text_of(node, "issuer");
    if (!issuer.empty() && !certificates.contains(issuer)) {
      faults.add(place_of(node, "issuer"), "the issuer \"" + issuer + "\" must be a certificate earlier in the list");
    }
    if (!certificates.insert(text_of(node, "name")).second) {
      faults.add(place_of(node, "name"), "there are two certificates of this name");
    }
  }
  std::set<std::string> variants;
  for (const auto& node : child(root, "variants").items) {
    if (!variants.insert(text_of(node, "name")).second) {
      faults.add(place_of(node, "name"), "there are two variants of this name");
    }
  }
  for (const auto& node : child(root, "daemons").items) {
    for (const auto& item : child(node, "ready").items) {
      if (!spec.ports.contains(item.text)) {
        faults.add(item.place, "there is no port \"" + item.text + "\" in ports");
      }
    }
  }
}

template <class T>
Loaded<T> finish(T value, const Faults& faults) {
  if (!faults.empty()) {
    return {std::nullopt, faults.errors()};
  }
  return {std::move(value), {}};
}

}  // namespace

Loaded<DeviceSpec> load_device(const SourceText& source) {
  Faults faults(source.path);
  const auto root = read_yaml(source.text, faults);
  if (!root || !check_file(*root, "device/1", faults)) {
    return {std::nullopt, faults.errors()};
  }
  DeviceSpec spec;
  spec.title = text_of(*root, "title");
  spec.ports = ports_of(*root, "ports");
  spec.tester_ports = ports_of(*root, "tester_ports");
  for (const auto& node : child(*root, "variants").items) {
    spec.variants.push_back({text_of(node, "name"), text_of(node, "title")});
  }
  for (const auto& node : child(*root, "accounts").items) {
    spec.accounts.push_back(account_of(node));
  }
  for (const auto& node : child(*root, "certificates").items) {
    spec.certificates.push_back(certificate_of(node));
  }
  for (const auto& node : child(*root, "files").items) {
    spec.files.push_back(file_of(node));
  }
  for (const auto& node : child(*root, "daemons").items) {
    spec.daemons.push_back(daemon_of(node));
  }
  const auto& limits = child(*root, "cannot_show");
  for (const auto& key : limits.keys) {
    spec.cannot_show.emplace(key.text, texts_of(limits, key.text));
  }
  check_names(*root, spec, faults);
  return finish(std::move(spec), faults);
}

Loaded<ExpectedVerdicts> load_expected(const SourceText& source) {
  Faults faults(source.path);
  const auto root = read_yaml(source.text, faults);
  if (!root || !check_file(*root, "expected/1", faults)) {
    return {std::nullopt, faults.errors()};
  }
  ExpectedVerdicts out;
  for (const auto& node : child(*root, "expectations").items) {
    Expectation one{text_of(node, "plan"),  modes_of(node), texts_of(node, "variants"), texts_of(node, "fail"), {},
                    texts_of(node, "notes")};
    const auto& hold = child(node, "hold");
    for (const auto& key : hold.keys) {
      const auto word = text_of(hold, key.text);
      for (auto verdict = Verdict::pass; verdict <= Verdict::error;
           verdict = static_cast<Verdict>(static_cast<int>(verdict) + 1)) {
        if (word == word_for(verdict)) {
          one.hold.emplace(key.text, verdict);
        }
      }
    }
    out.expectations.push_back(std::move(one));
  }
  return finish(std::move(out), faults);
}

}  // namespace assay
