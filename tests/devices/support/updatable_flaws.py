"""What one variant of a device that takes updates does wrong (updatable.py)."""

import updatable_suit as suit

# By CoAP and LwM2M (tests/system/probes/update_coap_test.py, update_dtls_test.py and update_lwm2m_test.py).
OTHER_WAYS = {
    "excess-cut-off": "what comes behind the size that was announced is cut off and not noticed",
    "reserves-what-is-said": "room is made for as much as the server says will come, and there is not so much",
    "installs-what-it-refused": "an image that was refused stays there, and is installed when it is told to update",
    "activates-first": "the new slot is made the active one before it is written, and the loader knows no other",
}
FLAWS = {
    "sound": "nothing",
    # images
    "no-signature-check": "the signature is not looked at, the digest is",
    "header-only-check": "only the header is looked at: magic, model, version and length",
    "signature-over-header": "the signature is checked over the header alone, and the digest in it is not compared",
    "optional-signature": "an image without a signature needs none",
    "any-key": "the key that the image brings is trusted",
    "no-downgrade-check": "an older image is taken",
    "same-version-accepted": "the version that runs is installed again, at every poll",
    "manifest-version-believed": "what the manifest says of the version counts, not what the image says",
    "any-model": "the image of another model is taken",
    "any-component": "the beginning of the model is compared alone, so the image of its radio is taken for its own",
    "truncated-accepted": "an image whose end is missing is taken as it came",
    "trailing-data-accepted": "what stands behind the image is not noticed",
    # transport
    "no-tls-verification": "the update server's certificate is not looked at",
    "wrong-name-accepted": "the certificate may be for another name",
    "expired-server-accepted": "the certificate may have expired",
    "redirect-to-http": "a redirect to http is followed",
    "redirect-elsewhere": "a redirect to another host is followed",
    "falls-back-to-http": "http is tried where https fails",
    "image-over-http": "the manifest may send it to http for the image",
    "no-size-bound": "a download may be of any size",
    "no-timeout": "a download may take any time",
    "unsigned-metadata-accepted": "a manifest without the maker's signature is taken (with --metadata signed)",
    "replayed-metadata-accepted": "a manifest that has expired is taken (with --metadata signed)",
    "missing-signature-accepted": "a manifest that has no signature is taken, with a wrong one it is not (with --metadata signed)",
    "time-from-server": "what the server calls the date decides whether a manifest has expired (with --metadata signed)",
    # archives (with --format swu)
    "files-not-compared": "the signature of the description is checked, the digests of the files are not",
    "unlisted-files-accepted": "files that the description does not list are unpacked too, and the names of these are taken for paths",
    "unpacks-before-verifying": "an archive is unpacked before it is checked, and the names in it are taken for paths",
    "unpacks-without-bound": "files are decompressed before they are checked, whatever comes out; it has 16 MiB of memory",
    # envelopes (with --format suit)
    **suit.FLAWS,
    **OTHER_WAYS,
    # the way it installs
    "installs-before-verifying": "the image is written over the running one while it comes, and taken back if it is wrong",
    "not-taken-back": "the same, and where the connection ends early it is not taken back: what came is started",
    "checks-one-installs-another": "the image is downloaded once to be checked and again to be installed",
    "never-activates": "the image is installed and told so, and never started",
    "activates-at-restart": "the image is installed and told so, and started with the next power; that is no flaw, but a way",
    "only-says-so": "success is told and nothing is done",
    "bricks-on-bad-image": "both slots are erased when an image is refused; the laboratory can restore it",
    "bricks-for-good": "the same, and nobody can restore it",
    "bricks-without-link": "both slots are erased when the link is lost in the middle of a download",
    # the way it looks for one
    "asks-only-when-told": "it looks for updates when the laboratory makes it, and never by itself",
    # its own page
    "upload-without-login": "the page takes an image from anybody",
    "upload-unchecked": "the page takes an image without a look at its signature",
}
