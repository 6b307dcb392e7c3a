"""To which service a process belongs, says its cgroup; and on which machine it ran."""

import hashlib
import hmac
import os
import time
import unittest

import kernel
import support
from support import Target, ask, capture, each_user, run, skip


class Service(unittest.TestCase):
    @staticmethod
    def expected_path(pid):
        """Of cgroup v2, else systemd's, else any but the root."""
        lines = [line.split(":", 2) for line in kernel.read(f"/proc/{pid}/cgroup").decode().splitlines()]
        ranked = [[path for number_, names, path in lines if (number_, names) == ("0", "")],
                  [path for _, names, path in lines if names == "name=systemd"], [path for _, _, path in lines]]
        for paths in ranked:
            for path in paths:
                if path != "/":
                    return path
        return "/" if lines else None

    @each_user
    def test_cgroup_is_that_of_proc(self, user):
        target = Target(self, "shared", user=user)
        path = capture(self, target.pid, user=user)
        told = ask(self, "show", path)["snapshot"]
        self.assertEqual(told["cgroup"], self.expected_path(target.pid))
        self.assertEqual(ask(self, "list", path)["snapshots"][0]["cgroup"], told["cgroup"])

    def test_machine_is_told_by_a_hash_of_its_id(self):
        target = Target(self, "shared")
        told = ask(self, "show", str(target.pid))["snapshot"]["machine_hash"]
        try:
            machine = bytes.fromhex(kernel.read("/etc/machine-id").decode().strip())
        except (OSError, ValueError):
            self.assertIsNone(told)
            return
        made = bytearray(hmac.new(machine, bytes.fromhex("bc33733d976023fbecac205bba9105a7"), hashlib.sha256).digest()[:16])
        made[6] = made[6] & 0x0F | 0x40
        made[8] = made[8] & 0x3F | 0x80
        self.assertEqual(told, made.hex())
        self.assertNotIn(machine.hex(), run("show", target.pid).out.decode())

    @staticmethod
    def cgroup_folder():
        """Of v2, or a hierarchy of v1."""
        for folder in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/pids"):
            if os.path.exists(os.path.join(folder, "cgroup.procs")):
                return folder
        return None

    def test_unit_and_container_are_named_by_the_path(self):
        folder = self.cgroup_folder()
        name = f"docker-{os.urandom(32).hex()}.scope"
        if not support.ROOT or not folder:
            skip(self, "no cgroup can be made here")
        path = os.path.join(folder, name)
        try:
            os.mkdir(path)
        except OSError as error:
            skip(self, f"no cgroup can be made here: {error}")
        target = Target(self, "shared")
        self.addCleanup(self.remove_cgroup, path, target)
        try:
            with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as file:
                file.write(str(target.pid))
        except OSError as error:
            skip(self, f"no process can be put into a cgroup here: {error}")
        if not (self.expected_path(target.pid) or "").endswith("/" + name):
            skip(self, "another hierarchy tells more of a process here")
        saved = capture(self, target.pid)
        told = ask(self, "show", saved)["snapshot"]
        self.assertEqual((told["unit"], told["container"]), (name, name[len("docker-"):-len(".scope")]))
        text = run("show", saved, "-l", "-w", "0").out.decode()
        self.assertIn(f"unit      {name}\n", text)
        self.assertIn(f"container {told['container']}\n", text)
        listed = run("list", saved, "-r", "-n", "-o", "UNIT,CONTAINER,CGROUP,MACHINE").out.decode().split()
        self.assertEqual(listed, [told["unit"], told["container"], told["cgroup"], told["machine_hash"] or "-"])

    @staticmethod
    def remove_cgroup(path, target):
        target.end()
        for _ in range(100):
            try:
                os.rmdir(path)
                return
            except OSError:
                time.sleep(0.02)


class Columns(unittest.TestCase):
    """What the JSON has, the tables have."""

    def raw(self, *argv, user):
        result = run(*argv, "-r", "-n", "-b", user=user)
        self.assertIn(result.status, (0, 1), result)
        return [line.split() for line in result.out.decode().splitlines()]

    @each_user
    def test_list_has_what_is_known_of_a_snapshot(self, user):
        target = Target(self, "pages", "anonymous", "zero", user=user)
        path = capture(self, target.pid, user=user)
        told = ask(self, "list", path)["snapshots"][0]
        row, = self.raw("list", path, "-o", "CMDLINE,EXE,UID,TGID,HOST,BOOT,KERNEL,ARCH,PAGESIZE,FREEZE,INSTANT,TOOL", user=user)
        wanted = ["pages\\x20anonymous\\x20zero", told["exe"], told["uid"], target.pid, told["host"], told["boot_id"],
                  told["kernel"], told["arch"], told["page_size"], "full", "yes", told["tool"].replace(" ", "\\x20")]
        self.assertEqual(row, [str(word) for word in wanted])
        self.assertEqual(told["cmdline"], ["pages", "anonymous", "zero"])
        text = run("list", path, "-o", "CMDLINE", user=user).out.decode()
        self.assertIn("pages anonymous zero\n", text)

    @each_user
    def test_tables_of_pages_have_the_mapping(self, user):
        target = Target(self, "mappings", user=user)
        a = capture(self, target.pid, user=user)
        target.tell("grow")
        b = capture(self, target.pid, user=user)
        vmas = {vma["start"][2:]: vma for vma in ask(self, "show", b)["vmas"]}
        columns = ("PERM", "OFFSET", "DEV", "INODE", "BUILDID")
        wanted = {start: [vma["perms"], hex(vma["offset"]), vma["dev"], str(vma["inode"]), vma["build_id"] or "-"]
                  for start, vma in vmas.items()}
        for command in (("diff", a, b), ("pages", b), ("cow", a, b)):
            rows = self.raw(*command, "-o", "START," + ",".join(columns), user=user)
            met = [row for row in rows if row[0] in wanted]
            self.assertTrue(met, command)
            for row in met:
                self.assertEqual(row[1:], wanted[row[0]], command)


if __name__ == "__main__":
    support.main()
