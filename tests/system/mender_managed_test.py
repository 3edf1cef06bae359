"""The real Mender client, managed by our server alone: it takes the genuine artifact and refuses what its setup lets it refuse. It knows no
older and newer, so an older artifact of the maker is found with every setup."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "probes"))
from common import folder, need, side_by_side, skip  # noqa: E402
from update_runs import SERVER, examine, library  # noqa: E402
from update_server import isolations  # noqa: E402

# What is broken off is not in it: the client goes on with such a download a minute later, which is longer than a test.
FALLS = {
    "sound": (["same-version", *SERVER, "older", "other-model", "flip-payload", "no-signature", "other-key"], ["older"]),
    "unsigned-accepted": (["no-signature", "other-key", "flip-payload"], ["no-signature", "other-key"]),
    "no-tls-verification": (["self-signed", "unknown-authority"], ["self-signed", "unknown-authority"]),
}


def examined(work, flaw):
    facts = examine(work, "mender-managed/" + flaw, *FALLS[flaw])
    passive = facts["update.passive"][0]
    assert passive["identifies_by"] == '{"serial":"EX-MEND-0001"}, signed by a key of its own', passive
    assert passive["statuses"][0] == "downloading" and passive["statuses"][-1] == "success", passive
    refused = next((one for one in facts["update.attempts"] if one["attack"] == "flip-payload"), None)
    if refused:
        assert not refused["installed"] and refused["reported"], refused


need("mender", "mender-artifact", "openssl", "unshare")
if "root_namespaces" not in isolations():
    skip("the client reads /etc/mender and a script in /usr/share/mender, and only root can give a device its own")
with folder() as work:
    library(work)
    side_by_side(*[lambda flaw=flaw: examined(work, flaw) for flaw in FALLS], at_once=3)
