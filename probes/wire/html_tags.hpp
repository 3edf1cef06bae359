#pragma once

#include <optional>
#include <string>
#include <string_view>

/// How the readers of HTML take a page apart.
namespace assay::wire::html {

inline constexpr std::size_t kMaximumTag = 4096;

/// One tag after the other, comments left out, at most 4 KiB each: the inside and what follows it.
class Tags {
 public:
  explicit Tags(std::string_view html) : html_(html) {}

  bool next() {
    while (at_ < html_.size()) {
      const auto open = html_.find('<', at_);
      if (open == std::string_view::npos) {
        return false;
      }
      const auto window = html_.substr(open + 1, kMaximumTag);
      if (window.starts_with("!--")) {
        const auto end = html_.find("-->", open);
        at_ = end == std::string_view::npos ? html_.size() : end + 3;
        continue;
      }
      inside_ = window.substr(0, window.find('>'));
      at_ = open + 1 + inside_.size();
      return true;
    }
    return false;
  }

  std::string_view inside() const { return inside_; }

  std::string_view rest() const { return html_.substr(at_); }

  /// Where the rest begins.
  std::size_t at() const { return at_; }

 private:
  std::string_view html_;
  std::string_view inside_;
  std::size_t at_ = 0;
};

/// Attribute of the inside of a tag ("input type=password name='x'"), empty where it has no value.
std::optional<std::string> find_attribute(std::string_view tag, std::string_view wanted);

/// The same, empty when it is not there.
std::string attribute(std::string_view tag, std::string_view wanted);

std::string_view tag_name(std::string_view tag);

/// Text with the few entities resolved that stand in attributes of forms.
std::string resolved(std::string_view text);

/// What the references of a page start from: the href of the first <base> that has one (HTML, 2.4.3); empty: the page.
std::string base_of(std::string_view html);

/// A reference of a page with that base, written so that it leads from the page itself to the same place.
std::string from_base(std::string_view base, std::string_view reference);

/// A tag of this name submits its form when it is pressed.
bool submits(std::string_view tag, std::string_view name);

/// Where a form is sent and how, once this button submits it: its formaction and formmethod win (HTML, 4.10.21.3).
void submit_by(std::string_view button, std::string_view base, std::string& action, std::string& method);

}  // namespace assay::wire::html
