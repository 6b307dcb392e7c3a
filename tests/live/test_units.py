"""The units of systemd that docs/examples has: what systemd-analyze says of them, and run under a real systemd."""

import glob
import json
import os
import re
import shutil
import subprocess
import unittest

from rights import Case, below_systemd
from support import main, need_namespaces, run, skip, world

UNITS = os.path.join(os.environ.get("VMSNAP_SOURCE", "."), "docs/examples/systemd")
CONTRIB = os.path.abspath(os.path.join(os.environ.get("VMSNAP_SOURCE", "."), "contrib"))

SLEEPER = """[Unit]
DefaultDependencies=no
[Service]
Type=exec
ExecStart=/bin/sleep 600
"""

COMMANDS = r"""
    mount -t tmpfs tmpfs /var/lib
    cp units/* /run/units/
    for unit in system.slice timers.target time-sync.target time-set.target shutdown.target; do
        [ -e /run/units/$unit ] || cp /lib/systemd/system/$unit /run/units/ 2>/dev/null
    done
    systemctl daemon-reload
    systemctl start sleeper.service
    systemctl start vmsnap-record@sleeper.service && echo started
    count=0
    until ls /var/lib/vmsnap/sleeper-*Z.vms >/dev/null 2>&1 || [ $count -gt 300 ]; do
        sleep 0.1
        count=$((count + 1))
    done
    systemctl start vmsnap-capture@sleeper.service && echo captured
    systemctl start vmsnap-capture@sleeper.service && echo captured
    systemctl start vmsnap-capture@sleeper.timer && systemctl is-active vmsnap-capture@sleeper.timer
    # It ends with what it records, and well.
    systemctl stop sleeper.service
    count=0
    while systemctl is-active -q vmsnap-record@sleeper.service && [ $count -lt 300 ]; do
        sleep 0.1
        count=$((count + 1))
    done
    systemctl show -p Result -p ExecMainStatus vmsnap-record@sleeper.service
    systemctl --failed --no-legend
    cp /var/lib/vmsnap/* .
"""


class Units(Case):
    def copies(self, folder):
        """With the command that is tested, and its library."""
        os.mkdir(folder)
        libraries = world().env.get("LD_LIBRARY_PATH")
        for path in glob.glob(os.path.join(UNITS, "*")):
            with open(path, encoding="utf-8") as file:
                text = file.read().replace("/usr/local/bin/vmsnap", world().vmsnap)
                text = text.replace("/usr/local/lib/vmsnap", CONTRIB)
            if libraries:
                text = text.replace("[Service]\n", f"[Service]\nEnvironment=LD_LIBRARY_PATH={libraries}\n")
            # The one of the tests has nothing below /home or /dev of its own, and no sysinit.target.
            text = re.sub(r"(?m)^(PrivateDevices|ProtectKernelLogs)=.*\n", "", text)
            text = text.replace("[Unit]\n", "[Unit]\nDefaultDependencies=no\n")
            with open(os.path.join(folder, os.path.basename(path)), "w", encoding="utf-8") as file:
                file.write(text)
        return folder

    def test_they_are_well_formed(self):
        if not shutil.which("systemd-analyze"):
            skip(self, "systemd-analyze is not installed")
        place = self.folder()
        folder = self.copies(os.path.join(place, "units"))
        with open(os.path.join(folder, "sleeper.service"), "w", encoding="utf-8") as file:
            file.write(SLEEPER)
        names = [name.replace("@.", "@sleeper.") for name in os.listdir(folder)]
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(os.path.join(folder, name) for name in names)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              env={**os.environ, "SYSTEMD_UNIT_PATH": folder + ":"})
        ours = [line for line in done.stdout.decode().splitlines() if "vmsnap-" in line]
        self.assertEqual((done.returncode, ours), (0, []), done.stdout)

    def test_they_do_what_they_say(self):
        self.need_all_capabilities("systemctl", "dbus-daemon", "busctl", "unshare")
        need_namespaces(self, "--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--cgroup")
        place = self.folder(0o700)
        folder = self.copies(os.path.join(place, "units"))
        with open(os.path.join(folder, "sleeper.service"), "w", encoding="utf-8") as file:
            file.write(SLEEPER)
        done = below_systemd(place, f"exec >said 2>&1; {COMMANDS}")
        if not done:
            skip(self, "systemd does not start here, not even in a namespace")
        with open(os.path.join(place, "said"), encoding="utf-8") as file:
            said = file.read()
        self.assertRegex(said, r"started\ncaptured\ncaptured\nactive\n", said)
        self.assertIn("Result=success", said)
        self.assertIn("ExecMainStatus=0", said)
        recorded, = glob.glob(os.path.join(place, "sleeper-*Z.vms"))
        captured, = glob.glob(os.path.join(place, "sleeper-" + "[0-9]" * 8 + ".vms"))
        for path, least in ((recorded, 1), (captured, 2)):
            snaps = json.loads(run("list", path, "--json").out)["snapshots"]
            self.assertGreaterEqual(len(snaps), least)
            self.assertEqual({snap["unit"] for snap in snaps}, {"sleeper.service"})
            self.assertEqual({snap["comm"] for snap in snaps}, {"sleep"})
            self.assertTrue(all(snap["instant"] and snap["known"]["pfn"] for snap in snaps))
            self.assertEqual(run("check", path).status, 0)


if __name__ == "__main__":
    main()
