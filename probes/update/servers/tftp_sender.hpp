#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "probes/images/byte_source.hpp"
#include "probes/update/transport.hpp"
#include "probes/wire/tftp.hpp"

/// Our side of one transfer by TFTP in which we are the one who sends, whoever asked for it. What is not acknowledged
/// is sent again, a bounded number of times.
namespace assay::probes::update {

class TftpSender {
 public:
  /// What is sent, in whole blocks: zeros behind the image, and nothing behind `until`.
  struct Course {
    images::Source image;
    std::uint64_t behind = 0;
    std::uint64_t until = 0;
    std::size_t block = wire::kTftpBlock;
    milliseconds pause{0};                              // before each block
    std::function<bool(std::uint64_t sent)> goes_on{};  // asked after each; false: enough, which is `closed`
  };

  /// `to`: the port of the device; of a request of ours, where the request goes. `asked`: the device asked, so that the
  /// pace is its own.
  TftpSender(const Network& clock, DatagramListener& port, std::uint16_t to, bool asked)
      : clock_(clock), port_(port), to_(to), asked_(asked) {}

  /// For an acknowledgement, before a block is sent again.
  milliseconds patience{1000};

  /// Sends a request and takes the port of whoever answers for the other end (RFC 1350, 4). What was agreed to, or
  /// nothing. `refused` with the device's words; `code` says what it refused for.
  asio::awaitable<Result<std::vector<wire::TftpOption>>> begin(std::string request);

  /// Sends what is agreed to and waits until it is acknowledged as block 0.
  asio::awaitable<Result<>> agree(std::vector<wire::TftpOption> options);

  /// From where it stands on, until the course ends. `refused` with the words of a device that ended it, `timed_out`
  /// when it fell silent.
  asio::awaitable<Result<>> send(Course course);

  /// Waits while nothing is sent, for as long as the device bears it. `refused` as soon as it says that it does not.
  asio::awaitable<Result<>> wait(milliseconds time);

  /// Ends the transfer for the device, with words.
  void stop(std::string_view words);

  /// Where an image ends of which so many percent are to be sent: with a block, and before the one that would be its
  /// last.
  static std::uint64_t cut_of(std::uint64_t size, int percent, std::size_t block);

  std::uint64_t sent() const { return offset_; }

  /// Of the error that the device ended it with.
  std::uint16_t code() const { return code_; }

 private:
  asio::awaitable<Result<>> deliver(std::string bytes, std::uint16_t number);
  asio::awaitable<Result<>> put(std::string_view bytes);
  asio::awaitable<Result<std::optional<wire::TftpPacket>>> hear(milliseconds until, bool anybody);
  Result<wire::TftpPacket> packet_of(const Datagrams::Received& received);

  const Network& clock_;
  DatagramListener& port_;
  std::uint16_t to_;
  bool asked_;
  std::uint64_t offset_ = 0;
  std::uint16_t number_ = 0;  // of the block that was acknowledged last
  std::uint16_t code_ = 0;
};

}  // namespace assay::probes::update
