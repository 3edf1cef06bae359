#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "harness/model/json.hpp"
#include "harness/model/result.hpp"
#include "harness/model/secret.hpp"

namespace assay {

class Concealment;
class Transcript;

/// Where a probe puts what it saw. Append-only: what was recorded before a deadline or an error stays.
/// Keys are those of the probe's facts; any other key is a fault of the probe.
class Recorder {
 public:
  virtual ~Recorder() = default;

  virtual void fact(std::string_view key, json::value value) = 0;

  /// Looked for and not there.
  virtual void absent(std::string_view key) = 0;

  /// Could not be looked at, with the reason.
  virtual void unobserved(std::string_view key, std::string reason) = 0;

  /// Keeps bytes as a file of the bundle and returns its sha256 (hex). Every concealed text in it is masked first.
  virtual std::string artifact(std::string_view title, std::string_view media_type, std::string_view bytes) = 0;

  /// Keeps a transcript as text. As it was before secrets were left out it is kept only where it can be encrypted to
  /// the laboratory. Returns the sha256 of the first.
  virtual std::string transcript(std::string_view title, const Transcript& transcript) = 0;

  /// Ties an artifact to the fact it shows.
  virtual void evidence(std::string_view key, std::string_view sha256) = 0;

  /// What was looked at, how hard, and what was lost.
  virtual void coverage(std::string_view key, json::value value) = 0;

  /// Adds to an entry of a fact by what the laboratory knows this secret again: `secret`, an HMAC under its key.
  /// Nothing where there is no key. With --reveal-secrets also `clear`, the secret itself.
  virtual void identify(const Secret& secret, json::object& entry) = 0;

  /// From now on this text, in every form of `forms_of` and with other capitals, appears as the secret's name wherever
  /// this recorder writes: artifacts, facts, reasons. Where it may be a word, other capitals only in artifacts and
  /// packets.
  virtual void conceal(const Secret& secret) = 0;
  /// The same for a derived form of a secret (a Digest response, a Basic token), with its capitals alone.
  virtual void conceal(std::string_view text, std::string_view name) = 0;
  /// Only in what is kept of the device's and our own bytes, artifacts and packets: the secret is also a word of what
  /// probes write, or a part of a name, and facts would not be readable without it.
  virtual void conceal_in_bytes(const Secret& secret) = 0;
  /// Bytes that were sent and that nobody has reason to repeat in another form: just so, in artifacts and packets.
  virtual void conceal_in_bytes(std::string_view bytes, std::string_view name) = 0;
  /// What a list says, which transcripts may share.
  virtual void conceal_all(std::shared_ptr<const Concealment> list) = 0;

  /// Hands a password to whoever is in charge of the device, before an account that has `own` by the DUT file is asked
  /// to take it. Says where it is kept; an error: nowhere, so it must not be sent.
  virtual Result<std::string> entrust(const std::string& username, const Secret& own, const Secret& wanted) = 0;
  /// Which password the account has, when a login showed it.
  virtual Result<> settle(const std::string& username, const Secret& holds) = 0;
};

}  // namespace assay
