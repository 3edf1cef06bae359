#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/dut.hpp"
#include "harness/model/observation.hpp"

namespace assay {

/// The passwords that probes give to accounts of the device, in a file beside the evidence that only its owner may
/// read. Written before a password is sent, so that no end of the program leaves anybody without it, and removed when
/// every account has the password of the DUT file again.
class ChangedPasswords {
 public:
  /// What an earlier run left in the file is kept.
  explicit ChangedPasswords(std::filesystem::path file);

  /// The journal of a run: hears which password is about to be tried, by its name.
  std::function<Result<>(json::object told)> journal;

  /// Before an account that has `own` is asked to take `wanted`: the name of the file that holds it now. An error: it
  /// could not be kept, and must not be sent.
  Result<std::string> entrust(const Invocation& invocation, const std::string& username, const Secret& own,
                              const Secret& wanted);

  /// A login showed which password the account has.
  Result<> settle(const Invocation& invocation, const std::string& username, const Secret& holds);

  /// A recipe brought these targets to a state of the DUT file, whose accounts are as the DUT file says. What an
  /// account had stays in the file: a recipe may promise more than it does.
  Result<> begin_state(const std::vector<Target>& targets);

  /// The DUT with the passwords that its accounts have on this target; nothing where all are as it says.
  std::optional<Dut> applied(const Dut& dut, const Target& target);

  /// For the person in charge: one sentence for each account whose password is not, or may not be, that of the DUT
  /// file.
  std::vector<std::string> left() const;

 private:
  struct Account {
    std::string address;
    std::string endpoint;
    std::string username;
    std::optional<std::string> holds{};  // none: the password of the DUT file
    std::vector<std::string> asked{};    // since then, not known to be taken or refused
    std::optional<std::string> own{};    // as the DUT file says; never written down
    bool applied = false;                // probes take `holds` for what the DUT file says
  };

  Account& account(const Invocation& invocation, const std::string& username);
  void read();
  Result<> write() const;

  std::filesystem::path file_;
  std::vector<Account> accounts_;
  std::string unreadable_;
};

}  // namespace assay
