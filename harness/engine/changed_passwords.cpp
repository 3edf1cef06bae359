#include "harness/engine/changed_passwords.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <unistd.h>
#include <utility>

#include "harness/evidence/files.hpp"
#include "harness/model/display.hpp"
#include "harness/model/json_text.hpp"

namespace assay {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPutBack =
    "Log in at the endpoint with what \"holds\" says, or with one of \"asked\", the last first, and set the password "
    "of the DUT file. null: the account has that already, or none in factory state, unless one of \"asked\" holds. "
    "Then remove this file.";

/// Nobody else may read it at any instant, and its name never stands for half a file.
Result<> write_for_owner(const fs::path& file, std::string_view text) {
  const fs::path temporary = file.string() + std::string{evidence::kTemporary};
  std::error_code failed;
  fs::create_directories(fs::absolute(file).parent_path(), failed);  // the next line says what stands in the way
  ::unlink(temporary.c_str());
  if (auto written = evidence::write_private(temporary, text); !written) {
    return written;
  }
  if (auto renamed = evidence::rename_file(temporary, file); !renamed) {
    return renamed;
  }
  return evidence::sync_directory(fs::absolute(file).parent_path());
}

}  // namespace

ChangedPasswords::ChangedPasswords(fs::path file) : file_(std::move(file)) {
  read();
}

void ChangedPasswords::read() {
  std::ifstream in(file_, std::ios::binary);
  if (!in) {
    return;
  }
  std::ostringstream text;
  text << in.rdbuf();
  const auto parsed = parse_json(text.str(), file_.string());
  const auto* list = parsed && parsed->is_object() ? parsed->get_object().if_contains("accounts") : nullptr;
  if (list == nullptr || !list->is_array()) {
    unreadable_ = file_.string() + " is there and is no list of changed passwords; nothing is changed beside it";
    return;
  }
  for (const auto& one : list->get_array()) {
    if (!one.is_object()) {
      continue;
    }
    const auto& object = one.get_object();
    Account entry{string_at(object, "address"), string_at(object, "endpoint"), string_at(object, "account")};
    if (const auto* holds = object.if_contains("holds"); holds != nullptr && holds->is_string()) {
      entry.holds = string_at(object, "holds");
    }
    if (const auto* asked = object.if_contains("asked"); asked != nullptr && asked->is_array()) {
      for (const auto& value : asked->get_array()) {
        entry.asked.emplace_back(value.is_string() ? std::string_view{value.get_string()} : std::string_view{});
      }
    }
    accounts_.push_back(std::move(entry));
  }
}

Result<> ChangedPasswords::write() const {
  if (accounts_.empty()) {
    std::error_code ignored;
    fs::remove(file_, ignored);
    return {};
  }
  json::array list;
  for (const auto& one : accounts_) {
    json::array asked;
    for (const auto& password : one.asked) {
      asked.emplace_back(json::string(password));
    }
    list.push_back(json::object{{"address", one.address},
                                {"endpoint", one.endpoint},
                                {"account", one.username},
                                {"holds", one.holds ? json::value(json::string(*one.holds)) : json::value(nullptr)},
                                {"asked", std::move(asked)}});
  }
  return write_for_owner(
      file_, canonical(json::object{{"accounts", std::move(list)}, {"how_to_put_it_back", kPutBack}}) + "\n");
}

ChangedPasswords::Account& ChangedPasswords::account(const Invocation& invocation, const std::string& username) {
  const auto is_it = [&](const Account& one) {
    return one.address == invocation.target.address && one.username == username;
  };
  const auto found = std::find_if(accounts_.begin(), accounts_.end(), is_it);
  if (found != accounts_.end()) {
    return *found;
  }
  const auto endpoint = invocation.endpoint ? invocation.endpoint->text() : std::string{};
  accounts_.push_back({invocation.target.address, endpoint, username});
  return accounts_.back();
}

Result<std::string> ChangedPasswords::entrust(const Invocation& invocation, const std::string& username,
                                              const Secret& own, const Secret& wanted) {
  if (!unreadable_.empty()) {
    return Error{ErrorKind::io, unreadable_, {}};
  }
  auto& one = account(invocation, username);
  if (!one.own && !one.applied) {
    one.own = own.reveal();
  }
  one.asked.push_back(wanted.reveal());
  if (auto written = write(); !written) {
    one.asked.pop_back();  // it is not sent
    std::erase_if(accounts_, [](const Account& other) { return other.asked.empty(); });
    return written.error();
  }
  const auto name = file_.filename().string();
  if (journal) {
    auto told =
        journal({{"invocation", invocation.id}, {"account", username}, {"password", wanted.name()}, {"kept_in", name}});
    if (!told) {
      return told.error();
    }
  }
  return name;
}

Result<> ChangedPasswords::settle(const Invocation& invocation, const std::string& username, const Secret& holds) {
  auto& one = account(invocation, username);
  one.asked.clear();
  one.holds = holds.reveal();
  if (one.own && *one.own == holds.reveal()) {
    accounts_.erase(accounts_.begin() + (&one - accounts_.data()));
  }
  return write();
}

Result<> ChangedPasswords::begin_state(const std::vector<Target>& targets) {
  bool any = false;
  for (auto& one : accounts_) {
    const auto is_there = [&](const Target& target) { return target.address == one.address; };
    if (one.holds && std::any_of(targets.begin(), targets.end(), is_there)) {
      one.asked.insert(one.asked.begin(), *std::exchange(one.holds, std::nullopt));
      one.applied = false;
      any = true;
    }
  }
  return any ? write() : Result<>{};
}

std::optional<Dut> ChangedPasswords::applied(const Dut& dut, const Target& target) {
  std::optional<Dut> out;
  for (auto& one : accounts_) {
    if (one.address != target.address || !one.holds) {
      continue;
    }
    for (std::size_t i = 0; i < dut.accounts.size(); ++i) {
      const auto& declared = dut.accounts[i];
      if (declared.username != one.username || (one.own && declared.secret.reveal() != *one.own)) {
        continue;
      }
      if (!out) {
        out = dut;
      }
      out->accounts[i].secret = Secret{*one.holds, "password that a change left"};
      one.applied = true;
    }
  }
  return out;
}

std::vector<std::string> ChangedPasswords::left() const {
  std::vector<std::string> out;
  for (const auto& one : accounts_) {
    out.push_back("the account " + displayable(one.username) + " at " + one.endpoint + " of " + one.address +
                  (one.asked.empty() ? " now has" : " may now have") +
                  " a password other than that of the DUT file; it stands in " + file_.string() +
                  ", which only you can read, with how to put the old one back");
  }
  return out;
}

}  // namespace assay
