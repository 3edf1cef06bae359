#include "harness/expr/scan.hpp"

#include <algorithm>
#include <array>

namespace assay::expr {

namespace {

constexpr std::size_t kMaximumProgram = 64u << 10u;
constexpr std::size_t kMaximumNesting = 200;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool continues_name(char c) {
  return starts_name(c) || is_digit(c);
}

/// One pass with a stack of open brackets; a string with `\(` goes on when its bracket closes.
class Scanner {
 public:
  explicit Scanner(std::string_view program) : program_(program) {}

  Scan run() {
    while (result_.problem.empty() && at_ < program_.size()) {
      step();
    }
    if (result_.problem.empty() && !open_.empty()) {
      fail("a bracket is not closed", open_.back().offset);
    }
    return std::move(result_);
  }

 private:
  struct Open {
    char closing = ')';
    bool in_string = false;  // opened by \( in a string
    std::size_t offset = 0;
  };

  char peek(std::size_t ahead = 0) const { return at_ + ahead < program_.size() ? program_[at_ + ahead] : '\0'; }

  void fail(std::string problem, std::size_t offset) {
    result_.problem = std::move(problem);
    result_.offset = offset;
  }

  void add(TokenKind kind, std::size_t begin, std::size_t end) {
    result_.tokens.push_back({kind, program_.substr(begin, end - begin), begin});
  }

  void step() {
    const char c = peek();
    if (c == ' ' || c == '\t' || c == '\n') {
      ++at_;
    } else if (c == '#') {
      at_ = std::min(program_.find('\n', at_), program_.size());
    } else if (c == '"') {
      ++at_;
      string(at_);
    } else if (c == '(' || c == '[' || c == '{') {
      open(c == '(' ? ')' : c == '[' ? ']' : '}', false);
    } else if (c == ')' || c == ']' || c == '}') {
      close(c);
    } else if (starts_name(c)) {
      name(TokenKind::name);
    } else if (c == '$') {
      variable();
    } else if (c == '@' && continues_name(peek(1))) {
      ++at_;
      name(TokenKind::format);
    } else if (c == '.' && starts_name(peek(1))) {
      ++at_;
      name(TokenKind::field);
    } else if (is_digit(c) || (c == '.' && (is_digit(peek(1)) || peek(1) == '.'))) {
      number();
    } else {
      add(TokenKind::punctuation, at_, at_ + 1);
      ++at_;
    }
  }

  void open(char closing, bool in_string) {
    if (open_.size() >= kMaximumNesting) {
      fail("brackets are nested too deeply", at_);
      return;
    }
    open_.push_back({closing, in_string, at_});
    add(TokenKind::punctuation, at_, at_ + 1);
    ++at_;
  }

  void close(char c) {
    if (open_.empty() || open_.back().closing != c) {
      fail(std::string{"a '"} + c + "' closes nothing", at_);
      return;
    }
    const bool in_string = open_.back().in_string;
    open_.pop_back();
    add(TokenKind::punctuation, at_, at_ + 1);
    ++at_;
    if (in_string) {
      string_rest();
    }
  }

  void string(std::size_t begin) {
    const auto before = result_.tokens.size();
    string_rest();
    if (!result_.problem.empty()) {
      return;
    }
    const bool whole = result_.tokens.size() == before;
    const Token token{whole ? TokenKind::text : TokenKind::pieces,
                      whole ? program_.substr(begin, at_ - 1 - begin) : std::string_view{}, begin};
    result_.tokens.insert(result_.tokens.begin() + static_cast<std::ptrdiff_t>(before), token);
  }

  /// To the closing quote or to the next interpolation.
  void string_rest() {
    const auto begin = at_;
    while (at_ < program_.size()) {
      if (program_[at_] == '"') {
        ++at_;
        return;
      }
      if (program_[at_] == '\\' && peek(1) == '(') {
        ++at_;
        open(')', true);
        return;
      }
      at_ += program_[at_] == '\\' ? 2 : 1;
    }
    at_ = program_.size();
    fail("a string is not closed", begin == 0 ? 0 : begin - 1);
  }

  void name(TokenKind kind) {
    const auto begin = at_;
    while (continues_name(peek()) || (kind == TokenKind::name && peek() == ':' && peek(1) == ':')) {
      at_ += peek() == ':' ? 2 : 1;
    }
    add(kind, begin, at_);
  }

  void variable() {
    ++at_;
    while (peek() == ' ' || peek() == '\t' || peek() == '\n') {
      ++at_;
    }
    name(TokenKind::variable);
  }

  void number() {
    const auto begin = at_;
    while (is_digit(peek()) || peek() == '.') {
      ++at_;
    }
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + sign))) {
      at_ += 1 + sign;
      while (is_digit(peek())) {
        ++at_;
      }
    }
    add(TokenKind::number, begin, at_);
  }

  std::string_view program_;
  std::size_t at_ = 0;
  std::vector<Open> open_;
  Scan result_;
};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 20> kShut = {"now",
                                                    "localtime",
                                                    "strflocaltime",
                                                    "halt",
                                                    "halt_error",
                                                    "debug",
                                                    "stderr",
                                                    "input",
                                                    "inputs",
                                                    "env",
                                                    "import",
                                                    "include",
                                                    "module",
                                                    "builtins",
                                                    "input_filename",
                                                    "modulemeta",
                                                    "input_line_number",
                                                    "get_search_list",
                                                    "get_jq_origin",
                                                    "get_prog_origin"};

constexpr std::array<std::string_view, 9> kRaw = {"facts", "absent", "unobserved", "obs",     "ics",
                                                  "ixit",  "mud",    "specs",      "policies"};

std::string quoted(std::string_view name) {
  return "\"" + std::string{name} + "\"";
}

std::optional<std::string> refuse_name(const Token& token, bool is_key) {
  if (is_key) {
    return std::nullopt;
  }
  if (token.text == "try") {
    return "try is shut, because libjq lets it hide errors of later steps: write attempt(f), or ask with present(), "
           "has() "
           "or type first";
  }
  if (among(kShut, token.text)) {
    return quoted(token.text) + " is shut: an expression reads nothing but its document";
  }
  if (token.text.front() == '_' || token.text.find("::") != std::string_view::npos) {
    return quoted(token.text) + " is shut: names with _ in front or :: are jq's own";
  }
  return std::nullopt;
}

std::optional<std::string> refuse_token(const Token& token, bool is_key) {
  switch (token.kind) {
    case TokenKind::name:
      return refuse_name(token, is_key);
    case TokenKind::variable:
      if (token.text == "ENV" || (token.text.starts_with("__") && token.text != "__loc__")) {
        return "$" + std::string{token.text} + " is shut: an expression reads nothing but its document";
      }
      return std::nullopt;
    case TokenKind::field:
      if (among(kRaw, token.text)) {
        return "." + std::string{token.text} +
               " is shut, because a misspelt key would read as null: use obs(), fact(), present(), ics(), support(), "
               "ixit() or declared()";
      }
      return std::nullopt;
    case TokenKind::punctuation:
      if (token.text == "?") {
        return "? is shut, because libjq lets it hide errors of later steps: write attempt(f), or ask with present(), "
               "has() or type first";
      }
      return std::nullopt;
    case TokenKind::text:
    case TokenKind::pieces:
    case TokenKind::format:
    case TokenKind::number:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string at_line(std::string_view program, std::size_t offset) {
  const auto before = program.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  return " (line " + std::to_string(line) + " of the expression)";
}

}  // namespace

Scan scan(std::string_view program) {
  return Scanner{program}.run();
}

std::optional<std::string> refusal(std::string_view program) {
  if (program.size() > kMaximumProgram) {
    return "the expression is longer than 64 KiB";
  }
  if (program.find('\0') != std::string_view::npos || program.find('\r') != std::string_view::npos) {
    return "the expression contains a NUL or carriage return character";
  }
  const auto scanned = scan(program);
  if (!scanned.problem.empty()) {
    return scanned.problem + at_line(program, scanned.offset);
  }
  const auto& tokens = scanned.tokens;
  if (tokens.empty()) {
    return "the expression is empty";
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool is_key = i + 1 < tokens.size() && tokens[i + 1].text == ":";
    if (auto refused = refuse_token(tokens[i], is_key)) {
      return *refused + at_line(program, tokens[i].offset);
    }
  }
  return std::nullopt;
}

}  // namespace assay::expr
