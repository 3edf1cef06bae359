"""The devices give the verdicts of expected.yaml in the other isolations too: as an ordinary user in a user and network
namespace, and on loopback addresses where no namespace is allowed."""
import concurrent.futures
import os
import subprocess

from common import ASSAY, EXIT_FAILED, EXIT_OPEN, emulated, expected_failures, folder, need, run, verdicts

need("busybox", "vsftpd", "lighttpd", "dropbear", "mosquitto", "setpriv")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def ordinary_user():
    """The command that makes a root test an ordinary user's; nothing where nobody cannot reach the program."""
    if os.geteuid() != 0 or subprocess.run([*NOBODY, ASSAY, "plans"], capture_output=True).returncode != 0:
        return []
    return NOBODY


def assess(name, code, isolation, as_user, work):
    with emulated(name, isolation, as_user) as device:
        assert device["isolation"] == isolation, device
        out = work / f"{name}-{isolation}"
        run(device, out, check=code, as_user=as_user)
        failed = {requirement for requirement, verdict in verdicts(out).items() if verdict == "fail"}
        assert failed == expected_failures(name, isolation), (name, isolation, failed)


with folder() as work:
    os.chmod(work, 0o777)
    user = ordinary_user()
    modes = [("loopback", [])]
    if subprocess.run([*user, "unshare", "--user", "--net", "true"], capture_output=True).returncode == 0:
        modes.append(("user_namespaces", user))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        runs = [pool.submit(assess, name, code, isolation, as_user, work)
                for name, code in (("camera-weak", EXIT_FAILED), ("hub-sound", EXIT_OPEN)) for isolation, as_user in modes]
        for done in runs:
            done.result()
    print("isolations:", [isolation for isolation, _ in modes], "as", "nobody" if user else "this user")
