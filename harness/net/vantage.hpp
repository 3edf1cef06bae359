#pragma once

#include <string>

#include "harness/model/dut.hpp"
#include "harness/model/result.hpp"
#include "harness/net/unique_fd.hpp"

/// Where the sockets of a step are. A socket belongs to the network namespace that its thread is in when it is made,
/// and so do the answers of rtnetlink; a thread may change its namespace at any time. So a vantage is a place that the
/// one thread of a run steps into whenever work of that vantage goes on (vantage_executor.hpp), and no other code knows
/// of it.
namespace assay {

/// The namespace's path: a bare name lies below /run/netns. Empty for none.
std::string namespace_path(const VantagePoint& point);

class Vantage {
 public:
  Vantage() = default;  // where the thread is already
  Vantage(Vantage&&) = default;
  Vantage& operator=(Vantage&&) = default;
  ~Vantage();

  /// Where the calling thread is now.
  static Result<Vantage> here();

  /// Opens the namespace, checks that this process may go there and that the interface is there, and comes back.
  /// `bad_input` names what is missing; `denied` when only an ordinary user's user namespace leads there.
  static Result<Vantage> open(const std::string& name, const VantagePoint& point);

  /// The calling thread is there from now on. When the kernel refuses, which open() has ruled out but for a namespace
  /// that loses its rights later, no socket of the Internet can be made by this thread until it enters another one.
  void enter() const;

  /// The interface that sockets are bound to; empty: none.
  const std::string& interface() const { return interface_; }

 private:
  UniqueFd netns_;
  bool home_ = true;  // where the thread began: a thread that never left needs no right to be there
  std::string interface_;
};

/// The calling thread is at the vantage while this lives. On the way out of work that ran inside other work it goes
/// back to where that was; else it stays, for the next piece of work is most likely of the same vantage.
class AtVantage {
 public:
  explicit AtVantage(const Vantage& vantage);
  ~AtVantage();
  AtVantage(const AtVantage&) = delete;
  AtVantage& operator=(const AtVantage&) = delete;

 private:
  const Vantage* before_;
};

/// The interface that sockets of this thread are bound to now, for route look-ups; empty: none.
const std::string& bound_interface();

/// For the backstop, which defines socket(): binds a fresh socket of AF_INET or AF_INET6 to the interface of the
/// thread's vantage. False with errno when it must not be used.
bool place_socket(int socket, int family);

}  // namespace assay
