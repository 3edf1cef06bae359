"""What the maker of the scripted device publishes (updatable.py): its images, and signed manifests of them."""
import calendar
import json
import time
import urllib.parse

import updatable_archives as archives
import updatable_images as images
import updatable_suit as suit


def write_images(device):
    """What the maker publishes: for this model, for another one, and for the radio of this one."""
    folder = device.folder / "images"
    folder.mkdir(exist_ok=True)
    model = device.options.model
    if device.options.format == "suit":
        return suit.write(folder, device.maker, model, device.options.manifest, device.options.payload == "integrated")
    make, end = (archives.make, "swu") if device.options.format == "swu" else (images.make, "img")
    for name, version in ((model, "2.3.0"), (model, "2.4.0"), (model, "2.5.0"), ("plug", "2.5.0"), (model + "-radio", "2.5.0")):
        (folder / f"{name}-{version}.{end}").write_bytes(make(device.maker, name, version))
    (folder / "maker.pub.pem").write_bytes(images.public_pem(device.maker))
    if device.options.metadata == "signed":
        write_manifests(device, folder)


def write_manifests(device, made):
    """The maker's signed manifests: of the newest image, of the same one and over since 2026-01-31, and of the older image."""
    folder = device.folder / "manifests"
    folder.mkdir(exist_ok=True)
    soon, over = int(time.time()) + 30 * 86400, calendar.timegm((2026, 1, 31, 0, 0, 0))
    for name, version, expires in (("update", "2.5.0", soon), ("expired", "2.5.0", over), ("older", "2.3.0", soon)):
        image = made / f"{device.options.model}-{version}.img"
        data, url = image.read_bytes(), urllib.parse.urljoin(device.options.manifest, "/" + image.name)
        text = json.dumps({"version": version, "url": url, "size": len(data), "sha256": images.digest_of(data),
                           "expires": expires}).encode()
        (folder / (name + ".json")).write_bytes(text)
        (folder / (name + ".json.sig")).write_bytes(images.sign(device.maker, text))
