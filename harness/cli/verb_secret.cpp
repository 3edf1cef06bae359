#include <iostream>
#include <memory>
#include <set>
#include <termios.h>
#include <unistd.h>
#include <utility>

#include <CLI/CLI.hpp>

#include "harness/cli/assess.hpp"
#include "harness/cli/folders.hpp"
#include "harness/cli/secret_options.hpp"
#include "harness/model/display.hpp"

/// secret key, secret find: the laboratory's key, and which secret of a bundle a value is.
namespace assay {

namespace {

constexpr std::size_t kLongestValue = 4096;  // bytes, as in a DUT file

/// The terminal without echo while it lives.
class WithoutEcho {
 public:
  WithoutEcho() : terminal_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (terminal_) {
      ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
  }

  ~WithoutEcho() {
    if (terminal_) {
      ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
      std::cerr << '\n';
    }
  }

  WithoutEcho(const WithoutEcho&) = delete;
  WithoutEcho& operator=(const WithoutEcho&) = delete;

 private:
  termios before_{};
  bool terminal_;
};

/// One line of standard input: an argument would stand in the list of processes.
Result<std::string> asked_value(bool quiet) {
  if (::isatty(STDIN_FILENO) == 1 && !quiet) {
    std::cerr << "Value: " << std::flush;
  }
  const WithoutEcho silence;
  std::string value;
  if (!std::getline(std::cin, value) || value.empty() || value.size() > kLongestValue) {
    return Error{ErrorKind::bad_input, "give the value as one line of standard input, up to 4096 bytes", {}};
  }
  return value;
}

struct SecretPlace {
  std::int64_t sequence = 0;
  std::string type;
  std::string pointer;
  std::string name;  // whose secret, where the entry says it
};
BOOST_DESCRIBE_STRUCT(SecretPlace, (), (sequence, type, pointer, name))

std::string name_in(const json::object& entry) {
  for (const auto* key : {"name", "source"}) {
    if (const auto* text = entry.if_contains(key); text != nullptr && text->is_string()) {
      return std::string{std::string_view{text->get_string()}};
    }
  }
  return {};
}

/// Every text of an event that is `secret`, and which keys other texts were made under.
void search_secret(const json::value& value, const std::string& secret, SecretPlace& at,
                   std::vector<SecretPlace>& found, std::set<std::string>& keys) {
  const auto pointer = at.pointer;
  if (const auto* object = value.if_object()) {
    const auto name = std::exchange(at.name, name_in(*object));
    for (const auto& item : *object) {
      at.pointer = pointer + "/" + std::string{std::string_view{item.key()}};
      search_secret(item.value(), secret, at, found, keys);
    }
    at.name = name;
  } else if (const auto* array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      at.pointer = pointer + "/" + std::to_string(i);
      search_secret((*array)[i], secret, at, found, keys);
    }
  } else if (const auto* text = value.if_string(); text != nullptr && evidence::is_secret_name(*text)) {
    keys.insert(evidence::key_id_of(*text));
    if (std::string_view{*text} == secret) {
      found.push_back(at);
    }
  }
  at.pointer = pointer;
}

void print_places(const Context& context, const std::string& secret, const std::vector<SecretPlace>& found) {
  if (context.json) {
    context.print_json(json::object{{"secret", secret}, {"found", to_json(found)}});
    return;
  }
  for (const auto& place : found) {
    std::cout << "journal event " << place.sequence << " (" << displayable(place.type) << ") "
              << displayable(place.pointer) << (place.name.empty() ? "" : ": " + displayable(place.name)) << "\n";
  }
  std::cout << (found.empty() ? "This value is no secret of that bundle: " : "This value is ") << secret << "\n";
}

void find_secret(Context& context, const std::string& folder, const std::string& key_file) {
  std::string why;
  const auto key = laboratory_key(key_file, why);
  if (!key || !*key) {
    context.complain(key ? Error{ErrorKind::bad_input, why, {}} : key.error(), ExitCode::usage);
    return;
  }
  const auto bundle = Bundle::open(bundle_in(folder));
  const auto value = bundle ? asked_value(context.quiet) : Result<std::string>{bundle.error()};
  if (!value) {
    context.complain(value.error(), bundle ? ExitCode::usage : ExitCode::not_verified);
    return;
  }
  const auto secret = (*key)->name_of(*value);
  std::vector<SecretPlace> found;
  std::set<std::string> keys;
  for (const auto& event : bundle->events()) {
    SecretPlace at{event.sequence, event.type, {}, {}};
    search_secret(event.data, secret, at, found, keys);
  }
  if (found.empty() && !keys.contains((*key)->id())) {
    context.complain({ErrorKind::bad_input,
                      keys.empty() ? "that bundle names no secret"
                                   : "that bundle names its secrets under the key " + *keys.begin() + ", and this is " +
                                         (*key)->id(),
                      {}},
                     ExitCode::usage);
    return;
  }
  print_places(context, secret, found);
  context.exit_code = found.empty() ? ExitCode::failed : ExitCode::passed;
}

void show_key(Context& context, const std::string& file) {
  std::string why;
  std::error_code unseen;
  if (!file.empty() && !std::filesystem::exists(file, unseen)) {
    auto made = evidence::LabKey::make();
    const auto written = made ? made->write(file) : Result<>{made.error()};
    if (!written) {
      context.complain(written.error(), exit_code_for(written.error()));
      return;
    }
  }
  const auto key = laboratory_key(file, why);
  if (!key || !*key) {
    context.complain(key ? Error{ErrorKind::bad_input, why, {}} : key.error(), ExitCode::usage);
    return;
  }
  const auto path = file.empty() ? (laboratory_folder() / "lab.key").string() : file;
  if (context.json) {
    context.print_json(json::object{{"key", (*key)->id()}, {"file", path}});
  } else {
    std::cout << "The laboratory's key " << (*key)->id() << " is in " << path << "\n";
  }
}

}  // namespace

void add_secret(CLI::App& app, Context& context) {
  struct Options {
    std::string folder;
    std::string key;
  };

  auto options = std::make_shared<Options>();
  auto* verb = app.add_subcommand("secret", "The key under which secrets are named, and what they are in a bundle");
  verb->require_subcommand(1);
  auto* key = verb->add_subcommand("key", "Show the id of the laboratory's key; makes one where there is none");
  key->add_option("--lab-key", options->key, "Another file than the laboratory's own")->type_name("FILE");
  key->callback([&context, options] { show_key(context, options->key); });
  auto* find = verb->add_subcommand(
      "find", "Is the value on standard input a secret of this bundle? Exit code 0 where it is, 1 where not");
  find->add_option("folder", options->folder, "Folder of a run or its bundle")->required()->type_name("DIR");
  find->add_option("--lab-key", options->key, "The key of the bundle, where it is not the laboratory's own")
      ->type_name("FILE");
  find->callback([&context, options] { find_secret(context, options->folder, options->key); });
}

}  // namespace assay
