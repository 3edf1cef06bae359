#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/model/endpoint.hpp"
#include "harness/model/json.hpp"
#include "harness/model/verdict.hpp"

/// An emulated device as a person describes it in `device.yaml` and `expected.yaml` (tests/devices/README.md).
namespace assay {

/// How far an emulated device is kept apart from the machine it runs on.
enum class Isolation : std::uint8_t {
  root_namespaces,  // network, mount and process namespaces made by root: everything works
  user_namespaces,  // the same by an ordinary user: programs cannot change to another user's groups
  loopback,         // no namespaces: an address in 127/8 and high ports; no private /etc, no link to cut
};
BOOST_DESCRIBE_ENUM(Isolation, root_namespaces, user_namespaces, loopback)

/// A certificate made when the device starts; files {cert:NAME} and {key:NAME}.
struct CertificateSpec {
  std::string name;                // its purpose: device, expired, authority …
  std::string common_name;         // empty: the name
  std::vector<std::string> names;  // DNS names and numeric addresses it is valid for
  std::string key = "ec-p256";     // ec-p256, rsa-2048, rsa-1024
  std::int64_t from_days = -1;     // validity, relative to the start
  std::int64_t to_days = 365;
  std::string issuer;  // name of a certificate earlier in the list; empty: signed by itself

  bool operator==(const CertificateSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(CertificateSpec, (), (name, common_name, names, key, from_days, to_days, issuer))

/// An entry of the device's own /etc/passwd, /etc/shadow and /etc/group (namespaces only).
struct DeviceAccount {
  std::string username;
  std::string password;  // empty: no password can be right
  std::uint32_t uid = 0;
  std::string home = "/";
  std::string shell = "/bin/sh";

  bool operator==(const DeviceAccount&) const = default;
};
BOOST_DESCRIBE_STRUCT(DeviceAccount, (), (username, password, uid, home, shell))

/// A file written before the daemons start. `path` and `text` may have placeholders.
struct DeviceFile {
  std::string path;  // relative to the device's folder {dir}; below "etc/" it appears in its /etc
  std::string text;
  std::string mode = "0644";     // octal
  std::vector<Isolation> modes;  // empty: all

  bool operator==(const DeviceFile&) const = default;
};
BOOST_DESCRIBE_STRUCT(DeviceFile, (), (path, text, mode, modes))

/// A program that stays in the foreground.
struct DaemonSpec {
  std::string name;
  std::vector<std::string> argv;   // with placeholders
  std::vector<std::string> ready;  // names of ports that must listen before the next daemon starts
  std::string ready_file;          // relative to {dir}; must exist
  std::vector<std::string> needs;  // programs that must be there besides argv[0]
  std::vector<Isolation> modes;    // empty: all

  bool operator==(const DaemonSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(DaemonSpec, (), (name, argv, ready, ready_file, needs, modes))

/// One of several devices that a folder describes: the same daemons, told apart by what {variant} says to them.
struct DeviceVariant {
  std::string name;
  std::string title;

  bool operator==(const DeviceVariant&) const = default;
};
BOOST_DESCRIBE_STRUCT(DeviceVariant, (), (name, title))

/// What `device.yaml` says.
struct DeviceSpec {
  std::string title;
  std::map<std::string, Endpoint> ports;         // name -> port in namespaces; on loopback a free high port is taken
  std::map<std::string, Endpoint> tester_ports;  // the same on the tester's side: servers that the device calls
  std::vector<DeviceVariant> variants;           // the first is meant when none is named; empty: there is one device
  std::vector<DeviceAccount> accounts;
  std::vector<CertificateSpec> certificates;
  std::vector<DeviceFile> files;
  std::vector<DaemonSpec> daemons;
  std::map<std::string, std::vector<std::string>> cannot_show;  // isolation -> sentences

  bool operator==(const DeviceSpec&) const = default;
};
BOOST_DESCRIBE_STRUCT(DeviceSpec, (),
                      (title, ports, tester_ports, variants, accounts, certificates, files, daemons, cannot_show))

/// Verdicts that a run of one plan against the device must give.
struct Expectation {
  std::string plan;
  std::vector<Isolation> modes;         // empty: all
  std::vector<std::string> variants;    // of the device; empty: all
  std::vector<std::string> fail;        // exactly these requirements FAIL
  std::map<std::string, Verdict> hold;  // further requirements whose verdict must be this one
  std::vector<std::string> notes;

  bool operator==(const Expectation&) const = default;
};
BOOST_DESCRIBE_STRUCT(Expectation, (), (plan, modes, variants, fail, hold, notes))

/// What `expected.yaml` says.
struct ExpectedVerdicts {
  std::vector<Expectation> expectations;

  bool operator==(const ExpectedVerdicts&) const = default;
};
BOOST_DESCRIBE_STRUCT(ExpectedVerdicts, (), (expectations))

}  // namespace assay
