#pragma once

#include <optional>
#include <set>
#include <string>

#include "harness/probe/probe.hpp"
#include "harness/probe/transcript.hpp"
#include "probes/update/transport.hpp"
#include "probes/wire/snmp.hpp"

namespace assay::probes::update {

/// What the device says of itself at one moment.
struct Told {
  std::string version;  // escaped
  json::value report;   // of the last update, in its own words; null: it tells nothing
};

/// No answer of the device: nobody may ask any more, for the budget of a login is spent (`denied`), or nobody is there
/// who could (`unsupported`).
bool is_unasked(ErrorKind kind);

/// Asks the device which version it runs, as often as a campaign wants to know.
class VersionReader {
 public:
  /// What it refers to must outlive it. `transport` is asked for what is read by its means.
  VersionReader(ProbeContext& context, const UpdateMechanism& mechanism, Transport& transport);

  /// An error says why nobody answered, or that the answer holds no version (`protocol`); `unsupported` where a person
  /// has to read it and nobody is there, `denied` where the budget of an account that was not let in is spent.
  asio::awaitable<Result<Told>> read();

  /// A look costs the device or the laboratory more than a datagram.
  bool is_dear() const { return source_.exec || source_.ssh || source_.snmp || (source_.mqtt && source_.mqtt->port); }

  /// Keeps what the first looks said, and ties it to the fact. What is read by command or person is in the journal.
  void keep(std::string_view fact);

 private:
  asio::awaitable<Result<Told>> ask_page();
  asio::awaitable<Result<Told>> ask_resource();
  asio::awaitable<Result<Told>> ask_banner();
  asio::awaitable<Result<Told>> ask_transport(std::string place);
  asio::awaitable<Result<Told>> ask_command();
  asio::awaitable<Result<Told>> ask_person();
  asio::awaitable<Result<Told>> ask_person_once(bool again);
  asio::awaitable<Result<Told>> ask_topic();
  asio::awaitable<Result<Told>> ask_by_ssh();
  asio::awaitable<Result<Told>> ask_object();
  asio::awaitable<Result<Told>> ask_with_community(const Account& account, std::string object);
  asio::awaitable<Result<Told>> ask_as_user(const Account& account, std::string object);
  asio::awaitable<Result<std::optional<wire::SnmpResponse>>> exchange(Datagrams& socket, wire::SnmpVersion version,
                                                                      const Account& account,
                                                                      const std::string& object);
  asio::awaitable<Result<bool>> tells_engine();
  asio::awaitable<Result<>> learn_agent(wire::SnmpVersion version);
  asio::awaitable<Result<>> hear_silence();
  asio::awaitable<Result<>> permit(Endpoint endpoint, std::string account);
  void answered(bool taken, bool refused);
  const Account* account_for(const std::string& login);

  ProbeContext& context_;
  const VersionSource& source_;
  milliseconds takes_;  // an update with its start
  Transport& transport_;
  Transcript transcript_;
  std::set<std::string> expected_;  // versions that a person need not type twice
  bool read_by_network_ = false;
  bool in_hand_ = false;                      // the permit of a login that was taken, which used none up
  std::optional<wire::SnmpVersion> spoken_;   // by which the agent answered
  bool tells_engine_ = false;                 // that agent
  std::optional<milliseconds> silent_since_;  // … one that does not, by Network::elapsed
  bool away_ = false;                         // it did not tell it when it was last asked
};

}  // namespace assay::probes::update
