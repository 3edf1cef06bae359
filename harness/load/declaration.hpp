#pragma once

#include <string>
#include <vector>

#include "harness/load/library.hpp"
#include "harness/load/yaml.hpp"
#include "harness/model/dut.hpp"

/// ICS and IXIT of a DUT file against the method that the file names.
namespace assay {

/// How strictly a declaration is read.
enum class DeclarationCheck : std::uint8_t {
  names,     // what is written must be known: provisions, tables, fields, forms of values. Every run asks for that.
  complete,  // and nothing may be missing: required fields, references, every provision, every table
};

/// Adds a fault for everything that is wrong with the declaration of a DUT file's tree.
void check_declaration(const Node& root, const Library& library, DeclarationCheck how, Faults& faults);

/// Adds a fault for every contradiction: claims of the ICS that the standard refuses or the IXIT disproves, and the
/// checks of the method. Names, forms and completeness are check_declaration's.
void check_consistency(const Node& root, const Library& library, Faults& faults);

/// ICS and IXIT as the model has them; what is of the wrong kind is left out.
void read_declaration(const Node& root, Dut& dut);

/// The text with the method's own names for the IXIT tables of another edition.
void rename_tables(Node& node, const LibraryFile& method);

}  // namespace assay
