#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/execution.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include "harness/net/vantage.hpp"

namespace assay {

/// An executor whose work runs with the thread at a vantage: a coroutine spawned on it, and everything that this opens
/// and awaits, is there each time it goes on. `Inner` is the io_context's executor; the vantage outlives all work.
template <class Inner>
class VantageExecutor {
 public:
  VantageExecutor(Inner inner, const Vantage& vantage) noexcept : inner_(std::move(inner)), vantage_(&vantage) {}

  template <class Property>
  requires boost::asio::can_query_v<const Inner&, Property>

  decltype(auto) query(const Property& property) const
      noexcept(boost::asio::is_nothrow_query_v<const Inner&, Property>) {
    return boost::asio::query(inner_, property);
  }

  template <class Property>
  requires boost::asio::can_require_v<const Inner&, Property>

  auto require(const Property& property) const { return with(boost::asio::require(inner_, property)); }

  template <class Property>
  requires boost::asio::can_prefer_v<const Inner&, Property>

  auto prefer(const Property& property) const { return with(boost::asio::prefer(inner_, property)); }

  template <class Work>
  void execute(Work&& work) const {
    inner_.execute([vantage = vantage_, work = std::decay_t<Work>(std::forward<Work>(work))]() mutable {
      const AtVantage at(*vantage);
      std::move(work)();
    });
  }

  friend bool operator==(const VantageExecutor& one, const VantageExecutor& other) noexcept {
    return one.inner_ == other.inner_ && one.vantage_ == other.vantage_;
  }

  friend bool operator!=(const VantageExecutor& one, const VantageExecutor& other) noexcept { return !(one == other); }

 private:
  template <class Other>
  VantageExecutor<Other> with(Other inner) const {
    return VantageExecutor<Other>(std::move(inner), *vantage_);
  }

  Inner inner_;
  const Vantage* vantage_;
};

}  // namespace assay
