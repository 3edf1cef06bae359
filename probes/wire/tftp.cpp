#include "probes/wire/tftp.hpp"

namespace assay::wire {

namespace {

constexpr std::uint16_t kRead = 1;
constexpr std::uint16_t kData = 3;
constexpr std::uint16_t kError = 5;
constexpr std::uint16_t kMostErrors = 8;  // RFC 2347 added the last one
constexpr std::size_t kBlock = 512;
constexpr std::size_t kMaximumMessage = 128;

}  // namespace

std::string tftp_read_request(std::string_view file) {
  std::string out;
  put_u16(out, kRead);
  out += file.substr(0, file.find('\0'));
  out += '\0';
  out += "octet";
  out += '\0';
  return out;
}

std::string tftp_stop() {
  std::string out;
  put_u16(out, kError);
  put_u16(out, 0);
  out += "enough";
  out += '\0';
  return out;
}

TftpParse parse_tftp(std::string_view datagram) {
  TftpParse parse;
  Reader reader{datagram};
  const auto kind = reader.u16();
  parse.number = reader.u16();
  const auto rest = reader.rest();
  if (reader.failed()) {
    return parse;
  }
  if (kind == kData && parse.number == 1 && rest.size() <= kBlock) {
    parse.kind = TftpParse::Kind::data;
    parse.size = rest.size();
    parse.state = Parse::complete;
  } else if (kind == kError && parse.number <= kMostErrors && (rest.empty() || rest.back() == '\0')) {
    parse.message = printable(rest.substr(0, rest.find('\0')), kMaximumMessage);
    parse.state = Parse::complete;
  }
  return parse;
}

}  // namespace assay::wire
