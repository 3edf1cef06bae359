#include "probes/wire/http_auth.hpp"

#include <algorithm>
#include <cctype>

#include "probes/wire/bytes.hpp"

namespace assay::wire {

namespace {

constexpr std::size_t kMaximumChallenges = 16;
constexpr std::size_t kMaximumParameters = 32;
constexpr std::size_t kMaximumHeader = 8192;

bool is_token_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }

  char peek() const { return at_end() ? '\0' : text_[at_]; }

  void next() { ++at_; }

  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t') {
      next();
    }
  }

  void skip_separators() {
    while (peek() == ' ' || peek() == '\t' || peek() == ',') {
      next();
    }
  }

  std::string token() {
    const auto start = at_;
    while (!at_end() && is_token_char(text_[at_])) {
      ++at_;
    }
    return std::string{text_.substr(start, at_ - start)};
  }

  std::string quoted() {
    std::string out;
    for (next(); !at_end() && peek() != '"'; next()) {
      if (peek() == '\\' && at_ + 1 < text_.size()) {
        next();
      }
      out += peek();
    }
    next();
    return out;
  }

  std::string until_comma() {
    const auto start = at_;
    while (!at_end() && peek() != ',') {
      next();
    }
    return std::string{trim(text_.substr(start, at_ - start))};
  }

  std::size_t place() const { return at_; }

  void back_to(std::size_t place) { at_ = place; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

/// `name = value` at the scanner, or false with the scanner where it was.
bool read_parameter(Scanner& scan, Challenge& challenge) {
  const auto start = scan.place();
  auto name = scan.token();
  scan.skip_spaces();
  if (name.empty() || scan.peek() != '=') {
    scan.back_to(start);
    return false;
  }
  scan.next();
  scan.skip_spaces();
  if (scan.peek() == '=' || scan.peek() == ',' || scan.at_end()) {  // padding of a token68
    scan.back_to(start);
    return false;
  }
  auto value = scan.peek() == '"' ? scan.quoted() : scan.until_comma();
  if (challenge.parameters.size() < kMaximumParameters) {
    challenge.parameters.emplace_back(std::move(name), std::move(value));
  }
  return true;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == '\0') {
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + "\"";
}

bool offers(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (equal_ignoring_case(trim(list.substr(0, comma)), wanted)) {
      return true;
    }
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return false;
}

}  // namespace

bool Challenge::is(std::string_view name) const {
  return equal_ignoring_case(scheme, name);
}

std::string Challenge::parameter(std::string_view name) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const auto& pair) { return equal_ignoring_case(pair.first, name); });
  return found == parameters.end() ? std::string{} : found->second;
}

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> challenges;
  Scanner scan{header.substr(0, kMaximumHeader)};
  for (scan.skip_separators(); !scan.at_end(); scan.skip_separators()) {
    if (!challenges.empty() && read_parameter(scan, challenges.back())) {
      continue;
    }
    Challenge challenge;
    challenge.scheme = scan.token();
    if (challenge.scheme.empty()) {
      scan.next();
      continue;
    }
    if (challenges.size() == kMaximumChallenges) {
      break;
    }
    const bool spaced = scan.peek() == ' ' || scan.peek() == '\t';
    scan.skip_spaces();
    if (spaced && !scan.at_end() && scan.peek() != ',' && !read_parameter(scan, challenge)) {
      challenge.token68 = scan.until_comma();
    }
    challenges.push_back(std::move(challenge));
  }
  return challenges;
}

std::string basic_authorization(std::string_view username, std::string_view password) {
  return "Basic " + base64(std::string{username} + ":" + std::string{password});
}

std::optional<DigestAnswer> digest_authorization(const Challenge& challenge, const DigestInput& input,
                                                 const HashHex& hash) {
  const auto named = challenge.parameter("algorithm");
  auto base = named.empty() ? std::string{"MD5"} : named;
  const bool session = base.size() > 5 && equal_ignoring_case(std::string_view{base}.substr(base.size() - 5), "-sess");
  if (session) {
    base.resize(base.size() - 5);
  }
  const auto realm = challenge.parameter("realm");
  const auto nonce = challenge.parameter("nonce");
  const auto offered = challenge.parameter("qop");
  std::string qop;
  if (offers(offered, "auth")) {
    qop = "auth";
  } else if (offers(offered, "auth-int")) {
    qop = "auth-int";
  }
  const bool known = equal_ignoring_case(base, "MD5") || equal_ignoring_case(base, "SHA-256");
  if (!known || nonce.empty() || (!offered.empty() && qop.empty())) {
    return std::nullopt;
  }
  base = equal_ignoring_case(base, "MD5") ? "MD5" : "SHA-256";
  auto first = hash(base, input.username + ":" + realm + ":" + input.password);
  if (session) {
    first = hash(base, first + ":" + nonce + ":" + input.cnonce);
  }
  auto second = input.method + ":" + input.uri;
  if (qop == "auth-int") {
    second += ":" + hash(base, {});
  }
  second = hash(base, second);
  std::string count;
  put_u32(count, input.count);
  count = hex(count);
  DigestAnswer answer;
  answer.response = qop.empty()
                        ? hash(base, first + ":" + nonce + ":" + second)
                        : hash(base, first + ":" + nonce + ":" + count + ":" + input.cnonce + ":" + qop + ":" + second);
  answer.header = "Digest username=" + quote(input.username) + ", realm=" + quote(realm) + ", nonce=" + quote(nonce) +
                  ", uri=" + quote(input.uri) + ", response=" + quote(answer.response);
  if (!named.empty()) {
    answer.header += ", algorithm=" + std::string{base} + (session ? "-sess" : "");
  }
  if (const auto opaque = challenge.parameter("opaque"); !opaque.empty()) {
    answer.header += ", opaque=" + quote(opaque);
  }
  if (!qop.empty() || session) {
    answer.header += (qop.empty() ? "" : ", qop=" + qop + ", nc=" + count) + ", cnonce=" + quote(input.cnonce);
  }
  return answer;
}

}  // namespace assay::wire
