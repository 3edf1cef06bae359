#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "probes/tls/picture.hpp"
#include "probes/tls/suites.hpp"

/// The questions beyond versions and suites. Each is asked in a hello that the server is known to take, so that what
/// changes is the answer to that question alone.
namespace assay::probes::tls {

class Looks {
 public:
  Looks(Asker& asker, SuiteSurvey& survey, Picture& picture, std::string server_name)
      : asker_(asker), survey_(survey), picture_(picture), server_name_(std::move(server_name)) {}

  /// Adds all questions that make sense for what the survey found.
  void plan(sessions::Jobs& jobs);

  /// A wish that the server is known to take, of the newest version below (D)TLS 1.3; of 1.3 where there is no other.
  HelloWish known_wish() const;

  const std::optional<Error>& over() const { return over_; }

 private:
  using Shown = std::function<std::optional<std::uint16_t>(const wire::TlsFlight&)>;

  struct List {
    std::string name;
    HelloWish wish;
    std::vector<std::uint16_t> HelloWish::*field = nullptr;
    Shown shown;
    Enough enough;
    bool* settled = nullptr;
    bool needs_chosen = false;  // a refusal may be for want of what was chosen before
  };

  asio::awaitable<Reply> ask(std::string title, const wire::TlsHello& hello, Enough enough);
  asio::awaitable<void> strike_out(List list);
  asio::awaitable<void> prefer();
  asio::awaitable<void> offer_extensions();
  asio::awaitable<void> offer_mac_changes();
  asio::awaitable<void> offer_compression();
  asio::awaitable<void> fall_back();
  asio::awaitable<void> claim_future_version();
  asio::awaitable<void> grease();
  asio::awaitable<void> grow();
  asio::awaitable<void> name_server(std::string look, std::string name);
  asio::awaitable<void> show_dh(bool export_grade);

  void plan_lists(sessions::Jobs& jobs);
  void look(std::string_view name, std::optional<bool> yes, std::string why);
  void look_at(std::string_view name, const Reply& reply, std::string why_yes);

  Asker& asker_;
  SuiteSurvey& survey_;
  Picture& picture_;
  std::string server_name_;
  std::optional<Error> over_;
};

}  // namespace assay::probes::tls
