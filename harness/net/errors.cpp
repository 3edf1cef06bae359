#include "harness/net/errors.hpp"

#include <cerrno>
#include <string>
#include <system_error>

#include <boost/asio/error.hpp>

namespace assay {

namespace {

ErrorKind kind_of(int number) {
  switch (number) {
    case ECONNREFUSED:
      return ErrorKind::refused;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENOPROTOOPT:  // ICMP protocol unreachable
      return ErrorKind::unreachable;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
      return ErrorKind::reset;
    case ETIMEDOUT:
      return ErrorKind::timed_out;
    case EACCES:
    case EPERM:
      return ErrorKind::denied;
    case ECANCELED:
      return ErrorKind::cancelled;
    default:
      return ErrorKind::io;
  }
}

}  // namespace

Error error_from_errno(int number, std::string_view doing) {
  const auto kind = kind_of(number);
  if (kind == ErrorKind::cancelled) {
    return cancelled_error();
  }
  return {kind, std::string{doing} + ": " + std::generic_category().message(number), {}};
}

Error error_from_code(const boost::system::error_code& code, std::string_view doing) {
  if (code == boost::asio::error::eof) {
    return {ErrorKind::closed, std::string{doing} + ": the device closed the connection", {}};
  }
  if (code == boost::asio::error::operation_aborted) {
    return cancelled_error();
  }
  return error_from_errno(code.value(), doing);
}

Error cancelled_error() {
  return {ErrorKind::cancelled, "interrupted", {}};
}

Error timed_out_error(std::string_view doing) {
  return {ErrorKind::timed_out, std::string{doing} + ": no answer in time", {}};
}

}  // namespace assay
