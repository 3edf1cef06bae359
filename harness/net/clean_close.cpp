#include "harness/net/clean_close.hpp"

#include <array>
#include <cerrno>
#include <sys/socket.h>

namespace assay {

bool end_in_order(int socket) {
  constexpr int kMostReads = 16;
  ::shutdown(socket, SHUT_WR);
  std::array<char, 4096> unread;
  for (int reads = 0; reads < kMostReads; ++reads) {
    const auto count = ::recv(socket, unread.data(), unread.size(), MSG_DONTWAIT);
    if (count == 0) {
      return true;
    }
    if (count < 0) {
      return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
    }
  }
  return false;
}

}  // namespace assay
