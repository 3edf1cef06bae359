"""Attacks on devices whose owner puts the image in: at the device's own page, as a form of a browser, and by a command of the laboratory (curl),
as an image of its own kind and as an archive. The sound one takes the genuine update and nothing else, each flawed one is found by the attack
that its flaw lets through and by no other."""
import contextlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from common import folder, need, side_by_side  # noqa: E402
from update_runs import AGAIN, DYING, FLAWS, covers, dies, examine, is_told_of, library, takes_none  # noqa: E402

# Variant -> the attacks that are tried on it, and those of them that it falls for.
IMAGES = {**FLAWS, "upload-unchecked": FLAWS["no-signature-check"], "same-version-accepted": AGAIN}
FORMS = {
    "upload-without-login": (["no-login", "older"], ["no-login"]),
    "no-size-bound": (["endless", "appended"], ["endless"]),
    "no-timeout": (["stalled", "slow"], []),  # it is held: that is looked at
}
ARCHIVES = {
    "no-signature-check": (["flip-signature", "no-signature", "other-key", "other-content", "other-content-alone", "version-lied"],
                           ["other-key", "other-content", "version-lied"]),
    "optional-signature": (["no-signature", "other-key"], ["no-signature"]),
    "files-not-compared": (["flip-payload", "other-content", "other-content-alone"], ["other-content-alone"]),
    "unlisted-files-accepted": (["other-content-alone", "traversal"], ["traversal"]),
    "same-version-accepted": AGAIN,
    **{name: FLAWS[name] for name in ("no-downgrade-check", "any-model")},
}
# Variant -> what is tried, and what it does not come back from.
INSTALLING = {"installs-before-verifying": (["flip-tenth-5", "power-installing"], "power-installing")}
UNPACKING = {"unpacks-without-bound": (["flip-payload", "size-lied", "bomb"], "bomb")}
BY_COMMAND = {name: DYING[name] for name in ("bricks-on-bad-image", "bricks-for-good")}

WRITTEN = ["same-version", "older", "other-model", "flip-tenth-5", "flip-tenth-10", "truncated-50", "appended", "power-installing"]
SENT = [*WRITTEN, "no-login", "cut-50", "stalled", "slow", "endless", "power-50", "link-50", "link-installing"]
PACKED = ["same-version", "older", "other-model", "flip-payload", "flip-signature", "no-signature", "other-key", "other-content", "other-content-alone",
          "version-lied", "size-lied", "traversal", "bomb"]
# A command of the laboratory puts the image into the same page.
COMMAND = [("transport: upload", "transport: exec\n    offer: {exec: 'curl -sSf -u admin:Kd7-wP3z-Hq9t -F image=@\"$ASSAY_IMAGE\" http://PAGE/update'}"),
           ("    upload: {", "    # upload: {")]
# Attacks that have no form, and words of the reason.
UNTRIED = {"upload": {"unavailable": "there is no server of ours", "length-lied": "there is no server of ours"},
           "exec": {"cut-50": "there is no server of ours", "no-login": "does not give what it needs: login"}}


def reached(device, work):
    """Commands of the laboratory run where the harness does, so the device has to be there too."""
    return contextlib.nullcontext()


HOW = {"upload": ((), None), "exec": (COMMAND, reached)}


def examined(work, way, name, tried, falls_for):
    facts = examine(work, name, tried, falls_for, *HOW[way], UNTRIED[way])
    why = {one["attack"]: one["why"] for one in facts["update.not_tried"]}
    for attack, words in UNTRIED[way].items():
        assert words in why[attack], (way, attack, why[attack])
    if way == "upload":
        assert facts["update.passive"][0]["login"] is True, facts["update.passive"]


def form(work):
    """What the sound one does with forms that do not end as they should."""
    facts = examine(work, "updatable-upload/sound", SENT, [])
    attempts = {one["attack"]: one for one in facts["update.attempts"]}
    assert attempts["no-login"]["reported"].startswith("status 401"), attempts["no-login"]
    assert attempts["endless"]["gave_up_ms"] < 5000, attempts["endless"]  # its length is told at once
    for id in ("stalled", "slow"):
        assert 3000 < attempts[id]["gave_up_ms"] < 12000, attempts[id]
    assert attempts["cut-50"]["fetched"]["bytes"] == attempts["power-50"]["fetched"]["bytes"] == 2472, attempts["cut-50"]
    for id in ("link-50", "link-installing"):  # what was begun goes on when it is back
        assert attempts[id]["link_cut"] and attempts[id]["fetched"]["whole"] and attempts[id]["installed"], attempts[id]
    assert attempts["power-50"]["power_cut"] and attempts["power-installing"]["power_cut"], attempts


need("curl")
with folder() as work:
    library(work)
    is_told_of("updatable-upload", *IMAGES, *FORMS, *DYING, "only-says-so")
    is_told_of("updatable-upload-archive", *ARCHIVES, *UNPACKING)
    covers(SENT, IMAGES, FORMS, DYING, INSTALLING)
    covers(WRITTEN, IMAGES, BY_COMMAND, INSTALLING)
    covers(PACKED, ARCHIVES, UNPACKING)
    raw, packed = "updatable-upload/", "updatable-upload-archive/"
    runs = [("exec", raw + "sound", WRITTEN, []), *[(way, packed + "sound", PACKED, []) for way in HOW],
            *[("upload", raw + name, *one) for name, one in FORMS.items()],
            *[(way, raw + name, *one) for way in HOW for name, one in IMAGES.items()],
            *[(way, packed + name, *one) for way in HOW for name, one in ARCHIVES.items()]]
    lost = [*[("upload", raw + name, *one) for name, one in DYING.items()], *[("exec", raw + name, *one) for name, one in BY_COMMAND.items()],
            *[(way, raw + name, *one) for way in HOW for name, one in INSTALLING.items()],
            *[(way, packed + name, *one) for way in HOW for name, one in UNPACKING.items()]]
    side_by_side(lambda: form(work), *[lambda one=one: examined(work, *one) for one in runs],
                 *[lambda way=way, one=one: dies(work, *one, *HOW[way]) for way, *one in lost],
                 *[lambda way=way: takes_none(work, raw + "only-says-so", None, *HOW[way]) for way in HOW], at_once=8)
print(1 + len(runs) + len(lost) + len(HOW), "devices")
