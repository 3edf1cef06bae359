"""The table "who may include whom" of docs/architecture.md, line by line over every #include."""
import re
import unittest

from common import files, text

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
SOCKETS = ("sys/socket.h", "netinet/", "netdb.h", "linux/", "net/", "netpacket/")
VALUES = ("boost/json", "boost/describe", "boost/mp11", "boost/system")

# Room -> (our folders, libraries). A room may always include itself and the C++ and C standard libraries.
ROOMS = {
    "harness/model": ((), VALUES),
    "harness/expr": (("harness/model",), VALUES + ("jq.h", "jv.h", "openssl/evp.h")),
    "harness/load": (("harness/model", "harness/expr"), VALUES + ("yaml-cpp/", "boost/url", "fmt/")),
    "harness/plan": (("harness/model", "harness/expr"), VALUES + ("fmt/",)),
    "harness/judge": (("harness/model", "harness/expr"), VALUES + ("fmt/",)),
    "harness/probe": (("harness/model",), VALUES + ("boost/asio/awaitable.hpp",)),
    "harness/net": (("harness/model", "harness/probe"), VALUES + SOCKETS + ("boost/asio", "openssl/", "fmt/", "pcap/")),
    "harness/lab": (("harness/model", "harness/probe"), VALUES + SOCKETS + ("boost/asio", "openssl/", "fmt/")),
    "harness/engine": (("harness/model", "harness/probe", "harness/expr", "harness/plan", "harness/judge",
                        "harness/evidence", "harness/lab", "harness/net"),
                       VALUES + SOCKETS + ("boost/asio", "openssl/", "fmt/")),
    "harness/evidence": (("harness/model",), VALUES + ("openssl/", "fmt/")),
    "harness/cli": (("harness/", "probes/registry.hpp", "probes/images/", "reports/"),
                    VALUES + SOCKETS + ("boost/", "openssl/", "fmt/", "CLI/")),
    "probes/wire": (("harness/model",), VALUES),
    "probes/sessions": (("harness/model", "harness/probe", "probes/wire"), VALUES + ("boost/asio", "openssl/", "libssh/", "sys/socket.h")),
    "probes/images": (("harness/model", "probes/wire"), VALUES + ("openssl/", "fmt/")),
    "reports/common": (("harness/model", "harness/evidence"), VALUES + ("fmt/",)),
}
PROBE = (("harness/model", "harness/probe", "probes/wire", "probes/sessions"),
         VALUES + ("boost/asio/awaitable.hpp", "boost/url", "openssl/", "fmt/"))
# A measure of logins logs in as the probe `credentials` does, through its one interface, and reads the same words.
# Who uses a web interface logs in the same way too, and session ids are looked at by the arithmetic of factory values, which is pure.
# What factory values are held against is what they may have been made of: `credentials` tries it.
WEB_USER = ("probes/credentials/web_user.hpp",)
DERIVED = ("probes/uniqueness/identifiers.hpp", "probes/uniqueness/texts.hpp")
SHARING = {"probes/resistance": (PROBE[0] + ("probes/credentials/dialect.hpp", "probes/credentials/lock_words.hpp"), PROBE[1]),
           "probes/credentials": (PROBE[0] + DERIVED, PROBE[1]),
           "probes/first_use": (PROBE[0] + WEB_USER, PROBE[1]),
           "probes/update": (PROBE[0] + ("probes/images/",), PROBE[1]),
           "probes/web_session": (PROBE[0] + WEB_USER + ("probes/uniqueness/values.hpp",), PROBE[1])}
REPORT = (("harness/model", "harness/evidence", "reports/common"), VALUES + ("ctemplate/", "fmt/"))
REGISTRY = (("harness/probe",), ())


def room_of(path):
    """The room of a source file and its row of the table."""
    parts = path.parts
    room = "/".join(parts[:2])
    if len(parts) == 2:
        return parts[0], REGISTRY
    if room in SHARING:
        return room, SHARING[room]
    if room in ROOMS:
        return room, ROOMS[room]
    return room, PROBE if parts[0] == "probes" else REPORT


def allowed(name, quoted, room, row):
    ours, libraries = row
    if quoted:
        return name.startswith((room + "/",) + tuple(ours))
    if name.startswith(SOCKETS) or name.startswith(("boost/", "openssl/", "fmt/", "CLI/", "yaml-cpp/", "ctemplate/", "jq.h", "jv.h")):
        return name.startswith(libraries) if libraries else False
    return True


class Includes(unittest.TestCase):
    def test_every_include_is_in_its_rooms_row(self):
        faults = []
        for path in files(".cpp", ".hpp"):
            if path.parts[0] not in ("harness", "probes", "reports"):
                continue
            room, row = room_of(path)
            source = text(path)
            for match in INCLUDE.finditer(source):
                if not allowed(match[2], match[1] == '"', room, row):
                    line = source.count("\n", 0, match.start(2)) + 1
                    faults.append(f"{path}:{line}: {room} must not include {match[2]}")
        self.assertEqual(faults, [], "\n" + "\n".join(faults))

    def test_the_rule_itself_sees_a_fault(self):
        self.assertFalse(allowed("harness/judge/judge.hpp", True, "probes/ports", PROBE))
        self.assertFalse(allowed("boost/asio/ip/tcp.hpp", False, "harness/judge", ROOMS["harness/judge"]))
        self.assertFalse(allowed("probes/ports/ranges.hpp", True, "probes/services", PROBE))
        self.assertTrue(allowed("vector", False, "harness/model", ROOMS["harness/model"]))

    def test_headers_have_pragma_once(self):
        faults = [str(path) for path in files(".hpp") if not text(path).lstrip().startswith("#pragma once")]
        self.assertEqual(faults, [])


if __name__ == "__main__":
    unittest.main()
