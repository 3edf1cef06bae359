#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "probes/credentials/recipe_login.hpp"
#include "probes/credentials/web_pages.hpp"
#include "probes/wire/web_page.hpp"

/// Whoever uses a web interface after the login.
namespace assay::probes::credentials {

/// How one logs in to a web interface.
enum class WebWay : std::uint8_t { form, json, basic };

struct WebLogin {
  WebWay way = WebWay::form;
  bool tls = false;
  std::string path = "/";               // of the page that asks for it
  const LoginRecipe* recipe = nullptr;  // of way json
};

/// The way of what was detected; nothing where a session or a page cannot be asked for by it.
std::optional<WebLogin> web_login_of(const Door& door, const Detection& found);

/// A response and the place that a browser ended at.
struct Page {
  wire::HttpResponse response;
  std::string place;
};

/// What a page did to whoever asked for it.
enum class Sight : std::uint8_t {
  given,        // shows what it shows to one who is logged in
  turned_away,  // asks for a login, or says no
  unclear,      // something else: an error, another page
};

/// One user in one session. A copy is another client with the same cookies and token.
class WebUser {
 public:
  WebUser(Door& door, const WebLogin& login) : door_(&door), login_(&login), session_(door, login.tls) {}

  /// What a browser fetches before the login, so that it has the cookies of a visitor.
  asio::awaitable<Result<>> arrive();

  /// Sends one login. Whether it was taken is told by a page that it opens: see `look`.
  asio::awaitable<Result<Page>> log_in(std::string username, Secret password);

  asio::awaitable<Result<Page>> look(std::string path);

  asio::awaitable<Result<wire::HttpResponse>> fetch(WebRequest request) {
    auto answer = co_await session_.fetch(std::move(request));
    co_return answer;
  }

  CookieJar& jar() { return session_.jar(); }

  WebSession& session() { return session_; }

  /// The form by which it logged in; nothing before that, and by other ways.
  const std::optional<wire::LoginForm>& login_form() const { return form_; }

  /// The page asks for the login again.
  bool is_asked_by(const wire::HttpResponse& page) const {
    return form_ ? wire::shows_form(page.body, *form_) : wire::find_login_form(page.body).has_value();
  }

  /// The token that a header carries; empty where cookies carry the session.
  const std::string& token() const { return token_; }

 private:
  asio::awaitable<Result<Page>> log_in_by_form(std::string username, Secret password);

  Door* door_;
  const WebLogin* login_;
  WebSession session_;
  std::optional<wire::LoginForm> form_;
  std::string token_;
};

/// What the page did to whoever got `seen` of it, held against the same page as one who is logged in gets it.
Sight sight_of(const WebLogin& login, const std::string& wanted, const Page& inside, const Page& seen);

/// A web interface with the page by which one who is logged in is told from a visitor.
struct WebHouse {
  Door& door;
  const WebLogin& login;
  Inside inside{};                // a page that needs a login
  Page shown{};                   // it, as an account gets it
  std::optional<Page> refused{};  // and as a visitor does, where that was looked at
};

/// Logs in as `user` and finds that page; an empty path: none was found.
asio::awaitable<Result<>> find_protected(WebHouse& house, WebUser& user, std::string username, Secret password);

/// What the protected page does to this user.
asio::awaitable<Result<Sight>> sight(const WebHouse& house, WebUser& user);

/// A session that is open: the protected page was given in it. Nothing: the login was not taken. An error: no answer.
asio::awaitable<Result<std::optional<WebUser>>> enter(const WebHouse& house, std::string username, Secret password);

/// What goes into a request of the DUT file.
struct Filling {
  std::string username;
  Secret password;
  Secret old;
  std::string value;
  Secret login{};  // the password of whoever sends it, where a message carries that
};

/// A text of the DUT file with its marks filled in, in JSON within its texts alone, so that no quotation mark of a
/// password can end one. Without `reveal` secrets are named.
std::string filled_in(const std::string& text, const Filling& filling, bool reveal);

/// One name=value of a form.
struct WebField {
  std::string name;
  std::string value;
  std::string shown;  // what the transcript gets instead of the value
};

/// A request of the DUT file, ready to be sent.
struct Prepared {
  WebRequest request;
  std::string action;                       // where the fields go, which GET sends behind it
  std::vector<WebField> fields;             // of a form, as they are sent; empty: not of a form
  std::vector<std::string> hidden;          // names of those of them that nobody sees
  std::vector<wire::HttpHeader> headers{};  // of the request that the DUT file names: a script of the page sends them
};

/// Fetches the page of the recipe, if it has one, and fills its form in, or with GET the link that goes there.
/// `protocol` says what is not there.
asio::awaitable<Result<Prepared>> prepare(Door& door, const WebLogin& login, WebUser& user, const RequestRecipe& recipe,
                                          const Filling& filling);

/// The page has the form that the recipe speaks of: the one that goes to its path, or else has all its fields.
bool has_form_for(const Page& page, const RequestRecipe& recipe);

/// An error of JSON that nothing stands beside: whoever is given it is given nothing.
bool is_mere_error(const Page& page);

/// The address does what the recipe does by GET, whatever value it brings.
bool may_be_made_by(const RequestRecipe& recipe, const std::string& path);

/// The same with other fields.
void refill(Prepared& prepared, std::vector<WebField> fields);

/// Statuses by which a server says that it did what was asked; whether it did is another question.
bool is_taken(int status);

/// The entry of the DUT file for this endpoint, or null.
const WebInterface* web_interface_for(const Dut& dut, const Endpoint& endpoint);

}  // namespace assay::probes::credentials
