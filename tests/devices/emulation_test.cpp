#include "harness/lab/emulation.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <poll.h>
#include <set>
#include <sstream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/lab/isolation.hpp"
#include "harness/lab/process.hpp"
#include "harness/load/load_device.hpp"
#include "tests/support/catch.hpp"

/// Emulated devices started for real, in every isolation this machine allows.
namespace assay {
namespace {

namespace fs = std::filesystem;
using Device = std::unique_ptr<EmulatedDevice>;
using std::chrono::milliseconds;

const fs::path kDevices = fs::path(ASSAY_SOURCE_DIR) / "tests/devices";

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>{file}, {}};
}

Device start(const std::string& name, Isolation isolation) {
  const auto source = read_source(kDevices / name / "device.yaml");
  REQUIRE(source);
  auto spec = load_device(*source);
  REQUIRE(spec.value);
  EmulationRequest request;
  request.name = name;
  request.spec = *spec.value;
  request.dut_template = text_of(kDevices / name / "dut.yaml");
  request.support = kDevices / "support";
  request.isolation = isolation;
  auto device = start_emulated(request);
  if (!device) {
    FAIL(describe(device.error()));
  }
  return std::move(*device);
}

std::vector<Isolation> possible() {
  std::vector<Isolation> out;
  for (const auto isolation : {Isolation::root_namespaces, Isolation::user_namespaces, Isolation::loopback}) {
    const auto reason = lab::why_impossible(isolation);
    if (reason.empty()) {
      out.push_back(isolation);
    } else {
      WARN("not tried: " << enum_name(isolation) << ", because " << reason);
    }
  }
  return out;
}

/// What `action` returns (0 to 255) when it runs in the network from which the device is reached; 254 when that cannot
/// be entered.
template <class Action>
int from_tester(const EmulatedDevice& device, Action action) {
  const pid_t child = fork();
  if (child == 0) {
    if (!device.netns_path().empty() && !enter_namespace(device.netns_path())) {
      _exit(254);
    }
    _exit(action());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/// Standard output of a command in the tester's network, without the last line end.
std::string output_of(const EmulatedDevice& device, const std::string& command) {
  const auto file = device.folder() / "output";
  from_tester(device, [&] {
    return std::system(("{ " + command + "; } > " + file.string() + " 2>/dev/null").c_str()) == 0 ? 0 : 1;
  });
  auto text = text_of(file);
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text;
}

std::string port(const Device& device, const std::string& name) {
  return std::to_string(device->endpoints().at(name).port);
}

std::string at(const Device& device, const std::string& name) {
  return device->address() + ":" + port(device, name);
}

/// A connected socket, or -1.
int connect_to(const std::string& address, std::uint16_t to) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{3, 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(to);
  inet_pton(AF_INET, address.c_str(), &target.sin_addr);
  return connect(socket, reinterpret_cast<sockaddr*>(&target), sizeof target) == 0 ? socket : -1;
}

/// Ports that nmap finds open, all 65535 asked.
std::set<std::string> open_ports(const EmulatedDevice& device) {
  const auto listing = output_of(device, "nmap -n -Pn -sT -T5 -p- -oG - " + device.address());
  std::set<std::string> out;
  for (auto found = listing.find("/open/tcp"); found != std::string::npos;
       found = listing.find("/open/tcp", found + 1)) {
    const auto begin = listing.rfind(' ', found) + 1;
    out.insert("tcp/" + listing.substr(begin, found - begin));
  }
  return out;
}

std::set<std::string> declared_ports(const EmulatedDevice& device) {
  std::set<std::string> out;
  for (const auto& [name, endpoint] : device.endpoints()) {
    out.insert(endpoint.text());
  }
  return out;
}

TEST_CASE("Two devices run side by side and each answers on exactly its own ports") {
  for (const auto isolation : possible()) {
    INFO(enum_name(isolation));
    const auto begin = std::chrono::steady_clock::now();
    const auto camera = start("camera-weak", isolation);
    const auto hub = start("hub-sound", isolation);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    WARN(enum_name(isolation) << ": both devices ready after " << took.count() << " s");
    for (const auto& device : {camera.get(), hub.get()}) {
      const auto open = open_ports(*device);
      const auto declared = declared_ports(*device);
      if (isolation == Isolation::loopback) {  // services of this machine show up too
        CHECK(std::includes(open.begin(), open.end(), declared.begin(), declared.end()));
      } else {
        CHECK(open == declared);
      }
    }
  }
}

/// Status of an RTSP DESCRIBE with this Basic token, modulo 256: an exit status carries no more.
int describe_stream(const EmulatedDevice& camera, const std::string& token) {
  return from_tester(camera, [&] {
    const int socket = connect_to(camera.address(), camera.endpoints().at("rtsp").port);
    const auto request = "DESCRIBE rtsp://camera/ RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Basic " + token + "\r\n\r\n";
    char answer[512] = {};
    if (send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0 ||
        recv(socket, answer, sizeof answer - 1, 0) < 13) {
      return 1;
    }
    return std::atoi(answer + std::string_view{"RTSP/1.0 "}.size()) % 256;
  });
}

TEST_CASE("The camera lets in who has a factory password and nobody else") {
  for (const auto isolation : possible()) {
    INFO(enum_name(isolation));
    const auto camera = start("camera-weak", isolation);
    const auto status = [&](const std::string& login, const std::string& name) {
      return output_of(*camera,
                       "curl -s -o /dev/null -w '%{http_code}' " + login + " http://" + at(camera, name) + "/");
    };
    CHECK(status("-u admin:admin", "http") == "200");
    CHECK(status("-u admin:wrong", "http") == "401");
    CHECK(status("", "http") == "401");
    CHECK(status("-u root:root", "hidden") == "200");
    CHECK(status("-u admin:admin", "hidden") == "401");
    CHECK(output_of(*camera, "curl -s ftp://" + at(camera, "ftp") + "/firmware.txt") == "IPCAM-720 1.0.3");
    CHECK(describe_stream(*camera, "YWRtaW46YWRtaW4=") == 200);        // admin:admin
    CHECK(describe_stream(*camera, "YWRtaW46bmltZGE=") == 401 - 256);  // admin:nimda
  }
}

/// Talks to a telnet login: waits for each prompt, sends the answer, returns everything that was said.
std::string telnet_dialogue(const std::string& address, std::uint16_t to, const std::string& name,
                            const std::string& password) {
  const int socket = connect_to(address, to);
  std::string said;
  const auto wait_for = [&](std::string_view wanted) {
    char block[512];
    const auto from = said.size();
    while (said.find(wanted, from) == std::string::npos) {
      const auto got = recv(socket, block, sizeof block, 0);
      if (got <= 0) {
        return false;
      }
      said.append(block, static_cast<std::size_t>(got));
    }
    return true;
  };
  const auto say = [&](const std::string& line) {
    return send(socket, (line + "\r\n").c_str(), line.size() + 2, MSG_NOSIGNAL) > 0;
  };
  if (wait_for("login: ") && say(name) && wait_for("assword: ") && say(password) && wait_for("\n")) {
    say("echo in-$((40+2))-side; exit");
    wait_for("in-42-side");
  }
  close(socket);
  return said;
}

TEST_CASE("The camera's telnet login opens a shell for a factory password only") {
  for (const auto isolation : possible()) {
    INFO(enum_name(isolation));
    const auto camera = start("camera-weak", isolation);
    const auto gets_in = [&](const std::string& name, const std::string& password) {
      return from_tester(*camera, [&] {
        const auto said = telnet_dialogue(camera->address(), camera->endpoints().at("telnet").port, name, password);
        return said.find("in-42-side") != std::string::npos ? 1 : 0;
      });
    };
    CHECK(gets_in("root", "root") == 1);
    CHECK(gets_in("root", "toor") == 0);
  }
}

TEST_CASE("The hub speaks TLS, redirects, refuses wrong logins and takes no SSH password") {
  for (const auto isolation : possible()) {
    INFO(enum_name(isolation));
    const auto hub = start("hub-sound", isolation);
    const auto authority = (hub->folder() / "certificates/maker.crt").string();
    const auto https = [&](const std::string& options) {
      return output_of(*hub, "curl -s -o /dev/null -w '%{http_code}' --cacert " + authority + " " + options +
                                 " https://" + at(hub, "https") + "/");
    };
    CHECK(https("-u owner:Kd7-wP3z-Hq9t-Bn5v") == "200");
    CHECK(https("-u owner:admin") == "401");
    CHECK(https("-u owner:Kd7-wP3z-Hq9t-Bn5v --tls-max 1.1") == "000");
    CHECK(output_of(*hub, "curl -s -o /dev/null -w '%{redirect_url}' http://" + at(hub, "http") + "/a") ==
          "https://" + at(hub, "https") + "/a");
    const auto publish = [&](const std::string& login) {
      return output_of(*hub, "mosquitto_pub -h " + hub->address() + " -p " + port(hub, "mqtts") + " --cafile " +
                                 authority + " " + login + " -t a -m b && echo accepted");
    };
    CHECK(publish("-u hub -P Vn4-qT8s-Lc2x-Yr6m") == "accepted");
    CHECK(publish("-u hub -P hub").empty());
    CHECK(publish("").empty());
    const auto ssh =
        output_of(*hub,
                  "ssh -v -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o "
                  "PreferredAuthentications=none,password -p " +
                      port(hub, "ssh") + " hub@" + hub->address() + " true 2>&1 | grep -o 'that can continue: .*'");
    if (!lab::find_program("ssh").empty()) {
      CHECK(ssh.find("publickey") != std::string::npos);
      CHECK(ssh.find("password") == std::string::npos);
    }
    if (isolation == Isolation::root_namespaces) {
      CHECK(output_of(*hub, "dbclient -y -y -i " + (hub->folder() / "owner.key").string() + " -p " + port(hub, "ssh") +
                                " hub@" + hub->address() + " echo welcome") == "welcome");
    }
  }
}

TEST_CASE("Devices in namespaces answer over IPv6 too") {
  for (const auto isolation : possible()) {
    if (isolation == Isolation::loopback) {
      continue;
    }
    const auto hub = start("hub-sound", isolation);
    if (hub->address6().empty()) {
      WARN("this machine has no IPv6");
      continue;
    }
    CHECK(output_of(*hub, "curl -sk -o /dev/null -w '%{http_code}' -u owner:Kd7-wP3z-Hq9t-Bn5v 'https://[" +
                              hub->address6() + "]/'") == "200");
  }
}

/// Every file of the machine's /etc that can be read, with size, time and bytes.
std::string state_of_etc() {
  std::size_t hash = 0;
  std::size_t files = 0;
  std::error_code ignored;
  for (const auto& entry :
       fs::recursive_directory_iterator("/etc", fs::directory_options::skip_permission_denied, ignored)) {
    struct stat status {};

    if (lstat(entry.path().c_str(), &status) != 0) {
      continue;
    }
    const auto text = S_ISREG(status.st_mode) ? text_of(entry.path()) : std::string{};
    hash = hash * 31 + std::hash<std::string>{}(entry.path().string() + text) +
           static_cast<std::size_t>(status.st_mtim.tv_nsec) + static_cast<std::size_t>(status.st_size);
    ++files;
  }
  return std::to_string(files) + " " + std::to_string(hash);
}

std::string namespace_id(const fs::path& link) {
  std::error_code ignored;
  return fs::read_symlink(link, ignored).string();
}

/// Processes of this machine that are in a namespace, by the link's text ("net:[4026532]").
int processes_in(const std::string& id, const char* kind) {
  int out = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    out += namespace_id(entry.path() / "ns" / kind) == id ? 1 : 0;
  }
  return out;
}

/// Processes whose command line, folder or open root names the device's private folder.
int processes_of(const fs::path& folder) {
  int out = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const bool named = text_of(entry.path() / "cmdline").find(folder.string()) != std::string::npos;
    const bool inside = namespace_id(entry.path() / "cwd").rfind(folder.string(), 0) == 0;
    out += named || inside ? 1 : 0;
  }
  return out;
}

std::string links_of_machine() {
  std::string out;
  for (const auto& entry : fs::directory_iterator("/sys/class/net")) {
    out += entry.path().filename().string() + " ";
  }
  return out;
}

bool within(milliseconds time, const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!holds() && std::chrono::steady_clock::now() < until) {
    poll(nullptr, 0, 10);
  }
  return holds();
}

TEST_CASE("A stopped device leaves no process, namespace, mount, link or file, and the machine's /etc is as it was") {
  for (const auto isolation : possible()) {
    INFO(enum_name(isolation));
    const auto etc = state_of_etc();
    const auto mounts = text_of("/proc/self/mountinfo");
    const auto links = links_of_machine();
    const auto camera = start("camera-weak", isolation);
    const auto folder = camera->folder();
    const auto network = namespace_id(camera->netns_path());
    // A session that is open when the device is stopped has processes of its own.
    from_tester(*camera, [&] {
      return telnet_dialogue(camera->address(), camera->endpoints().at("telnet").port, "root", "root").empty() ? 1 : 0;
    });
    CHECK(processes_of(folder) > 0);
    CHECK(text_of("/proc/self/mountinfo") == mounts);
    CHECK(links_of_machine() == links);
    camera->stop();
    CHECK_FALSE(camera->running());
    CHECK(processes_of(folder) == 0);
    CHECK_FALSE(fs::exists(folder));
    if (!network.empty()) {
      CHECK(processes_in(network, "net") == 0);
    }
    CHECK(text_of("/proc/self/mountinfo") == mounts);
    CHECK(links_of_machine() == links);
    CHECK(state_of_etc() == etc);
    camera->stop();
  }
}

TEST_CASE("A starter that is killed takes its device with it") {
  for (const auto isolation : possible()) {
    INFO(enum_name(isolation));
    auto pipe = lab::make_pipe();
    REQUIRE(pipe);
    const pid_t starter = fork();
    if (starter == 0) {
      const auto camera = start("camera-weak", isolation);
      const auto line = camera->folder().string() + "\n" + namespace_id(camera->netns_path()) + "\n";
      if (write(pipe->write.get(), line.data(), line.size()) < 0) {
        _exit(1);
      }
      pause();
      _exit(0);
    }
    pipe->write.close();
    std::string said;
    char block[512];
    while (std::count(said.begin(), said.end(), '\n') < 2) {
      const auto got = read(pipe->read.get(), block, sizeof block);
      REQUIRE(got > 0);
      said.append(block, static_cast<std::size_t>(got));
    }
    std::istringstream lines(said);
    std::string folder;
    std::string network;
    std::getline(lines, folder);
    std::getline(lines, network);
    REQUIRE(processes_of(folder) > 0);
    kill(starter, SIGKILL);
    waitpid(starter, nullptr, 0);
    CHECK(within(milliseconds{5000}, [&] { return processes_of(folder) == 0 && !fs::exists(folder); }));
    if (!network.empty()) {
      CHECK(within(milliseconds{5000}, [&] { return processes_in(network, "net") == 0; }));
    }
  }
}

TEST_CASE("An ordinary user starts a device and reaches it") {
  if (geteuid() != 0 || !lab::why_impossible(Isolation::user_namespaces).empty()) {
    WARN("only root can become another user to try this, where user namespaces are allowed");
    return;
  }
  const pid_t child = fork();
  if (child == 0) {
    constexpr unsigned kNobody = 65534;
    if (setgid(kNobody) != 0 || setuid(kNobody) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0) {
      _exit(10);
    }
    if (best_isolation() != Isolation::user_namespaces) {
      _exit(11);
    }
    const auto camera = start("camera-weak", Isolation::user_namespaces);
    _exit(from_tester(*camera, [&] { return connect_to(camera->address(), 80) >= 0 ? 0 : 12; }));
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("A daemon that does not come up is named with its last words, and nothing is left") {
  const Isolation isolation = best_isolation();
  EmulationRequest request;
  request.name = "broken";
  request.isolation = isolation;
  request.work = fs::temp_directory_path() / ("assay-broken-" + std::to_string(getpid()));
  DaemonSpec daemon;
  daemon.name = "sulker";
  daemon.argv = {"sh", "-c", "echo no such battery; exit 1"};
  daemon.ready_file = "never";
  request.spec.daemons = {daemon};
  const auto device = start_emulated(request);
  REQUIRE_FALSE(device);
  CHECK(device.error().what.find("sulker ended before it was ready; it said: no such battery") != std::string::npos);
  CHECK(fs::is_empty(request.work));
  fs::remove_all(request.work);
}

/// What one connection to a hostile device shows: bytes within the time (at most `limit`), and how it ended.
struct Shown {
  std::size_t bytes = 0;
  bool reset = false;
  bool closed = false;
};

int show(const EmulatedDevice& device, milliseconds time, std::size_t limit,
         const std::function<bool(const Shown&)>& holds) {
  return from_tester(device, [&] {
    Shown out;
    const int socket = connect_to(device.address(), device.endpoints().at("http").port);
    std::string block(65536, '\0');
    const auto until = std::chrono::steady_clock::now() + time;
    while (out.bytes < limit && !out.closed && !out.reset) {
      const auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now()).count();
      pollfd watched{socket, POLLIN, 0};
      if (left <= 0 || poll(&watched, 1, static_cast<int>(left)) <= 0) {
        break;
      }
      const auto got = recv(socket, block.data(), block.size(), 0);
      out.bytes += got > 0 ? static_cast<std::size_t>(got) : 0;
      out.closed = got == 0;
      out.reset = got < 0 && errno == ECONNRESET;
    }
    return holds(out) ? 0 : 1;
  });
}

TEST_CASE("Each hostile device misbehaves in its own way") {
  constexpr std::size_t kMegabyte = 1'000'000;
  for (const auto isolation : possible()) {
    INFO(enum_name(isolation));
    const auto behaves = [&](const std::string& name, milliseconds time, std::size_t limit,
                             const std::function<bool(const Shown&)>& holds) {
      INFO(name);
      const auto device = start("hostile/" + name, isolation);
      CHECK(show(*device, time, limit, holds) == 0);
    };
    behaves("silent", milliseconds{500}, kMegabyte,
            [](const Shown& s) { return s.bytes == 0 && !s.reset && !s.closed; });
    behaves("closes", milliseconds{3000}, kMegabyte, [](const Shown& s) { return s.bytes == 0 && s.closed; });
    behaves("resets", milliseconds{3000}, kMegabyte, [](const Shown& s) { return s.bytes == 0 && !s.closed; });
    behaves("drip", milliseconds{1000}, kMegabyte,
            [](const Shown& s) { return s.bytes >= 3 && s.bytes <= 12 && !s.closed; });
    behaves("random", milliseconds{1500}, kMegabyte, [](const Shown& s) { return s.bytes == 262144 && !s.closed; });
    behaves("endless_banner", milliseconds{20000}, 20 * kMegabyte,
            [](const Shown& s) { return s.bytes >= 20 * kMegabyte; });
    behaves("giant_header", milliseconds{20000}, 101 * kMegabyte,
            [](const Shown& s) { return s.bytes > 100 * kMegabyte && s.bytes < 101 * kMegabyte; });
  }
}

TEST_CASE("The dying device answers, then falls silent for good") {
  for (const auto isolation : possible()) {
    INFO(enum_name(isolation));
    const auto device = start("dies", isolation);
    const auto fetch = [&] {
      return output_of(*device, "curl -s -m 2 http://" + at(device, "http") + "/; echo \" $?\"");
    };
    for (int i = 0; i < 6; ++i) {
      CHECK(fetch() == "hello\n 0");
    }
    const auto refused = [&] {
      return from_tester(*device, [&] {
        return connect_to(device->address(), device->endpoints().at("http").port) < 0 && errno == ECONNREFUSED ? 1 : 0;
      });
    };
    CHECK(within(milliseconds{10000}, [&] { return fetch().rfind("hello", 0) != 0; }));
    // A dead device without a link refuses nothing: it is silent.
    CHECK(refused() == (isolation == Isolation::loopback ? 1 : 0));
  }
}

}  // namespace
}  // namespace assay
