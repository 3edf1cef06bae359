"""The hub's declaration (every provision, all 29 tables) is sound; each single fault in it gives one placed error."""
import re

from common import EXIT_PASSED, EXIT_USAGE, SOURCE, assay, facts, folder

PORTS = {"https": "443", "http": "80", "mqtts": "8883", "ssh": "22"}

# What is changed, into what, and what the one error says.
FAULTS = [
    ('  "6-4": {support: Y}\n', "", "the ICS says nothing about provision 6-4"),
    ('"5.2-1": {support: Y}', '"5.2-1": {support: N, because: later}', "ICS 5.2-1 = N: the provision is mandatory"),
    ('"5.5-1": {support: Y}', '"5.5-1": {support: N/A, because: not ours}', "ICS 5.5-1 = N/A: the provision is mandatory and has no condition"),
    ('"5.1-2": {support: Y}', '"5.1-2": {support: N/A, because: none}', "ICS 5.1-2 = N/A, and the IXIT shows the opposite"),
    ('"5.3-14": {support: N/A, because: every software component can be updated}', '"5.3-14": {support: N/A}', 'ICS 5.3-14 = N/A needs a reason: add "because"'),
    ("  9-ReplSup: []\n", "", "the IXIT table 9-ReplSup is missing"),
    ("  18-AccCtrl: []\n", "  18-AccControl: []\n  18-AccCtrl: []\n", 'has no IXIT table "18-AccControl"; did you mean "18-AccCtrl"?'),
    ("update_mechanism: [UM-1], crypto_usage: true, side_effects: keys", "update_mechanism: [UM-2], crypto_usage: true, side_effects: keys", 'IXIT 7-UpdMech has no entry "UM-2"'),
    ("remotely_accessible: false, port: tcp/443", "remotely_accesible: false, port: tcp/443", 'has no field "remotely_accesible"; did you mean "remotely_accessible"?'),
    ("{id: CM-4, description: updates", "{id: CM-3, description: updates", 'IXIT 11-ComMech has an entry "CM-3" already'),
    ("network: true, guarantees", "network: \"true\", guarantees", 'the field "network" of IXIT 7-UpdMech must be true or false'),
    ("{id: VM-1, description: daily", "{description: daily", 'an entry of IXIT 5-VulnMon lacks the field "id"'),
    ("kind: password, user_defined: false, per_device: true, preinstalled: true, generator: \"16 characters of 57 from the factory's random generator, printed",
     "kind: password, user_defined: true, per_device: true, preinstalled: true, generator: \"16 characters of 57 from the factory's random generator, printed",
     "IXIT 1-AuthMech AM-1 says that the user sets the password and that it is set at the factory"),
    ("attempts: keys only, ", "", "IXIT 1-AuthMech AM-3 is reachable over the network and does not say what happens after wrong logins"),
    ('cryptography: "TLS 1.3 with a pinned key, Ed25519 signature over the image", ', "", "IXIT 7-UpdMech UM-1 comes over a network and names no cryptography"),
    ("automatic: true}", "automatic: false}", None),  # notifications are still there: no fault
    ('notification: "on the web page, with the risk it removes", automatic: true}', "automatic: false}", "ICS 5.3-6 = Y, and IXIT 7-UpdMech knows neither automatic updates nor notifications"),
    ("OpenSSL 3.0 for all of TLS", "OpenSSL 3.0", "IXIT 12-NetSecImpl describes no implementation of TLS"),
    ("allows_configuration: true, authentication_mechanism: [AM-1]", "allows_configuration: true, authentication_mechanism: []", "IXIT 13-SoftServ SS-1 can change security settings and names no authentication mechanism"),
    ("{id: IF-5, description: Ethernet, kind: network, status: enabled, purpose: the home network", "{id: IF-5, description: Ethernet, kind: network, status: enabled", "IXIT 15-Intf IF-5 is enabled and does not say what it is for"),
    ("port: [tcp/80, tcp/443], status", "port: [tcp/80, tcp/443, tcp/8080], status", "IXIT 13-SoftServ SS-1 listens on tcp/8080, which IXIT 15-Intf does not list"),
    (', sensors_documented: "manual, chapter 7"', "", "IXIT 2-UserInfo does not say where they are documented"),
]

template = (SOURCE / "tests/devices/hub-sound/dut.yaml").read_text(encoding="utf-8")
sound = re.sub(r"\{port:(\w+)\}", lambda match: PORTS[match[1]], template).replace("{address}", "10.0.0.1").replace("{lab}", "")

with folder() as work:
    path = work / "dut.yaml"
    path.write_text(sound, encoding="utf-8")
    assay("declare", "check", path, check=EXIT_PASSED)
    for old, new, said in FAULTS:
        assert sound.count(old) == 1, (old, sound.count(old))
        path.write_text(sound.replace(old, new), encoding="utf-8")
        found = facts("declare", "check", path, check=EXIT_PASSED if said is None else EXIT_USAGE)["errors"]
        if said is None:
            assert found == [], found
            continue
        assert len(found) == 1, (old, found)
        assert said in found[0]["what"], (said, found[0]["what"])
        assert re.fullmatch(r".*/dut\.yaml:\d+:\d+", found[0]["where"]), found[0]["where"]

    # Nothing declared at all is one error, and N/A everywhere is refused wherever the standard has no condition.
    path.write_text(sound[:sound.index("standard:")], encoding="utf-8")
    assert "nothing is declared" in facts("declare", "check", path, check=EXIT_USAGE)["errors"][0]["what"]
    path.write_text(re.sub(r"\{support: Y\}", "{support: N/A, because: we do not}", sound), encoding="utf-8")
    refused = facts("declare", "check", path, check=EXIT_USAGE)["errors"]
    assert len(refused) > 25, len(refused)
