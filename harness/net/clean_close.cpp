#include "harness/net/clean_close.hpp"

#include <array>
#include <cerrno>
#include <sys/socket.h>

namespace assay {

bool take_unread(int socket) {
  constexpr int kMostReads = 16;
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

bool end_in_order(int socket) {
  ::shutdown(socket, SHUT_WR);
  return take_unread(socket);
}

}  // namespace assay
