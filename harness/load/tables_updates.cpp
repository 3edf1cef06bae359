#include "harness/load/tables.hpp"

/// The table of `updates` in dut/1 (docs/updates.md).
namespace assay {

namespace {

constexpr std::string_view kTransports[] = {"http_pull", "hawkbit", "upload", "mqtt", "coap",
                                            "lwm2m",     "tftp",    "mender", "exec"};
constexpr std::string_view kManifestForms[] = {"body", "file", "envelope"};
constexpr std::string_view kVersionForms[] = {"http",   "coap",     "mqtt", "ssh",   "snmp",
                                              "banner", "resource", "exec", "prompt"};
constexpr std::string_view kBrokerForms[] = {"listen", "broker", "exec"};
constexpr std::string_view kWays[] = {"pull", "push"};
constexpr std::string_view kDigests[] = {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"};
constexpr std::string_view kDeliveries[] = {"as_told", "push", "pull"};

constinit const Shape kFileText{.form = Form::text, .syntax = &kRelativePath};
constinit const Shape kEndpointItem{.form = Form::text, .syntax = &kEndpointText};
constinit const Shape kDurationText{.form = Form::text, .syntax = &kDuration};
constinit const Shape kObjectText{.form = Form::text, .syntax = &kObjectId};
constinit const Shape kPort{.form = Form::integer, .least = 1, .most = 65535};

constinit const Key kIdentityKeys[] = {
    {"certificate", &kFileText, true, "", "Certificates in PEM, its own first, below the DUT file's folder",
     "server.pem"},
    {"key", &kFileText, true, "", "Its private key in PEM", "server.key"},
};
constinit const Table kIdentityTable{"a certificate with its key", "What our server shows of itself", kIdentityKeys};
constinit const Shape kIdentity{.form = Form::mapping, .table = &kIdentityTable};

constinit const Shape kKeyText{.form = Form::secret, .may_be_empty = true};
constinit const Key kSharedKeyKeys[] = {
    {"identity", &kText, true, "", "Name of the key, as the device tells it (at most 128 bytes)", "hub-0001"},
    {"key", &kKeyText, true, "", "The key, written like `secret` of an account", "env:HUB_PSK"},
    {"hex", &kBoolean, false, "false", "It is written as hexadecimal digits; else its characters are the key", "true"},
};
constinit const Table kSharedKeyTable{"a pre-shared key", "A key of DTLS that the device and our server share",
                                      kSharedKeyKeys};
constinit const Shape kSharedKey{.form = Form::mapping, .table = &kSharedKeyTable};

constinit const Key kServeKeys[] = {
    {"port", &kPort, true, "",
     "Port of this machine that the device was pointed at: UDP for coap, lwm2m and tftp, else TCP; the device alone "
     "may "
     "come to it",
     "8443"},
    {"tls", &kBoolean, false, "false", "The server speaks TLS; of coap and lwm2m DTLS 1.2; not for tftp", "true"},
    {"name", &kText, false, "our address", "Name that the device asks for", "updates.example.org"},
    {"certificate", &kFileText, false, "",
     "Certificates in PEM that the device trusts, its own first, below the DUT file's folder", "server.pem"},
    {"key", &kFileText, false, "", "The private key in PEM", "server.key"},
    {"misnamed", &kIdentity, false, "", "A certificate that the device trusts, of another name",
     "{certificate: other.pem, key: other.key}"},
    {"expired", &kIdentity, false, "", "A certificate of the right name that has expired",
     "{certificate: old.pem, key: old.key}"},
    {"psk", &kSharedKey, false, "", "Of coap and lwm2m, in place of tls: DTLS 1.2 with a key that both sides know",
     "{identity: hub-0001, key: env:HUB_PSK}"},
};
constinit const Table kServeTable{"our update server", "The server of this machine that the device was pointed at",
                                  kServeKeys};
constinit const Shape kServe{.form = Form::mapping, .table = &kServeTable};

constinit const Key kSignatureKeys[] = {
    {"path", &kSentence, true, "", "Path that the device asks for the signature at", "/v1/update.json.sig"},
    {"file", &kFileText, true, "", "The maker's signature of the manifest, below the DUT file's folder",
     "update.json.sig"},
};
constinit const Table kSignatureTable{"a manifest's signature", "A signature of the manifest in a file of its own",
                                      kSignatureKeys};
constinit const Shape kSignature{.form = Form::mapping, .table = &kSignatureTable};

constinit const Shape kDateText{.form = Form::text, .syntax = &kDate};
constinit const Key kSignedManifestKeys[] = {
    {"file", &kFileText, true, "", "The maker's manifest, given as it is", "update-2.3.0.json"},
    {"signature", &kFileText, false, "", "Its signature, when it is not within", "update-2.3.0.json.sig"},
    {"image_path", &kSentence, false, "that of the newest", "Path that its image lies at", "/hub-2.3.0.swu"},
    {"held", &kDateText, false, "", "Of an expired one: a day on which it held", "2026-08-01"},
};
constinit const Table kSignedManifestTable{"another signed manifest", "A manifest that counts no more",
                                           kSignedManifestKeys};
constinit const Shape kSignedManifest{.form = Form::mapping, .table = &kSignedManifestTable};

constinit const Key kManifestKeys[] = {
    {"path", &kSentence, true, "", "Path that the device polls", "/v1/update.json"},
    {"body", &kSentence, false, "", "What it gets, with {version}, {url}, {size} and {sha256} filled in",
     "'{\"version\": \"{version}\", \"url\": \"{url}\"}'"},
    {"file", &kFileText, false, "", "The maker's own manifest where it is signed, given as it is", "update.json"},
    {"envelope", &kBoolean, false, "false",
     "It gets the image itself, which is a SUIT envelope; what the envelope leaves out lies where its manifest says",
     "true"},
    {"signature", &kSignature, false, "", "Where its signature lies, when it is not within",
     "{path: /v1/update.json.sig, file: update.json.sig}"},
    {"image_path", &kSentence, false, "/image", "Path that the image lies at, where the maker's manifest fixes it",
     "/hub-2.5.0.swu"},
    {"expired", &kSignedManifest, false, "", "Beside `file`: one of the same image, whose time is over",
     "{file: expired.json, signature: expired.json.sig, held: 2026-08-01}"},
    {"older", &kSignedManifest, false, "", "Beside `file`: the one of the older image",
     "{file: update-2.3.0.json, signature: update-2.3.0.json.sig, image_path: /hub-2.3.0.swu}"},
};
constinit const Table kManifestTable{"an update manifest", "What the device polls", kManifestKeys, kManifestForms};
constinit const Shape kManifest{.form = Form::mapping, .table = &kManifestTable};

constinit const Key kUploadKeys[] = {
    {"port", &kEndpointItem, true, "", "Where the page is", "tcp/80"},
    {"tls", &kBoolean, false, "false", "It is spoken to by https", "true"},
    {"path", &kSentence, true, "", "Path that the form is sent to by POST", "/update"},
    {"field", &kSentence, false, "image", "Name of the form's field that holds the file", "firmware"},
    {"login", &kText, false, "", "Role of the account that may do it (HTTP Basic); none: nobody logs in", "admin"},
};
constinit const Table kUploadTable{"an upload page", "The device's own page that takes an image", kUploadKeys};
constinit const Shape kUpload{.form = Form::mapping, .table = &kUploadTable};

constinit const Key kAnnounceKeys[] = {
    {"listen", &kPort, false, "",
     "TCP port of this machine on which we are the broker that the device was pointed at; the device alone may connect",
     "1883"},
    {"broker", &kEndpointItem, false, "", "The device itself is the broker, here", "tcp/1883"},
    {"exec", &kSentence, false, "",
     "A command that publishes at a broker of the laboratory, run by /bin/sh in the DUT file's folder; ASSAY_TOPIC and "
     "ASSAY_MESSAGE say what, and an empty message takes back what a broker retained",
     "'mosquitto_pub -h broker -r -t \"$ASSAY_TOPIC\" -m \"$ASSAY_MESSAGE\"'"},
    {"tls", &kBoolean, false, "false", "Of listen and broker: MQTT inside TLS; ours has the certificate of \"serve\"",
     "true"},
    {"login", &kText, false, "", "Of broker: role of the account that publishes; none: nobody logs in", "admin"},
    {"topic", &kSentence, true, "", "Topic of the announcement", "updates/hub"},
    {"message", &kSentence, false, "", "What is said, with {version}, {url}, {size} and {sha256} filled in",
     "'{\"version\": \"{version}\", \"url\": \"{url}\"}'"},
    {"file", &kFileText, false, "", "The maker's own announcement where it is signed, given as it is", "update.json"},
};
constinit const Table kAnnounceTable{"an announcement", "How a device hears of an update by MQTT", kAnnounceKeys,
                                     kBrokerForms};
constinit const Shape kAnnounce{.form = Form::mapping, .table = &kAnnounceTable};

constinit const Shape kDeliveryWord{.form = Form::word, .words = kDeliveries};
constinit const Key kClientKeys[] = {
    {"endpoint", &kText, false, "", "Name by which it registers; none: whatever it calls itself", "urn:dev:os:1-EX-1"},
    {"deliver", &kDeliveryWord, false, "as_told",
     "The image is written into resource 0 (push), or its address into resource 1 (pull); as_told: as its resource 9 "
     "says, else by pull",
     "push"},
};
constinit const Table kClientTable{"an LwM2M client", "The device as a client of our LwM2M server", kClientKeys};
constinit const Shape kClient{.form = Form::mapping, .table = &kClientTable};

constinit const Shape kWayWord{.form = Form::word, .words = kWays};
constinit const Key kRecoveryKeys[] = {
    {"file", &kSentence, true, "", "Name of the file that the device asks for, or that it is written as",
     "hub-recovery.bin"},
    {"deliver", &kWayWord, false, "pull",
     "The device reads it at our server (pull), or we write it to the server of the device (push)", "push"},
    {"port", &kEndpointItem, false, "", "Of push: where the server of the device is", "udp/69"},
};
constinit const Table kRecoveryTable{"a recovery", "How the recovery of a device takes an image by TFTP",
                                     kRecoveryKeys};
constinit const Shape kRecovery{.form = Form::mapping, .table = &kRecoveryTable};

constinit const Key kImageKeys[] = {
    {"file", &kFileText, true, "", "Below the DUT file's folder", "hub-2.5.0.swu"},
    {"version", &kText, false, "", "As the device names it once it runs", "2.5.0"},
    {"payload", &kFileText, false, "", "Of a SUIT envelope: the payload that lies beside it", "hub-2.5.0.bin"},
};
constinit const Table kImageTable{"an image", "A genuine image of the maker", kImageKeys};
constinit const Shape kImage{.form = Form::mapping, .table = &kImageTable};

constinit const Key kSignersKeys[] = {
    {"expired", &kIdentity, false, "", "A signer that the device trusted until its certificate expired",
     "{certificate: signer-2019.pem, key: signer-2019.key}"},
    {"revoked", &kIdentity, false, "",
     "A signer that was revoked, as the device knows by a list that it has (CRL) or its maker's way",
     "{certificate: signer-2.pem, key: signer-2.key}"},
    {"authority", &kIdentity, false, "",
     "An authority for tests that the device trusts for images: an expired signer is issued by it where none is given",
     "{certificate: test-authority.pem, key: test-authority.key}"},
};
constinit const Table kSignersTable{"signers of the past", "Whose signatures ought not to count any more",
                                    kSignersKeys};
constinit const Shape kSigners{.form = Form::mapping, .table = &kSignersTable};

constinit const Key kPageKeys[] = {
    {"port", &kEndpointItem, true, "", "Where the page is", "tcp/80"},
    {"tls", &kBoolean, false, "false", "It is spoken to by https", "true"},
    {"path", &kSentence, true, "", "The page", "/api/status"},
    {"pointer", &kText, false, "", "JSON Pointer (RFC 6901) to the version; none: the page is the version", "/version"},
    {"report", &kText, false, "", "JSON Pointer to what it says of the last update", "/last"},
};
constinit const Table kPageTable{"a version page", "A page that tells the version", kPageKeys};
constinit const Shape kPage{.form = Form::mapping, .table = &kPageTable};

constinit const Key kBannerKeys[] = {
    {"port", &kEndpointItem, true, "", "The service", "tcp/22"},
    {"after", &kSentence, true, "", "Words in front of the version, which goes to the next blank", "SSH-2.0-hub_"},
};
constinit const Table kBannerTable{"a version banner", "A service that tells the version in its first line",
                                   kBannerKeys};
constinit const Shape kBanner{.form = Form::mapping, .table = &kBannerTable};

constinit const Key kResourceKeys[] = {
    {"port", &kEndpointItem, true, "", "Where it is", "udp/5683"},
    {"path", &kSentence, true, "", "The resource", "/version"},
    {"pointer", &kText, false, "", "JSON Pointer (RFC 6901) to the version; none: the content is the version",
     "/version"},
    {"report", &kText, false, "", "JSON Pointer to what it says of the last update", "/last"},
};
constinit const Table kResourceTable{"a version resource", "A resource of CoAP that tells the version", kResourceKeys};
constinit const Shape kResource{.form = Form::mapping, .table = &kResourceTable};

constinit const Key kTopicKeys[] = {
    {"port", &kEndpointItem, false, "",
     "The device's own broker; none: it publishes at ours (`announce`, listen), and what it said last on the "
     "connection that it has counts",
     "tcp/1883"},
    {"tls", &kBoolean, false, "false", "Of port: MQTT inside TLS", "true"},
    {"login", &kText, false, "", "Of port: role of the account that listens; none: nobody logs in", "admin"},
    {"topic", &kSentence, true, "", "A topic whose message is retained or comes again within seconds", "hub/version"},
    {"pointer", &kText, false, "", "JSON Pointer (RFC 6901) to the version; none: the message is the version",
     "/version"},
    {"report", &kText, false, "", "JSON Pointer to what it says of the last update", "/last"},
};
constinit const Table kTopicTable{"a version topic", "A topic of MQTT that tells the version", kTopicKeys};
constinit const Shape kTopic{.form = Form::mapping, .table = &kTopicTable};

constinit const Key kCommandKeys[] = {
    {"port", &kEndpointItem, true, "", "The SSH server", "tcp/22"},
    {"login", &kSentence, true, "", "Role of the account that runs it", "admin"},
    {"command", &kSentence, true, "", "What is run; the last line that it says is the version", "cat /etc/version"},
};
constinit const Table kCommandTable{"a version command", "A command that tells the version by SSH", kCommandKeys};
constinit const Shape kCommand{.form = Form::mapping, .table = &kCommandTable};

constinit const Shape kDigestWord{.form = Form::word, .words = kDigests};
constinit const Key kObjectKeys[] = {
    {"port", &kEndpointItem, true, "", "The SNMP agent", "udp/161"},
    {"login", &kSentence, true, "",
     "Role of the account: one whose username is \"\" has a community (version 2c, then 1), another is a user of "
     "version 3",
     "reader"},
    {"object", &kObjectText, true, "", "OBJECT IDENTIFIER of the one object, its instance included",
     "1.3.6.1.2.1.1.1.0"},
    {"after", &kText, false, "", "Words in front of the version, which goes to the next blank; none: all of it",
     "firmware"},
    {"digest", &kDigestWord, false, "sha1", "Of a user: which digest it has", "sha256"},
    {"encrypted", &kBoolean, false, "false", "Of a user: with AES-128, whose key comes from the same password", "true"},
};
constinit const Table kObjectTable{"a version object", "An object of SNMP that tells the version", kObjectKeys};
constinit const Shape kObject{.form = Form::mapping, .table = &kObjectTable};

constinit const Key kVersionKeys[] = {
    {"http", &kPage, false, "", "A page tells it", "{port: tcp/80, path: /api/status, pointer: /version}"},
    {"coap", &kResource, false, "", "A resource of CoAP tells it", "{port: udp/5683, path: /version}"},
    {"mqtt", &kTopic, false, "", "A topic of MQTT tells it", "{port: tcp/1883, login: admin, topic: hub/version}"},
    {"ssh", &kCommand, false, "", "A command that is run by SSH tells it",
     "{port: tcp/22, login: admin, command: cat /etc/version}"},
    {"snmp", &kObject, false, "", "An object of SNMP tells it",
     "{port: udp/161, login: reader, object: 1.3.6.1.2.1.1.1.0, after: firmware}"},
    {"banner", &kBanner, false, "", "A service tells it in its first line", "{port: tcp/22, after: SSH-2.0-hub_}"},
    {"resource", &kSentence, false, "", "Of lwm2m: a resource of the registered device tells it", "/3/0/3"},
    {"exec", &kSentence, false, "", "The last line of a command, run by /bin/sh in the DUT file's folder",
     "./version.sh"},
    {"prompt", &kSentence, false, "",
     "A person reads it and types it: asked before and after each attack, once `takes` is over",
     "Read the version on the display"},
};
constinit const Table kVersionTable{"a version source", "Where the device says which version it runs", kVersionKeys,
                                    kVersionForms};
constinit const Shape kVersion{.form = Form::mapping, .table = &kVersionTable};

constinit const Shape kTransportWord{.form = Form::word, .words = kTransports};
constinit const Key kUpdateKeys[] = {
    {"mechanism", &kSentence, true, "", "Its id in IXIT 7-UpdMech", "UM-1"},
    {"transport", &kTransportWord, true, "",
     "How an update comes: the device polls a manifest (by HTTP, by CoAP), polls a hawkBit server (DDI) or one of "
     "Mender, takes a file on a page of its own, hears of it by MQTT and fetches it by HTTP, is told by an LwM2M "
     "server "
     "(object 5), its recovery reads or takes a file (TFTP), or a recipe of the laboratory offers it",
     "http_pull"},
    {"serve", &kServe, false, "",
     "Of all but upload, exec and tftp by push: our server, which the device was pointed at",
     "{port: 8443, tls: true}"},
    {"manifest", &kManifest, false, "", "Of http_pull and coap: what the device polls; of mqtt where it polls too",
     "{path: /v1/update.json, body: …}"},
    {"upload", &kUpload, false, "", "Of upload: the device's page", "{port: tcp/80, path: /update}"},
    {"announce", &kAnnounce, false, "", "Of mqtt: how the device hears of it",
     "{listen: 1883, topic: updates/hub, message: …}"},
    {"client", &kClient, false, "", "Of lwm2m: what is to be known of the device's client", "{deliver: push}"},
    {"recovery", &kRecovery, false, "", "Of tftp: which file, and which way it goes", "{file: hub-recovery.bin}"},
    {"offer", &kRecipe, false, "",
     "Of exec: offers the image; ASSAY_IMAGE is its path, ASSAY_VERSION what is to be said of it, ASSAY_ATTACK the "
     "attack's id",
     "{exec: ./offer.sh}"},
    {"image", &kImage, true, "", "A genuine image, newer than what is installed",
     "{file: hub-2.5.0.swu, version: 2.5.0}"},
    {"older", &kImage, false, "", "A genuine image, older than what is installed",
     "{file: hub-2.3.0.swu, version: 2.3.0}"},
    {"other_model", &kImage, false, "", "A genuine image of another model", "{file: plug-2.5.0.swu}"},
    {"other_component", &kImage, false, "",
     "A genuine image of another component of the device (radio, boot loader, module)", "{file: hub-radio-2.5.0.swu}"},
    {"verify_key", &kFileText, false, "", "The maker's public key or certificate in PEM", "maker.pem"},
    {"signers", &kSigners, false, "", "Signers whose signatures ought not to count, for the attacks that sign by them",
     "{expired: {certificate: old.pem, key: old.key}}"},
    {"version_at", &kVersion, true, "", "Where the device says which version it runs",
     "{http: {port: tcp/80, path: /api/status, pointer: /version}}"},
    {"trigger", &kRecipe, false, "", "Makes the device look for an update at once; none: it does so by itself",
     "{exec: ./check.sh}"},
    {"restore", &kRecipe, false, "", "Brings it back to the version that it had before", "{exec: ./restore.sh}"},
    {"takes", &kDurationText, false, "60s", "Time from the offer to the new version running", "20s"},
};
constinit const Table kUpdateTable{"an update mechanism", "One way in which the device takes updates", kUpdateKeys};
constinit const Shape kUpdate{.form = Form::mapping, .table = &kUpdateTable};

}  // namespace

constinit const Shape kUpdates{.form = Form::list, .item = &kUpdate, .may_be_empty = true};

}  // namespace assay
