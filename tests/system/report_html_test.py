"""The HTML report that the binary writes of a real run: well-formed, accessible, every link leads somewhere, no script, and a
browser that opens it asks for nothing."""
import html.parser
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import urllib.parse

from common import EXIT_FAILED, EXIT_PASSED, assay, emulated, folder, need, run

VOID = {"meta", "br", "hr", "img", "input", "link"}
FORBIDDEN = {"script", "img", "link", "iframe", "object", "embed", "form", "input", "base", "svg", "audio", "video"}


class Page(html.parser.HTMLParser):
    """Collects what the checks need; fails on an element that is not closed where it should be."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.ids, self.links, self.headings, self.tables = [], [], [], [], [], []
        self.text = ""

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        assert len(named) == len(attributes), f"an attribute twice in <{tag}>"
        self.tags.append((tag, named))
        if "id" in named:
            self.ids.append(named["id"])
        if "href" in named:
            self.links.append(named["href"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "table":
            self.tables.append({"caption": False, "unscoped": 0})
        if tag == "caption":
            self.tables[-1]["caption"] = True
        if tag == "th" and named.get("scope") not in ("col", "row"):
            self.tables[-1]["unscoped"] += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> at {self.getpos()} closes <{self.open[-1:]}>"
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def read_page(text):
    page = Page()
    page.feed(text)
    page.close()
    assert not page.open, f"never closed: {page.open}"
    return page


def check_structure(text, page):
    assert text.startswith("<!DOCTYPE html>"), text[:40]
    assert ("html", {"lang": "en"}) in page.tags
    policy = [named["content"] for tag, named in page.tags if named.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"], policy
    assert page.headings.count(1) == 1 and page.headings[0] == 1, page.headings
    for before, after in zip(page.headings, page.headings[1:]):
        assert after <= before + 1, f"a heading of level {after} follows one of level {before}"
    for table in page.tables:
        assert table == {"caption": True, "unscoped": 0}, table
    assert len(page.ids) == len(set(page.ids)), "an id twice"


def check_no_reference(text, page):
    for tag, named in page.tags:
        assert tag not in FORBIDDEN, tag
        for name, value in named.items():
            assert not name.startswith("on") and name not in ("src", "srcset", "action", "background"), (tag, name)
            if name in ("href", "style"):
                assert not re.search(r"//|:.*:|url\(|javascript|data:", value or "", re.I), (tag, name, value)
    style = text[text.index("<style>"):text.index("</style>")]
    assert "url(" not in style and "@import" not in style


def check_links(page, base):
    evidence = 0
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids, link
        else:
            evidence += 1
            assert re.fullmatch(r"(bundle/)?(artifacts|restricted)/[0-9a-f]{64}", link), link
            assert (base / link).is_file(), link
    assert evidence > 0, "no link to evidence"


def check_content(page, bundle):
    """Every requirement with its word, every finding with its evidence, and the digest of the journal."""
    stored = json.loads((bundle / "verdicts.json").read_text())
    assert stored["summary"]["statement"] in page.text
    assert "DRAFT PLAN, not for submission" in page.text
    for claim in ("is certified", "has been certified", "recognised by", "label obtained", "level pass"):
        assert claim not in page.text.lower(), claim
    findings = 0
    for requirement in stored["requirements"]:
        assert requirement["id"] in page.text, requirement["id"]
        assert requirement["verdict"].upper() in page.text
        for case in requirement["cases"]:
            for unit in case["units"]:
                for finding in unit["findings"]:
                    findings += 1
                    for digest in finding["evidence"]:
                        assert any(link.endswith(digest) for link in page.links), (unit["id"], digest)
    assert findings > 0, "the device should have failed"
    head = json.loads((bundle / "manifest.json").read_text())["chain_head"]
    assert head in page.text, "the digest of the journal is not in the report"


class Watcher(http.server.BaseHTTPRequestHandler):
    """A proxy that answers nothing and notes what was asked for."""

    asked = []

    def note(self):
        Watcher.asked.append(self.path)
        self.send_error(404)

    do_GET = do_POST = do_HEAD = do_CONNECT = note

    def log_message(self, *_):
        pass


# What Chromium asks for by itself at start, whatever the page; a page that names these is found by check_no_reference.
OWN = ("google.com", "googleapis.com", "gstatic.com", "googleusercontent.com")


def browse(browser, page, proxy):
    """The page's DOM, and what was asked for through the proxy meanwhile, but for the browser's own affairs."""
    Watcher.asked.clear()
    with tempfile.TemporaryDirectory(prefix="assay-test-", ignore_cleanup_errors=True) as profile:
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--user-data-dir=" + profile, "--proxy-server=" + proxy,
             "--proxy-bypass-list=<-loopback>", "--virtual-time-budget=2000", "--dump-dom", page.resolve().as_uri()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120)
    hosts = {path: urllib.parse.urlsplit(path if "//" in path else "//" + path).hostname or path for path in Watcher.asked}
    return done.stdout, {path for path, host in hosts.items() if not any(("." + host).endswith("." + own) for own in OWN)}


def check_in_browser(report, work):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        print("not checked in a browser: no chromium is installed")
        return
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Watcher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy = f"http://127.0.0.1:{server.server_port}"
    control = work / "control.html"
    control.write_text('<!DOCTYPE html><title>control</title><img src="http://control.invalid/seen">')
    try:
        _, seen = browse(browser, control, proxy)
        assert "http://control.invalid/seen" in seen, "the proxy does not see requests: this check could not fail"
        dom, asked = browse(browser, report, proxy)
    finally:
        server.shutdown()
    assert "End of evidence report" in dom, dom[-500:]
    assert not asked, f"the report made the browser ask for {asked}"


def check_report(report, bundle, work):
    text = report.read_text(encoding="utf-8")
    page = read_page(text)
    check_structure(text, page)
    check_no_reference(text, page)
    check_links(page, report.parent)
    check_content(page, bundle)
    check_in_browser(report, work)


def main():
    need("busybox", "vsftpd")
    with folder() as work, emulated("camera-weak") as device:
        out = work / "run"
        run(device, out, check=EXIT_FAILED)
        again = assay("report", "--format", "html", out, check=EXIT_PASSED).stdout
        assert again == (out / "report.html").read_text(encoding="utf-8"), "the same bundle gave two reports"
        check_report(out / "report.html", out / "bundle", work)
        # Made for the bundle's own folder, the links lead there too.
        beside = pathlib.Path(out / "bundle") / "report.html"
        beside.write_text(assay("report", "--format", "html", out / "bundle", check=EXIT_PASSED).stdout, encoding="utf-8")
        check_links(read_page(beside.read_text(encoding="utf-8")), beside.parent)


if __name__ == "__main__":
    main()
