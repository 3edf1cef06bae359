#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/model/endpoint.hpp"
#include "harness/model/json.hpp"
#include "harness/model/recipe.hpp"
#include "harness/model/secret.hpp"

/// How a device takes updates, as the DUT file's `updates` says (docs/dut-format.md), and the attacks that are tried on
/// it
/// (`testplans/attacks/`).
namespace assay {

/// How an update reaches the device.
enum class UpdateTransport : std::uint8_t {
  http_pull,  // it polls a manifest at our server
  hawkbit,    // it polls our server by the Direct Device Integration API of Eclipse hawkBit
  upload,     // it takes a file on a page of its own
  exec,       // a recipe of the laboratory offers the image
  mqtt,       // it hears of the update from a broker and fetches it at our server by HTTP
  coap,       // it polls a manifest at our server by CoAP, in blocks
  lwm2m,      // it registers at our server, which writes to its firmware object (OMA LwM2M, object 5)
  tftp,       // its recovery fetches a file at our server, or takes one at its own (RFC 1350)
  mender,     // it polls our server by the device API of Mender
};
BOOST_DESCRIBE_ENUM(UpdateTransport, http_pull, hawkbit, upload, exec, mqtt, coap, lwm2m, tftp, mender)

/// A certificate chain with its key, as PEM files below the DUT file's folder.
struct ServerIdentity {
  std::string certificate;
  std::string key;

  bool operator==(const ServerIdentity&) const = default;
};
BOOST_DESCRIBE_STRUCT(ServerIdentity, (), (certificate, key))

/// A key that the device and our server share, for DTLS (RFC 4279).
struct SharedKey {
  std::string identity;  // by which the device names it
  Secret key;
  bool hex = false;  // the key is written as hexadecimal digits, else its characters are the key

  bool operator==(const SharedKey&) const = default;
};
BOOST_DESCRIBE_STRUCT(SharedKey, (), (identity, key, hex))

/// Our server, which the device was pointed at.
struct UpdateServer {
  std::uint16_t port = 0;
  bool tls = false;
  std::string name;                        // that the device asks for; empty: our address
  std::optional<ServerIdentity> genuine;   // that the device trusts
  std::optional<ServerIdentity> misnamed;  // trusted as well, of another name
  std::optional<ServerIdentity> expired;   // trusted once
  std::optional<SharedKey> psk;            // of coap and lwm2m: the server proves itself by this key

  /// What is spoken is inside TLS or DTLS.
  bool secured() const { return tls || psk.has_value(); }

  bool operator==(const UpdateServer&) const = default;
};
BOOST_DESCRIBE_STRUCT(UpdateServer, (), (port, tls, name, genuine, misnamed, expired, psk))

/// Another manifest that the maker signed, given as it is.
struct SignedManifest {
  std::string file;
  std::string signature;   // file with its detached signature; empty: it is within
  std::string image_path;  // where its image lies; empty: where that of the newest one does
  std::string held;        // a day on which it held, such as 2026-08-01; empty: not said

  bool operator==(const SignedManifest&) const = default;
};
BOOST_DESCRIBE_STRUCT(SignedManifest, (), (file, signature, image_path, held))

/// What an http_pull or coap device polls. One of `body`, `file` and `envelope` says what it gets.
struct UpdateManifest {
  std::string path;       // of the manifest
  std::string body;       // with {version}, {url}, {size}, {sha256} filled in
  std::string file;       // of the maker, when it is signed: given as it is
  bool envelope = false;  // the image itself, which is a SUIT envelope
  std::string signature;  // file with its detached signature
  std::string signature_path;
  std::string image_path = "/image";  // where the image lies
  Later<SignedManifest> expired{};    // none or one, of the newest image: held once, and does not any more
  Later<SignedManifest> older{};      // none or one, of the older image

  bool operator==(const UpdateManifest&) const = default;
};
BOOST_DESCRIBE_STRUCT(UpdateManifest, (),
                      (path, body, file, envelope, signature, signature_path, image_path, expired, older))

/// The page of the device that takes an image.
struct UpdateUpload {
  Endpoint port;
  bool tls = false;
  std::string path;
  std::string field = "image";
  std::string login;  // role of the account that is logged in with (HTTP Basic); empty: nobody

  bool operator==(const UpdateUpload&) const = default;
};
BOOST_DESCRIBE_STRUCT(UpdateUpload, (), (port, tls, path, field, login))

/// How an mqtt device hears of an update. One of `listen`, `broker` and `exec` says whose the broker is, one of
/// `message` and `file` what it hears.
struct UpdateAnnouncement {
  std::uint16_t listen = 0;        // TCP port of this machine on which we are the broker; 0: we are none
  std::optional<Endpoint> broker;  // the device itself is the broker
  std::optional<Recipe> exec;      // a command that publishes at the laboratory's broker
  bool tls = false;                // of listen and broker
  std::string login;               // of broker: role of the account that publishes; empty: nobody logs in
  std::string topic;
  std::string message;  // with {version}, {url}, {size}, {sha256} filled in
  std::string file;     // of the maker, when it is signed: given as it is

  bool operator==(const UpdateAnnouncement&) const = default;
};
BOOST_DESCRIBE_STRUCT(UpdateAnnouncement, (), (listen, broker, exec, tls, login, topic, message, file))

/// How an image comes into the firmware object of an LwM2M device.
enum class UpdateDelivery : std::uint8_t {
  as_told,  // as its resource 9 says, else by pull
  push,     // we write it into resource 0
  pull,     // we write its address into resource 1
};
BOOST_DESCRIBE_ENUM(UpdateDelivery, as_told, push, pull)

/// The LwM2M client of the device.
struct UpdateClient {
  std::string endpoint;  // name by which it registers; empty: whoever registers from the device's address
  UpdateDelivery deliver = UpdateDelivery::as_told;

  bool operator==(const UpdateClient&) const = default;
};
BOOST_DESCRIBE_STRUCT(UpdateClient, (), (endpoint, deliver))

/// Which way a file goes by TFTP.
enum class RecoveryDelivery : std::uint8_t {
  pull,  // the device reads it at our server
  push,  // we write it to the device's
};
BOOST_DESCRIBE_ENUM(RecoveryDelivery, pull, push)

/// The recovery of a tftp device.
struct UpdateRecovery {
  std::string file;  // name that the image has there
  RecoveryDelivery deliver = RecoveryDelivery::pull;
  std::optional<Endpoint> port{};  // of push: the device's server

  bool operator==(const UpdateRecovery&) const = default;
};
BOOST_DESCRIBE_STRUCT(UpdateRecovery, (), (file, deliver, port))

/// An image of the maker.
struct UpdateImage {
  std::string file;       // below the DUT file's folder
  std::string version;    // as the device names it once it runs; empty: not said
  std::string payload{};  // of a SUIT envelope: what lies beside it; empty: all is within

  bool operator==(const UpdateImage&) const = default;
};
BOOST_DESCRIBE_STRUCT(UpdateImage, (), (file, version, payload))

/// Signers of images whose signature ought not to count any more, and an authority of the maker's for tests that can
/// issue one.
struct UpdateSigners {
  std::optional<ServerIdentity> expired;
  std::optional<ServerIdentity> revoked;
  std::optional<ServerIdentity> authority;

  bool operator==(const UpdateSigners&) const = default;
};
BOOST_DESCRIBE_STRUCT(UpdateSigners, (), (expired, revoked, authority))

/// Where the device says which version it runs by MQTT.
struct VersionTopic {
  std::optional<Endpoint> port;  // the device's own broker; none: what it publishes at ours (`announce`, listen)
  bool tls = false;              // of `port`
  std::string login;             // of `port`: role of the account that listens; empty: nobody logs in
  std::string topic;

  bool operator==(const VersionTopic&) const = default;
};
BOOST_DESCRIBE_STRUCT(VersionTopic, (), (port, tls, login, topic))

/// … in the last line of a command that is run by SSH.
struct VersionCommand {
  Endpoint port;
  std::string login;  // role of the account that runs it
  std::string command;

  bool operator==(const VersionCommand&) const = default;
};
BOOST_DESCRIBE_STRUCT(VersionCommand, (), (port, login, command))

/// Digests of users of SNMP v3 (RFC 3414, 6 and 7; RFC 7860, 4).
enum class SnmpDigest : std::uint8_t { md5, sha1, sha224, sha256, sha384, sha512 };
BOOST_DESCRIBE_ENUM(SnmpDigest, md5, sha1, sha224, sha256, sha384, sha512)

/// … in an object of its SNMP agent.
struct VersionObject {
  Endpoint port;
  std::string login;   // role of the account: one without a name has a community, else it is a user of version 3
  std::string object;  // OBJECT IDENTIFIER in dotted form
  std::string after;   // words in front of the version, which goes to the next blank; empty: the whole value
  SnmpDigest digest = SnmpDigest::sha1;  // of a user
  bool encrypted = false;                // of a user: AES-128 with a key of the same password (RFC 3826)

  bool operator==(const VersionObject&) const = default;
};
BOOST_DESCRIBE_STRUCT(VersionObject, (), (port, login, object, after, digest, encrypted))

/// Where the device says which version it runs. One of `http`, `coap`, `mqtt`, `ssh`, `snmp`, `banner`, `resource`,
/// `exec` and `prompt`.
struct VersionSource {
  std::optional<Endpoint> http;  // a page
  std::optional<Endpoint> coap;  // a resource, whose payload is as a page
  bool tls = false;              // of a page
  std::string path;
  std::string pointer;               // JSON Pointer to the version; empty: the whole page or message
  std::string report;                // JSON Pointer to what it says of the last update; empty: nothing
  std::optional<VersionTopic> mqtt;  // whose message is as a page
  std::optional<VersionCommand> ssh;
  std::optional<VersionObject> snmp;
  std::optional<Endpoint> banner;  // the first line of a service …
  std::string after;               // … behind these words, to the next blank
  std::string resource;            // what it says at our LwM2M server, by path: "/3/0/3"
  std::optional<Recipe> exec;      // the last line of a command
  std::optional<Recipe> prompt;    // what a person reads and types

  bool operator==(const VersionSource&) const = default;
};
BOOST_DESCRIBE_STRUCT(VersionSource, (),
                      (http, coap, tls, path, pointer, report, mqtt, ssh, snmp, banner, after, resource, exec, prompt))

struct UpdateMechanism {
  std::string mechanism;  // id in IXIT 7-UpdMech
  UpdateTransport transport = UpdateTransport::http_pull;
  std::optional<UpdateServer> serve;
  std::optional<UpdateManifest> manifest;
  std::optional<UpdateUpload> upload;
  std::optional<UpdateAnnouncement> announce;
  std::optional<UpdateClient> client;
  std::optional<UpdateRecovery> recovery;
  std::optional<Recipe> offer;
  UpdateImage image;
  std::optional<UpdateImage> older;
  std::optional<UpdateImage> other_model;
  Later<UpdateImage> other_component{};  // none or one, of the same device: radio, boot loader, module
  std::string verify_key;                // the maker's public key or certificate, PEM
  std::optional<UpdateSigners> signers;
  VersionSource version_at;
  std::optional<Recipe> trigger;
  std::optional<Recipe> restore;
  std::uint32_t takes_ms = 60000;

  std::optional<UpdateImage> component() const {
    return other_component.empty() ? std::nullopt : std::optional{other_component.front()};
  }

  bool operator==(const UpdateMechanism&) const = default;
};
BOOST_DESCRIBE_STRUCT(UpdateMechanism, (),
                      (mechanism, transport, serve, manifest, upload, announce, client, recovery, offer, image, older,
                       other_model, other_component, verify_key, signers, version_at, trigger, restore, takes_ms))

/// What an attack may cost the device.
enum class AttackHarm : std::uint8_t { safe, recoverable, may_brick };
BOOST_DESCRIBE_ENUM(AttackHarm, safe, recoverable, may_brick)

/// One attack of the catalogue: what is offered in place of the genuine update, and how.
struct Attack {
  std::string id;
  std::string title;
  std::vector<std::string> serves;  // qualified ids of provisions
  std::string against;              // image, metadata, transport, delivery, power
  json::object image;               // a mutation (probes/images); empty: the genuine image
  json::object metadata;            // what is said of it otherwise than true
  json::object server;              // what our server does otherwise than asked
  std::vector<std::string> needs;   // older, other_model, tls, …
  bool after_update = false;        // begins on a device that runs the genuine new version
  AttackHarm harm = AttackHarm::recoverable;
  std::string source;
  std::string confidence;

  bool operator==(const Attack&) const = default;
};

struct AttackList {
  std::string id;
  std::string title;
  std::string source;
  std::vector<Attack> attacks;

  bool operator==(const AttackList&) const = default;
};

}  // namespace assay
