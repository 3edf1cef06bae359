#pragma once

#include <optional>
#include <set>
#include <string>

#include "probes/first_use/place.hpp"

/// How an account gets other passwords and its own again. Every password is handed to whoever is in charge before it is
/// sent, and drawn at random, but for the weak ones of the rules.
namespace assay::probes::password_change {

using first_use::Strength;

struct Known {
  std::string role;
  std::string username;
  Secret password;
};

struct Work {
  ProbeContext& context;
  Endpoint endpoint;
  first_use::Place& place;
  Transcript& transcript;
  sessions::FactSheet& sheet;
  Known known{};
  Secret now{};                   // the password that the account has, as far as is known
  std::optional<Secret> asked{};  // asked for since then, and not known to be taken or refused
  Strength strength{};            // that was taken
  int drawn = 0;                  // passwords, each with a number in its name
  bool old_dies = false;          // a change makes the password before it useless
  std::set<std::string> usual{};  // words of the answer to a change that was taken
  std::string stranded{};         // why the way back ended elsewhere
  bool refuses_all = false;       // a strong password was refused on that way
  std::string kept_in{};          // where the passwords are
  int held = 0;                   // permits that are kept for the way back
};

/// One more password that nobody knew before, with its number in its name.
Secret next_password(Work& work, Strength strength);

/// A login that may be wrong costs a permit.
asio::awaitable<Result<bool>> try_login(Work& work, Secret password);

/// Asks for a change in a session of the account as it is now.
asio::awaitable<Result<first_use::Said>> ask(Work& work, Secret claimed, Secret wanted, bool watched);

/// A login showed which password the account has.
Result<> settle(Work& work, Secret holds);

/// Asks for one change; says whether the new password is the account's.
asio::awaitable<Result<bool>> change(Work& work, Secret claimed, Secret wanted);

/// Back to the password of the DUT file, past as many others as a device remembers. False: `stranded` says why not.
asio::awaitable<Result<bool>> restore(Work& work);

/// Between two changes: back, or to a strong password where there is no way back.
asio::awaitable<Result<>> recover(Work& work);

/// Finds out which password the account has after an exchange that ended in between.
asio::awaitable<Result<>> make_sure(Work& work);

}  // namespace assay::probes::password_change
