#include "harness/net/record_datagrams.hpp"

#include <algorithm>

namespace assay {

namespace {

constexpr std::size_t kHeader = 13;            // type, version, epoch, number, length (RFC 6347, 4.1)
constexpr std::size_t kLongestPayload = 1200;  // of a datagram, unless a single record is longer
constexpr std::size_t kEpoch = 3;
constexpr std::size_t kNumber = 5;
constexpr std::size_t kNumberBytes = 6;
constexpr std::size_t kLength = 11;

std::uint64_t number_at(std::span<const std::byte> bytes) {
  std::uint64_t out = 0;
  for (const auto byte : bytes) {
    out = (out << 8U) | std::to_integer<std::uint64_t>(byte);
  }
  return out;
}

/// Length of the record that begins here; 0 when none does.
std::size_t record_size(std::span<const std::byte> from) {
  if (from.size() < kHeader) {
    return 0;
  }
  const auto size = kHeader + number_at(from.subspan(kLength, 2));
  return size <= from.size() ? size : 0;
}

class RecordDatagrams final : public Stream {
 public:
  RecordDatagrams(std::unique_ptr<Datagrams> over, std::uint64_t first) : over_(std::move(over)), first_(first) {}

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into, milliseconds within) override {
    const auto got = co_await over_->receive(within);
    if (!got) {
      co_return got.error();
    }
    const auto size = std::min(into.size(), got->payload.size());
    std::copy_n(got->payload.begin(), size, into.begin());
    co_return size;
  }

  asio::awaitable<Result<>> write_all(std::span<const std::byte> from, milliseconds) override {
    Bytes datagram;
    while (!from.empty()) {
      const auto size = record_size(from);
      if (size == 0) {
        co_return Error{ErrorKind::internal, "bytes that are no records of DTLS", {}};
      }
      if (!datagram.empty() && datagram.size() + size > kLongestPayload) {
        const std::span<const std::byte> full{datagram};
        const auto sent = co_await over_->send(full);
        if (!sent) {
          co_return sent;
        }
        datagram.clear();
      }
      append(datagram, from.first(size));
      from = from.subspan(size);
    }
    if (datagram.empty()) {
      co_return Result<>{};
    }
    const std::span<const std::byte> last{datagram};
    auto sent = co_await over_->send(last);
    co_return sent;
  }

  void shutdown_send() override {}  // datagrams have no end

 private:
  void append(Bytes& datagram, std::span<const std::byte> record) const {
    const auto begin = datagram.size();
    datagram.insert(datagram.end(), record.begin(), record.end());
    if (number_at(record.subspan(kEpoch, 2)) != 0) {
      return;
    }
    auto number = number_at(record.subspan(kNumber, kNumberBytes)) + first_;
    for (std::size_t i = kNumberBytes; i > 0; --i, number >>= 8U) {
      datagram[begin + kNumber + i - 1] = static_cast<std::byte>(number & 0xffU);
    }
  }

  std::unique_ptr<Datagrams> over_;
  std::uint64_t first_;
};

}  // namespace

std::unique_ptr<Stream> record_datagrams(std::unique_ptr<Datagrams> over, std::uint64_t first_record) {
  return std::make_unique<RecordDatagrams>(std::move(over), first_record);
}

}  // namespace assay
