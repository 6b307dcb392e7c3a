"""The units of systemd that docs/examples has: what systemd-analyze says of them, and run under a real systemd."""

import glob
import json
import os
import re
import shutil
import sqlite3
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

BEGIN = r"""
    mount -t tmpfs tmpfs /var/lib
    cp units/* /run/units/
    for unit in system.slice timers.target time-sync.target time-set.target shutdown.target; do
        [ -e /run/units/$unit ] || cp /lib/systemd/system/$unit /run/units/ 2>/dev/null
    done
    systemctl daemon-reload
    systemctl start sleeper.service
    wait_until() { # COMMAND...
        count=0
        until "$@" >/dev/null 2>&1 || [ $count -gt 300 ]; do
            sleep 0.1
            count=$((count + 1))
        done
    }
    is_over() { ! systemctl is-active -q "$1"; }
"""
COMMANDS = BEGIN + r"""
    systemctl start vmsnap-record@sleeper.service && echo started
    wait_until eval 'ls /var/lib/vmsnap/sleeper-*Z.vms'
    systemctl start vmsnap-capture@sleeper.service && echo captured
    systemctl start vmsnap-capture@sleeper.service && echo captured
    systemctl start vmsnap-capture@sleeper.timer && systemctl is-active vmsnap-capture@sleeper.timer
    # It ends with what it records, and well.
    systemctl stop sleeper.service
    wait_until is_over vmsnap-record@sleeper.service
    systemctl show -p Result -p ExecMainStatus vmsnap-record@sleeper.service
    systemctl --failed --no-legend
    cp /var/lib/vmsnap/* .
"""
# Time passes as files tell it.
SPOOLED = BEGIN + r"""
    systemctl start vmsnap-spool@sleeper.service && echo spooled
    wait_until eval 'ls /var/lib/vmsnap/spool/sleeper-*Z.vms'
    systemctl start vmsnap-ship.service && echo nothing to ship
    ls -A /var/lib/vmsnap/kept
    systemctl stop sleeper.service
    wait_until is_over vmsnap-spool@sleeper.service
    touch -d '1 hour ago' /var/lib/vmsnap/spool/*.vms
    systemctl start vmsnap-ship.service && echo shipped
    ls -A /var/lib/vmsnap/spool
    touch -d '2 days ago' /var/lib/vmsnap/kept/*.vms
    systemctl start vmsnap-thin@sleeper.service && echo thinned
    systemctl start vmsnap-ship.timer vmsnap-thin@sleeper.timer
    systemctl is-active vmsnap-ship.timer vmsnap-thin@sleeper.timer
    systemctl --failed --no-legend
    cp -r /var/lib/vmsnap/* .
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
            # The one of the tests has nothing below /home or /dev of its own, and no sysinit.target; what is tested
            # may lie in /tmp or /home.
            text = re.sub(r"(?m)^(PrivateDevices|ProtectKernelLogs|PrivateTmp)=.*\n", "", text)
            text = text.replace("ProtectHome=yes", "ProtectHome=read-only")
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

    def below(self, commands):
        """(folder, what they said)"""
        self.need_all_capabilities("systemctl", "dbus-daemon", "busctl", "unshare")
        need_namespaces(self, "--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--cgroup")
        place = self.folder(0o700)
        folder = self.copies(os.path.join(place, "units"))
        with open(os.path.join(folder, "sleeper.service"), "w", encoding="utf-8") as file:
            file.write(SLEEPER)
        done = below_systemd(place, f"exec >said 2>&1; {commands}")
        if not done:
            skip(self, "systemd does not start here, not even in a namespace")
        with open(os.path.join(place, "said"), encoding="utf-8") as file:
            return place, file.read()

    def test_they_do_what_they_say(self):
        place, said = self.below(COMMANDS)
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

    def test_snapshots_go_through_the_spool_into_a_database_and_become_fewer(self):
        place, said = self.below(SPOOLED)
        self.assertEqual(said, "spooled\nnothing to ship\nshipped\nthinned\nactive\nactive\n")
        with sqlite3.connect(os.path.join(place, "archive.db")) as database:
            found = database.execute("SELECT count(*), min(unit), max(unit), min(comm) FROM snapshot").fetchone()
        self.assertGreaterEqual(found[0], 1)
        self.assertEqual(found[1:], ("sleeper.service", "sleeper.service", "sleep"))
        [kept] = os.listdir(os.path.join(place, "kept"))
        self.assertRegex(kept, r"^sleeper-hourly-[0-9]{8}T[0-9]{6}Z\.vms$")
        self.assertEqual(run("check", os.path.join(place, "kept", kept)).status, 0)


if __name__ == "__main__":
    main()
