"""Files and surroundings that somebody else chose, and how hard the build is made."""

import json
import lzma
import os
import re
import resource
import shutil
import socket
import subprocess
import threading
import unittest

import kernel
import support
from rights import BUILD, SOURCE, Case, cache, call
from support import VMSNAP, capture, run, skip, world

LIBRARY = os.environ.get("VMSNAP_LIB")


class Names(Case):
    """Files that a target chose, read to name its symbols."""

    def setUp(self):
        for tool in (os.environ.get("CC", "cc"), "objcopy"):
            if not shutil.which(tool):
                skip(self, f"{tool} is not installed")
        self.place = self.folder()
        self.program = os.path.join(self.place, "program")
        self.debug = self.program + ".debug"
        source = os.path.join(SOURCE, "tests/targets/names_variables.c")
        self.tool(os.environ.get("CC", "cc"), "-g", "-pthread", source, "-o", self.program)

    def tool(self, *argv):
        done = call(*argv, cwd=self.place)
        self.assertEqual(done.status, 0, done)

    def separate(self):
        self.tool("objcopy", "--only-keep-debug", self.program, self.debug)

    def link(self):
        self.tool("objcopy", "--strip-all", f"--add-gnu-debuglink={self.debug}", self.program)
        return support.Target(self, self.program, executable=self.program)

    def symbol(self, target, **options):
        answer = call(world().vmsnap, "page", target.pid, hex(target.ranges["static_variable"][0]), "--json", **options)
        self.assertEqual(answer.status, 0, answer)
        return json.loads(answer.out)["name"]["symbol"]

    def test_debug_file_cut_short_while_it_is_read_is_no_harm(self):
        self.separate()
        # Many symbols, so that reading takes a while.
        with open(self.debug + ".s", "w", encoding="ascii") as file:
            for i in range(60000):
                file.write(f"static_symbol_with_quite_a_long_name_{i:06}: .byte 0\n")
        self.tool(os.environ.get("CC", "cc"), "-g", "-pthread", "-Wl,--build-id=0x1234567890",
                  os.path.join(SOURCE, "tests/targets/names_variables.c"), self.debug + ".s", "-o", self.program)
        self.separate()
        whole = kernel.read(self.debug)
        target = self.link()
        self.assertEqual(self.symbol(target), "static_variable")
        done = threading.Event()

        def cut():
            with open(self.debug, "r+b", buffering=0) as file:
                while not done.is_set():
                    file.truncate(4096 * 5)
                    done.wait(0.001)
                    file.seek(0)
                    file.write(whole)
                    done.wait(0.002)

        thread = threading.Thread(target=cut)
        thread.start()
        seen = set()
        try:
            for _ in range(60):
                seen.add(self.symbol(target))
        finally:
            done.set()
            thread.join()
        self.assertLessEqual(seen, {"static_variable", None})

    def test_debug_file_that_claims_to_be_huge_costs_little(self):
        self.separate()
        target = self.link()
        with open(self.debug, "r+b") as file:
            header = file.read(64)
            at, size, count = (int.from_bytes(header[a:b], "little") for a, b in ((40, 48), (58, 60), (60, 62)))
            for index in range(count):
                file.seek(at + index * size + 4)
                if int.from_bytes(file.read(4), "little") == 7:  # SHT_NOTE
                    file.seek(at + index * size + 24)
                    file.write((1 << 20).to_bytes(8, "little") + (1 << 31).to_bytes(8, "little"))
            file.truncate(1 << 40)
        limit = 20 * support.SLOWNESS  # seconds of a processor
        process = subprocess.Popen([world().vmsnap, "page", str(target.pid), hex(target.ranges["static_variable"][0])],
                                   env=world().env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        self.assertLess(usage.ru_maxrss, 200 * 1024, "KiB at most")
        self.assertLess(usage.ru_utime + usage.ru_stime, limit)

    def measured(self, pid, address):
        """What is told of the address, and the peak of memory in KiB."""
        process = subprocess.Popen([world().vmsnap, "page", str(pid), hex(address)], env=world().env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        with process.stderr as told:
            err = told.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, err)
        return err, usage.ru_maxrss

    def test_mini_debug_info_that_inflates_without_end_costs_little(self):
        fine, bomb = os.path.join(self.place, "fine.xz"), os.path.join(self.place, "bomb.xz")
        with open(fine, "wb") as file:
            file.write(lzma.compress(bytes(64), check=lzma.CHECK_CRC32))
        packer = lzma.LZMACompressor(check=lzma.CHECK_CRC32, preset=0)
        with open(bomb, "wb") as file:
            for _ in range(48):
                file.write(packer.compress(bytes(16 << 20)))
            file.write(packer.flush())
        for first, last in ((fine, bomb), (bomb, fine)):
            program = f"{self.program}.{os.path.basename(first)}"
            self.tool("objcopy", "--strip-all", "--add-section", f".gnu_debugdata={first}", "--add-section",
                      f".gnu_debugdatA={last}", self.program, program)
            # objcopy adds no two sections of one name.
            whole = kernel.read(program)
            self.assertEqual(whole.count(b"\0.gnu_debugdatA\0"), 1)
            with open(program, "wb") as file:
                file.write(whole.replace(b"\0.gnu_debugdatA\0", b"\0.gnu_debugdata\0"))
            target = support.Target(self, program, executable=program)
            _, peak = self.measured(target.pid, target.ranges["static_variable"][0])
            self.assertLess(peak, 200 * 1024, "KiB at most")

    def test_link_in_another_root_does_not_lead_out_of_it(self):
        self.need_root("chroot", "nm")
        jail = os.path.join(self.place, "jail")
        os.makedirs(os.path.join(jail, "x"))
        inside, copy, outside = (os.path.join(jail, "x/program"), os.path.join(jail, "x/copy"),
                                 os.path.join(self.place, "outside"))
        for name, path in (("inside", inside), ("beyond", outside)):
            source = path + ".c"
            with open(source, "w", encoding="ascii") as file:
                file.write(f"#include <unistd.h>\nchar {name}_variable[64] = {{1}};\n"
                           "int main(void) { for (;;) pause(); }\n")
            if call(os.environ.get("CC", "cc"), "-static", "-no-pie", "-Wl,--build-id=0x1122334455667788", source,
                    "-o", path).status:
                skip(self, "no static program can be linked")
        shutil.copy(inside, copy)
        (address,) = re.findall(r"(?m)^([0-9a-f]+) D inside_variable$", call("nm", inside).out.decode())
        process = subprocess.Popen(["chroot", jail, "/x/program"], stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.until(lambda: os.readlink(f"/proc/{process.pid}/exe") == os.path.realpath(inside), "it never started")

        def name():
            answer = call(world().vmsnap, "page", process.pid, "0x" + address, "--json")
            self.assertEqual(answer.status, 0, answer)
            return json.loads(answer.out)["name"]["symbol"]

        self.until(lambda: name() == "inside_variable", "its own file gives no names")
        # What runs is named from itself, wherever its name leads now.
        for text in (outside, "../../outside", "/x/copy"):
            with self.subTest(link=text):
                os.remove(inside)
                os.symlink(text, inside)
                self.assertEqual(name(), "inside_variable")

    def test_no_network_is_asked_for_debug_information(self):
        self.tool("objcopy", "--strip-all", self.program)
        target = support.Target(self, self.program, executable=self.program)
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            server.setblocking(False)
            url = f"http://127.0.0.1:{server.getsockname()[1]}/"
            self.assertIsNone(self.symbol(target, env={"DEBUGINFOD_URLS": url, "HOME": self.place}))
            with self.assertRaises(BlockingIOError, msg="somebody connected"):
                server.accept()

    def test_hostile_environment_changes_nothing(self):
        target = support.Target(self, self.program, executable=self.program)
        saved = capture(self, target.pid)
        usual = run("show", saved)
        names = ("TERM", "COLUMNS", "COLORTERM", "LC_ALL", "LANG", "LOCPATH", "TMPDIR", "HOME")
        for value in ("%n%s%n" * 50, "9" * 400, "-1", "../../../etc/passwd", "\x1b[2J"):
            answer = call(world().vmsnap, "show", "--ascii", saved, env={name: value for name in names})
            self.assertEqual((answer.status, answer.err), (0, ""))
            self.assertEqual(answer.out.splitlines()[0], usual.out.splitlines()[0])
            self.assertNotIn(b"\x1b", answer.out)

    def test_no_library_is_taken_from_the_folder_it_is_started_in(self):
        target = support.Target(self, self.program, executable=self.program)
        needed = ("libc.so.6", "libz.so.1", "libvmsnap.so.0", "libdw.so.1", "libelf.so.1", "liblzma.so.5", "libbz2.so.1.0")
        for folder in ("", "x86_64", "glibc-hwcaps/x86-64-v2", "glibc-hwcaps/x86-64-v3", "lib"):
            os.makedirs(os.path.join(self.place, folder), exist_ok=True)
            for name in needed:
                with open(os.path.join(self.place, folder, name), "w", encoding="ascii") as file:
                    file.write("no library\n")
        self.assertEqual(self.symbol(target, cwd=self.place), "static_variable")

    def test_gdb_imports_nothing_from_the_folder_it_is_started_in(self):
        if not shutil.which("gdb"):
            skip(self, "gdb is not installed")
        for name in ("vmsnap.py", "ctypes.py", "json.py", "signal.py", "gdb.py", "commands.py"):
            with open(os.path.join(self.place, name), "w", encoding="ascii") as file:
                file.write(f"open({os.path.join(self.place, 'imported')!r}, 'w')\n")
        plugin = os.path.join(SOURCE, "gdb", "vmsnap.py")
        done = call("gdb", "-nx", "-batch", "-ex", f"source {plugin}", "-ex", "vmsnap list", cwd=self.place,
                    env={"VMSNAP_LIB": LIBRARY or "", "HOME": self.place})
        self.assertNotIn("Undefined command", done.err)
        self.assertFalse(os.path.exists(os.path.join(self.place, "imported")), done)


class Hardening(unittest.TestCase):
    """As Debian builds its packages."""

    def setUp(self):
        if not shutil.which("readelf"):
            skip(self, "readelf is not installed")
        self.settings = cache()
        self.files = [path for path in (VMSNAP, LIBRARY) if path]

    def readelf(self, option, path):
        return subprocess.run(["readelf", "-W", option, path], stdout=subprocess.PIPE, check=True).stdout.decode()

    def test_program_and_library_are_linked_hard(self):
        self.assertIn("PIE", self.readelf("-d", VMSNAP))
        for path in self.files:
            with self.subTest(file=os.path.basename(path)):
                self.assertRegex(self.readelf("-h", path), r"Type: +DYN")
                self.assertRegex(self.readelf("-d", path), r"BIND_NOW|Flags: .*NOW")
                segments = self.readelf("-l", path)
                self.assertIn("GNU_RELRO", segments)
                self.assertRegex(segments, r"GNU_STACK .* RW +0x")
                self.assertNotIn("TEXTREL", self.readelf("-d", path))
                found = re.search(r"R(?:UN)?PATH\) .*\[(.*)\]", self.readelf("-d", path))
                for folder in found[1].split(":") if found else ():
                    self.assertRegex(folder, "^(/|\\$ORIGIN/)", "libraries are taken from where it is started")

    def test_stack_is_protected_and_library_calls_are_checked(self):
        for path in self.files:
            with self.subTest(file=os.path.basename(path)):
                symbols = self.readelf("--dyn-syms", path)
                self.assertIn("__stack_chk_fail", symbols)
                optimised = self.settings["CMAKE_BUILD_TYPE"] != "Debug" and not self.settings.get("VMSNAP_SANITIZE")
                self.assertEqual(bool(re.search(r"__\w+_chk\b(?!_fail)", symbols)), optimised)

    def test_every_source_of_ours_was_compiled_so(self):
        with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
            commands = [entry["command"] for entry in json.load(file)
                        if re.match("(core|formats|cli)/", os.path.relpath(entry["file"], SOURCE))]
        self.assertGreater(len(commands), 100)
        wanted = ["-fstack-protector-strong", "-fstack-clash-protection", "-Werror=format-security", "-fPI[CE]"]
        if os.uname().machine == "x86_64":
            wanted.append("-fcf-protection")
        for command in commands:
            for flag in wanted:
                self.assertRegex(command, rf"(^| ){flag}( |$)")

    def test_entries_are_marked_for_branch_tracking(self):
        if os.uname().machine != "x86_64" or not LIBRARY or not shutil.which("objdump"):
            skip(self, "not x86-64, or no objdump")
        code = subprocess.run(["objdump", "-d", "--disassemble=vmsnap_capture", LIBRARY], stdout=subprocess.PIPE,
                              check=True).stdout.decode()
        self.assertRegex(code, r"<vmsnap_capture>:\n.*endbr64")


if __name__ == "__main__":
    support.main()
