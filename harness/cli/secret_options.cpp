#include "harness/cli/secret_options.hpp"

#include <iostream>

#include <CLI/CLI.hpp>

#include "harness/cli/folders.hpp"
#include "harness/load/load.hpp"

namespace assay {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKeyFile = "lab.key";
constexpr std::string_view kCertificateFile = "lab.crt";

/// Not where nobody may look: another one's home is no place for a key.
bool is_there(const fs::path& file) {
  std::error_code failed;
  return fs::exists(file, failed);
}

Result<evidence::LabKey> first_key(const fs::path& file) {
  auto made = evidence::LabKey::make();
  if (!made) {
    return made;
  }
  if (const auto written = made->write(file); !written) {
    // Another run may have been faster.
    return is_there(file) ? evidence::LabKey::read(file) : Result<evidence::LabKey>{written.error()};
  }
  std::cerr << "assay: made the laboratory's key " << made->id() << " in " << file.string()
            << ": it names secrets in evidence. Keep it, and keep it to yourselves.\n";
  return made;
}

Result<std::optional<evidence::Recipients>> recipients_of(const std::string& given) {
  const auto folder = laboratory_folder();
  const auto file = given.empty() ? folder / kCertificateFile : fs::path{given};
  if (given.empty() && (folder.empty() || !is_there(file))) {
    return std::optional<evidence::Recipients>{};
  }
  const auto source = read_source(file);
  auto read =
      source ? evidence::Recipients::read(source->text, file.string()) : Result<evidence::Recipients>{source.error()};
  return read ? Result<std::optional<evidence::Recipients>>{std::move(*read)}
              : Result<std::optional<evidence::Recipients>>{read.error()};
}

}  // namespace

void add_secret_options(CLI::App& verb, SecretOptions& options) {
  verb.add_option(
          "--lab-key", options.lab_key,
          "The laboratory's key, under which secrets are named (own: ~/.config/assay/lab.key, made on first use)")
      ->type_name("FILE");
  verb.add_option("--lab-certificate", options.lab_certificate,
                  "Certificates (PEM) that transcripts and packets with secrets are encrypted to; without one they are "
                  "not kept (own: ~/.config/assay/lab.crt)")
      ->type_name("FILE");
  verb.add_flag("--reveal-secrets", options.reveal,
                "Write secrets in clear into evidence and reports, which then say so: for your own devices only");
}

Result<std::optional<evidence::LabKey>> laboratory_key(const std::string& given, std::string& why) {
  const auto folder = laboratory_folder();
  if (given.empty() && folder.empty()) {
    why = "there is no folder for the laboratory's key: neither HOME nor XDG_CONFIG_HOME is set, and no --lab-key";
    return std::optional<evidence::LabKey>{};
  }
  const auto file = given.empty() ? folder / kKeyFile : fs::path{given};
  const bool missing = given.empty() && !is_there(file);
  auto key = missing ? first_key(file) : evidence::LabKey::read(file);
  if (!key && missing && key.error().kind == ErrorKind::io) {
    why = key.error().what;
    return std::optional<evidence::LabKey>{};
  }
  return key ? Result<std::optional<evidence::LabKey>>{std::move(*key)}
             : Result<std::optional<evidence::LabKey>>{key.error()};
}

std::shared_ptr<ChangedPasswords> changed_passwords(const fs::path& folder, const std::string& name) {
  return std::make_shared<ChangedPasswords>(folder / ("passwords-left" + name + ".json"));
}

void tell_left(const ChangedPasswords& changed) {
  for (const auto& sentence : changed.left()) {
    std::cerr << "assay: " << sentence << "\n";
  }
}

std::optional<SecretHandling> secret_handling(Context& context, const SecretOptions& options) {
  SecretHandling out;
  auto key = laboratory_key(options.lab_key, out.no_key);
  auto recipients = recipients_of(options.lab_certificate);
  if (!key || !recipients) {
    context.complain(key ? recipients.error() : key.error(), ExitCode::usage);
    return std::nullopt;
  }
  out.key = std::move(*key);
  out.recipients = std::move(*recipients);
  out.reveal = options.reveal;
  if (out.reveal) {
    std::cerr << "assay: --reveal-secrets: what this run writes CONTAINS SECRETS in clear\n";
  } else if (!out.key) {
    std::cerr << "assay: secrets have no names in this evidence: " << out.no_key << "\n";
  }
  return out;
}

}  // namespace assay
