#include "reports/html/report.hpp"

#include <cstring>  // str_ref.h of ctemplate calls strlen without including it
#include <ostream>

#include <ctemplate/template_cache.h>
#include <ctemplate/template_dictionary.h>
#include <ctemplate/template_emitter.h>

#include "reports/html/pages.hpp"
#include "reports/html/templates.hpp"

namespace assay {

namespace {

constexpr auto kStrip = ctemplate::STRIP_BLANK_LINES;

class StreamEmitter final : public ctemplate::ExpandEmitter {
 public:
  explicit StreamEmitter(std::ostream& out) : out_(out) {}

  void Emit(char c) override { out_ << c; }

  void Emit(const std::string& text) override { out_ << text; }

  void Emit(const char* text) override { out_ << text; }

  void Emit(const char* text, std::size_t length) override { out_.write(text, static_cast<std::streamsize>(length)); }

 private:
  std::ostream& out_;
};

Result<> load(ctemplate::TemplateCache& cache) {
  for (const auto& file : reports::html_templates()) {
    if (!cache.StringToTemplateCache(file.name.data(), file.text.data(), file.text.size(), kStrip)) {
      return Error{ErrorKind::internal, "the HTML template " + std::string{file.name} + " does not parse", {}};
    }
  }
  // Frozen, so that an include which is not built in can never be looked for on the disk.
  cache.Freeze();
  return {};
}

Result<> expand(ctemplate::TemplateCache& cache, const char* name, const ctemplate::TemplateDictionary& dictionary,
                std::ostream& out) {
  StreamEmitter emitter{out};
  if (!cache.ExpandNoLoad(name, kStrip, &dictionary, nullptr, &emitter)) {
    return Error{ErrorKind::internal, "an HTML template does not expand", {}};
  }
  out.flush();
  if (!out) {
    return Error{ErrorKind::io, "the report could not be written", {}};
  }
  return {};
}

}  // namespace

Result<> write_html_report(const Bundle& bundle, std::ostream& out, std::string_view base) {
  ctemplate::TemplateCache cache;
  if (auto loaded = load(cache); !loaded) {
    return loaded;
  }
  const reports::Reading reading{bundle, base};
  ctemplate::TemplateDictionary dictionary{"report"};
  reports::Section page{dictionary};
  reports::fill_front(reading, page);
  reports::fill_result(reading, page.include("RESULT", "result.tpl"));
  reports::fill_tested(reading, page.include("TESTED", "tested.tpl"));
  reports::fill_requirements(reading, page);
  reports::fill_limits(reading, page.include("LIMITS", "limits.tpl"));
  reports::fill_observations(reading, page);
  reports::fill_integrity(reading, page.include("INTEGRITY", "integrity.tpl"));
  return expand(cache, "report.tpl", dictionary, out);
}

Result<> write_evidence_deck(const Bundle& bundle, std::ostream& out, std::string_view base) {
  ctemplate::TemplateCache cache;
  if (auto loaded = load(cache); !loaded) {
    return loaded;
  }
  const reports::Reading reading{bundle, base};
  ctemplate::TemplateDictionary dictionary{"deck"};
  reports::Section page{dictionary};
  reports::fill_front(reading, page);
  reports::fill_deck(reading, page);
  return expand(cache, "deck.tpl", dictionary, out);
}

}  // namespace assay
