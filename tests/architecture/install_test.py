"""third_party/install, run against stand-ins for dpkg, apt and sudo: nothing on this machine is touched."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("ASSAY_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
INSTALL = SOURCE / "third_party" / "install"

DPKG = """#!/bin/bash
# As the real one: what it has never heard of is named on standard error, and the exit status is 1.
shift 2
status=0
for package in "$@"; do
  case " $MISSING " in
    *" $package "*) echo "dpkg-query: no packages found matching $package" >&2; status=1 ;;
    *) echo "$package installed" ;;
  esac
done
exit $status
"""
APT = """#!/bin/bash
echo "$*" >>"$LOG"
case "$*" in
  *update*) touch "$UPDATED"; exit 0 ;;
  -s*)
    if [ -n "$STALE" ] && [ ! -e "$UPDATED" ]; then echo "E: Unable to locate package" >&2; exit 100; fi
    [ -z "$REMOVES" ] || echo "Remv $REMOVES [1.74]"
    exit 0 ;;
esac
[ -e "$POLICY" ] && cp "$POLICY" "$POLICY.seen"
exit ${APT_EXIT:-0}
"""


class Install(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        self.tools = self.root / "tools"
        self.tools.mkdir()
        (self.root / "etc").mkdir()
        (self.root / "usr" / "sbin").mkdir(parents=True)
        self.policy = self.root / "usr" / "sbin" / "policy-rc.d"
        self.distribution("debian", "12")
        self.tool("dpkg-query", DPKG)
        self.tool("apt-get", APT)
        self.tool("id", "#!/bin/sh\necho ${ID_NUMBER:-0}\n")
        self.tool("systemctl", '#!/bin/sh\necho "systemctl $*" >>"$LOG"\n')
        self.log = self.root / "log"

    def tool(self, name, text):
        path = self.tools / name
        path.write_text(text)
        path.chmod(0o755)

    def distribution(self, name, version):
        (self.root / "etc" / "os-release").write_text(f'ID={name}\nVERSION_ID="{version}"\nPRETTY_NAME="{name} {version}"\n')

    def run_install(self, *arguments, **environment):
        # Only the stand-ins and the plain tools; a real sudo of this machine must not be found.
        for plain in ("env", "sed", "tr", "grep", "rm", "tee", "chmod", "dirname", "bash", "sh", "cat", "cp", "touch"):
            link = self.tools / plain
            if not link.exists():
                link.symlink_to(shutil.which(plain))
        values = {"PATH": str(self.tools), "LOG": str(self.log), "UPDATED": str(self.root / "updated"), "MISSING": "",
                  "STALE": "", "REMOVES": "", "POLICY": str(self.policy), "ASSAY_INSTALL_ROOT": str(self.root)}
        return subprocess.run(["/bin/bash", str(INSTALL), *arguments], env={**values, **environment}, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=30)

    def calls(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    def test_does_nothing_when_all_is_there(self):
        done = self.run_install()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.calls(), [])

    def test_installs_what_is_missing_and_says_so_first(self):
        done = self.run_install("test", MISSING="vsftpd hydra")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("vsftpd hydra", done.stdout)
        installs = [call for call in self.calls() if " install -y" in call]
        self.assertEqual(len(installs), 1)
        self.assertTrue(installs[0].endswith("vsftpd hydra"))
        self.assertFalse(any("update" in call for call in self.calls()))

    def test_refreshes_the_lists_once_when_a_package_is_unknown(self):
        done = self.run_install("test", MISSING="hydra", STALE="1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sum("update" in call for call in self.calls()), 1)

    def test_holds_daemons_back_and_restores_the_machine(self):
        self.run_install("test", MISSING="vsftpd")
        self.assertIn("exit 101", pathlib.Path(f"{self.policy}.seen").read_text())
        self.assertFalse(self.policy.exists())
        self.assertIn("systemctl disable vsftpd", self.calls())
        self.assertNotIn("systemctl disable mosquitto", self.calls())

    def test_restores_the_machine_when_apt_fails(self):
        done = self.run_install("test", MISSING="vsftpd", APT_EXIT="100")
        self.assertEqual(done.returncode, 1)
        self.assertFalse(self.policy.exists())

    def test_leaves_a_policy_of_somebody_else_alone(self):
        self.policy.write_text("#!/bin/sh\nexit 0\n")
        self.run_install("test", MISSING="vsftpd")
        self.assertEqual(self.policy.read_text(), "#!/bin/sh\nexit 0\n")

    def test_stops_when_apt_would_remove_something(self):
        done = self.run_install("build", MISSING="libboost1.81-dev", REMOVES="libboost1.74-dev")
        self.assertEqual(done.returncode, 1)
        self.assertIn("libboost1.74-dev", done.stderr)
        self.assertFalse(any(" install -y" in call for call in self.calls()))

    def test_explains_when_there_is_neither_root_nor_sudo(self):
        done = self.run_install("test", MISSING="hydra", ID_NUMBER="1000")
        self.assertEqual(done.returncode, 1)
        self.assertIn("neither root nor a usable sudo", done.stderr)
        self.assertIn("hydra", done.stderr)

    def test_uses_sudo_when_it_works(self):
        self.tool("sudo", '#!/bin/bash\n[ "$1" = -n ] && exit 0\necho "sudo $*" >>"$LOG"\nexec "$@"\n')
        done = self.run_install("test", MISSING="hydra", ID_NUMBER="1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(any(call.startswith("sudo env") for call in self.calls()))

    def test_names_a_distribution_without_a_list(self):
        self.distribution("plan9", "4")
        done = self.run_install()
        self.assertEqual(done.returncode, 1)
        self.assertIn("plan9 4", done.stderr)

    def test_check_only_reports(self):
        done = self.run_install("--check", "test", MISSING="hydra")
        self.assertEqual(done.returncode, 1)
        self.assertIn("hydra", done.stdout)
        self.assertEqual(self.calls(), [])


if __name__ == "__main__":
    unittest.main()
