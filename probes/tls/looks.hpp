#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "probes/tls/changes.hpp"
#include "probes/tls/picture.hpp"
#include "probes/tls/suites.hpp"

/// The questions beyond versions and suites. Each is asked in a hello that the server is known to take, so that what
/// changes is the answer to that question alone.
namespace assay::probes::tls {

class Looks {
 public:
  Looks(Asker& asker, SuiteSurvey& survey, Picture& picture, std::string server_name)
      : asker_(asker), survey_(survey), picture_(picture), server_name_(std::move(server_name)) {}

  /// Adds the groups of the newest version, of which all suites are known by now: the longest row of questions, so that
  /// it begins early.
  void plan_newest(sessions::Jobs& jobs);

  /// Adds all other questions that make sense for what the survey found, and those if they were not added before.
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
    bool needs_chosen = false;                         // a refusal may be for want of what was chosen before
    const std::vector<std::uint16_t>* seen = nullptr;  // of these: what answers have shown already
    bool signs_along = false;  // each answer shows a signature too, so the offer of these shrinks with it
  };

  /// What the first question of a version has shown of whose order decides.
  struct Order {
    bool by_server = false;
    std::optional<std::uint16_t> behind;  // a suite that is taken, and stood there behind the one that was chosen
  };

  Order order_seen(std::uint16_t version, const std::vector<std::uint16_t>& suites);
  asio::awaitable<Reply> ask(std::string title, const wire::TlsHello& hello, Enough enough);
  asio::awaitable<void> strike_out(List list);
  asio::awaitable<void> strike_out_both(List groups, List signatures);
  asio::awaitable<void> ask_changes(sessions::Jobs& jobs, Changes changes);
  asio::awaitable<void> prefer();
  asio::awaitable<void> fall_back();
  asio::awaitable<void> name_server(std::string look, std::string name);
  asio::awaitable<void> show_dh(bool export_grade);

  void plan_lists(sessions::Jobs& jobs);
  void plan_changes(sessions::Jobs& jobs, const HelloWish& known);
  void look(std::string_view name, std::optional<bool> yes, std::string why);

  Asker& asker_;
  SuiteSurvey& survey_;
  Picture& picture_;
  std::string server_name_;
  bool newest_planned_ = false;
  std::optional<Error> over_;
};

}  // namespace assay::probes::tls
