#pragma once

#include <string>
#include <vector>

#include "harness/load/library.hpp"
#include "harness/load/yaml.hpp"

/// ICS and IXIT of a DUT file against the method that the file names.
namespace assay {

/// How strictly a declaration is read.
enum class DeclarationCheck : std::uint8_t {
  names,     // what is written must be known: provisions, tables, fields, forms of values. Every run asks for that.
  complete,  // and nothing may be missing: required fields, references, every provision, every table
};

/// Adds a fault for everything that is wrong with the declaration of a DUT file's tree.
void check_declaration(const Node& root, const Library& library, DeclarationCheck how, Faults& faults);

}  // namespace assay
