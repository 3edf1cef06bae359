#include <algorithm>

#include "harness/load/dut.hpp"
#include "harness/load/read.hpp"
#include "harness/load/syntax.hpp"
#include "harness/load/words.hpp"

/// `updates` of dut/1.
namespace assay {

namespace {

Endpoint endpoint_of(const Node& node, std::string_view key) {
  return Endpoint::parse(text_of(node, key)).value_or(Endpoint{});
}

std::optional<ServerIdentity> identity_of(const Node& node) {
  const auto certificate = text_of(node, "certificate");
  return certificate.empty() ? std::nullopt : std::optional{ServerIdentity{certificate, text_of(node, "key")}};
}

std::optional<UpdateServer> server_of(const Node& update) {
  const auto& node = child(update, "serve");
  if (!node.is_mapping()) {
    return std::nullopt;
  }
  UpdateServer out;
  out.port = static_cast<std::uint16_t>(integer_of(node, "port", 0));
  out.tls = bool_of(node, "tls", false);
  out.name = text_of(node, "name");
  out.genuine = identity_of(node);
  out.misnamed = identity_of(child(node, "misnamed"));
  out.expired = identity_of(child(node, "expired"));
  if (const auto& psk = child(node, "psk"); psk.is_mapping()) {
    out.psk = SharedKey{text_of(psk, "identity"), {}, bool_of(psk, "hex", false)};
  }
  return out;
}

Later<SignedManifest> signed_manifest_of(const Node& manifest, std::string_view key) {
  const auto& node = child(manifest, key);
  Later<SignedManifest> out;
  if (node.is_mapping()) {
    out.push_back(
        {text_of(node, "file"), text_of(node, "signature"), text_of(node, "image_path"), text_of(node, "held")});
  }
  return out;
}

std::optional<UpdateManifest> manifest_of(const Node& update) {
  const auto& node = child(update, "manifest");
  if (!node.is_mapping()) {
    return std::nullopt;
  }
  UpdateManifest out;
  out.path = text_of(node, "path");
  out.body = text_of(node, "body");
  out.file = text_of(node, "file");
  out.envelope = bool_of(node, "envelope", false);
  out.signature = text_of(child(node, "signature"), "file");
  out.signature_path = text_of(child(node, "signature"), "path");
  out.image_path = text_of(node, "image_path", out.image_path);
  out.expired = signed_manifest_of(node, "expired");
  out.older = signed_manifest_of(node, "older");
  return out;
}

std::optional<UpdateUpload> upload_of(const Node& update) {
  const auto& node = child(update, "upload");
  if (!node.is_mapping()) {
    return std::nullopt;
  }
  return UpdateUpload{endpoint_of(node, "port"), bool_of(node, "tls", false), text_of(node, "path"),
                      text_of(node, "field", "image"), text_of(node, "login")};
}

std::optional<UpdateAnnouncement> announcement_of(const Node& update) {
  const auto& node = child(update, "announce");
  if (!node.is_mapping()) {
    return std::nullopt;
  }
  UpdateAnnouncement out;
  out.listen = static_cast<std::uint16_t>(integer_of(node, "listen", 0));
  out.broker = Endpoint::parse(text_of(node, "broker"));
  if (const auto command = text_of(node, "exec"); !command.empty()) {
    Recipe recipe;
    recipe.exec = command;
    out.exec = recipe;
  }
  out.tls = bool_of(node, "tls", false);
  out.login = text_of(node, "login");
  out.topic = text_of(node, "topic");
  out.message = text_of(node, "message");
  out.file = text_of(node, "file");
  return out;
}

std::optional<UpdateClient> client_of(const Node& update) {
  const auto& node = child(update, "client");
  if (!node.is_mapping()) {
    return std::nullopt;
  }
  return UpdateClient{text_of(node, "endpoint"),
                      enum_from<UpdateDelivery>(text_of(node, "deliver")).value_or(UpdateDelivery::as_told)};
}

std::optional<UpdateRecovery> recovery_of(const Node& update) {
  const auto& node = child(update, "recovery");
  if (!node.is_mapping()) {
    return std::nullopt;
  }
  return UpdateRecovery{text_of(node, "file"),
                        enum_from<RecoveryDelivery>(text_of(node, "deliver")).value_or(RecoveryDelivery::pull),
                        Endpoint::parse(text_of(node, "port"))};
}

std::optional<UpdateImage> image_of(const Node& update, std::string_view key) {
  const auto& node = child(update, key);
  return node.is_mapping()
             ? std::optional{UpdateImage{text_of(node, "file"), text_of(node, "version"), text_of(node, "payload")}}
             : std::nullopt;
}

std::optional<UpdateSigners> signers_of(const Node& update) {
  const auto& node = child(update, "signers");
  if (!node.is_mapping()) {
    return std::nullopt;
  }
  return UpdateSigners{identity_of(child(node, "expired")), identity_of(child(node, "revoked")),
                       identity_of(child(node, "authority"))};
}

/// Where the version is read by a protocol that has accounts.
void read_logins(const Node& node, VersionSource& out) {
  if (const auto& topic = child(node, "mqtt"); topic.is_mapping()) {
    out.mqtt = VersionTopic{Endpoint::parse(text_of(topic, "port")), bool_of(topic, "tls", false),
                            text_of(topic, "login"), text_of(topic, "topic")};
    out.pointer = text_of(topic, "pointer");
    out.report = text_of(topic, "report");
  }
  if (const auto& command = child(node, "ssh"); command.is_mapping()) {
    out.ssh = VersionCommand{endpoint_of(command, "port"), text_of(command, "login"), text_of(command, "command")};
  }
  if (const auto& object = child(node, "snmp"); object.is_mapping()) {
    out.snmp = VersionObject{endpoint_of(object, "port"),
                             text_of(object, "login"),
                             text_of(object, "object"),
                             text_of(object, "after"),
                             enum_from<SnmpDigest>(text_of(object, "digest")).value_or(SnmpDigest::sha1),
                             bool_of(object, "encrypted", false)};
  }
}

VersionSource version_of(const Node& update) {
  const auto& node = child(update, "version_at");
  VersionSource out;
  if (const auto& page = child(node, "http"); page.is_mapping()) {
    out.http = endpoint_of(page, "port");
    out.tls = bool_of(page, "tls", false);
    out.path = text_of(page, "path");
    out.pointer = text_of(page, "pointer");
    out.report = text_of(page, "report");
  }
  if (const auto& resource = child(node, "coap"); resource.is_mapping()) {
    out.coap = endpoint_of(resource, "port");
    out.path = text_of(resource, "path");
    out.pointer = text_of(resource, "pointer");
    out.report = text_of(resource, "report");
  }
  read_logins(node, out);
  out.resource = text_of(node, "resource");
  if (const auto& banner = child(node, "banner"); banner.is_mapping()) {
    out.banner = endpoint_of(banner, "port");
    out.after = text_of(banner, "after");
  }
  if (const auto command = text_of(node, "exec"); !command.empty()) {
    Recipe recipe;
    recipe.exec = command;
    out.exec = recipe;
  }
  if (const auto sentence = text_of(node, "prompt"); !sentence.empty()) {
    Recipe recipe;
    recipe.prompt = sentence;
    out.prompt = recipe;
  }
  return out;
}

/// What the transport cannot do without.
void check_transport(const Node& node, const UpdateMechanism& update, Faults& faults) {
  using enum UpdateTransport;
  const auto transport = update.transport;
  const std::string name = enum_name(transport);
  const auto need = [&](bool missing, const char* what) {
    if (missing) {
      faults.add(place_of(node, "transport"), name + " needs " + what);
    }
  };
  const bool pushed = update.recovery && update.recovery->deliver == RecoveryDelivery::push;
  need(transport != upload && transport != exec && !(transport == tftp && pushed) && !update.serve,
       "\"serve\": the server that the device was pointed at");
  need((transport == http_pull || transport == coap) && !update.manifest, "\"manifest\": what the device polls");
  need(transport == upload && !update.upload, "\"upload\": the page of the device");
  need(transport == mqtt && !update.announce, "\"announce\": how the device hears of it");
  need(transport == tftp && !update.recovery, "\"recovery\": which file, and which way it goes");
  need(transport == tftp && pushed && !update.recovery->port, "\"port\" of recovery: the server of the device");
  need(transport == exec && !update.offer, "\"offer\": the command that offers the image");
  if (update.serve && update.serve->tls && transport == tftp) {
    faults.add(place_of(node, "serve"), "tftp has no TLS");
  } else if (update.serve && update.serve->tls && !update.serve->genuine) {
    faults.add(place_of(node, "serve"), "a server with TLS needs \"certificate\" and \"key\"");
  }
  if (update.serve && update.serve->psk && transport != coap && transport != lwm2m) {
    faults.add(place_of(node, "serve"), "a pre-shared key (\"psk\") is of DTLS: of coap and lwm2m alone");
  }
  if (update.serve && update.serve->psk && update.serve->tls) {
    faults.add(place_of(node, "serve"), "a server proves itself by \"psk\" or by a certificate (\"tls\"), not by both");
  }
  if (!update.version_at.resource.empty() && transport != lwm2m) {
    faults.add(place_of(node, "version_at"), "\"resource\" is read where the device is registered: by lwm2m alone");
  }
}

/// Manifests that count no more are given as the newest one is.
void check_signed_manifests(const Node& node, const UpdateMechanism& update, Faults& faults) {
  if (!update.manifest) {
    return;
  }
  const auto& manifest = *update.manifest;
  for (const auto& [others, key] : {std::pair{&manifest.expired, "expired"}, std::pair{&manifest.older, "older"}}) {
    for (const auto& other : *others) {
      const auto place = place_of(child(node, "manifest"), key);
      if (manifest.file.empty()) {
        faults.add(place, "a manifest that the maker signed stands beside one: beside \"file\"");
      }
      if (!manifest.signature_path.empty() && other.signature.empty()) {
        faults.add(place, "the manifest has a \"signature\" beside it, and this one needs its own");
      }
      if (!other.image_path.empty() && !other.image_path.starts_with('/')) {
        faults.add(place, "a path begins with /, and " + shown(other.image_path) + " does not");
      }
    }
  }
}

/// An envelope is served as it is; what lies beside it has no place anywhere else.
void check_payloads(const Node& node, const UpdateMechanism& update, Faults& faults) {
  using enum UpdateTransport;
  const bool enveloped = update.manifest && update.manifest->envelope;
  if (enveloped && update.transport != http_pull && update.transport != coap) {
    faults.add(place_of(node, "manifest"), "an envelope is polled by http_pull and coap alone");
  }
  if (enveloped && !update.manifest->signature_path.empty()) {
    faults.add(place_of(node, "manifest"), "an envelope is signed within and has no \"signature\" beside it");
  }
  for (const auto& [image, key] :
       {std::pair{std::optional{update.image}, "image"}, std::pair{update.older, "older"},
        std::pair{update.other_model, "other_model"}, std::pair{update.component(), "other_component"}}) {
    if (image && !image->payload.empty() && !enveloped) {
      faults.add(place_of(node, key), "\"payload\" is what lies beside an envelope: the manifest is none");
    }
  }
}

void check_announcement(const Node& node, const UpdateMechanism& update, Faults& faults) {
  if (!update.announce) {
    return;
  }
  const auto& announce = *update.announce;
  const auto place = place_of(node, "announce");
  if (announce.message.empty() == announce.file.empty()) {
    faults.add(place, "an announcement is one of \"message\" and \"file\"");
  }
  if (announce.topic.find_first_of("+#") != std::string::npos) {
    faults.add(place, "a topic that is published to has no wildcards, and " + shown(announce.topic) + " does");
  }
  if (announce.listen != 0 && announce.tls && !(update.serve && update.serve->genuine)) {
    faults.add(place, "a broker with TLS needs \"certificate\" and \"key\" of \"serve\"");
  }
}

/// Who asks for the version must be known, and where.
void check_version(const Node& root, const Node& node, const UpdateMechanism& update, Faults& faults) {
  const auto& source = update.version_at;
  const auto& written = child(node, "version_at");
  const auto complain = [&](bool wrong, const char* key, const std::string& what) {
    if (wrong) {
      faults.add(place_of(written, key), what);
    }
  };
  const auto known = [&](const std::string& login) {
    const auto& accounts = child(root, "accounts").items;
    return login.empty() || std::any_of(accounts.begin(), accounts.end(),
                                        [&](const auto& account) { return text_of(account, "role") == login; });
  };
  const auto nobody = [](const std::string& login) { return "no entry of `accounts` has the role " + shown(login); };
  if (source.mqtt) {
    const auto& topic = *source.mqtt;
    const bool ours = update.announce && update.announce->listen != 0;
    complain(!topic.port && !ours, "mqtt",
             "without \"port\" the topic is of our broker: of \"announce\" with \"listen\"");
    complain(!topic.port && (topic.tls || !topic.login.empty()), "mqtt",
             "\"tls\" and \"login\" are of \"port\": our broker is as \"announce\" says");
    complain(topic.port && topic.port->transport != Transport::tcp, "mqtt",
             "MQTT needs a TCP endpoint such as tcp/1883");
    complain(topic.topic.find_first_of("+#") != std::string::npos, "mqtt", "one topic tells it: no wildcards");
    complain(!known(topic.login), "mqtt", nobody(topic.login));
  }
  if (source.ssh) {
    complain(source.ssh->port.transport != Transport::tcp, "ssh", "SSH needs a TCP endpoint such as tcp/22");
    complain(!known(source.ssh->login), "ssh", nobody(source.ssh->login));
  }
  if (source.snmp) {
    complain(source.snmp->port.transport != Transport::udp, "snmp", "SNMP needs a UDP endpoint such as udp/161");
    complain(!known(source.snmp->login), "snmp", nobody(source.snmp->login));
  }
}

void check_paths(const Node& node, const UpdateMechanism& update, Faults& faults) {
  const auto path = [&](const std::string& text, const char* key) {
    if (!text.empty() && !text.starts_with('/')) {
      faults.add(place_of(node, key), "a path begins with /, and " + shown(text) + " does not");
    }
  };
  if (update.manifest) {
    path(update.manifest->path, "manifest");
    path(update.manifest->signature_path, "manifest");
    path(update.manifest->image_path, "manifest");
  }
  path(update.upload ? update.upload->path : std::string{}, "upload");
  path(update.version_at.path, "version_at");
  path(update.version_at.resource, "version_at");
  path(update.version_at.pointer, "version_at");
  path(update.version_at.report, "version_at");
  for (const auto* recipe : {&update.offer, &update.trigger, &update.restore}) {
    if (*recipe && ((*recipe)->tcp || (*recipe)->emulate)) {
      faults.add(node.place, "recipes of an update are \"exec\" or \"prompt\"");
    }
  }
}

}  // namespace

Later<UpdateMechanism> updates_of(const Node& root, Faults& faults) {
  Later<UpdateMechanism> out;
  for (const auto& node : child(root, "updates").items) {
    UpdateMechanism one;
    one.mechanism = text_of(node, "mechanism");
    one.transport = enum_from<UpdateTransport>(text_of(node, "transport")).value_or(UpdateTransport::exec);
    one.serve = server_of(node);
    one.manifest = manifest_of(node);
    one.upload = upload_of(node);
    one.announce = announcement_of(node);
    one.client = client_of(node);
    one.recovery = recovery_of(node);
    one.offer = recipe_in(node, "offer");
    one.image = image_of(node, "image").value_or(UpdateImage{});
    one.older = image_of(node, "older");
    one.other_model = image_of(node, "other_model");
    if (auto component = image_of(node, "other_component")) {
      one.other_component.push_back(std::move(*component));
    }
    one.verify_key = text_of(node, "verify_key");
    one.signers = signers_of(node);
    one.version_at = version_of(node);
    one.trigger = recipe_in(node, "trigger");
    one.restore = recipe_in(node, "restore");
    one.takes_ms = parse_duration(text_of(node, "takes")).value_or(one.takes_ms);
    check_transport(node, one, faults);
    check_payloads(node, one, faults);
    check_signed_manifests(node, one, faults);
    check_announcement(node, one, faults);
    check_paths(node, one, faults);
    check_version(root, node, one, faults);
    const bool twice =
        std::any_of(out.begin(), out.end(), [&](const auto& other) { return other.mechanism == one.mechanism; });
    if (twice) {
      faults.add(place_of(node, "mechanism"), "the mechanism " + shown(one.mechanism) + " is there twice");
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace assay
