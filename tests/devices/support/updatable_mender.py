"""The scripted device as a client of Mender's device API: a token, the next deployment, its status and log. Artifacts are its own images."""
import json
import urllib.parse

from updatable_images import Refused

API = "/api/devices/"
LARGEST = 16 << 10


class Mender:
    """Asks the server that the device polls; what it offers is read as a manifest without size and digest."""

    def __init__(self, device):
        self.device, self.token, self.deployment = device, "", ""
        self.base = "https:" + device.options.manifest.partition(":")[2].rstrip("/")

    def call(self, method, path, body, kind="application/json"):
        client, out = self.device.client, bytearray()
        client.method, client.body = method, json.dumps(body).encode()
        client.headers = {"Content-Type": kind} | ({"Authorization": "Bearer " + self.token} if self.token else {})
        try:
            client.get(self.base + API + path, LARGEST, out.extend)
        finally:
            client.method, client.body, client.headers = "GET", None, {}
        return bytes(out)

    def ask(self, method, path, body):
        """With a new token when there is none, or when the old one does not count any more."""
        if not self.token:
            self.authenticate()
        try:
            return self.call(method, path, body)
        except Refused as refused:
            if "401" not in str(refused):
                raise
            self.authenticate()
            return self.call(method, path, body)

    def authenticate(self):
        self.token = ""
        identity = json.dumps({"serial": self.device.options.serial})
        self.token = self.call("POST", "v1/authentication/auth_requests", {"id_data": identity, "pubkey": "none"}).decode("latin-1")

    def poll(self):
        device = self.device
        device.state, self.deployment = "looking", ""
        runs = {"artifact_name": f"{device.options.model}-{device.version()}", "device_type": device.options.model}
        text = self.ask("POST", "v2/deployments/device/deployments/next", {"device_provides": runs})
        if not text:
            return None
        try:
            offered = json.loads(text)
            artifact = offered["artifact"]
            self.deployment, name, url = offered["id"], artifact["artifact_name"], artifact["source"]["uri"]
            model, _, version = name.partition("-")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Refused("the deployment cannot be read") from None
        if not str(url).startswith("https://") and device.flaw != "image-over-http":
            raise Refused("the artifact is not offered over https")
        if urllib.parse.quote(self.deployment, safe="-") != self.deployment or model != device.options.model:
            raise Refused("the deployment is not for this device")
        self.status("downloading")
        return {"version": version, "url": url}

    def status(self, word, reason=""):
        if self.deployment:
            if reason:
                self.ask("PUT", f"v1/deployments/device/deployments/{self.deployment}/log",
                         {"messages": [{"level": "error", "timestamp": "2026-01-01T00:00:00Z", "message": reason}]})
            self.ask("PUT", f"v1/deployments/device/deployments/{self.deployment}/status", {"status": word})

    def report(self, result, reason):
        self.end("success" if result == "installed" else "failure", reason)

    def end(self, word, reason=""):
        """How it went. That the server does not hear it changes nothing."""
        try:
            self.status(word, reason)
        except Refused:
            pass
        self.deployment = ""
