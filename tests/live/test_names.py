"""Names of addresses in real processes, against what the processes say themselves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import kernel
import support
from kernel import PAGE
from support import Target, ask, number, run, skip

SOURCE = os.path.join(os.environ.get("VMSNAP_SOURCE", "."), "tests/targets/names_variables.c")
VARIABLES = ("global_variable", "static_variable", "global_bss", "static_bss", "read_only_table", "big_data",
             "big_bss", "exported_function")
GLOBALS = ("global_variable", "global_bss", "read_only_table", "big_data", "exported_function")


def kernel_guards_programs():
    version = [int(number) for number in re.findall(r"\d+", os.uname().release)[:3]]
    return not ([6, 11] <= version < [6, 11, 11] or [6, 12] <= version < [6, 12, 2])


def shows_map_files():
    """Whether the kernel lets us open what is mapped: CAP_SYS_ADMIN, or CAP_CHECKPOINT_RESTORE since Linux 5.9."""
    for name in os.listdir("/proc/self/map_files"):
        try:
            os.close(os.open(f"/proc/self/map_files/{name}", os.O_RDONLY))
            return True
        except OSError:
            pass
    return False


def page(test, pid, address, *argv):
    answer = ask(test, "page", pid, hex(address), *argv)
    test.assertEqual(answer["schema"], "vmsnap.page/1")
    return answer


def name_at(test, pid, address, *argv):
    return page(test, pid, address, *argv)["name"]


class Programs(unittest.TestCase):
    """The same program, compiled and stripped in several ways."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=support.world().home(support.me()))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def tool(self, *argv):
        try:
            done = subprocess.run(argv, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except FileNotFoundError:
            skip(self, f"{argv[0]} is not installed")
        self.assertEqual(done.returncode, 0, f"{argv}: {done.stdout.decode(errors='replace')}")

    def compile(self, *flags, name="program"):
        path = self.path(name)
        self.tool(os.environ.get("CC", "cc"), "-O1", "-g", "-pthread", *flags, SOURCE, "-o", path)
        return path

    def start(self, path):
        # Where there is no build ID, a file that changed in the clock tick of the snapshot
        # is not believed.
        time.sleep(0.02)
        return Target(self, path, executable=path)

    def expect_symbol(self, target, variable, path, *argv):
        start, end = target.ranges[variable]
        covered = range(*target.ranges["covered"])
        for address in {start, start + (end - start) // 2, end - 1}.difference(covered):
            name = name_at(self, target.pid, address, *argv)
            self.assertIsNotNone(name, variable)
            self.assertEqual(name["symbol"], variable)
            self.assertEqual(name["object"], path)
            self.assertEqual(name["offset"], address - start)
            if variable != "exported_function":
                self.assertEqual(name["size"], end - start)

    def expect_all(self, path, variables=VARIABLES, *argv):
        target = self.start(path)
        for variable in variables:
            with self.subTest(variable=variable):
                self.expect_symbol(target, variable, path, *argv)
        return target

    def expect_only_the_mapping(self, path, variable="static_variable"):
        target = self.start(path)
        name = name_at(self, target.pid, target.ranges[variable][0])
        self.assertIsNone(name["symbol"])
        self.assertEqual(name["object"], path)
        return target

    def test_position_independent_program(self):
        self.expect_all(self.compile("-fPIE", "-pie"))

    def test_program_at_a_fixed_address(self):
        self.expect_all(self.compile("-fno-pie", "-no-pie"))

    def test_static_program(self):
        self.expect_all(self.compile("-static"))

    def test_static_position_independent_program(self):
        self.expect_all(self.compile("-static-pie", "-fPIE"))

    def test_program_with_code_and_data_on_one_page_of_the_file(self):
        self.expect_all(self.compile("-Wl,-z,noseparate-code"))

    def test_program_with_huge_alignment(self):
        self.expect_all(self.compile("-Wl,-z,max-page-size=0x200000"))

    def test_32_bit_program(self):
        probe = subprocess.run([os.environ.get("CC", "cc"), "-m32", "-pthread", SOURCE, "-o", self.path("probe")],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if probe.returncode:
            skip(self, "the compiler has no -m32")
        target = self.expect_all(self.compile("-m32"))
        self.assertLess(target.ranges["global_variable"][0], 1 << 32)

    def test_program_without_randomised_addresses_whose_heap_follows_the_bss(self):
        path = self.compile("-fno-pie", "-no-pie")
        setarch = shutil.which("setarch") or skip(self, "setarch is not installed")
        if subprocess.run([setarch, "-R", "true"], stderr=subprocess.DEVNULL).returncode:
            skip(self, "addresses cannot be left unrandomised here")
        target = Target(self, "setarch", "-R", path, executable=setarch)
        self.expect_symbol(target, "static_bss", path)
        self.expect_symbol(target, "big_bss", path)
        self.assertEqual(name_at(self, target.pid, target.ranges["heap"][0])["object"], "[heap]")

    def test_program_without_build_id_is_believed_by_its_inode(self):
        path = self.compile("-Wl,--build-id=none")
        target = self.expect_all(path)
        saved = support.capture(self, target.pid)
        self.expect_saved(saved, target, "global_variable")
        os.utime(path)  # the change time is now later than the snapshot
        name = ask(self, "page", saved, hex(target.ranges["global_variable"][0]))["name"]
        self.assertIsNone(name["symbol"])

    def expect_saved(self, saved, target, symbol):
        name = ask(self, "page", saved, hex(target.ranges["global_variable"][0]))["name"]
        self.assertEqual(name["symbol"], symbol)

    # -- stripped ---------------------------------------------------------------

    def strip(self, path, *flags):
        self.tool("objcopy", "--only-keep-debug", path, path + ".debug")
        self.tool("objcopy", "--strip-all", *flags, path)
        return path + ".debug"

    def test_stripped_program_names_only_its_file(self):
        path = self.compile("-fPIE", "-pie")
        self.strip(path)
        self.expect_only_the_mapping(path)

    def test_stripped_program_keeps_its_dynamic_symbols(self):
        path = self.compile("-fPIE", "-pie", "-rdynamic")
        self.strip(path)
        self.expect_all(path, GLOBALS)

    def test_debug_file_is_found_by_its_link(self):
        path = self.compile("-fPIE", "-pie")
        debug = self.strip(path)
        self.tool("objcopy", f"--add-gnu-debuglink={debug}", path)
        self.expect_all(path)
        os.mkdir(self.path(".debug"))
        os.rename(debug, self.path(".debug/program.debug"))
        self.expect_all(path, GLOBALS + ("static_variable",))
        os.unlink(self.path(".debug/program.debug"))
        self.expect_only_the_mapping(path)

    def test_debug_file_of_a_program_without_build_id_is_found_by_its_checksum(self):
        path = self.compile("-Wl,--build-id=none")
        debug = self.strip(path)
        self.tool("objcopy", f"--add-gnu-debuglink={debug}", path)
        self.expect_all(path)
        with open(debug, "ab") as file:
            file.write(b"x")
        self.expect_only_the_mapping(path)

    def test_debug_file_is_found_by_build_id_below_the_sysroot(self):
        path = self.compile("-fPIE", "-pie", "-Wl,--build-id=0x1234567890abcdef1234567890abcdef12345678")
        debug = self.strip(path)
        root = self.path("root")
        folder = root + "/usr/lib/debug/.build-id/12"
        os.makedirs(folder)
        os.makedirs(root + self.folder)
        shutil.move(debug, folder + "/34567890abcdef1234567890abcdef12345678.debug")
        shutil.copy(path, root + path)
        self.expect_all(path, VARIABLES, "--sysroot", root)
        self.expect_only_the_mapping(path)

    def test_mini_debug_info(self):
        path = self.compile("-fPIE", "-pie")
        mini = self.path("mini")
        self.tool("objcopy", "-S", "--remove-section=.comment", *(f"--keep-symbol={name}" for name in VARIABLES),
                  path, mini)
        self.tool("xz", "-9", mini)
        self.strip(path, f"--add-section=.gnu_debugdata={mini}.xz")
        self.expect_all(path)

    # -- not the file that was mapped ----------------------------------------------

    def expect_not_believed(self, snapshot, address, reason):
        result = run("page", snapshot, hex(address))
        self.assertEqual(result.status, 0, result)
        self.assertIn(reason, result.err)
        self.assertNotIn(b"static_variable", result.out)
        self.assertNotIn(b"new_", result.out)
        return result

    def test_replaced_program_is_named_while_it_runs(self):
        for flags in ((), ("-Wl,--build-id=none",)):
            with self.subTest(flags=flags):
                path = self.compile("-fPIE", "-pie", *flags)
                target = self.expect_all(path, ("static_variable",))
                saved = support.capture(self, target.pid)
                os.unlink(path)
                self.expect_symbol(target, "static_variable", path + " (deleted)")
                self.compile("-fPIE", "-pie", "-DPADDING", "-O2", *flags)
                self.expect_symbol(target, "static_variable", path + " (deleted)")
                self.expect_saved(saved, target, "global_variable")
                target.end()
                self.expect_not_believed(saved, target.ranges["static_variable"][0],
                                         "not the file that was mapped (another inode)" if flags else
                                         "not the file that was mapped (build ID differs)")

    def test_program_without_a_file_is_named_while_it_runs(self):
        """It executes a file in memory (memfd)."""
        starter = ("import os, sys\n"
                   "fd = os.memfd_create('stage2')\n"
                   "os.write(fd, open(sys.argv[1], 'rb').read())\n"
                   "os.execv(f'/proc/self/fd/{fd}', ['stage2'])\n")
        for flags in ((), ("-Wl,--build-id=none",)):
            with self.subTest(flags=flags):
                path = self.compile("-fPIE", "-pie", *flags)
                target = Target(self, sys.executable, "-c", starter, path, executable=sys.executable)
                self.expect_symbol(target, "static_variable", "/memfd:stage2 (deleted)")
                saved = support.capture(self, target.pid)
                target.end()
                name = ask(self, "page", saved, hex(target.ranges["static_variable"][0]))["name"]
                self.assertIsNone(name["symbol"])

    # -- changed while it was mapped ---------------------------------------------------

    def library(self, symbol, *flags):
        """A library whose variable has another name, at the same place."""
        source = self.path("library.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write(f"static char {symbol}[9000] = {{ 1 }};\nchar *where(void) {{ return {symbol}; }}\n")
        self.tool(os.environ.get("CC", "cc"), "-shared", "-fPIC", *flags, source, "-o", self.path("made.so"))
        return self.path("made.so")

    def program_with(self, library):
        """It tells where the variable is, and forks when it is told to."""
        source = self.path("main.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <stdio.h>\n#include <unistd.h>\nchar *where(void);\nint main(void) {\n"
                       "char c; where()[0] = 2;\n"
                       'printf("range static_variable %p %p\\nready\\n", where(), where() + 9000); fflush(stdout);\n'
                       "while (read(0, &c, 1) == 1)\n if (c == 'f') { int pid = fork(); if (!pid) for (;;) pause();\n"
                       'printf("child %d\\nready\\n", pid); fflush(stdout); }\nreturn 0; }\n')
        self.tool(os.environ.get("CC", "cc"), source, library, f"-Wl,-rpath,{self.folder}", "-o", self.path("main"))
        time.sleep(0.02)
        return Target(self, self.path("main"), executable=self.path("main"))

    def overwrite(self, path, other):
        """As cp does: the inode stays."""
        with open(other, "rb") as source, open(path, "r+b") as file:
            file.truncate(0)
            file.write(source.read())

    def test_library_that_was_overwritten_in_place_is_not_believed(self):
        for flags in (("-Wl,--build-id",), ("-Wl,--build-id=none",)):
            with self.subTest(flags=flags):
                other = self.path("other.so")
                os.rename(self.library("new_variable", *flags), other)
                library = self.library("static_variable", *flags)
                target = self.program_with(library)
                address = target.ranges["static_variable"][0]
                before = support.capture(self, target.pid, name="before.vms")
                self.assertEqual(name_at(self, target.pid, address)["symbol"], "static_variable")
                time.sleep(0.05)
                self.overwrite(library, other)
                why = "changed after the process began"
                self.expect_not_believed(target.pid, address, why)
                after = support.capture(self, target.pid, name="after.vms")
                self.expect_not_believed(after, address, why)
                # Nor is it told what the file was.
                vma = next(vma for vma in ask(self, "show", after)["vmas"] if vma["name"] == library)
                self.assertIsNone(vma["build_id"])
                target.end()
                self.expect_not_believed(after, address, why)
                self.expect_not_believed(before, address, "not the file that was mapped (build ID differs)"
                                         if "none" not in flags[0] else why)

    def test_library_that_was_overwritten_before_a_fork_is_not_believed_in_the_child(self):
        """The child is younger than the change, and has the library from its parent."""
        other = self.path("other.so")
        os.rename(self.library("new_variable"), other)
        library = self.library("static_variable")
        target = self.program_with(library)
        address = target.ranges["static_variable"][0]
        time.sleep(0.05)
        self.overwrite(library, other)
        time.sleep(0.05)
        target.tell("f")
        child = int(next(line.split()[1] for line in target.lines if line.startswith("child ")))
        self.addCleanup(os.kill, child, signal.SIGKILL)
        self.expect_not_believed(child, address, "changed after the process began")

    def test_library_that_is_gone_only_root_can_read(self):
        for user in support.users():
            with self.subTest(user=support.user_name(user)):
                home = support.world().home(user)
                self.program_with(self.library("static_variable", "-Wl,-soname,made.so")).end()
                for name in ("main", "made.so"):
                    os.chmod(shutil.copy(self.path(name), home), 0o755)
                target = Target(self, os.path.join(home, "main"), executable=os.path.join(home, "main"), user=user,
                                env={**os.environ, "LD_LIBRARY_PATH": home})
                os.unlink(os.path.join(home, "made.so"))
                result = support.run("page", target.pid, hex(target.ranges["static_variable"][0]), user=user)
                self.assertEqual(result.status, 0, result)
                if user == support.me() and shows_map_files():
                    self.assertIn(b"static_variable", result.out)
                    self.assertEqual(result.err, "")
                else:
                    self.assertIn("made.so (deleted): the file is not there; its names are left out; "
                                  "root could read it, from what the process has mapped", result.err)
                # Nobody has what nobody maps any more.
                saved = support.capture(self, target.pid, user=user, name=f"gone-{user}.vms")
                target.end()
                result = support.run("page", saved, hex(target.ranges["static_variable"][0]))
                self.assertNotIn("root", result.err)

    def test_library_of_which_only_name_owner_or_mode_changed_is_believed(self):
        changes = {"chmod": lambda path: os.chmod(path, 0o711),
                   "chown": lambda path: os.chown(path, -1, os.getegid()),
                   "ln": lambda path: os.link(path, path + ".also"),
                   "rename": lambda path: (os.rename(path, path + ".away"), os.rename(path + ".away", path)),
                   "touch -a": lambda path: os.utime(path, ns=(1, os.stat(path).st_mtime_ns))}
        library = self.library("static_variable", "-Wl,--build-id")
        target = self.program_with(library)
        address = target.ranges["static_variable"][0]
        for what, change in changes.items():
            with self.subTest(what=what):
                time.sleep(0.05)
                before = os.stat(library).st_ctime_ns
                change(library)
                self.assertGreater(os.stat(library).st_ctime_ns, before)
                self.assertEqual(name_at(self, target.pid, address)["symbol"], "static_variable")
                saved = support.capture(self, target.pid, name="changed.vms")
                self.assertEqual(name_at(self, saved, address)["symbol"], "static_variable")
                vma = next(vma for vma in ask(self, "show", saved)["vmas"] if vma["name"] == library)
                self.assertIsNotNone(vma["build_id"])
        target.end()
        self.assertEqual(name_at(self, saved, address)["symbol"], "static_variable")

    def test_library_that_was_overwritten_by_an_older_one_is_not_believed(self):
        """As cp -p does: the modification time is that of the other file."""
        other = self.path("other.so")
        with open(self.path("more.c"), "w", encoding="utf-8") as file:
            file.write("int one_more_function(void) { return 1; }\n")
        os.rename(self.library("new_variable", "-Wl,--build-id", self.path("more.c")), other)
        library = self.library("static_variable", "-Wl,--build-id")
        written = os.stat(library).st_mtime_ns
        target = self.program_with(library)
        address = target.ranges["static_variable"][0]
        time.sleep(0.05)
        self.overwrite(library, other)
        os.utime(library, ns=(written, written))
        self.expect_not_believed(target.pid, address, "changed after the process began")

    def test_library_that_was_written_to_is_not_believed_though_it_looks_the_same(self):
        library = self.library("static_variable", "-Wl,--build-id")
        target = self.program_with(library)
        time.sleep(0.05)
        os.utime(library)
        self.expect_not_believed(target.pid, target.ranges["static_variable"][0], "changed after the process began")

    def test_program_that_was_touched_while_it_ran_is_believed(self):
        """Nobody can write to a program that runs: its change time tells of its name or owner."""
        if not kernel_guards_programs():
            skip(self, "this kernel lets programs be written to that run")
        for flags in ((), ("-Wl,--build-id=none",)):
            with self.subTest(flags=flags):
                path = self.compile("-fPIE", "-pie", *flags)
                target = self.expect_all(path, ("static_variable",))
                time.sleep(0.05)
                os.link(path, path + ".also")
                os.unlink(path + ".also")
                time.sleep(0.02)
                saved = support.capture(self, target.pid, name="touched.vms")
                self.expect_symbol(target, "static_variable", path)
                self.expect_saved(saved, target, "global_variable")

    def test_program_that_is_gone_is_told(self):
        path = self.compile("-fPIE", "-pie")
        target = self.start(path)
        saved = support.capture(self, target.pid)
        os.rename(path, path + ".old")
        target.end()
        self.expect_not_believed(saved, target.ranges["static_variable"][0], "the file is not there")
        os.rename(path + ".old", path)
        self.expect_saved(saved, target, "global_variable")

    def test_fifo_in_the_programs_place_does_not_block(self):
        path = self.compile("-fPIE", "-pie")
        target = self.start(path)
        saved = support.capture(self, target.pid)
        os.unlink(path)
        os.mkfifo(path)
        target.end()
        result = run("page", saved, hex(target.ranges["static_variable"][0]), timeout=300)
        self.assertEqual(result.status, 0, result)
        self.assertIn("not a regular file", result.err)

    def test_hostile_file_name(self):
        path = self.compile("-fPIE", "-pie")
        hostile = self.path("a\nb\x1b[31m\\ (deleted)")
        os.rename(path, hostile)
        target = self.start(hostile)
        name = name_at(self, target.pid, target.ranges["static_variable"][0])
        self.assertEqual(name["symbol"], "static_variable")
        saved = support.capture(self, target.pid)
        os.unlink(hostile)
        target.end()
        result = run("page", saved, hex(target.ranges["static_variable"][0]))
        self.assertIn("the file is not there", result.err)
        self.assertNotIn("\x1b", result.err)
        self.assertEqual(result.err.count("\n"), 1, result.err)


class MadeByTheProcess(unittest.TestCase):
    """Functions that a process compiled while it ran, and named in /tmp/perf-PID.map."""

    PROGRAM = ("import ctypes, mmap, sys\n"
               "try:\n"
               "    code = mmap.mmap(-1, 65536, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)\n"
               "    data = mmap.mmap(-1, 65536, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=3)\n"
               "except OSError:\n"
               "    print('cannot make executable memory', flush=True)\n"
               "for name, memory in ('code', code), ('data', data):\n"
               "    memory[0] = 1\n"
               "    at = ctypes.addressof(ctypes.c_char.from_buffer(memory))\n"
               "    print(f'range {name} {at:x} {at + 65536:x}')\n"
               "print('ready', flush=True)\n"
               "sys.stdin.read()\n")

    def setUp(self):
        self.target = Target(self, sys.executable, "-c", self.PROGRAM, executable=sys.executable)
        self.code = self.target.ranges["code"][0]
        self.map = f"/tmp/perf-{self.target.pid}.map"
        self.addCleanup(lambda: os.path.lexists(self.map) and os.unlink(self.map))

    def write(self, *lines, path=None):
        with open(path or self.map, "w", encoding="utf-8") as file:
            file.write("".join(f"{start:x} {size:x} {name}\n" for start, size, name in lines))
        os.chmod(path or self.map, 0o644)
        # What is written after the snapshot may be of later.
        time.sleep(0.02)

    def expect(self, address, symbol, reason=None):
        result = run("page", self.target.pid, hex(address), "--json")
        self.assertEqual(result.status, 0, result)
        name = json.loads(result.out)["name"]
        self.assertEqual(name and name["symbol"], symbol, result)
        if reason is None:
            self.assertEqual(result.err, "")
        else:
            self.assertIn(f"{self.map}: {reason}", result.err)
        return name

    def test_functions_are_named(self):
        self.write((self.code + 0x100, 0x80, "JS:*old p.js:1:16"), (self.code + 0x100, 0x80, "JS:*hot p.js:1:16"),
                   (self.code + 0xff0, 0x20, "two pages"), (self.target.ranges["data"][0], 0x80, "data"))
        name = self.expect(self.code + 0x120, "JS:*hot p.js:1:16")
        self.assertEqual((name["kind"], name["object"], name["offset"], name["size"], number(name["address"])),
                         ("function", self.map, 0x20, 0x80, self.code + 0x100))
        self.expect(self.code + 0x1000, "two pages")
        self.expect(self.code + 0x180, None)
        self.expect(self.target.ranges["data"][0], None)  # memory that is not executed
        names = page(self, self.target.pid, self.code)["names"]
        self.assertEqual([each["symbol"] for each in names], ["JS:*hot p.js:1:16", "two pages"])

    def test_a_map_that_is_not_the_processs_own_is_not_believed(self):
        self.write((self.code, 0x80, "f"))
        os.chmod(self.map, 0o666)
        self.expect(self.code, None, "may have been written to by somebody else")
        os.chmod(self.map, 0o644)
        self.expect(self.code, "f")
        os.link(self.map, self.map + ".also")
        try:
            self.expect(self.code, None, "may have been written to by somebody else")
        finally:
            os.unlink(self.map + ".also")
        os.utime(self.map, (1, 1))
        self.expect(self.code, None, "is older than the process")
        if os.geteuid() == 0:
            self.write((self.code, 0x80, "f"))
            os.chown(self.map, 65534, 65534)
            self.expect(self.code, None, "does not belong to the process's user")

    def test_links_and_pipes_are_not_followed(self):
        other = self.map + ".other"
        self.write((self.code, 0x80, "f"), path=other)
        self.addCleanup(os.unlink, other)
        os.symlink(other, self.map)
        self.assertIsNone(name_at(self, self.target.pid, self.code))
        os.unlink(self.map)
        os.mkfifo(self.map)
        self.assertIsNone(name_at(self, self.target.pid, self.code))
        os.unlink(self.map)
        os.mkdir(self.map)
        self.addCleanup(os.rmdir, self.map)
        self.assertIsNone(name_at(self, self.target.pid, self.code))

    def test_what_was_written_later_is_told_and_of_a_dead_process_not_believed(self):
        saved = support.capture(self, self.target.pid)
        time.sleep(0.02)
        self.write((self.code, 0x80, "f"))
        result = run("page", saved, hex(self.code))
        self.assertIn(b"name        f (128 bytes)", result.out)
        self.assertIn("was written to after the snapshot: functions made since may be named, too", result.err)
        known = support.capture(self, self.target.pid)
        self.target.end()
        result = run("page", saved, hex(self.code))
        self.assertNotIn(b"\nname", result.out)
        self.assertIn("was written to after the snapshot, perhaps by another process", result.err)
        self.assertIn(b"name        f (128 bytes)", run("page", known, hex(self.code)).out)

    def test_a_map_of_a_far_day_is_one_of_later(self):
        """More nanoseconds than 63 bits have; where files cannot be so late, it is some later day."""
        self.write((self.code, 0x80, "f"))
        os.utime(self.map, (15032385535, 15032385535))
        self.expect(self.code, "f", "was written to after the snapshot: functions made since may be named, too")

    def test_a_huge_map_is_read_at_its_end(self):
        self.write((self.code, 0x80, "f"))
        with open(self.map, "r+", encoding="utf-8") as file:
            file.truncate(3 << 30)  # nothing of it is on the disk
            file.seek(0, os.SEEK_END)
            file.write(f"\n{self.code + 0x100:x} 80 last\n")
        time.sleep(0.02)
        self.expect(self.code + 0x100, "last", "is too large: only its last 64 MiB are read")


class Anonymous(unittest.TestCase):
    """What mappings are that have no name of their own."""

    def mappings(self, source, *argv):
        return ask(self, "show", source, *argv)["vmas"]

    def mapping(self, source, address, *argv):
        return next(vma for vma in self.mappings(source, *argv)
                    if number(vma["start"]) <= address < number(vma["end"]))

    def test_stacks_of_threads_and_their_guards(self):
        target = Target(self, "names_variables")
        tid = next(line.split()[1] for line in target.lines if line.startswith("tid "))
        saved = support.capture(self, target.pid)
        address = target.ranges["thread_stack"][0]
        for source in (target.pid, saved):
            stack = self.mapping(source, address)
            self.assertEqual((stack["name"], stack["label_kind"], stack["label"]),
                             ("", "thread_stack", f"stack of thread {tid} (names-thread)"))
            below = [vma for vma in self.mappings(source) if vma["end"] == stack["start"]]
            if below and below[0]["perms"] == "---p":  # glibc 2.42 guards otherwise
                self.assertEqual((below[0]["label_kind"], below[0]["label"]),
                                 ("stack_guard", f"guard of the stack of thread {tid} (names-thread)"))
                name = name_at(self, source, number(below[0]["start"]))
                self.assertEqual((name["kind"], name["symbol"]), ("stack_guard", below[0]["label"]))
        self.assertIsNone(self.mapping(saved, address, "--no-names")["label"])
        table = run("show", saved, "-w", "0").out.decode()
        self.assertIn(f" stack of thread {tid} (names-thread)\n", table)
        raw = run("show", saved, "--raw", "-o", "START,MAPPING").out.decode()
        self.assertNotIn("stack\\x20of", raw)  # for scripts, what the kernel says
        self.assertIn(f"stack of thread {tid} (names-thread)", run("map", saved, "-w", "0").out.decode())
        rows = ask(self, "map", saved)["rows"]
        self.assertIn(f"stack of thread {tid} (names-thread)", [name for row in rows for name in row["names"]])

    def test_memory_behind_the_segment_of_a_file(self):
        target = Target(self, "names_variables")
        path = os.path.realpath(os.path.join(support.world().targets, "names_variables"))
        bss = self.mapping(target.pid, target.ranges["big_bss"][1] - 1)
        if bss["label"] is None and kernel.swap_is_on() and next(
                vma for vma in self.mappings(target.pid) if vma["name"] == path)["dev"].startswith("00:"):
            skip(self, "the program may be in swap, and is not read")
        self.assertEqual((bss["name"], bss["label_kind"], bss["label"]), ("", "bss", f"{path} (.bss)"))
        # Of memory that is nobody's nothing is said.
        nameless = self.mapping(target.pid, target.ranges["nameless"][0])
        self.assertEqual((nameless["name"], nameless["label_kind"], nameless["label"]), ("", None, None))

    def test_heaps_of_malloc(self):
        target = Target(self, "heaps")
        saved = support.capture(self, target.pid)
        arenas = sum(line.startswith("malloc <heap ") for line in target.lines) - 1  # but for the main one
        # The last line is that of all of them.
        usable = [int(re.search(r'size="(\d+)"', line)[1]) for line in target.lines if "mprotect" in line][-1]
        main = [vma for vma in self.mappings(saved) if vma["name"] == "[heap]"]
        for source in (target.pid, saved):
            heaps = [vma for vma in self.mappings(source) if vma["label_kind"] == "malloc_heap"]
            mine = [vma for vma in heaps if vma["perms"] == "rw-p"]
            self.assertEqual(len({vma["label"] for vma in mine}), arenas)
            # As malloc itself says.
            self.assertEqual(sum(vma["size"] for vma in mine + main), usable)
            for index in range(3):
                vma = self.mapping(source, target.ranges[f"allocated{index}"][0])
                self.assertRegex(vma["label"], r"^malloc heap of arena 0x[0-9a-f]+0[23]0$")
            for vma in heaps:
                if vma["perms"] == "---p":
                    self.assertRegex(vma["label"], r"^reserved for malloc heap of arena 0x[0-9a-f]+$")
            self.assertIsNone(self.mapping(source, target.ranges["alike"][0])["label"])
        name = name_at(self, saved, target.ranges["allocated0"][0])
        self.assertEqual((name["kind"], name["symbol"]),
                         ("malloc_heap", self.mapping(saved, target.ranges["allocated0"][0])["label"]))


class Memory(unittest.TestCase):
    """One process, everything in it."""

    def setUp(self):
        self.target = Target(self, "names_variables")
        self.path = os.path.realpath(os.path.join(support.world().targets, "names_variables"))

    def at(self, name, offset=0):
        return page(self, self.target.pid, self.target.ranges[name][0] + offset)

    def test_static_local_variable_is_named(self):
        name = self.at("static_local")["name"]
        self.assertRegex(name["symbol"], r"static_local")  # compilers decorate it
        self.assertEqual(name["offset"], 0)

    def test_mapping_over_an_array_is_not_the_arrays(self):
        answer = self.at("covered")
        self.assertIsNone(answer["name"]["symbol"])
        self.assertNotEqual(answer["name"]["object"], self.path)
        self.assertIsNone(answer["segment"])
        for offset in (-1, PAGE):
            self.assertEqual(self.at("covered", offset)["name"]["symbol"], "big_bss")

    def test_segment_and_section(self):
        for name, section, perms in (("exported_function", ".text", "r-x"), ("read_only_table", ".rodata", "r--"),
                                     ("static_variable", ".data", "rw-"), ("static_bss", ".bss", "rw-")):
            with self.subTest(name=name):
                segment = self.at(name)["segment"]
                self.assertEqual(segment["section"], section)
                self.assertEqual(segment["perms"][:3], perms)
        nm = subprocess.run(["nm", self.path], stdout=subprocess.PIPE, check=True).stdout.decode()
        values = {line.split()[2]: int(line.split()[0], 16) for line in nm.splitlines() if len(line.split()) == 3}
        for name in VARIABLES:
            self.assertEqual(number(self.at(name)["segment"]["elf_address"]), values[name])

    def test_thread_stack_is_named_with_its_thread(self):
        tid = next(line.split()[1] for line in self.target.lines if line.startswith("tid "))
        name = self.at("thread_stack")["name"]
        self.assertEqual(name["symbol"], f"stack of thread {tid} (names-thread)")

    def test_thread_local_variable_is_not_taken_for_an_address(self):
        name = self.at("thread_local_variable")["name"]
        self.assertTrue(name is None or name["symbol"] is None, name)

    def test_mappings_by_name(self):
        self.assertEqual(self.at("heap")["name"]["object"], "[heap]")
        self.assertIsNone(self.at("heap")["name"]["symbol"])
        self.assertIsNone(self.at("nameless")["name"])
        self.assertEqual(self.at("vdso")["name"]["object"], "[vdso]")
        stack = next(vma for vma in kernel.maps(self.target.pid) if vma.name == b"[stack]")
        self.assertEqual(name_at(self, self.target.pid, stack.start)["object"], "[stack]")

    def test_functions_of_the_vdso_are_named(self):
        start = self.target.ranges["vdso"][0]
        vma = next(vma for vma in kernel.maps(self.target.pid) if vma.name == b"[vdso]")
        found = {(name_at(self, self.target.pid, address) or {}).get("symbol")
                 for address in range(start, vma.end, 0x100)}
        self.assertTrue(any((symbol or "").endswith("gettime") for symbol in found), found)

    def test_functions_of_libc_are_named(self):
        libc = next(vma for vma in kernel.maps(self.target.pid) if b"libc" in vma.name and "x" in vma.perms)
        found = {name_at(self, self.target.pid, address)["symbol"]
                 for address in range(libc.start + 0x8000, libc.end, (libc.end - libc.start) // 12)}
        self.assertTrue(found - {None})


if __name__ == "__main__":
    support.main()
