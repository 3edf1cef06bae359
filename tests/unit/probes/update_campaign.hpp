#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/fake_network.hpp"

/// What campaigns of the update probe against devices of script share.
namespace assay::probes::update {
extern const ProbeDescriptor kDescriptor;
}

namespace assay::update_tests {

inline Recipe command(const std::string& line) {
  Recipe out;
  out.exec = line;
  return out;
}

/// A folder with images, and a DUT whose one mechanism names them.
struct Campaign {
  std::filesystem::path folder;
  Dut dut;
  fake::FakeLibrary library;

  Campaign() {
    auto pattern = (std::filesystem::temp_directory_path() / "assay-update-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    std::ofstream(folder / "new.img") << std::string(5000, 'n');
    std::ofstream(folder / "old.img") << std::string(5000, 'o');
    UpdateMechanism mechanism;
    mechanism.mechanism = "UM-1";
    mechanism.image = {"new.img", "2.5.0"};
    mechanism.older = UpdateImage{"old.img", "2.3.0"};
    mechanism.version_at.exec = command("version");
    mechanism.restore = command("restore");
    mechanism.takes_ms = 0;
    dut.updates.push_back(mechanism);
    library.attack_lists["update"].id = "update";
  }

  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;

  ~Campaign() { std::filesystem::remove_all(folder); }

  UpdateMechanism& mechanism() { return dut.updates.front(); }

  Attack& add(std::string id, std::vector<std::string> needs = {}) {
    Attack out;
    out.id = std::move(id);
    out.title = "an attack";
    out.serves = {"EN303645@2.1.1:5.3-2"};
    out.against = "image";
    out.needs = std::move(needs);
    auto& attacks = library.attack_lists["update"].attacks;
    attacks.push_back(std::move(out));
    return attacks.back();
  }

 protected:
  fake::Run observe(fake::FakeNetwork& network, fake::FakeBench& bench, const json::object& parameters) {
    bench.folder = folder;
    auto ran = fake::observe(probes::update::kDescriptor, network, "tcp/80", parameters, dut, library, bench);
    CHECK(ran.record.fault.empty());
    return ran;
  }
};

/// Why an attack was not tried, which it must not have been.
inline std::string why_untried(const fake::Run& ran, std::string_view attack) {
  const auto not_tried = ran.record.value("update.not_tried");
  for (const auto& one : not_tried.as_array()) {
    if (std::string_view{one.at("attack").as_string()} == attack) {
      return std::string{one.at("why").as_string()};
    }
  }
  FAIL(attack << " is not among " << json::serialize(not_tried));
  return {};
}

}  // namespace assay::update_tests
