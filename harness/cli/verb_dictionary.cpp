#include <iostream>
#include <memory>
#include <set>

#include <CLI/CLI.hpp>

#include "harness/cli/context.hpp"
#include "harness/model/joined.hpp"

/// dictionary: the lists of the library, or one of them, checked.
namespace assay {

namespace {

/// Vendors and models that pairs are likelier for, sorted.
std::set<std::string> makers_of(const Dictionary& dictionary) {
  std::set<std::string> out;
  for (const auto& pair : dictionary.credentials) {
    out.insert(pair.likelier_for.begin(), pair.likelier_for.end());
  }
  return out;
}

json::object described(const Dictionary& dictionary) {
  json::array makers;
  for (const auto& maker : makers_of(dictionary)) {
    makers.emplace_back(maker);
  }
  return {{"id", dictionary.id},
          {"title", dictionary.title},
          {"source", dictionary.source},
          {"credentials", std::ssize(dictionary.credentials)},
          {"passwords", std::ssize(dictionary.passwords)},
          {"likelier_for", std::move(makers)}};
}

void show(const Dictionary& dictionary) {
  std::cout << dictionary.id << ": " << dictionary.title << "; " << dictionary.credentials.size() << " pairs to try, "
            << dictionary.passwords.size() << " passwords to hold values against\n  " << dictionary.source << "\n";
  const auto makers = makers_of(dictionary);
  if (!makers.empty()) {
    std::cout << "  tried first on what comes from: " << joined(makers) << "\n";
  }
}

void dictionary(Context& context, const std::string& id) {
  const auto library = context.library();
  if (!library) {
    context.complain(library.error(), ExitCode::usage);
    return;
  }
  const auto loaded = load_dictionaries(*library);
  context.complain(loaded.errors);
  if (!loaded.value) {
    context.exit_code = ExitCode::usage;
    return;
  }
  json::array all;
  for (const auto& [name, one] : *loaded.value) {
    if (!id.empty() && name != id) {
      continue;
    }
    all.push_back(described(one));
    if (!context.json) {
      show(one);
    }
  }
  if (all.empty()) {
    context.complain({ErrorKind::bad_input, "there is no dictionary \"" + id + "\"", {}}, ExitCode::usage);
    return;
  }
  if (context.json) {
    context.print_json(all);
  }
}

}  // namespace

void add_dictionary(CLI::App& app, Context& context) {
  auto id = std::make_shared<std::string>();
  auto* verb = app.add_subcommand("dictionary", "List the dictionaries of the library, and check them");
  verb->add_option("id", *id, "One of them; none: all")->type_name("ID");
  verb->callback([&context, id] { dictionary(context, *id); });
}

}  // namespace assay
