"""The command line itself: words, options, errors, exit statuses, terminals."""

import errno
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import stat
import struct
import subprocess
import tempfile
import termios
import time
import unittest

import kernel
import support
from support import NOBODY, Target, ask, capture, run, skip, world

COMMANDS = "capture show pages page diff cow map status list check".split()
HOSTILE = b"e\x1b[2Jv\ni\"l\\ \xff\x07,"


def command(*argv, env=None, stdin=subprocess.DEVNULL, **options):
    """The command with everything in the caller's hand."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    environment = {**world().env, **(env or {})}
    words = [word if isinstance(word, bytes) else str(word) for word in argv]
    return subprocess.run([world().vmsnap, *words], stdin=stdin, env=environment, timeout=300, **options)


def on_terminal(*argv, columns=80, env=None):
    """(exit status, what a terminal of this width gets)"""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    process = subprocess.Popen([world().vmsnap, *map(str, argv)], stdin=theirs, stdout=theirs, stderr=theirs,
                               env={**world().env, "LC_ALL": "C.UTF-8", **(env or {})})
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    return process.wait(timeout=300), text


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=world().home(support.me()))

    def path(self, name):
        return os.path.join(self.folder, name)

    def refused(self, *argv, said=(), status=2, **options):
        """The command fails with one line that holds all of `said`, and prints nothing."""
        result = command(*argv, **options)
        text = result.stderr.decode()
        self.assertEqual(result.returncode, status, text)
        if result.stdout is not None:
            self.assertEqual(result.stdout, b"")
        self.assertRegex(text, r"\Avmsnap: [^\n]+\n\Z")
        for words in [said] if isinstance(said, str) else said:
            self.assertIn(words, text)
        return text

    def demo(self, **options):
        target = Target(self, "cow_demo", **options)
        words = [line.split() for line in target.lines if line.startswith("pids ")]
        target.child = int(words[0][2])
        return target

    def label_of(self, word, **options):
        result = command("show", word, "--json", **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)["snapshot"]["label"] or ""

    def series(self, name, *labels):
        """A file with a snapshot for each label."""
        target = self.demo()
        for label in labels:
            result = run("capture", target.pid, "-o", self.path(name), "--append", "--label", label)
            self.assertEqual(result.status, 0, result)
        return self.path(name)


class Help(Case):
    def test_help_lists_every_command(self):
        result = command("--help")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        for name in COMMANDS:
            self.assertRegex(result.stdout.decode(), rf"(?m)^  {name} ")
        self.assertEqual(command("help").stdout, result.stdout)
        self.assertEqual(command("-h").stdout, result.stdout)

    def test_each_command_has_a_help_of_its_own(self):
        for name in COMMANDS:
            result = command(name, "--help")
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertTrue(result.stdout.decode().startswith(f"Usage: vmsnap {name} "))
            self.assertEqual(command("help", name).stdout, result.stdout)
            self.assertEqual(max(map(len, result.stdout.split(b"\n"))) <= 80, True, f"{name}: a line is too long")

    def test_help_takes_one_command(self):
        self.refused("help", "capture", "extra", said="'extra' is one too many")

    def test_version_is_one_line(self):
        result = command("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout.decode(), r"\Avmsnap \d+\.\d+\.\d+\n\Z")

    def test_nothing_asked_is_an_error_that_says_where_help_is(self):
        self.refused(said="--help")

    def test_help_into_a_full_disk_is_an_error(self):
        with open("/dev/full", "wb") as full:
            self.refused("--help", stdout=full, said=os.strerror(errno.ENOSPC))


class Options(Case):
    def test_an_unknown_command_names_the_nearest(self):
        self.refused("cpature", "1", said=["'cpature'", "'capture'", "vmsnap --help"])
        self.refused("dif", "1", said="'diff'")

    def test_an_unknown_command_like_none_names_none(self):
        self.assertNotIn("did you mean", self.refused("xyzzy", said="'xyzzy'"))

    def test_an_unknown_option_names_the_nearest(self):
        self.refused("show", "--jsno", "1", said=["'--jsno'", "'--json'", "vmsnap show --help"])
        self.refused("capture", "--lable=x", "1", said="'--label'")
        self.refused("show", "-Z", "1", said=["'-Z'", "vmsnap show --help"])
        self.refused("--jsn", said="--help")

    def test_an_option_of_another_command_is_unknown(self):
        self.refused("show", "--append", "1", said="'--append'")
        self.refused("diff", "--base", "1", "2", "3", said="'--base'")

    def test_an_ambiguous_option_names_what_it_may_be(self):
        self.refused("show", "--no", "1", said=["--no-freeze", "--noheadings"])

    def test_the_beginning_of_an_option_is_enough(self):
        self.assertEqual(json.loads(command("show", "--js", self.series("a.vms", "x")).stdout)["schema"],
                         "vmsnap.show/1")

    def test_a_missing_value_is_told(self):
        self.refused("capture", "1", "--label", said=["--label", "TEXT"])
        self.refused("cow", "1", "2", "--base", said="--base")

    def test_a_value_too_many_is_told(self):
        self.refused("show", "1", "--json=yes", said="--json takes no value")

    def test_bad_values_say_what_was_expected(self):
        self.refused("show", "1", "--color=blue", said=["auto, always or never", "'blue'"])
        for width in ("x", "-1", "", "1e3", "99999999999999999999"):
            self.refused("show", "1", f"--width={width}", said=["--width", "number"])

    def test_operands_are_counted(self):
        self.refused("show", said="vmsnap show SNAPSHOT")
        self.refused("page", "1", said="vmsnap page SNAPSHOT ADDRESS")
        self.refused("list", "1", "2", said="'2' is one too many")
        self.refused("cow", "1", "2", "3", said="'3' is one too many")

    def test_an_unknown_column_is_told(self):
        path = self.series("a.vms", "x")
        self.refused("show", path, "-o", "START,NONESUCH", said="NONESUCH")

    def test_hostile_words_are_escaped(self):
        text = self.refused("show", b"--\x1b[2J\xff", said="\\x1b[2J\\xff")
        self.assertNotIn("\x1b", text)
        self.refused(b"\x1b]0;x\x07", said="\\x1b]0;x\\x07")


class Completion(Case):
    def complete(self, *words):
        script = 'source <("$0" --completion bash) && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && _vmsnap; ' \
                 'printf "%s\\n" "${COMPREPLY[@]}"'
        result = subprocess.run(["bash", "-c", script, world().vmsnap, *words], env=world().env, cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
        self.assertNotIn("syntax", result.stderr)
        return result.stdout.split()

    def test_commands_are_completed(self):
        self.assertEqual(self.complete("vmsnap", "ca"), ["capture"])
        self.assertEqual(sorted(self.complete("vmsnap", "pag")), ["page", "pages"])

    def test_each_option_of_the_help_is_completed(self):
        for name in COMMANDS:
            text = command(name, "--help").stdout.decode()
            helped = set(re.findall(r"(?m)^ .{4}  ?(--[a-z-]+)", text))
            self.assertGreater(len(helped), 3)
            offered = {word.split("=")[0] for word in self.complete("vmsnap", name, "--")}
            self.assertEqual(offered, helped, name)

    def test_files_and_processes_are_completed(self):
        open(self.path("some file.vms"), "w").close()
        self.assertEqual(self.complete("vmsnap", "show", "some"), ["some", "file.vms"])
        self.assertIn(str(os.getpid()), self.complete("vmsnap", "capture", str(os.getpid())))

    def test_another_shell_is_refused(self):
        self.refused("--completion", "tcsh", said=["bash", "'tcsh'"])


class Words(Case):
    """What stands for a snapshot."""

    def test_numbers_labels_and_the_last(self):
        path = self.series("a.vms", "first", "7", "user@host")
        self.assertEqual(self.label_of(path), "user@host")
        self.assertEqual(self.label_of(path + "@1"), "first")
        self.assertEqual(self.label_of(path + "@-1"), "user@host")
        self.assertEqual(self.label_of(path + "@-3"), "first")
        self.assertEqual(self.label_of(path + "@first"), "first")
        self.assertEqual(self.label_of(path + "@user@host"), "user@host")
        self.assertEqual(self.label_of(path + "@label:7"), "7")

    def test_what_a_file_does_not_hold_is_told(self):
        path = self.series("a.vms", "first")
        for which in ("2", "0", "-2", "nothing", "99999999999999999999"):
            self.refused("show", f"{path}@{which}", said=which)

    def test_an_existing_file_with_an_at_sign_wins(self):
        path = self.series("a.vms", "one", "two")
        other = self.path("a.vms@1")
        run("capture", self.demo().pid, "-o", other, "--label", "other")
        self.assertEqual(self.label_of(path + "@1"), "other")
        self.assertEqual(self.label_of(path + "@2"), "two")
        self.assertEqual(self.label_of(other + "@1"), "other")

    def test_a_live_process_with_and_without_prefix(self):
        target = self.demo()
        for word in (target.pid, f"pid:{target.pid}"):
            answer = json.loads(command("show", word, "--json").stdout)
            self.assertEqual(answer["snapshot"]["pid"], target.pid)

    def test_standard_input_is_a_file_too(self):
        path = self.series("a.vms", "one", "two")
        with open(path, "rb") as file:
            self.assertEqual(self.label_of("-", stdin=file), "two")
        with open(path, "rb") as file:
            result = command("show", "--json", "--", "-@1", stdin=file)
            self.assertEqual(json.loads(result.stdout)["snapshot"]["label"], "one")
        with open(path, "rb") as file:
            content = file.read()
        for words in (("-",), ("--", "-@1", "-@2"), ("-@1", "-@2"), ("-@1", "--width=40", "-@two", "--")):
            both = subprocess.run([world().vmsnap, "diff", "--json", *words], env=world().env, input=content,
                                  stdout=subprocess.PIPE, timeout=300)
            self.assertIn(both.returncode, (0, 1))
            self.assertEqual(json.loads(both.stdout)["schema"], "vmsnap.diff/1")

    def test_only_a_word_of_its_own_is_standard_input(self):
        self.refused("show", "-b@1", said="'-@'")
        self.refused("show", "-@1", "-@2", said="'-@2' is one too many")

    def test_what_is_no_snapshot_is_refused_before_it_ends(self):
        started = time.monotonic()
        with open("/dev/zero", "rb") as endless:
            self.refused("check", "-", stdin=endless, said=["standard input", "not a vmsnap file"])
        read, write = os.pipe()
        os.write(write, b"\x89VMS\n..")
        os.write(write, b".")
        self.refused("check", "-", stdin=read, said="not a vmsnap file")
        os.close(read)
        os.close(write)
        self.assertLess(time.monotonic() - started, 60)

    def test_a_terminal_as_input_is_refused(self):
        status, text = on_terminal("show", "-")
        self.assertEqual(status, 2)
        self.assertIn(b"terminal", text)

    def test_a_process_and_a_file_of_one_name(self):
        target = self.demo()
        name = str(target.pid)
        shutil.copy(self.series("a.vms", "the file"), self.path(name))
        result = command("show", name, "--json", cwd=self.folder)
        self.assertIsNone(json.loads(result.stdout)["snapshot"]["label"])
        self.assertIn(f"./{name}", result.stderr.decode())
        self.assertEqual(self.label_of("./" + name, cwd=self.folder), "the file")

    def test_a_file_with_the_name_of_a_missing_process(self):
        gone = Target(self, "cow_demo")
        gone.end()
        name = str(gone.pid)
        shutil.copy(self.series("a.vms", "the file"), self.path(name))
        self.refused("show", name, cwd=self.folder, said=["process", f"./{name}"])
        self.assertEqual(self.label_of(name + "@1", cwd=self.folder), "the file")

    def test_what_is_nothing_says_what_was_expected(self):
        self.refused("show", "none.vms", said=["none.vms", "FILE@N", "PID"])
        self.refused("show", "none.vms@2", said=["none.vms@2", "there is no file 'none.vms'"])
        self.refused("show", "", said="FILE@N")
        self.refused("show", "pid:x", said="'pid:x'")
        self.refused("show", "pid:", said="'pid:'")
        for number in ("0", "2147483648", "99999999999999999999"):
            self.refused("show", number, said=f"'{number}'")

    def test_a_folder_and_an_empty_file_are_not_snapshots(self):
        open(self.path("empty"), "w").close()
        self.refused("show", self.folder, said=self.folder)
        self.refused("show", self.path("empty"), said="empty")

    def test_a_file_without_permission_says_so(self):
        support.need_others(self)
        path = self.series("a.vms", "x")
        os.chmod(self.folder, 0o755)
        self.refused("show", path, user=NOBODY, group=NOBODY, extra_groups=[],
                     said=[path, os.strerror(errno.EACCES)])

    def test_list_and_check_want_a_whole_file(self):
        path = self.series("a.vms", "x")
        self.refused("list", path + "@1", said="file")
        self.refused("check", str(os.getpid()), said="file")


class Addresses(Case):
    def setUp(self):
        super().setUp()
        self.target = self.demo()
        self.start, self.end = self.target.ranges["table"]
        self.file = capture(self, self.target.pid)

    def first_and_count(self, word):
        runs = ask(self, "pages", self.file, word)["runs"]
        return int(runs[0]["start"], 16), sum(run_["pages"] for run_ in runs)

    def test_hexadecimal_with_and_without_prefix(self):
        for word in (f"{self.start:x}", f"0x{self.start:x}", f"0X{self.start:X}", f"{self.start:016x}"):
            self.assertEqual(self.first_and_count(word), (self.start, 1))
            self.assertEqual(int(ask(self, "page", self.file, word)["address"], 16), self.start)

    def test_an_address_within_a_page_means_the_page(self):
        self.assertEqual(self.first_and_count(f"{self.start + 0x123:x}"), (self.start, 1))

    def test_ranges(self):
        for word, count in ((f"{self.start:x}-{self.end:x}", 16), (f"{self.start:x}+4K", 1),
                            (f"0x{self.start:x}-0x{self.start + 0x3000:x}", 3), (f"{self.start:x}+16p", 16),
                            (f"{self.start:x}+10000", 16), (f"{self.start + 0xfff:x}+2", 2),
                            (f"{self.start:x}+0x2001", 3)):
            self.assertEqual(self.first_and_count(word), (self.start, count), word)

    def test_bad_addresses_say_what_was_expected(self):
        for word in ("", "0x", "12g", "-1", "main", "11112222333344445", " 1", "+1"):
            self.refused("page", "--", self.file, word, said="hexadecimal")
        for word in ("1000-", "1000+", "1000-10x", "1000+4Q", "1000,2000", "1-2-3", "ffffffffffffffff+2",
                     "1000+99999999999999T"):
            self.refused("pages", self.file, word, said=["hexadecimal", f"'{word}'"])
        self.refused("pages", self.file, "2000-1000", said="empty")
        self.refused("pages", self.file, "2000+0", said="empty")

    def test_a_bad_address_does_not_need_the_process(self):
        self.refused("page", "2147483647", "xyz", said="'xyz' is not an address")

    def test_the_highest_address_is_one(self):
        self.assertEqual(command("page", self.file, "ffffffffffffffff").returncode, 0)
        self.assertEqual(command("pages", self.file, "ffffffffffffffff").returncode, 0)
        self.assertEqual(command("pages", self.file, "0-ffffffffffffffff").returncode, 0)

    def test_an_unmapped_address_is_no_error_and_gives_its_gap(self):
        answer = ask(self, "page", self.file, "1000")
        self.assertIs(answer["mapped"], False)
        self.assertEqual(int(answer["gap"]["start"], 16), 0)


class Capture(Case):
    def test_the_usual_name_is_that_of_the_process_number(self):
        target = self.demo()
        result = command("capture", target.pid, cwd=self.folder)
        self.assertEqual((result.returncode, result.stdout), (0, b""))
        self.assertEqual(os.listdir(self.folder), [f"vmsnap-{target.pid}.vms"])
        mode = os.stat(self.path(f"vmsnap-{target.pid}.vms")).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_it_says_in_one_line_what_was_saved(self):
        target = self.demo()
        result = command("capture", target.pid, "-o", self.path("a.vms"), "--tree")
        first = result.stderr.decode().split("\n")[0]
        self.assertRegex(first, r"a\.vms: 2 processes, \d+ mappings, [\d.]+[BKMG] resident, "
                                r"[\d.]+[BKMG] on disk, paused [\d.]+ ms$")
        self.assertEqual(result.stderr.count(b"\n"), 1 if support.FRAMES else 2)

    def test_quiet_says_nothing(self):
        result = command("capture", "-q", self.demo().pid, "-o", self.path("a.vms"))
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""))

    def test_without_privilege_one_line_says_what_root_would_add(self):
        user = support.users()[-1]
        if support.sees_frames(user):
            skip(self, "hidden frame numbers: this user sees them, and can become no other")
        target = Target(self, "cow_demo", user=user)
        result = run("capture", target.pid, "-o", "plain.vms", user=user)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err.count("\n"), 2, result.err)
        self.assertRegex(result.err.split("\n")[1], r"vmsnap: root would add: .*frame")

    def test_json_lists_what_was_saved(self):
        target = self.demo()
        result = command("capture", target.pid, "-o", self.path("a.vms"), "--tree", "--json")
        self.assertEqual(json.loads(result.stdout), ask(self, "list", self.path("a.vms")))

    def test_append_adds_and_plain_replaces(self):
        path = self.series("a.vms", "one", "two")
        self.assertEqual(self.label_of(path + "@1"), "one")
        run("capture", self.demo().pid, "-o", path, "--label", "three")
        self.assertEqual(self.label_of(path + "@1"), "three")

    def test_through_a_pipe(self):
        target = self.demo()
        result = command("capture", target.pid, "-o", "-", "--label", "piped")
        self.assertEqual(result.returncode, 0)
        with open(self.path("a.vms"), "wb") as file:
            file.write(result.stdout)
        self.assertEqual(self.label_of(self.path("a.vms")), "piped")

    def test_to_a_terminal_is_refused(self):
        status, text = on_terminal("capture", self.demo().pid, "-o", "-")
        self.assertEqual(status, 2)
        self.assertIn(b"terminal", text)

    def test_contradictions_are_refused(self):
        self.refused("capture", os.getpid(), "-o", "-", "--append", said="--append")
        self.refused("capture", os.getpid(), "-o", "-", "--json", said="--json")
        self.refused("capture", os.getpid(), "-o", "", said="--output")

    def no_file(self, pid, said, **options):
        options.setdefault("cwd", self.folder)
        text = self.refused("capture", pid, "-o", "out.vms", said=said, **options)
        self.assertEqual(os.listdir(options["cwd"]), [])
        return text

    def test_no_such_process(self):
        gone = Target(self, "cow_demo")
        gone.end()
        self.no_file(gone.pid, said=str(gone.pid))
        self.refused("capture", "sleep", said="'sleep'")

    def test_a_kernel_thread(self):
        try:
            with open("/proc/2/comm") as comm:
                name = comm.read()
        except FileNotFoundError:
            name = ""
        if name != "kthreadd\n":
            skip(self, "no kernel threads to be seen here (a container)")
        self.no_file(2, said="kernel thread")

    def test_a_zombie(self):
        target = Target(self, "processes", "zombie")
        zombie = int(target.lines[0].split()[1])
        self.no_file(zombie, said="zombie")

    def test_permission_denied_says_what_would_help(self):
        support.need_others(self)
        target = self.demo()
        home = tempfile.mkdtemp(dir=world().home(NOBODY))
        os.chown(home, NOBODY, NOBODY)
        self.no_file(target.pid, said=str(target.pid), cwd=home, user=NOBODY, group=NOBODY, extra_groups=[])
        text = self.refused("show", target.pid, user=NOBODY, group=NOBODY, extra_groups=[])
        self.assertRegex(text, "root|CAP_SYS_PTRACE|sudo")

    def test_what_is_no_snapshot_is_not_replaced(self):
        pid = self.demo().pid
        with open(self.path("thesis.txt"), "w") as file:
            file.write("years of work")
        os.mkdir(self.path("folder"))
        before = sorted(os.listdir(self.folder))
        for name in ("thesis.txt", "folder"):
            for more in ((), ("--append",)):
                self.refused("capture", pid, "-o", self.path(name), *more, said=name)
        with open(self.path("thesis.txt")) as file:
            self.assertEqual(file.read(), "years of work")
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_an_empty_file_is_replaced_and_added_to(self):
        pid = self.demo().pid
        for more in ((), ("--append",)):
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as empty:
                path = empty.name
            self.assertEqual(command("capture", pid, "-o", path, "--label", "x", *more).returncode, 0)
            self.assertEqual(self.label_of(path + "@1"), "x")
        # Many a file of /proc says that it has 0 bytes.
        self.refused("capture", pid, "--append", "-o", f"/proc/{os.getpid()}/comm", said="not a vmsnap file")

    def test_append_says_what_it_drops_and_from_where(self):
        path = self.series("a.vms", "one", "two")
        whole = json.loads(command("list", path, "--json").stdout)["snapshots"][1]["offset"]
        os.truncate(path, os.path.getsize(path) - 10)
        dropped = os.path.getsize(path) - whole
        result = command("capture", self.demo().pid, "-o", path, "--append", "-q", "--label", "three")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr.decode(), rf"\Avmsnap: warning: [^\n]* offset {whole}; [^\n]*{dropped} bytes[^\n]*\n\Z")
        self.assertEqual(self.label_of(path + "@2"), "three")

    def test_waiting_for_another_that_writes_can_be_interrupted(self):
        path = self.series("a.vms", "one")
        with open(path, "rb") as other:
            before = other.read()
            fcntl.flock(other, fcntl.LOCK_EX)
            for more in ((), ("--append",)):
                with subprocess.Popen([world().vmsnap, "capture", str(self.demo().pid), "-o", path, *more],
                                      env=world().env, stderr=subprocess.PIPE) as waiting:
                    while b"lock" not in kernel.read(f"/proc/{waiting.pid}/wchan"):
                        self.assertIsNone(waiting.poll())
                        time.sleep(0.01)
                    waiting.send_signal(signal.SIGINT)
                    self.assertEqual(waiting.communicate(timeout=300)[1], b"")
                    self.assertEqual(waiting.returncode, 128 + signal.SIGINT)
            other.seek(0)
            self.assertEqual(other.read(), before)

    def test_a_pipe_with_a_name_is_written_to_and_stays(self):
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        with subprocess.Popen([world().vmsnap, "show", fifo, "--json"], env=world().env,
                              stdout=subprocess.PIPE) as reader:
            result = command("capture", self.demo().pid, "--label", "through", "-o", fifo)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(json.loads(reader.stdout.read())["snapshot"]["label"], "through")
        self.assertTrue(stat.S_ISFIFO(os.stat(fifo).st_mode))

    def test_a_folder_that_does_not_exist(self):
        self.refused("capture", self.demo().pid, "-o", self.path("none/out.vms"),
                     said=["none/out.vms", os.strerror(errno.ENOENT)])

    def test_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.refused("capture", self.demo().pid, "-o", "-", "-q", stdout=full, said=os.strerror(errno.ENOSPC))

    def test_a_full_disk_leaves_no_file(self):
        support.mount_tmpfs(self, self.folder, "size=4k,mode=755")
        with open(self.path("filler"), "wb") as file:
            file.write(b"x" * 4096)
        self.refused("capture", self.demo().pid, "-o", self.path("out.vms"), said=os.strerror(errno.ENOSPC))
        self.assertEqual(os.listdir(self.folder), ["filler"])

    def test_an_interrupt_leaves_no_file_and_lets_the_target_run(self):
        # Scattered pages, each a call of its own: a capture takes some 100 ms, and meanwhile the
        # target stands.
        target = Target(self, "big", "sparse", 4096, 50000, 1)
        for _ in range(100):
            with subprocess.Popen([world().vmsnap, "capture", str(target.pid), "-o", self.path("out.vms")],
                                  env=world().env, stderr=subprocess.DEVNULL) as process:
                while kernel.state(target.pid) != "t" and process.poll() is None:
                    pass
                process.send_signal(signal.SIGINT)
            if process.returncode == 128 + signal.SIGINT:
                break
            self.assertEqual(process.returncode, 0, "the signal came too late, and it was saved")
            os.unlink(self.path("out.vms"))
        self.assertEqual(process.returncode, 130, "in a hundred attempts none came in time")
        self.assertEqual(os.listdir(self.folder), [])
        self.assertTrue(support.process_is(target.pid, "S"))

    def test_the_target_runs_on_after_every_error(self):
        target = self.demo()
        self.refused("capture", target.pid, "-o", self.path("none/out.vms"))
        target.tell("write")


class Statuses(Case):
    def test_diff_is_0_for_the_same_and_1_for_changes(self):
        target = self.demo()
        path = self.path("a.vms")
        run("capture", target.pid, "-o", path)
        self.assertEqual(command("diff", path, path).returncode, 0)
        target.tell("parent")
        run("capture", target.pid, "-o", path, "--append")
        for argv in ((path,), (path + "@1", path + "@2"), ("--totals", path), ("--json", path), ("--long", path)):
            self.assertEqual(command("diff", *argv).returncode, 1, argv)

    def test_diff_is_2_for_trouble(self):
        path = self.series("a.vms", "one")
        self.refused("diff", path, said=["one snapshot", "two"])
        self.refused("diff", path + "@1", said="two")
        self.refused("diff", os.getpid(), said="two")
        self.refused("diff", path, self.path("none"))

    def test_cow_takes_a_file_of_exactly_two_in_any_order(self):
        target = self.demo()
        tree, reverse = self.path("tree.vms"), self.path("reverse.vms")
        # Between captures the kernel may move a page, and then it is shared no more.
        for _ in range(5):
            run("capture", target.pid, "--tree", "-o", tree)
            run("capture", target.child, "-o", reverse)
            run("capture", target.pid, "-o", reverse, "--append")
            totals = ask(self, "cow", tree, "--totals")["totals"]
            backwards = ask(self, "cow", reverse, "--totals")["totals"]
            if backwards == totals:
                break
        self.assertGreater(totals.get("shared", 0), 0)
        self.assertEqual(backwards, totals)
        self.assertEqual(ask(self, "cow", tree + "@1", tree + "@2", "--totals")["totals"], totals)
        self.refused("cow", self.series("three.vms", "1", "2", "3"), said=["3 snapshots", "@1"])
        self.refused("cow", self.series("one.vms", "1"), said="two")

    def test_every_reading_command_is_0_on_a_good_file(self):
        target = self.demo()
        path = self.path("a.vms")
        run("capture", target.pid, "--tree", "-o", path)
        address = f"{target.ranges['global_counter'][0]:x}"
        for argv in (("show",), ("pages",), ("page", path, address), ("map",), ("map", path, path), ("status",),
                     ("status", path, path), ("list",), ("check",), ("cow",)):
            result = command(*argv, *([path] if len(argv) == 1 else []))
            self.assertEqual((result.returncode, result.stderr), (0, b""), argv)
            self.assertGreater(len(result.stdout), 20)

    def test_a_cut_off_file_reads_as_far_as_it_goes(self):
        path = self.series("a.vms", "one", "two")
        os.truncate(path, os.path.getsize(path) - 10)
        result = command("show", path, "--json")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(json.loads(result.stdout)["snapshot"]["label"], "one")
        self.assertRegex(result.stderr.decode(), r"\Avmsnap: .*warning: .*\n\Z")
        self.assertEqual(result.stderr.count(b"a.vms"), 1)
        self.assertEqual(command("check", path).returncode, 2)
        self.assertEqual(command("list", path).returncode, 0)

    def test_not_a_snapshot_newer_and_damaged_are_told_apart(self):
        path = self.series("a.vms", "one")
        good = open(path, "rb").read()
        seen = set()
        for name, content in (("text", b"hello, this is text and nothing else"), ("short", good[:100]),
                              ("flipped", good[:60] + bytes([good[60] ^ 1]) + good[61:])):
            with open(self.path(name), "wb") as file:
                file.write(content)
            seen.add(self.refused("show", self.path(name), said=name).split(name)[-1])
        self.assertEqual(len(seen), 3, seen)


class Output(Case):
    def test_a_full_disk_is_an_error(self):
        path = self.series("a.vms", "one", "two")
        for argv in (("show", path), ("pages", path, "--each"), ("list", path), ("diff", path), ("show", path, "--json")):
            with open("/dev/full", "wb") as full:
                self.refused(*argv, stdout=full, said=["standard output", os.strerror(errno.ENOSPC)])

    def test_a_closed_pipe_is_quiet(self):
        path = self.series("a.vms", "one")
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "wb") as pipe:
            result = command("pages", path, "--each", stdout=pipe)
            self.assertEqual((result.returncode, result.stderr), (141, b""))
            result = command("capture", self.demo().pid, "-q", "-o", "-", stdout=pipe)
            self.assertEqual((result.returncode, result.stderr), (141, b""))

    def test_closed_descriptors_do_not_hit_a_file(self):
        path = self.series("a.vms", "one")
        with open(path, "rb") as file:
            before = file.read()
        shell = '"$0" "$@" >&- 2>&-'
        status = subprocess.run(["sh", "-c", shell, world().vmsnap, "show", path], env=world().env, timeout=300).returncode
        self.assertEqual(status, 2)
        out = self.path("out.vms")
        status = subprocess.run(["sh", "-c", shell, world().vmsnap, "capture", str(self.demo().pid), "-o", out],
                                env=world().env, timeout=300).returncode
        self.assertEqual(status, 0)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(command("check", out).returncode, 0)

    def test_colours_only_where_they_are_wanted(self):
        path = self.series("a.vms", "one")
        def coloured(text):
            return b"\x1b[" in text
        good = {"TERM": "xterm-256color", "NO_COLOR": "", "COLORTERM": ""}
        self.assertTrue(coloured(on_terminal("map", path, env=good)[1]))
        self.assertFalse(coloured(on_terminal("map", path, env={**good, "NO_COLOR": "1"})[1]))
        self.assertFalse(coloured(on_terminal("map", path, env={**good, "TERM": "dumb"})[1]))
        self.assertFalse(coloured(on_terminal("map", path, env={**good, "TERM": ""})[1]))
        self.assertFalse(coloured(on_terminal("map", path, "--color=never", env=good)[1]))
        self.assertTrue(coloured(on_terminal("map", path, "--color=always", env={**good, "NO_COLOR": "1"})[1]))
        self.assertFalse(coloured(command("map", path, env=good).stdout))
        self.assertTrue(coloured(command("map", path, "--color=always", env=good).stdout))

    def test_as_many_colours_as_the_terminal_has(self):
        path = self.series("a.vms", "one")
        def text(**env):
            return on_terminal("map", path, env={"NO_COLOR": "", "COLORTERM": "", **env})[1]
        self.assertIn(b"8;2;", text(TERM="xterm", COLORTERM="truecolor"))
        self.assertIn(b"8;5;", text(TERM="xterm-256color"))
        self.assertNotIn(b"8;2;", text(TERM="xterm-256color"))
        self.assertNotRegex(text(TERM="xterm"), rb"[34]8;[25];")

    def test_the_width_is_the_terminals_then_that_of_columns(self):
        path = self.series("a.vms", "one")
        def widest(text):
            rows = re.findall(r"(?m)^[0-9a-f]{12} .*$", text.decode())
            return max(map(len, rows))
        env = {"NO_COLOR": "1", "COLUMNS": "120", "LC_ALL": "C.UTF-8"}
        on_50 = on_terminal("map", path, columns=50, env=env)[1]
        by_columns = command("map", path, env=env).stdout
        self.assertLessEqual(widest(on_50), 50)
        self.assertLessEqual(widest(by_columns), 120)
        self.assertGreater(widest(by_columns), 50)
        self.assertEqual(command("map", path, "--width=120", env={**env, "COLUMNS": "x"}).stdout, by_columns)
        self.assertEqual(command("map", path, env={**env, "COLUMNS": "x"}).stdout,
                         command("map", path, "--width=80", env=env).stdout)

    def test_a_tiny_terminal_still_shows_everything_that_counts(self):
        path = self.series("a.vms", "one", "two")
        for name in ("show", "pages", "diff", "status", "map", "list", "check"):
            for columns in ("20", "1"):
                result = command(name, path, env={"COLUMNS": columns})
                self.assertIn(result.returncode, (0, 1))
                self.assertEqual(result.stderr, b"")
                self.assertGreater(len(result.stdout), 20)
            status, text = on_terminal(name, path, columns=20)
            self.assertIn(status, (0, 1))
            self.assertGreater(len(text), 20)

    def test_only_ascii_where_the_locale_or_the_option_wants_it(self):
        path = self.series("a.vms", "one", "two")
        for name in ("map", "diff", "show", "list"):
            for argv, locale in (((), "C"), (("--ascii",), "C.UTF-8")):
                text = command(name, path, *argv, env={"LC_ALL": locale}).stdout
                self.assertTrue(text.isascii(), f"{name} {argv} {locale}")
        self.assertFalse(command("map", path, env={"LC_ALL": "C.UTF-8"}).stdout.isascii())

    def test_noheadings_and_raw(self):
        path = self.series("a.vms", "one")
        usual = command("list", path, "--raw").stdout.split(b"\n")
        bare = command("list", path, "--raw", "--noheadings").stdout.split(b"\n")
        self.assertEqual(usual[1:], bare)
        self.assertNotIn(b"  ", usual[0])


class Hostile(Case):
    """A program whose name, and so whose process and mapping, means harm."""

    def setUp(self):
        super().setUp()
        self.home = os.fsencode(self.folder)
        program = self.home + b"/" + HOSTILE
        shutil.copy(os.path.join(world().targets, "cow_demo"), program)
        self.target = self.demo(executable=program)
        self.file = self.home + b"/" + HOSTILE + b".vms"
        result = command("capture", self.target.pid, "--tree", "--label", HOSTILE, "-o", self.file)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.harmless(result.stderr)

    def harmless(self, text):
        """Nothing but lines of printable characters."""
        for character in text.decode("utf-8"):
            self.assertTrue(character == "\n" or character.isprintable(), repr(character))

    def commands(self):
        address = f"{self.target.ranges['global_counter'][0]:x}"
        yield ("show", self.file)
        yield ("pages", self.file)
        yield ("page", self.file, address)
        yield ("page", self.file, "1000")
        yield ("diff", self.file)
        yield ("cow", self.file)
        yield ("status", self.file)
        yield ("map", self.file)
        yield ("list", self.file)
        yield ("check", self.file)

    def test_no_text_holds_what_moves_the_cursor(self):
        for argv in self.commands():
            for more in ((), ("--raw",), ("--long",)):
                if more and argv[0] not in {"--raw": ("show", "pages", "list"), "--long": ("diff", "cow")}[more[0]]:
                    continue
                result = command(*argv, *more, env={"LC_ALL": "C.UTF-8"})
                self.assertIn(result.returncode, (0, 1), result.stderr)
                self.harmless(result.stdout)
                self.harmless(result.stderr)

    def test_json_stays_json(self):
        for argv in self.commands():
            result = command(*argv, "--json")
            self.assertIn(result.returncode, (0, 1), result.stderr)
            self.harmless(result.stdout)
            answer = json.loads(result.stdout)
            self.assertRegex(answer["schema"], r"^vmsnap\.[a-z]+/1$")
        answer = json.loads(command("show", self.file, "--json").stdout)
        self.assertEqual(answer["snapshot"]["comm"], r'e\x1b[2Jv\x0ai"l\x5c \xff\x07,')
        names = [vma["name"] for vma in answer["vmas"]]
        self.assertTrue(any(r'e\x1b[2Jv\x0ai"l\x5c \xff\x07,' in name for name in names), names)

    def test_a_hostile_label_is_found(self):
        of_target = b"@pid:%d" % self.target.pid
        self.assertEqual(command("show", self.file + of_target + b"@" + HOSTILE).returncode, 0)
        # Its child has it, too.
        self.harmless(self.refused("show", self.file + b"@" + HOSTILE, said="several processes").encode())

    def test_errors_are_escaped_too(self):
        text = self.refused("show", self.file + b"@none\x1b[2J", said="\\x1b[2J")
        self.harmless(text.encode())
        with open(self.file, "wb") as file:
            file.write(b"not ours")
        self.harmless(self.refused("show", self.file).encode())


if __name__ == "__main__":
    support.main()
