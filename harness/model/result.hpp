#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

namespace assay {

/// What kind of thing went wrong. The first group is ours or the user's, the second is how a peer or a
/// path ended an exchange: that is never an error of the harness, it is what an observation reports.
enum class ErrorKind : std::uint8_t {
  bad_input,    // the user wrote something wrong; `where` is file:line:column
  unsupported,  // this machine or build cannot do it
  io,           // our own file or process failed
  denied,       // the scope guard, the pace or a safety rule refused it
  internal,     // a broken invariant of ours
  cancelled,    // the run was interrupted
  refused,      // TCP RST to a SYN, ICMP port unreachable
  unreachable,  // ICMP host or network unreachable, no route
  reset,        // RST in the middle of an exchange
  closed,       // orderly end of stream where more was needed
  timed_out,    // nothing came within the time the step had
  protocol,     // bytes came, but not those of the protocol
};

std::string_view name_of(ErrorKind kind);

/// One error for a person: a plain sentence, and where it is when it is in something they wrote.
struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string what;
  std::string where;  // file:line:column, or empty

  bool operator==(const Error&) const = default;
};

/// "where: what" or "what".
std::string describe(const Error& error);

/// For `boost::system::result::value()`; the project itself only uses `if (!r)`, `*r` and `r.error()`.
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(describe(error));
}

/// Value or Error. Use only `if (!r)`, `*r`, `->` and `r.error()`, so that std::expected can replace it.
template <class T = void>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
 public:
  using boost::system::result<T, Error>::result;
};

}  // namespace assay
