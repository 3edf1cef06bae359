"""The flash of the scripted device: two slots, which of them is active, and a loader that starts a slot only when it is whole."""
import hashlib
import json
import shutil

from updatable_images import payload_for


class Slots:
    def __init__(self, folder, model, version, falls_back=True):
        """`falls_back`: the loader starts the other slot where the active one is not whole."""
        self.folder, self.model, self.factory_version, self.falls_back = folder, model, version, falls_back
        self.running = None  # what the loader found: {"slot": …, "version": …}
        self.kept = None     # of the running image, while another is written over it
        if not (folder / "active").exists():
            self.restore()

    def restore(self):
        self.erase()
        self.put("a", payload_for(self.model + self.factory_version))
        self.describe("a", self.factory_version, payload_for(self.model + self.factory_version))
        self.activate("a")

    def erase(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        for slot in "ab":
            (self.folder / slot).mkdir(parents=True)
        self.activate("a")
        self.kept = None

    def put(self, slot, payload):
        (self.folder / slot / "payload").write_bytes(payload)

    def describe(self, slot, version, payload):
        text = json.dumps({"version": version, "sha256": hashlib.sha256(payload).hexdigest()})
        (self.folder / slot / "description").write_text(text)

    def activate(self, slot=None):
        """The other slot is started next. One rename, so that a power cut leaves the old choice or the new."""
        part = self.folder / "active.part"
        part.write_text(slot or self.target)
        part.rename(self.folder / "active")

    def look(self, slot):
        """The description of a slot that is whole, else None."""
        try:
            description = json.loads((self.folder / slot / "description").read_text())
            payload = (self.folder / slot / "payload").read_bytes()
        except (OSError, ValueError):
            return None
        return description if hashlib.sha256(payload).hexdigest() == description["sha256"] else None

    def startable(self):
        active = (self.folder / "active").read_text()
        for slot in (active, "b" if active == "a" else "a")[:1 + self.falls_back]:
            if found := self.look(slot):
                return {"slot": slot, "version": found["version"]}
        return None

    def start(self):
        """What the loader does after power on: the active slot, else the other one, else nothing."""
        self.running, self.kept = self.startable(), None
        return self.running is not None

    def version(self):
        return self.running["version"] if self.running else self.factory_version

    def next_version(self):
        """What the loader would start now."""
        found = self.startable()
        return found["version"] if found else self.version()

    def active(self):
        return self.running["slot"] if self.running else ""

    def write(self, image, in_place):
        """Writes in eight pieces and yields before each, so that the power can go between them."""
        self.target = self.active() if in_place else "b" if self.active() == "a" else "a"
        (self.folder / self.target / "description").unlink(missing_ok=True)
        step = max(1, -(-len(image.payload) // 8))
        with open(self.folder / self.target / "payload", "wb", buffering=0) as file:
            for at in range(0, 8 * step, step):
                yield at
                file.write(image.payload[at:at + step])
        self.describe(self.target, image.version, image.payload)
        self.kept = None

    def write_in_place(self, at, chunk):
        """Over the running image, which is held in memory until it is known that the new one is right."""
        path = self.folder / self.active() / "payload"
        self.kept = self.kept or path.read_bytes()
        with open(path, "r+b", buffering=0) as file:
            file.seek(at)
            file.write(chunk)

    def take_back(self):
        if self.kept:
            self.put(self.active(), self.kept)
            self.kept = None
