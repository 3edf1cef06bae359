#include "harness/model/display.hpp"

#include "tests/support/catch.hpp"

using assay::display_width;
using assay::displayable;
using assay::displayable_text;
using assay::shortened;

TEST_CASE("Plain text in any script is shown as it is") {
  CHECK(displayable("OpenSSH 9.2 <b> \\x1b") == "OpenSSH 9.2 <b> \\x1b");
  CHECK(displayable("Küche 智能灯 مصباح 💡") == "Küche 智能灯 مصباح 💡");
  CHECK(displayable("").empty());
}

TEST_CASE("Control characters are named, also newlines in a line") {
  CHECK(displayable(std::string_view{"a\0b", 3}) == "a⟨NUL⟩b");
  CHECK(displayable("\x1b[2J\r\n\t\x7f") == "⟨ESC⟩[2J⟨CR⟩⟨LF⟩⟨TAB⟩⟨DEL⟩");
  CHECK(displayable("\xC2\x85\xC2\x9B") == "⟨U+0085⟩⟨U+009B⟩");
}

TEST_CASE("Marks that reorder or hide text are named") {
  CHECK(displayable("\u202Eexe.txt\u202C") == "⟨U+202E⟩exe.txt⟨U+202C⟩");
  CHECK(displayable("\u2066a\u2069\u200E\u200F\u061C") == "⟨U+2066⟩a⟨U+2069⟩⟨U+200E⟩⟨U+200F⟩⟨U+061C⟩");
  CHECK(displayable("a\u200Bb\uFEFFc\u2028d") == "a⟨U+200B⟩b⟨U+FEFF⟩c⟨U+2028⟩d");
  CHECK(displayable("x\U000E0041\U000E007F") == "x⟨U+E0041⟩⟨U+E007F⟩");
  CHECK(displayable("\U0010FFFD") == "⟨U+10FFFD⟩");
}

TEST_CASE("Bytes that are no UTF-8 are named one by one and the rest is kept") {
  CHECK(displayable("a\xFF"
                    "b") == "a⟨0xFF⟩b");
  CHECK(displayable("\xC3") == "⟨0xC3⟩");
  CHECK(displayable("\xE2\x82") == "⟨0xE2⟩⟨0x82⟩");
  CHECK(displayable("\xC0\xAF") == "⟨0xC0⟩⟨0xAF⟩");                      // overlong
  CHECK(displayable("\xED\xA0\x80") == "⟨0xED⟩⟨0xA0⟩⟨0x80⟩");            // surrogate
  CHECK(displayable("\xF4\x90\x80\x80") == "⟨0xF4⟩⟨0x90⟩⟨0x80⟩⟨0x80⟩");  // above U+10FFFF
  CHECK(displayable("\xF0\x80\x80\xAF") == "⟨0xF0⟩⟨0x80⟩⟨0x80⟩⟨0xAF⟩");  // overlong
}

TEST_CASE("Text of several lines keeps newlines and tabs and nothing else that is hidden") {
  CHECK(displayable_text("a\r\nb\n\tc\rd\x07") == "a\nb\n\tc⟨CR⟩d⟨BEL⟩");
  CHECK(displayable_text("\u202Ea\n") == "⟨U+202E⟩a\n");
}

TEST_CASE("Width counts code points and a cut never splits one") {
  CHECK(display_width("Küche✓") == 6);
  CHECK(shortened("Küche", 5) == "Küche");
  CHECK(shortened("Küchen✓", 3) == "Kü…");
  CHECK(shortened("✓✓✓", 1) == "…");
}
