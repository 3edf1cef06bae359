#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "probes/sessions/tasks.hpp"
#include "probes/update/journal.hpp"
#include "probes/update/servers/tftp_sender.hpp"
#include "probes/update/transport.hpp"

/// A TFTP server of ours that a device reads its image at (RFC 1350, RFC 2347 to 2349): one file, each transfer from a
/// port of its own.
namespace assay::probes::update {

class TftpServer {
 public:
  struct Offered {
    Offer offer;
    std::string file;
    milliseconds hold{30000};  // how long a download that never ends is kept up
  };

  explicit TftpServer(ProbeContext& context) : context_(context), journal_(context.network) {}

  asio::awaitable<Result<>> open(std::uint16_t port);

  /// From now on.
  void serve(Offered offered);

  /// Nothing is on offer; transfers are cut.
  asio::awaitable<void> withdraw();

  asio::awaitable<void> close();

  /// Called when the device is to lose its power or link.
  CutOff on_loss;

  const Fetched& fetched() const { return fetched_; }

  /// The words of an error by which the device ended a transfer, escaped; empty: it said none.
  const std::string& words() const { return words_; }

  const Journal& journal() const { return journal_; }

  std::int64_t strangers() const { return listener_ ? listener_->strangers() : 0; }

 private:
  asio::awaitable<void> listen();
  void take(const Datagrams::Received& received);
  bool is_offered(const wire::TftpPacket& request) const;
  std::string refusal(const wire::TftpPacket& request) const;
  asio::awaitable<void> attend(wire::TftpPacket request, std::uint16_t from);
  asio::awaitable<Result<>> give(const Offered& offered, TftpSender& sender, const wire::TftpPacket& request,
                                 images::Source body);
  asio::awaitable<Result<>> agree(const Offered& offered, TftpSender& sender, const wire::TftpPacket& request,
                                  std::uint64_t size, std::size_t& block);
  asio::awaitable<Result<>> stop_short(const Offered& offered, TftpSender& sender, TftpSender::Course rest);
  TftpSender::Course course_of(const Offered& offered, images::Source body, std::size_t block, std::uint64_t sent = 0);
  void note_end(const Result<>& given, std::uint64_t sent);
  void begin_holding();
  void gave_up();

  ProbeContext& context_;
  Journal journal_;
  sessions::Tasks listening_;
  sessions::Tasks transfers_;
  std::unique_ptr<DatagramListener> listener_;
  std::shared_ptr<const Offered> offered_;
  Fetched fetched_;
  std::set<std::uint16_t> ports_;   // that the device came from
  std::set<std::uint16_t> served_;  // … and has a transfer with now
  std::string words_;
  milliseconds holding_since_{0};
  bool lost_ = false;
};

}  // namespace assay::probes::update
