"""Weaknesses and habits that sound questions show: sessions that go on, new handshakes, client certificates, tickets."""

import daemons
import tls_device
from daemons import ADDRESS, equal, need, path, true

daemons.own_namespace()
openssl = need("openssl")
KEY, CERTIFICATE = daemons.make_rsa_key()


def look(port):
    observation, kept = daemons.probe("tls", f"tcp/{port}")
    equal(observation["completion"], "completed", f"the probe of port {port}: {observation.get('error')}")
    facts = observation["facts"]
    states = {one["name"]: one for one in facts["tls.weaknesses"]}
    for name in ("ccs_injection", "tls_poodle"):
        true(name not in states, f"{name} is nothing that a sound question shows")
    return facts, states, kept


def behaves(facts, look):
    return facts["tls.behaviour"][look]["yes"]


def s_server(port, *options):
    daemons.start([openssl, "s_server", "-accept", str(port), "-cert", path("rsa.pem"), "-key", path("rsa.key"), "-www",
                   *options], port)


def behind_a_front():
    s_server(9605, "-tls1_2")
    tls_device.ticketbleed(9606, 9605)
    facts, states, kept = look(9606)
    equal(states["ticketbleed"]["state"], "shown", f"a session id that grows: {states['ticketbleed']['why']}")
    true("PRIVATE" not in kept and "50 52 49 56 41" not in kept, "memory of the device is kept nowhere")


def states_are(states, server, **expected):
    for name, state in expected.items():
        equal(states[name]["state"], state, f"{name} of {server}: {states[name]['why']}")


def sound_openssl():
    s_server(9611, "-cipher", "ALL:@SECLEVEL=0")
    facts, states, _ = look(9611)
    states_are(states, "OpenSSL", ticketbleed="not_shown", heartbleed="not_shown", robot="precondition")
    equal([behaves(facts, f"resumes_by_{way}") for way in ("psk", "ticket", "session_id")], [True, True, True], "resumption")
    equal([behaves(facts, "early_data"), behaves(facts, "renegotiates_for_client")], [False, False], "early data, renegotiation")
    equal(sorted((one["version"], one["by"], one["lifetime_s"]) for one in facts["tls.session"]["given"]),
          [("TLSv1.2", "session_id", 0), ("TLSv1.2", "ticket", 7200), ("TLSv1.3", "ticket", 7200)], "what was given")
    equal(facts["tls.client_certificate"]["required"], False, "no certificate is needed")


def lenient_openssl():
    s_server(9612, "-client_renegotiation", "-no_ticket", "-max_early_data", "4096", "-verify", "1", "-CAfile", path("rsa.pem"))
    facts, states, _ = look(9612)
    states_are(states, "a lenient OpenSSL", ticketbleed="not_shown", heartbleed="not_shown")
    equal([behaves(facts, look) for look in ("renegotiates_for_client", "resumes_by_ticket", "early_data")], [True, False, True],
          "renegotiation, tickets, early data")
    client = facts["tls.client_certificate"]
    equal((client["asked"], client["required"], client["names"]), (True, False, ["CN=hub.example"]), "client certificate")


def strict_openssl():
    for port, version, alert in ((9613, "-tls1_3", "number 116"), (9614, "-tls1_2", "handshake failure")):
        s_server(port, version, "-Verify", "1", "-CAfile", path("rsa.pem"))
        client = look(port)[0]["tls.client_certificate"]
        equal((client["asked"], client["required"], client["names"]), (True, True, ["CN=hub.example"]), f"{version}: {client}")
        true(alert in client["why"], f"the alert is named: {client['why']}")


def sound_gnutls():
    daemons.start([need("gnutls-serv"), "--http", "--heartbeat", "--port", "9621", "--x509certfile", path("rsa.pem"), "--x509keyfile",
                   path("rsa.key"), "--priority", "NORMAL:+RSA:+VERS-TLS1.2", "--quiet"], 9621)
    facts, states, _ = look(9621)
    states_are(states, "GnuTLS", ticketbleed="not_shown", heartbleed="precondition", robot="precondition")
    equal((behaves(facts, "heartbeat"), behaves(facts, "renegotiates_for_client")), (True, True), "heartbeats, renegotiation")
    equal({one["lifetime_s"] for one in facts["tls.session"]["given"] if one["by"] == "ticket"}, {21600}, "lifetime of tickets")


checked = []
for part in (behind_a_front, sound_openssl, lenient_openssl, strict_openssl, sound_gnutls):
    part()
    checked.append(part.__name__)
print("checked", ", ".join(checked))
