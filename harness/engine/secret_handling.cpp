#include "harness/engine/secret_handling.hpp"

namespace assay {

namespace {

void add_named(const evidence::LabKey& key, const Secret& secret, json::array& out) {
  if (!secret.empty()) {
    out.push_back(json::object{{"name", secret.name()}, {"secret", key.name_of(secret.reveal())}});
  }
}

}  // namespace

Keeping keeping_in(BundleWriter& bundle, const SecretHandling& secrets) {
  Keeping out;
  out.secrets = secrets;
  out.plain = [&bundle](std::string_view title, std::string_view type, std::string_view bytes) {
    return bundle.artifact(title, type, bytes);
  };
  if (!secrets.recipients || secrets.reveal) {
    return out;  // where everything is written in clear, nothing is left to keep apart
  }
  out.open = [&bundle, recipients = *secrets.recipients](std::string_view title, std::string_view type,
                                                         std::string_view bytes) -> Result<ArtifactRef> {
    const auto sealed = recipients.sealed(bytes);
    if (!sealed) {
      return sealed.error();
    }
    const auto what = std::string{title} + " with secrets, encrypted to the laboratory (" + std::string{type} + ")";
    return bundle.restricted(what, evidence::kSealedType, *sealed);
  };
  return out;
}

json::object secrets_record(const SecretHandling& secrets, const Dut& dut) {
  json::object out;
  json::array named;
  out["key"] = secrets.key ? json::value(secrets.key->id()) : json::value(nullptr);
  if (!secrets.key) {
    out["because"] = secrets.no_key;
  } else {
    for (const auto& account : dut.accounts) {
      add_named(*secrets.key, account.secret, named);
    }
    for (const auto& pair : dut.vendor_credentials) {
      add_named(*secrets.key, pair.password, named);
    }
    for (const auto& sample : dut.password_samples) {
      add_named(*secrets.key, sample.secret, named);
    }
    for (const auto& update : dut.updates) {
      if (update.serve && update.serve->psk) {
        add_named(*secrets.key, update.serve->psk->key, named);
      }
    }
  }
  out["named"] = std::move(named);
  out["revealed"] = secrets.reveal;
  out["restricted_to"] = secrets.recipients ? secrets.recipients->described() : json::array{};
  return out;
}

}  // namespace assay
