#include <iostream>
#include <sstream>

#include <CLI/CLI.hpp>

#include "harness/cli/app.hpp"
#include "harness/cli/context.hpp"

/// The man page and the shell completion, from the same definitions as the parser.
namespace assay {

namespace {

/// roff reads a backslash and a leading dot or quote as its own.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

void man_option(std::ostream& out, const CLI::Option& option) {
  out << ".TP\n\\fB" << roff(option.get_name(false, true)) << "\\fR";
  if (!option.get_type_name().empty() && option.get_expected_max() > 0) {
    out << " \\fI" << roff(option.get_type_name()) << "\\fR";
  }
  out << "\n" << roff(option.get_description());
  if (!option.get_default_str().empty()) {
    out << " Default: " << roff(option.get_default_str()) << ".";
  }
  out << "\n";
}

void man_verbs(std::ostream& out, const CLI::App& app, const std::string& before) {
  for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    const auto name = before + verb->get_name();
    out << ".SS " << roff(name) << "\n" << roff(verb->get_description()) << ".\n";
    for (const auto* option : verb->get_options()) {
      if (option->get_name() != "--help") {
        man_option(out, *option);
      }
    }
    man_verbs(out, *verb, name + " ");
  }
}

std::string man_page(const CLI::App& app) {
  std::ostringstream out;
  out << ".TH ASSAY 1 \"\" \"assay " << kVersion
      << "\"\n.SH NAME\nassay \\- test an IoT device against a cybersecurity label\n"
      << ".SH SYNOPSIS\n\\fBassay\\fR [\\fIoptions\\fR] \\fIverb\\fR [\\fIverb options\\fR]\n.SH DESCRIPTION\n"
      << roff(app.get_description()) << "\n.SH OPTIONS\n";
  for (const auto* option : app.get_options()) {
    man_option(out, *option);
  }
  out << ".SH VERBS\n";
  man_verbs(out, app, "");
  out << ".SH EXIT STATUS AND NOTES\n" << roff(app.get_footer()) << "\n";
  return out.str();
}

std::string option_words(const CLI::App& app) {
  std::string words;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) {
      words += " --" + name;
    }
  }
  return words;
}

std::string bash_completion(const CLI::App& app) {
  std::ostringstream out;
  std::string verbs;
  for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    verbs += " " + verb->get_name();
  }
  out << "# bash completion for assay; written by `assay completion`\n"
         "_assay() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} verb='' word words\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $word in -*) ;; *) verb=$word; break ;; esac\n"
         "  done\n"
         "  case $verb in\n";
  for (const auto* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    out << "    " << verb->get_name() << ") words='" << option_words(*verb) << option_words(app) << "' ;;\n";
  }
  out << "    *) words='" << verbs << option_words(app)
      << "' ;;\n"
         "  esac\n"
         "  case $current in\n"
         "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$current\")) ;;\n"
         "    *) if [ -z \"$verb\" ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$current\"));\n"
         "       else COMPREPLY=($(compgen -f -- \"$current\")); fi ;;\n"
         "  esac\n"
         "}\n"
         "complete -o filenames -F _assay assay\n";
  return out.str();
}

}  // namespace

void add_documents(CLI::App& app, Context&) {
  auto* man = app.add_subcommand("man", "Print the man page");
  man->callback([&app] { std::cout << man_page(app); });
  auto* completion = app.add_subcommand("completion", "Print the bash completion");
  completion->callback([&app] { std::cout << bash_completion(app); });
}

}  // namespace assay
