#include "probes/wire/tls_records.hpp"

#include <algorithm>

#include "probes/wire/bytes.hpp"
#include "probes/wire/tls_build.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kHeadSize = 5;
constexpr std::size_t kMostInRecord = (1U << 14U) + 2048;
constexpr std::size_t kAlertSize = 2;
constexpr std::uint8_t kHeartbeatRequest = 1;
constexpr std::uint8_t kClientKeyExchange = 16;

}  // namespace

bool TlsRecordLog::feed(std::string_view bytes) {
  while (sound_ && !bytes.empty()) {
    if (head_.size() < kHeadSize) {
      const auto part = bytes.substr(0, kHeadSize - head_.size());
      head_ += part;
      bytes.remove_prefix(part.size());
      if (head_.size() < kHeadSize) {
        break;
      }
      Reader reader{head_};
      const auto type = reader.u8();
      const auto version = reader.u16();
      left_ = reader.u16();
      sound_ = type >= record::kChangeCipherSpec && type <= record::kHeartbeat && version >> 8U == 3 &&
               left_ <= kMostInRecord && records_.size() < kMostRecords;
      if (!sound_) {
        break;
      }
      records_.push_back({type, left_});
    }
    const auto body = bytes.substr(0, std::min(left_, bytes.size()));
    if (records_.back() == Record{record::kAlert, kAlertSize}) {
      alert_bytes_ += body;
    }
    bytes.remove_prefix(body.size());
    left_ -= body.size();
    if (left_ == 0) {
      end_record();
    }
  }
  return sound_;
}

void TlsRecordLog::end_record() {
  head_.clear();
  ++whole_;
  if (alert_bytes_.size() == kAlertSize && !alert_) {
    const TlsAlert seen{static_cast<std::uint8_t>(alert_bytes_[0]), static_cast<std::uint8_t>(alert_bytes_[1])};
    if (seen.level == 2 || seen.alert == 0) {
      alert_ = seen;
    }
  }
  alert_bytes_.clear();
}

std::vector<TlsRecord> whole_records(std::string_view bytes) {
  std::vector<TlsRecord> out;
  Reader reader{bytes};
  while (reader.rest().size() >= kHeadSize && out.size() < TlsRecordLog::kMostRecords) {
    TlsRecord one;
    one.type = reader.u8();
    one.version = reader.u16();
    const std::size_t size = reader.u16();
    if (size > kMostInRecord || size > reader.rest().size()) {
      break;
    }
    one.body = reader.take(size);
    out.push_back(one);
  }
  return out;
}

std::string tls_message(std::uint8_t type, std::string_view body) {
  std::string out;
  put_u8(out, type);
  put_u24(out, static_cast<std::uint32_t>(body.size()));
  return out.append(body);
}

std::string change_cipher_spec_record(std::uint16_t version) {
  return tls_record(record::kChangeCipherSpec, version, std::string(1, '\x01'));
}

std::string heartbeat_record(std::uint16_t version, std::uint16_t claimed, std::string_view payload,
                             std::size_t padding) {
  std::string body;
  put_u8(body, kHeartbeatRequest);
  put_u16(body, claimed);
  body += payload;
  body.append(padding, '\0');
  return tls_record(record::kHeartbeat, version, body);
}

std::string rsa_key_exchange_message(std::string_view encrypted) {
  return tls_message(kClientKeyExchange, sized16(encrypted));
}

}  // namespace assay::wire
