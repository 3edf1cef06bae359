#include "harness/net/packet_tap.hpp"

#include <fcntl.h>
#include <pcap/pcap.h>

namespace assay {

namespace {

using Handle = std::unique_ptr<pcap_t, decltype(&pcap_close)>;

Error failed(const std::string& interface, int code, pcap_t* handle) {
  const bool denied = code == PCAP_ERROR_PERM_DENIED;
  const bool told = handle != nullptr && *pcap_geterr(handle) != '\0' && !denied;
  const std::string why = denied ? "capturing needs CAP_NET_RAW" : told ? pcap_geterr(handle) : pcap_statustostr(code);
  return Error{denied ? ErrorKind::denied : ErrorKind::unsupported, "capture on " + interface + ": " + why, {}};
}

/// Set before the handle becomes a socket.
int configure(pcap_t* handle) {
  for (const int code :
       {pcap_set_snaplen(handle, static_cast<int>(PacketTap::kSnapLength)), pcap_set_promisc(handle, 0),
        pcap_set_timeout(handle, PacketTap::kBlockMilliseconds), pcap_set_buffer_size(handle, PacketTap::kRingBytes)}) {
    if (code != 0) {
      return code;
    }
  }
  // Where the kernel cannot, microseconds come and are told by pcap_get_tstamp_precision().
  pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
  return pcap_activate(handle);
}

int set_filter(pcap_t* handle, const std::string& filter) {
  bpf_program program{};
  int code = pcap_compile(handle, &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN);
  if (code == 0) {
    code = pcap_setfilter(handle, &program);
    pcap_freecode(&program);
  }
  return code;
}

struct Taking {
  const std::function<void(const TappedFrame&)>& take;
  std::int64_t nanoseconds_a_fraction;
};

void take_one(u_char* user, const pcap_pkthdr* header, const u_char* bytes) {
  const auto& taking = *reinterpret_cast<const Taking*>(user);
  TappedFrame frame;
  frame.time_ns = std::int64_t{header->ts.tv_sec} * 1'000'000'000 + header->ts.tv_usec * taking.nanoseconds_a_fraction;
  frame.original_size = header->len;
  frame.bytes = std::as_bytes(std::span{bytes, header->caplen});
  taking.take(frame);
}

}  // namespace

Result<std::unique_ptr<PacketTap>> PacketTap::open(const std::string& interface, const std::string& filter) {
  char text[PCAP_ERRBUF_SIZE] = "";
  Handle handle{pcap_create(interface.c_str(), text), &pcap_close};
  if (!handle) {
    return Error{ErrorKind::unsupported, "capture on " + interface + ": " + text, {}};
  }
  if (const int code = configure(handle.get()); code < 0) {
    return failed(interface, code, handle.get());
  }
  const int type = pcap_datalink(handle.get());
  if (type != DLT_EN10MB && type != DLT_RAW) {
    return Error{ErrorKind::unsupported, "capture on " + interface + ": a link of type " + std::to_string(type), {}};
  }
  if (const int code = set_filter(handle.get(), filter); code != 0) {
    return failed(interface, code, handle.get());
  }
  if (pcap_setnonblock(handle.get(), 1, text) != 0) {
    return Error{ErrorKind::unsupported, "capture on " + interface + ": " + text, {}};
  }
  ::fcntl(pcap_get_selectable_fd(handle.get()), F_SETFD, FD_CLOEXEC);
  TapInterface info{interface, filter, type == DLT_RAW ? LinkType::ip : LinkType::ethernet,
                    static_cast<std::uint32_t>(pcap_snapshot(handle.get()))};
  return std::unique_ptr<PacketTap>{new PacketTap{handle.release(), std::move(info)}};
}

PacketTap::~PacketTap() {
  pcap_close(handle_);
}

int PacketTap::descriptor() const {
  return pcap_get_selectable_fd(handle_);
}

int PacketTap::read(int most, const std::function<void(const TappedFrame&)>& take) {
  const bool nano = pcap_get_tstamp_precision(handle_) == PCAP_TSTAMP_PRECISION_NANO;
  Taking taking{take, nano ? 1 : 1000};
  const int count = pcap_dispatch(handle_, most, take_one, reinterpret_cast<u_char*>(&taking));
  return count < 0 ? 0 : count;
}

TapCounters PacketTap::counters() const {
  pcap_stat stat{};
  if (pcap_stats(handle_, &stat) != 0) {
    return {};
  }
  return {stat.ps_recv, stat.ps_drop, stat.ps_ifdrop};
}

}  // namespace assay
