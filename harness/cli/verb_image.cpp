#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "harness/cli/context.hpp"
#include "probes/images/mutation.hpp"
#include "probes/images/verify.hpp"

/// image: what lies where in a firmware image, whether the maker's key verifies it, and images made from it that an
/// updater ought to refuse.
namespace assay {

namespace {

struct ImageVerb {
  std::string file;
  std::string key;
  std::string older;
  std::string other_model;
  std::string other_component;
  std::string signer_key;
  std::string signer_certificate;
  std::vector<std::string> mutate;
  std::string out;
  std::uint64_t bomb_mib = 1024;
  bool list = false;
};

/// Every mutation that a list shows, with the parameters that are usual.
constexpr const char* kUsual[] = {"flip_bit:header",
                                  "flip_bit:manifest",
                                  "flip_bit:signature",
                                  "flip_bit:payload",
                                  "flip_bit:payload+repair",
                                  "flip_bit:1",
                                  "flip_bit:5",
                                  "flip_bit:10",
                                  "remove_signature",
                                  "resign:other_key",
                                  "resign:expired",
                                  "resign:revoked",
                                  "swap_content",
                                  "swap_content+repair",
                                  "truncate:10",
                                  "truncate:90",
                                  "append:4096",
                                  "lie_size:16",
                                  "lie_version:99.99.99",
                                  "lie_version:99.99.99+repair",
                                  "bomb",
                                  "bomb+repair",
                                  "traversal",
                                  "older",
                                  "same",
                                  "other_model",
                                  "other_component",
                                  "mix_older",
                                  "mix_older+repair",
                                  "lie_date",
                                  "lie_date+repair"};

Result<std::string> read_small(const std::string& path) {
  const auto source = images::FileSource::open(path);
  return source ? images::read_text(**source, 0, (*source)->size(), std::uint64_t{1} << 20U)
                : Result<std::string>{source.error()};
}

Result<images::Source> optional_source(const std::string& path) {
  if (path.empty()) {
    return images::Source{};
  }
  const auto source = images::FileSource::open(path);
  return source ? Result<images::Source>{images::Source{*source}} : Result<images::Source>{source.error()};
}

/// The files that were named. A key that signs stands for each of the three signers: the user says which it is by the
/// mutation.
Result<images::Materials> materials_of(const ImageVerb& verb) {
  const auto genuine = optional_source(verb.file);
  const auto older = optional_source(verb.older);
  const auto other = optional_source(verb.other_model);
  const auto component = optional_source(verb.other_component);
  for (const auto* one : {&genuine, &older, &other, &component}) {
    if (!*one) {
      return one->error();
    }
  }
  images::Materials out;
  out.genuine = *genuine;
  out.older = *older;
  out.other_model = *other;
  out.other_component = *component;
  out.bomb_bytes = verb.bomb_mib << 20U;
  if (!verb.signer_key.empty()) {
    const auto key = read_small(verb.signer_key);
    const auto certificate =
        verb.signer_certificate.empty() ? Result<std::string>{std::string{}} : read_small(verb.signer_certificate);
    if (!key || !certificate) {
      return key ? certificate.error() : key.error();
    }
    const auto signer = images::Signer::load(*key, *certificate);
    if (!signer) {
      return signer.error();
    }
    out.own = out.expired = out.revoked = *signer;
  }
  return out;
}

Result<json::object> verified(const ImageVerb& verb, const images::Source& image, const images::ImageMap& map) {
  const auto key = read_small(verb.key);
  const auto result = key ? images::verify_image(image, map, *key) : Result<images::Verified>{key.error()};
  if (!result) {
    return result.error();
  }
  return to_json(*result).get_object();
}

json::array listed(const images::Materials& materials, const images::ImageMap& map) {
  json::array out;
  for (const auto* name : kUsual) {
    const auto spec = images::mutation_from_text(name);
    const auto made = images::mutate(*spec, materials, map);
    out.push_back({{"name", name}, {"possible", bool{made}}, {"what", made ? made->what : made.error().what}});
  }
  return out;
}

void show(const json::object& report) {
  const auto& map = report.at("map").get_object();
  std::cout << fmt::format("{}, {} bytes\n  sha256 {}\n", std::string{map.at("format").get_string()},
                           report.at("size").to_number<std::uint64_t>(), std::string{report.at("sha256").get_string()});
  for (const auto& one : map.at("regions").get_array()) {
    const auto& region = one.get_object();
    std::cout << fmt::format("  {:>12} {:>12}  {:<10} {}\n", region.at("offset").to_number<std::uint64_t>(),
                             region.at("length").to_number<std::uint64_t>(),
                             std::string{region.at("kind").get_string()}, std::string{region.at("name").get_string()});
  }
  for (const auto& [key, value] : map.at("facts").get_object()) {
    std::cout << "  " << key << ": " << json::serialize(value) << "\n";
  }
  for (const auto& doubt : map.at("doubts").get_array()) {
    std::cout << "  doubt: " << std::string_view{doubt.get_string()} << "\n";
  }
  if (const auto* verified = report.if_contains("verified")) {
    std::cout << "  verified with the key: " << json::serialize(*verified) << "\n";
  }
  for (const auto* key : {"mutations", "written"}) {
    for (const auto& one : report.contains(key) ? report.at(key).get_array() : json::array{}) {
      const auto& made = one.get_object();
      const bool possible = !made.contains("possible") || made.at("possible").get_bool();
      std::cout << fmt::format("  {:<28} {}{}\n", std::string{made.at("name").get_string()},
                               possible ? "" : "not possible: ", std::string{made.at("what").get_string()});
    }
  }
}

/// Several mutations are files in the folder that -o names, one is the file.
Result<json::array> write_mutations(const ImageVerb& verb, const images::Materials& materials,
                                    const images::ImageMap& map) {
  json::array out;
  for (const auto& text : verb.mutate) {
    const auto spec = images::mutation_from_text(text);
    const auto made = spec ? images::mutate(*spec, materials, map) : Result<images::Mutation>{spec.error()};
    if (!made) {
      return made.error();
    }
    const std::filesystem::path path = verb.mutate.size() == 1 ? verb.out : verb.out + "/" + made->name;
    if (const auto written = images::write_file(*made->image, path); !written) {
      return written.error();
    }
    out.push_back({{"name", made->name}, {"what", made->what}, {"file", path.string()}, {"size", made->image->size()}});
  }
  return out;
}

/// Adds `key` to the report, or complains. What a format does not allow is the user's to know, not a fault.
template <class T>
bool add(Context& context, json::object& report, const char* key, Result<T> value) {
  if (!value) {
    context.complain(value.error(),
                     value.error().kind == ErrorKind::unsupported ? ExitCode::usage : exit_code_for(value.error()));
    return false;
  }
  report[key] = std::move(*value);
  return true;
}

void image(Context& context, const ImageVerb& verb) {
  if (verb.mutate.empty() != verb.out.empty()) {
    context.complain({ErrorKind::bad_input, "--mutate and -o belong together", {}}, ExitCode::usage);
    return;
  }
  const auto materials = materials_of(verb);
  const auto map = materials ? images::map_image(*materials->genuine) : Result<images::ImageMap>{materials.error()};
  const auto digest = map ? images::sha256_of(*materials->genuine) : Result<std::string>{map.error()};
  if (!digest) {
    context.complain(digest.error(), exit_code_for(digest.error()));
    return;
  }
  json::object report{
      {"file", verb.file}, {"size", materials->genuine->size()}, {"sha256", *digest}, {"map", to_json(*map)}};
  if (!verb.key.empty() && !add(context, report, "verified", verified(verb, materials->genuine, *map))) {
    return;
  }
  if (verb.list) {
    report["mutations"] = listed(*materials, *map);
  }
  if (!verb.mutate.empty() && !add(context, report, "written", write_mutations(verb, *materials, *map))) {
    return;
  }
  if (context.json) {
    context.print_json(report);
  } else {
    show(report);
  }
  if (const auto* result = report.if_contains("verified")) {
    const auto& verdict = result->get_object();
    if (!verdict.at("verified").get_bool() || !verdict.at("uncovered").get_array().empty()) {
      context.exit_code = ExitCode::not_verified;
    }
  }
}

}  // namespace

void add_image(CLI::App& app, Context& context) {
  auto verb = std::make_shared<ImageVerb>();
  auto* command =
      app.add_subcommand("image", "Show what a firmware image says of itself, verify it, make mutations of it");
  command->add_option("file", verb->file, "The image")->required()->type_name("FILE");
  command->add_option("--key", verb->key, "Verify it with this public key or certificate (PEM)")->type_name("FILE");
  command->add_flag("--mutations", verb->list, "Say which mutations this image allows, and why not the others");
  command
      ->add_option("--mutate", verb->mutate, "Make this mutation, for example flip_bit:payload+repair; may be repeated")
      ->type_name("MUTATION")
      ->allow_extra_args(false);
  command->add_option("-o,--out", verb->out, "Where to write it; a folder for several")->type_name("PATH");
  command->add_option("--older", verb->older, "The maker's older image")->type_name("FILE");
  command->add_option("--other-model", verb->other_model, "The maker's image for another model")->type_name("FILE");
  command->add_option("--other-component", verb->other_component, "The maker's image for another component")
      ->type_name("FILE");
  command->add_option("--signer-key", verb->signer_key, "Sign with this private key (PEM); none: one is made")
      ->type_name("FILE");
  command->add_option("--signer-certificate", verb->signer_certificate, "Its certificate (PEM)")->type_name("FILE");
  command->add_option("--bomb-mib", verb->bomb_mib, "What a bomb unpacks to, in MiB")->check(CLI::Range(1, 65536));
  command->callback([&context, verb] { image(context, *verb); });
}

}  // namespace assay
