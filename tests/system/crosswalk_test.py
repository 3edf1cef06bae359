"""One run asked for other plans prints what `assay crosswalk` prints later from the bundle alone; the pass lines are the other
plans' own, the arrangements those of the run's day, and nothing claims a label."""
import json
import shutil
import subprocess

from common import (ASSAY, EXIT_FAILED, EXIT_NOT_VERIFIED, EXIT_PASSED, EXIT_USAGE, SOURCE, assay, emulated, facts, folder, journal,
                    need, verdicts)

need("busybox", "vsftpd", "lighttpd", "dropbear", "mosquitto")

PLANS = ["uk-psti/1", "jc-star/1", "kisa-cic/basic"]


def check_plan(plan):
    """Every requirement has a verdict; what is open says what closes it; the sums are those of the rows."""
    words = [row["verdict"] for row in plan["rows"]]
    summary = plan["summary"]
    assert summary["requirements"] == len(words) > 0, plan["plan"]
    assert summary["evidenced"] == words.count("pass"), plan["plan"]
    assert summary["failed"] == words.count("fail"), plan["plan"]
    assert plan["statement"].startswith(f"evidence for {summary['evidenced']} of {len(words)} requirements, {summary['open']} open")
    for row in plan["rows"]:
        assert row["because"], row["id"]
        assert (row["verdict"] in ("inconclusive", "not_tested", "error")) == bool(row["closes"]), (row["id"], row["verdict"])
        for finding in row["findings"]:
            assert finding["what"], row["id"]


def check_arrangements(crosswalk, wanted):
    found = {one["arrangement"]["id"]: (one["standing"], one["fit"]) for one in crosswalk["arrangements"]}
    assert found == wanted, found
    for one in crosswalk["arrangements"]:
        assert one["requires_label"].startswith("An issued label is required"), one


def check_schema(crosswalk):
    """Against the published schema, where another implementation is at hand."""
    try:
        import jsonschema
    except ImportError:
        return
    schema = json.loads((SOURCE / "testplans/schemas/crosswalk.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(crosswalk)


def no_claim(text):
    for word in ("obtained", "is recognised by", "label given"):
        assert word not in text.lower(), word


with folder() as work:
    # A scheme may stand for its one plan; several or none are told before anything is probed.
    for also, said in (("cls-iot", "several plans; name one: cls-iot/1, cls-iot/2"), ("no-such", 'no plan or scheme "no-such"')):
        done = assay("run", "--plan", "cls-iot/1", "--target", "127.0.0.1", "--also", also, "-o", work / "none", check=EXIT_USAGE)
        assert said in done.stderr, done.stderr
        assert not (work / "none").exists()

    with emulated("camera-weak") as device:
        out = work / "run"
        said = facts("run", "--plan", "cls-iot/3", "--dut", device["dut"], "-o", out, "-q", "--also", "uk-psti,jc-star/1,kisa-cic/basic",
                     check=EXIT_FAILED)
        asked = said["crosswalk"]
        assert [plan["plan"] for plan in asked["plans"]] == PLANS
        for plan in asked["plans"]:
            check_plan(plan)
        check_schema(asked)

        # The journal names what was asked, before the run; the verdicts of the run know nothing of it.
        events = journal(out)
        event = next(one for one in events if one["type"] == "crosswalk_asked")
        assert [plan["id"] for plan in event["data"]["plans"]] == PLANS
        assert event["sequence"] < next(one["sequence"] for one in events if one["type"] == "run_started")
        assert [plan["digest"] for plan in event["data"]["plans"]] == [plan["digest"] for plan in asked["plans"]]
        assert len(verdicts(out)) == 44

        # The same from the bundle alone: another library, or none, changes nothing.
        again = assay("crosswalk", out, "--json", check=EXIT_PASSED).stdout
        assert json.loads(again) == asked
        shutil.copytree(SOURCE / "testplans", work / "plans")
        shutil.rmtree(work / "plans/crosswalk")
        assert assay("--library", work / "plans", "crosswalk", out, "--json", check=EXIT_PASSED).stdout == again
        assert facts("verify", out, check=EXIT_PASSED)["valid"]
        assert facts("crosswalk", out, "--to", "jc-star", check=EXIT_PASSED)["plans"] == [asked["plans"][1]]

        # A known login breaks the password rule of each scheme; a reasoned mapping is marked.
        for plan, requirement, strength in (("uk-psti/1", "UKPSTI@2023:1", "sourced"), ("jc-star/1", "JCSTAR@1.1:S1.1-02", "reasoned")):
            row = next(row for one in asked["plans"] if one["plan"] == plan for row in one["rows"] if row["id"] == requirement)
            assert row["verdict"] == "fail" and row["findings"], row
            assert [mapped["strength"] for mapped in row["mapped"]] == [strength], row["mapped"]
            assert row["observations"], row
        check_arrangements(asked, {"sg-fi": ("ended", "in"), "sg-de-consumer": ("unclear", "in"), "sg-kr": ("in_force", "not_named"),
                                   "sg-uk": ("in_force", "in")})

        text = assay("crosswalk", out, check=EXIT_PASSED).stdout
        assert "REASONED: published by no scheme" in text
        assert text.count("An issued label is required") == 4, text
        assert "DRAFT PLAN, not for submission" in text
        no_claim(text)
        sums = assay("crosswalk", out, "--to", "cls-iot-gateway/1,cls-iot/1", check=EXIT_PASSED).stdout
        assert "cls-iot-gateway/1" in sums and "evidence for" in sums

        # The level itself, judged as another plan, agrees with the run of it.
        same = facts("crosswalk", out, "--to", "cls-iot/3", check=EXIT_PASSED)["plans"][0]
        assert {row["id"]: row["verdict"] for row in same["rows"]} == verdicts(out)

        # A bundle without the file, or with another, is no bundle to judge.
        kept = out / "bundle/inputs/crosswalk.json"
        original = kept.read_bytes()
        kept.write_bytes(original.replace(b"uk-psti", b"uk-pstj", 1))
        assert not facts("verify", out, check=EXIT_NOT_VERIFIED)["valid"]
        assert assay("crosswalk", out).returncode == EXIT_NOT_VERIFIED
        kept.unlink()
        assert assay("crosswalk", out).returncode == EXIT_NOT_VERIFIED
        kept.write_bytes(original)

        # A product outside of a scheme is told so and not judged.
        medical = work / "medical.yaml"
        text = open(device["dut"], encoding="utf-8").read()
        assert "product_class: camera" in text
        medical.write_text(text.replace("product_class: camera", "product_class: medical"), encoding="utf-8")
        one = facts("run", "--plan", "cls-iot/1", "--dut", medical, "-o", work / "medical", "-q", "--allow", "passive", "--also",
                    "uk-psti,jc-star")["crosswalk"]
        assert one["plans"][0]["suppressed"]["id"] == "medical-uk" and one["plans"][0]["rows"] == []
        assert one["plans"][1]["suppressed"] is None and one["plans"][1]["rows"]
        check_schema(one)
        check_arrangements(one, {"sg-uk": ("in_force", "out"), "sg-jp": ("in_force", "out")})

    # Without --also nothing is recorded, and the sums of the other schemes are said.
    plain = subprocess.run([ASSAY, "crosswalk", str(work / "medical"), "--to", "uk-psti"], capture_output=True, text=True)
    assert plain.returncode == EXIT_PASSED and "not judged: the plan does not speak to product class medical" in plain.stdout, plain
