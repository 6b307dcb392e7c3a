"""Which code made, copied and wrote pages: as vmsnap blame says, and as a program knows it that did.

BLAME_COUNT: so many random programs, from BLAME_SEED on; script/blame sets them."""

import ctypes
import errno
import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
import unittest

import blaming
import kernel
import support
from blaming import Truth
from kernel import PAGE
from support import Target, each_user, skip, world

COUNT, SEED = int(os.environ.get("BLAME_COUNT", "4")), int(os.environ.get("BLAME_SEED", "1"))


def need_faults(test, result):
    """Whether faults may be watched is the machine's matter."""
    for reason in ("does not let page faults be watched", "cannot tell of page faults"):
        if result.status == 2 and reason in result.err:
            skip(test, "the kernel does not let page faults be watched (perf_event_open)")
    test.assertEqual(result.status, 0, result)


def able(what):
    """As vmsnap --version says it."""
    document = json.loads(support.run("--version", "--json").out)
    return next(ability["able"] for ability in document["abilities"] if ability["name"] == what)


class RandomPrograms(unittest.TestCase):
    def look(self, seed, operations, *words, user, without=None):
        target = Target(self, "blame", seed, operations, user=user)
        result = blaming.blame(target, *words, "--json", user=user, without=without)
        need_faults(self, result)
        document, truth = json.loads(result.out), Truth(target)
        target.end()
        return document, truth, blaming.judge(document, truth)

    def check(self, seed, user, without=None):
        document, _, sums = self.look(seed, 300, user=user, without=without)
        self.assertEqual(sums["wrong"], [], f"seed {seed}")
        if document["untold"] is not None:
            self.assertLessEqual(sums["maybe"], document["untold"], f"seed {seed}")
        if "memory" in document["watched"]:
            self.assertGreater(sums["right"], 0, f"seed {seed}")
        if "kinds" not in document["watched"] and document["lost"] == 0:  # of what the kernel copied nothing tells
            self.assertEqual([page for page in sums["untold"] if page[3] not in ("write_syscall", "write_vfork", blaming.KERNEL)], [],
                             f"seed {seed}")
        if "kinds" in document["watched"] and document["lost"] == 0:
            self.assertEqual(sums["untold"], [], f"seed {seed}")
        if "memory" in document["watched"] and document["lost"] == 0:
            all_of_them = sums["right"] + sums["several"] + sums["unseen"]
            self.assertLessEqual(sums["unseen"], 0.02 * all_of_them, f"seed {seed}")
        return sums

    @each_user
    def test_the_right_function_or_nobody(self, user):
        total = {"right": 0, "several": 0, "unseen": 0}
        for seed in range(SEED, SEED + COUNT):
            sums = self.check(seed, user)
            total = {name: total[name] + sums[name] for name in total}
        print(f"{support.user_name(user)}: {COUNT} programs, pages blamed rightly {total['right']}, on one of several "
              f"{total['several']}, on nobody {total['unseen']}", flush=True)

    def test_the_right_function_or_nobody_without_programs_in_the_kernel(self):
        if able("bpf") != "yes" or not blaming.can_refuse():
            skip(self, "programs in the kernel are refused here, or cannot be")
        for seed in range(SEED, SEED + COUNT):
            self.check(seed, support.me(), without="bpf")

    def test_nobody_had_been_on_the_stack_before(self):
        self.check(312, support.me())

    def test_a_copy_of_a_files_page_that_is_given_back_is_no_copy(self):
        self.check(236, support.me())


class Faults(unittest.TestCase):
    def blame(self, target, *more, **options):
        result = blaming.blame(target, *more, "--json", **options)
        need_faults(self, result)
        return json.loads(result.out)

    def rows(self, document, target, name):
        """{page: row} of one of its ranges."""
        start, end = target.ranges[name]
        return {page: row for row in document["rows"]
                for page in range(int(row["start"], 16), int(row["end"], 16), PAGE) if start <= page < end}

    def see_threads(self, count, user):
        target = Target(self, "blame", "threads", count, user=user)
        result = blaming.blame(target, "--json", user=user)
        if "descriptors are not enough" in result.err:
            skip(self, f"too few descriptors may be open for {count} threads on this many processors")
        need_faults(self, result)
        document = json.loads(result.out)
        rows = self.rows(document, target, "threads")
        self.assertEqual({row["function"] for row in rows.values() if row["known"] == "seen"}, {"write_thread"})
        if not document["lost"]:
            self.assertEqual(len([row for row in rows.values() if row["known"] == "seen"]), count + 1)
            self.assertEqual(len({row["tid"] for row in rows.values()}), count + 1)
        target.end()

    @each_user
    def test_threads_by_the_hundred_and_one_that_is_made_meanwhile(self, user):
        self.see_threads(300, user)

    @unittest.skipIf(support.SLOWNESS > 1, "takes too long there")
    def test_threads_by_the_thousand(self):
        self.see_threads(3000, support.me())

    def test_inside_system_calls_the_function_that_called_the_library(self):
        """With frame pointers and without, through one function of the library and through several."""
        if platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc":
            skip(self, "who called is found out on x86-64, by the unwind tables that glibc has")
        for program in ("calls", "calls_framed"):
            target = Target(self, program)
            document = self.blame(target)
            rows = {name: self.rows(document, target, name) for name in target.ranges}
            target.end()
            told = {name: (row["syscall"], row["function"]) for name, found in rows.items() for row in found.values()}
            if "kernel" not in document["watched"] or None in dict(told.values()) or "?" in dict(told.values()):
                skip(self, "the kernel does not tell which system calls faults are in")
            calls = {"call_read": "read", "call_recv": "recvfrom", "call_fread": "read", "call_pread": "pread64"}
            for name, call in calls.items():
                self.assertEqual((told[name], told[name + "_again"]), ((call, name), (call, name)), program)

    def test_what_finds_no_room_is_counted(self):
        """While vmsnap stands still, nobody empties the kernel's buffers."""
        target = Target(self, "blame", "flood", 200)
        argv, options = blaming.words(target, "--json")
        part = f"kill -STOP $PPID; {argv[-1]}; kill -CONT $PPID"
        watcher = subprocess.Popen([world().vmsnap, *map(str, argv[:-1]), part], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=world().env, **options)
        out, err = watcher.communicate(timeout=120 * support.SLOWNESS)
        result = support.Result(subprocess.CompletedProcess(argv, watcher.returncode, out, err))
        need_faults(self, result)
        document = json.loads(result.out)
        if "kinds" in document["watched"]:
            self.assertIsNotNone(document["lost"])
        self.assertGreater(document["lost"] or 1, 0)
        if document["lost"] is not None:
            self.assertGreaterEqual(document["faults"] + document["lost"], 200 * 1024)
        for row in self.rows(document, target, "flooded").values():
            self.assertIn(row["known"], ("seen", "several", "unseen"))
            self.assertIn(row["function"], ("write_store", None))
        target.end()

    def blame_lost_birth(self, kind, user):
        """By events, which forks are told by as well; a flood of faults before that."""
        if user == 0 and not blaming.can_refuse():
            skip(self, "programs in the kernel cannot be refused here")
        target = Target(self, "blame", "flood", 200, kind, user=user)
        argv, options = blaming.words(target, "--json")
        argv = [word for word in argv if word != "--tree"]  # with that, descendants are captured in any case
        part = f"kill -STOP $PPID; {argv[-1]}; kill -CONT $PPID"
        if user == 0:
            options["preexec_fn"] = blaming.refusing("bpf")
        result = support.run(*argv[:-1], part, user=user, **options)
        need_faults(self, result)
        document = json.loads(result.out)
        self.assertNotEqual(document["lost"], 0)
        return target, result, document

    @each_user
    def test_a_file_knows_what_was_not_told(self, user):
        """Lost, and given back: as it was said at once."""
        if user == 0 and not blaming.can_refuse():
            skip(self, "programs in the kernel cannot be refused here")
        without = "bpf" if user == 0 else None
        folder = tempfile.mkdtemp(dir=world().home(user))
        self.addCleanup(shutil.rmtree, folder)
        if user == support.NOBODY:
            os.chown(folder, user, -1)
        for target, stopped in (Target(self, "made_anew", "populated", user=user), False), (Target(self, "blame", "flood", 200, user=user), True):
            path = os.path.join(folder, "kept.vms")
            argv, options = blaming.words(target, "--json", "--save", path)
            part = f"kill -STOP $PPID; {argv[-1]}; kill -CONT $PPID" if stopped else argv[-1]
            if without:
                options["preexec_fn"] = blaming.refusing(without)
            result = support.run(*argv[:-1], part, user=user, **options)
            need_faults(self, result)
            said, kept = json.loads(result.out), json.loads(support.run("blame", path, "--by", "page", "--json", user=user).out)
            for name in "lost", "watched", "untold", "rows":
                self.assertEqual(kept[name], said[name], name)
            if stopped:
                self.assertNotEqual(said["lost"], 0)
            os.unlink(path)
            target.end()

    @each_user
    def test_a_process_whose_birth_found_no_room_is_seen_at_the_end(self, user):
        target, result, document = self.blame_lost_birth("child", user)
        child = kernel.children(target.pid)[-1]  # which ends with the target
        told = {each["after"]["pid"]: each["known"] for each in document["processes"]}
        self.assertEqual(told, {target.pid: True, child: False})
        self.assertIn("1 process was seen only at the end: records were lost, that of its birth maybe among them", result.err)
        target.end()

    def test_births_that_cannot_be_looked_for(self):
        user = support.NOBODY if support.ROOT else support.me()
        target, result, document = self.blame_lost_birth("hidden", user)
        self.assertEqual([each["after"]["pid"] for each in document["processes"]], [target.pid])
        self.assertIn("that was not looked for, as there are descendants that cannot be looked at", result.err)
        target.end()

    @each_user
    def test_who_was_adopted_is_not_watched(self, user):
        """A child of who is not, born meanwhile: nothing was lost, and so no birth is looked for."""
        target = Target(self, "blame", "adopts", user=user)
        argv, options = blaming.words(target, "--json")
        result = support.run(*(word for word in argv if word != "--tree"), user=user, **options)
        need_faults(self, result)
        document = json.loads(result.out)
        self.assertEqual(len(kernel.children(target.pid)), 1)
        if document["lost"] == 0:
            self.assertEqual([each["after"]["pid"] for each in document["processes"]], [target.pid])
            self.assertNotIn("seen only at the end", result.err)
        target.end()

    def test_a_program_that_gains_rights_is_watched_as_far_as_the_kernel_lets(self):
        """Events are taken from it, and it is said; programs in the kernel go on."""
        folder = tempfile.mkdtemp(dir=world().home(support.NOBODY))
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        if os.geteuid() or os.statvfs(folder).f_flag & os.ST_NOSUID or kernel.status("self").get("NoNewPrivs") == b"1":
            skip(self, "no program can gain rights here")
        program = shutil.copy(os.path.join(world().targets, "blame"), os.path.join(folder, "gains"))
        os.chmod(program, 0o4755)
        for without in (None, "bpf"):
            if without and not blaming.can_refuse():
                continue
            target = Target(self, "blame", "gain", program, user=support.NOBODY)
            result = blaming.blame(target, "--json", by="function", without=without)
            need_faults(self, result)
            document = json.loads(result.out)
            self.assertEqual(kernel.status(target.pid)["Uid"].split()[:2], [b"65534", b"0"])
            written = sum(row["new"] + row["copied"] for row in document["rows"] if row["function"] == "write_string")
            by_programs = without is None and able("bpf") == "yes"
            self.assertEqual(written, 64 * PAGE if by_programs else 0)
            self.assertGreaterEqual(document["unseen"], 0 if by_programs else 64 * PAGE)
            self.assertIn(f"process {target.pid} acts as another user or group: if a program", result.err)
            target.end()

    @each_user
    def test_nothing_is_left_behind_when_it_is_killed(self, user):
        target = Target(self, "blame", "armed", user=user)
        watcher = subprocess.Popen([world().vmsnap, "blame", str(target.pid), "--for", "60"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, env=world().env, **support.become(user))
        while watcher.poll() is None and not kernel.perf_events(watcher.pid):
            time.sleep(0.001)
        watcher.kill()
        watcher.communicate()
        target.tell("go")
        self.assertEqual(kernel.status(target.pid)["TracerPid"], b"0")
        target.end()

    def test_of_a_process_that_ends_faults_are_told(self):
        target = Target(self, "blame", "armed")
        result = support.run("blame", target.pid, "--", "sh", "-c", f"kill -9 {target.pid}; sleep 0.1")
        if result.status == 2:
            need_faults(self, result)
        self.assertIn("what became of its pages is not known", result.err)
        target.end()

    def test_a_command_from_its_begin_to_its_end(self):
        result = support.run("blame", "--json", "--", "sh", "-c", "exit 3")
        if result.status == 2:
            need_faults(self, result)
        self.assertEqual(result.status, 3, result)
        document = json.loads(result.out)
        self.assertGreater(document["bytes"]["new"], 0)
        self.assertGreater(document["faults"], 10)

    def test_a_command_that_is_not_there(self):
        result = support.run("blame", "--", "/no/such/program")
        if result.status == 2:
            need_faults(self, result)
        self.assertEqual(result.err, "vmsnap: cannot execute /no/such/program: No such file or directory\n")
        self.assertEqual(result.status, 127)

    def see_made_anew(self, kind, user=support.me(), without=None):
        """What is said of its pages, {range: {(function, known)}}; and how it was watched."""
        target = Target(self, "made_anew", kind, user=user)
        result = blaming.blame(target, "--json", user=user, without=without)
        need_faults(self, result)
        document = json.loads(result.out)
        rows, document["others"] = document["rows"], 0
        document["rows"] = [row for row in rows if row["pid"] == target.pid]
        document["others"] = len(rows) - len(document["rows"])  # of its children
        found = {name: {(row["function"], row["known"]) for row in self.rows(document, target, name).values()
                        if not row["mapped"]} for name in target.ranges}
        target.end()
        return found, document

    def test_what_was_given_back_and_made_anew_is_not_blamed_on_who_wrote_before(self):
        nobody, before, after = {(None, "unseen")}, {("wrote_before", "seen")}, {("writes_after", "seen")}
        kinds = {
            "stays": (before, set()), "refused": (before, set()), "heap_refused": (before, set()),
            "too_much": (before if kernel.version() >= (6, 12) else {(None, "several")}, set()), "populated": (nobody, set()), "locked": (nobody, set()),
            "direct": (nobody, set()),
            "mapped_again": (nobody, set()), "mapped_over": (nobody, set()), "moved_over": (nobody, set()),
            "moved_away": (set(), before), "moved_twice": (before, set()), "shrunk": (before | nobody, set()),
            "heap": (nobody, set()), "freed": ({(None, "several")}, set()), "by_ring": ({(None, "several")}, set()), "by_same_memory": (after, set()),
            "by_vfork": (after, set()), "given_back_by_same_memory": (nobody, set()), "collapsed": (before, nobody),
            "collapsed_by_another": (before, {(None, "several")}),
        }
        for kind, expected in kinds.items():
            with self.subTest(kind):
                found, document = self.see_made_anew(kind)
                if document["lost"]:
                    skip(self, "records were lost: too much else is done")
                if "memory" not in document["watched"]:
                    skip(self, "what is given back is told to root, where the kernel takes programs")
                if kind == "direct":  # some file systems copy all the same: inside the system call, which is seen
                    found["pages"] = nobody if found["pages"] == {("direct", "seen")} else found["pages"]
                self.assertEqual((found["pages"], found["there"]), expected)

    def test_code_that_was_unmapped_is_not_named_by_what_is_there_now(self):
        found, document = self.see_made_anew("by_unmapped_code")
        if "memory" not in document["watched"]:
            skip(self, "what is unmapped is told to root, where the kernel takes programs")
        if not document["lost"]:
            self.assertEqual(found["pages"], {("wrote_before", "seen")})
            ((function, known),) = found["there"]
            self.assertEqual(known, "seen")
            self.assertNotEqual(function, "writes_after")

    @each_user
    def test_who_had_the_memory_of_another_before_is_not_told_twice(self, user):
        if kernel.one_memory(os.getpid(), os.getpid()) is None:
            skip(self, "the kernel does not tell who has one memory (kcmp)")
        found, document = self.see_made_anew("had_same_memory", user=user)
        if not document["lost"]:
            self.assertEqual((found["pages"], found["there"]), ({("wrote_before", "seen")}, {("writes_after", "seen")}))
            self.assertEqual(len(document["processes"]), 2)
            self.assertEqual(document["others"], 0)

    def see_doubts(self, kinds, **how):
        """Where nothing tells what was given back, nothing is definite that may be otherwise."""
        for kind, expected in kinds.items():
            with self.subTest(kind):
                found, document = self.see_made_anew(kind, **how)
                self.assertNotIn("memory", document["watched"])
                if not document["lost"]:
                    self.assertEqual(found["pages"], expected)
                    self.assertGreaterEqual(document["untold"], 0 if expected == {("wrote_before", "seen")} else 32)

    GIVEN_BACK = "given back and moved"

    def note_of(self, *command, **options):
        """The lines that say it."""
        result = support.run(*command, **options)
        if result.status == 2:
            need_faults(self, result)
        return [line for line in result.out.decode().split("\n") if self.GIVEN_BACK in line]

    def test_where_what_is_given_back_is_not_told_one_line_says_so(self):
        command = "blame", "--", "true"
        if able("bpf") == "yes":
            self.assertEqual(self.note_of(*command), [])
            if blaming.can_refuse():
                (line,) = self.note_of(*command, preexec_fn=blaming.refusing("bpf"))
                self.assertIn("took no programs (bpf)", line)
        user = support.NOBODY if support.ROOT else support.me()
        self.assertEqual(len(self.note_of(*command, user=user)), 1)

    def test_in_a_pid_namespace_one_line_says_so(self):
        words = ["unshare", "--pid", "--fork", "--mount-proc", world().vmsnap, "blame", "--", "true"]
        if able("bpf") != "yes" or not shutil.which("unshare") or subprocess.run(words[:4] + ["true"], stderr=subprocess.DEVNULL).returncode:
            skip(self, "no PID namespace can be made here, or nothing is told outside of one either")
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=world().env, check=True)
        (line,) = [line for line in done.stdout.decode().split("\n") if self.GIVEN_BACK in line]
        self.assertIn("took no programs (bpf)", line)

    def test_users_are_told_that_pages_may_have_been_made_anew(self):
        user = support.NOBODY if support.ROOT else support.me()
        doubt = {(None, "several")}
        self.see_doubts({"stays": {("wrote_before", "seen")}, "populated": doubt, "locked": doubt, "mapped_over": doubt}, user=user)

    def test_without_programs_in_the_kernel_pages_may_have_been_made_anew(self):
        if able("bpf") != "yes" or not blaming.can_refuse():
            skip(self, "programs in the kernel are refused here, or cannot be")
        doubt = {(None, "several")}
        self.see_doubts({"stays": {("wrote_before", "seen")}, "populated": doubt, "locked": doubt, "mapped_over": doubt},
                        without="bpf")

    @each_user
    def test_what_was_copied_and_is_shared_again_is_told(self, user):
        found, document = self.see_made_anew("shared_again", user=user)
        seen = {("wrote_before", "seen")} if "memory" in document["watched"] else {(None, "several")}
        if not document["lost"]:
            self.assertEqual(found["pages"], seen)

    def test_written_pages_by_userfaultfd(self):
        self.written_pages("uffd", ("track", "userfaultfd"))

    def test_written_pages_by_soft_dirty_bits(self):
        self.written_pages("soft-dirty", ("soft-dirty",))

    def written_pages(self, how, unable):
        target = Target(self, "blame", "armed")
        result = blaming.blame(target, f"--track={how}", "--json")
        if result.status == 2 and any(word in result.err for word in unable):
            skip(self, f"{how} cannot track here: {result.err.strip()}")
        need_faults(self, result)
        document = json.loads(result.out)
        rows = self.rows(document, target, "armed")
        start, end = target.ranges["armed"]
        self.assertEqual(sorted(rows), list(range(start, end, 2 * PAGE)))
        self.assertEqual({(row["function"], row["known"]) for row in rows.values()}, {("write_add", "seen")})
        self.assertEqual({row["written"] for row in document["rows"] if int(row["start"], 16) in rows}, {PAGE})
        target.end()

    def test_a_refusal_is_one_line(self):
        """As in a container that filters system calls: nothing else of vmsnap needs this one."""
        if not blaming.can_refuse():
            skip(self, "no filter of system calls can be set here, or none is known for this machine")
        target = Target(self, "blame", "armed")
        for command, status in ((["blame", "--for", "1"], 2), (["status"], 0)):
            done = support.run(*command, target.pid, preexec_fn=blaming.refusing("perf_event_open"))
            self.assertEqual(done.status, status, done)
            self.assertEqual((done.err.count("\n"), "kernel.perf_event_paranoid is" in done.err),
                             (1, True) if status else (0, False), done)
        target.end()

    def test_a_kernel_without_events_is_said_in_one_line(self):
        if not blaming.can_refuse():
            skip(self, "no filter of system calls can be set here, or none is known for this machine")
        target = Target(self, "blame", "armed")
        done = support.run("blame", "--for", "1", target.pid, preexec_fn=blaming.refusing("perf_event_open", errno.ENOSYS))
        self.assertEqual((done.status, done.err), (
            2, "vmsnap: blame: this kernel cannot tell of page faults: it has no perf_event_open(2) (CONFIG_PERF_EVENTS)\n"), done)
        target.end()

    def test_what_cannot_be_kept_is_told_all_the_same(self):
        target = Target(self, "blame", "armed")
        result = support.run("blame", target.pid, "--save", "/proc/no/such/file", "--", "sh", "-c", f"kill -9 {target.pid}; sleep 0.1")
        need_faults(self, result) if "page faults" in result.err else None
        self.assertEqual(result.status, 2, result)
        self.assertIn(b"seen", result.out)
        target.end()

    def test_programs_in_the_kernel_go_with_who_is_killed(self):
        if able("bpf") != "yes":
            skip(self, "the kernel takes no programs here")
        target = Target(self, "blame", "armed")
        watcher = subprocess.Popen([world().vmsnap, "blame", str(target.pid), "--for", "60"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=world().env)
        while watcher.poll() is None and len(kernel.programs(watcher.pid)) < 2:
            time.sleep(0.001)
        programs = kernel.programs(watcher.pid)
        self.assertGreaterEqual(len(programs), 2)
        watcher.kill()
        watcher.communicate()
        end = time.monotonic() + 60 * support.SLOWNESS
        while any(map(program_exists, programs)) and time.monotonic() < end:
            time.sleep(0.01)  # the kernel lets go of them when nobody runs them any more
        self.assertEqual(list(filter(program_exists, programs)), [])
        target.end()

    def test_words(self):
        for words, said in (((), "of which process"), (("1", "--by", "colour"), "--by takes function"),
                            (("--track", "--", "true"), "of a command that starts all pages are new")):
            result = support.run("blame", *words)
            self.assertEqual((result.status, said in result.err), (2, True), result)

    def test_tables(self):
        target = Target(self, "blame", 1, 100)
        result = blaming.blame(target, by="line")
        need_faults(self, result)
        self.assertRegex(result.out.decode(), r"write_store \(blame\.c:\d+\)")
        target.end()
        for by in ("function", "mapping", "variable", "thread", "stack"):
            target = Target(self, "blame", 1, 100)
            result = blaming.blame(target, by=by)
            self.assertEqual(result.status, 0, result)
            target.end()


def program_exists(number):
    attr = (ctypes.c_uint32 * 32)(number)
    descriptor = ctypes.CDLL(None, use_errno=True).syscall(321, 13, ctypes.byref(attr), 12)  # BPF_PROG_GET_FD_BY_ID
    if descriptor >= 0:
        os.close(descriptor)
    return descriptor >= 0


if __name__ == "__main__":
    unittest.main()
