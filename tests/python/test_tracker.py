"""Write tracking: what it says of a program that knows what it wrote, and what is left of it afterwards."""

import ctypes
import os
import random
import signal
import unittest

from module import PAGE, Target, kernel, main, skip, vmsnap

PRIVATE = ("anon", "private_file", "huge", "stack", "data", "reserved")
SHARED = ("shared", "shared_file")
FAR = 1 << 20  # of "reserved": pages from there on are written


def need_uffd(test):
    """Skips unless this kernel can do it, as it says of a process of ours."""
    target = Target(test, "writes")
    try:
        vmsnap.Tracker(target.pid, "uffd").close()
    except vmsnap.VmsnapError as error:
        skip(test, f"tracking by userfaultfd: {error}")
    finally:
        target.end()


def said(snapshot, target, name):
    """(pages of the range that were written, pages that may have been), by their numbers."""
    start, end = target.ranges[name]
    sure, maybe = set(), set()
    for each in snapshot.written():
        pages = range(max(each.start, start), min(each.end, end), PAGE)
        (sure if each.sure else maybe).update((page - start) // PAGE for page in pages)
    return sure, maybe


def capture(target, tracker):
    return vmsnap.Snapshot.capture(target.pid, tracker=tracker)


def traces(pid):
    """What tracking leaves: flags of mappings, descriptors, and how many mappings there are."""
    flags = sum(b" uw" in line for line in kernel.read(f"/proc/{pid}/smaps").splitlines() if line[:8] == b"VmFlags:")
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    return flags, [link for link in links if "userfault" in link], len(kernel.maps(pid))


class Uffd(unittest.TestCase):
    def setUp(self):
        need_uffd(self)
        self.target = Target(self, "writes")
        for command in ("write anon 0 64", "write huge 0 1024", "read shared_file 0 8", "write shared 0 32",
                        "write private_file 0 4", "write stack 0 8", "write data 0 8"):
            self.target.tell(command)

    def tracker(self, **how):
        tracker = vmsnap.Tracker(self.target.pid, **(how or {"how": "uffd"}))
        self.addCleanup(tracker.close)
        return tracker

    def test_a_look_that_only_peeks_forgets_nothing(self):
        tracker = self.tracker()
        first = capture(self.target, tracker)
        self.target.tell("write anon 3 4")
        for peeked in (tracker.peek(), tracker.peek(),
                       vmsnap.Snapshot.capture(self.target.pid, tracker=tracker, peek=True)):
            self.assertEqual(said(peeked, self.target, "anon"), ({3}, set()))
            self.assertEqual(peeked.info.written_since, first.info.monotonic)
        self.target.tell("write anon 9 10")
        last = capture(self.target, tracker)
        self.assertEqual(said(last, self.target, "anon"), ({3, 9}, set()))
        self.assertEqual(last.info.written_since, first.info.monotonic)
        self.assertEqual(said(capture(self.target, tracker), self.target, "anon"), (set(), set()))

    def armed(self):
        tracker = self.tracker()
        first = capture(self.target, tracker)
        self.assertEqual((tracker.tracking, tracker.how), ("armed", "uffd"))
        self.assertIsNone(first.written())
        self.assertEqual(first.info.written_since, first.info.monotonic)
        return tracker, first

    def test_what_was_written_is_told_of_every_kind_of_memory(self):
        tracker, first = self.armed()
        expected = {"anon": {3, 4, 20, 21}, "private_file": {1, 9, 30}, "huge": {5, 600}, "stack": {2, 10},
                    "data": {1, 20}, "reserved": {FAR, FAR + 1}}
        for command in ("write anon 3 5", "kernel anon 20 22", "read anon 30 40", "write private_file 1 2",
                        "write private_file 9 10", "kernel private_file 30 31", "read private_file 40 50",
                        "write huge 5 6", "write huge 600 601", "read huge 7 9", "write stack 2 3",
                        "write stack 10 11", "write data 1 2", "kernel data 20 21", "read data 4 6",
                        f"write reserved {FAR} {FAR + 2}", f"read reserved {2 * FAR} {2 * FAR + 2}",
                        "child anon 50 52", "write shared 1 2", "write shared 40 42", "read shared 50 52",
                        "write shared_file 0 1", "write shared_file 50 51"):
            self.target.tell(command)
        second = capture(self.target, tracker)
        self.assertEqual(tracker.tracking, "tells")
        self.assertEqual(second.info.written_since, first.info.monotonic)
        self.assertEqual(second.info.known.written, vmsnap.WrittenBy.UFFD)
        for name, pages in expected.items():
            self.assertEqual(said(second, self.target, name), (pages, set()), name)
        # Of shared memory only what was there before is certain.
        self.assertEqual(said(second, self.target, "shared"), ({1}, {40, 41, 50, 51}))
        sure, maybe = said(second, self.target, "shared_file")
        self.assertEqual(sure, {0})
        self.assertIn(50, maybe)
        start = self.target.ranges["anon"][0]
        self.assertIs(second.written_at(start + 3 * PAGE), True)
        self.assertIs(second.written_at(start + 30 * PAGE), False)
        self.assertIsNone(second.written_at(self.target.ranges["shared"][0]))
        third = capture(self.target, tracker)
        for name in PRIVATE:
            self.assertEqual(said(third, self.target, name), (set(), set()), name)

    def test_random_writes_are_all_told_and_nothing_else(self):
        tracker, _ = self.armed()
        chance = random.Random(11)
        for _ in range(12):
            written = {name: set() for name in PRIVATE + SHARED}
            for _ in range(chance.randrange(30)):
                verb = chance.choice(("write", "write", "kernel", "read", "child", "drop"))
                name = chance.choice(PRIVATE + SHARED)
                first = chance.randrange(64) + (FAR if name == "reserved" else 0)
                end = min(first + chance.randrange(1, 6), 64 + (FAR if name == "reserved" else 0))
                if verb == "drop" and name not in ("anon", "stack", "data"):
                    continue
                # The zero page of a huge page, which reading made, looks as if it was written.
                if verb == "child" and name in SHARED or name == "huge" and verb == "read":
                    continue
                self.target.tell(f"{verb} {name} {first} {end}")
                if verb in ("write", "kernel"):
                    written[name].update(range(first, end))
                elif verb == "drop":
                    written[name].difference_update(range(first, end))
            snapshot = capture(self.target, tracker)
            for name, pages in written.items():
                sure, maybe = said(snapshot, self.target, name)
                if name in PRIVATE:
                    self.assertEqual((sure, maybe), (pages, set()), name)
                else:
                    self.assertLessEqual(sure, pages, name)
                    self.assertLessEqual(pages, sure | maybe, name)

    def test_new_and_moved_memory_is_not_known_once(self):
        tracker, _ = self.armed()
        self.target.tell("map new 10")
        self.target.tell("write new 2 4")
        self.assertEqual(said(capture(self.target, tracker), self.target, "new"), (set(), {2, 3}))
        self.target.tell("write new 4 5")
        self.assertEqual(said(capture(self.target, tracker), self.target, "new"), ({4}, set()))
        self.target.tell("move new")
        self.assertEqual(said(capture(self.target, tracker), self.target, "new"), (set(), {2, 3, 4}))
        self.target.tell("write new 3 4")
        self.assertEqual(said(capture(self.target, tracker), self.target, "new"), ({3}, set()))

    def test_a_look_without_pages_tells_the_same(self):
        tracker, _ = self.armed()
        self.target.tell("write anon 7 9")
        look = tracker.look()
        self.assertEqual(said(look, self.target, "anon"), ({7, 8}, set()))
        self.assertEqual((look.resident(), look.info.known.pfn, look.info.pause), (0, 0, 0))
        self.assertTrue(look.mappings and look.threads)
        self.assertEqual(said(tracker.look(), self.target, "anon"), (set(), set()))

    def test_protection_does_not_show_in_page_states(self):
        before = vmsnap.capture(self.target.pid)
        tracker, first = self.armed()
        for snapshot in (first, capture(self.target, tracker)):
            self.assertEqual([run for run in snapshot.runs() if "uffd_wp" in run.words], [])
        names = [name for name in PRIVATE + SHARED if name not in ("stack",)]
        for name in names:
            start, end = self.target.ranges[name]
            end = min(end, start + 1024 * PAGE)
            self.assertEqual([run.words for run in before.runs(start, end)],
                             [run.words for run in first.runs(start, end)], name)

    def test_nothing_is_left_of_it(self):
        flags, links, mappings = traces(self.target.pid)
        tracker, _ = self.armed()
        capture(self.target, tracker)
        during = traces(self.target.pid)
        self.assertGreater(during[0], 0)
        self.assertEqual(during[1], [])
        tracker.close()
        self.assertEqual(traces(self.target.pid), (flags, links, mappings))
        self.target.tell("write anon 0 64")
        self.assertNotIn("uffd_wp", {word for run in vmsnap.capture(self.target.pid).runs() for word in run.words})

    def test_exec_and_exit_are_noticed(self):
        tracker, _ = self.armed()
        self.target.tell("exec")
        self.assertIsNone(capture(self.target, tracker).written())
        self.assertEqual(tracker.tracking, "execed")
        with self.assertRaisesRegex(vmsnap.VmsnapError, "another program") as caught:
            tracker.look()
        self.assertEqual(caught.exception.code, vmsnap.Rc.ERR_EXECED)
        tracker.close()
        tracker, _ = self.armed()
        self.target.process.send_signal(signal.SIGKILL)
        self.target.process.wait()
        with self.assertRaises(vmsnap.VmsnapError) as caught:
            tracker.look()
        self.assertIn(caught.exception.code, (vmsnap.Rc.ERR_EXITED, vmsnap.Rc.ERR_NO_PROCESS))

    def test_two_trackers_are_refused(self):
        self.armed()
        with self.assertRaisesRegex(vmsnap.VmsnapError, "somebody else's userfaultfd"):
            capture(self.target, self.tracker())
        self.target.tell("write anon 0 64")

    def test_who_is_stopped_is_left_alone(self):
        os.kill(self.target.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.target.pid, os.WSTOPPED | os.WNOWAIT)
        with self.assertRaisesRegex(vmsnap.VmsnapError, r"kill -CONT"):
            self.tracker()
        self.assertEqual(kernel.state(self.target.pid), "T")
        os.kill(self.target.pid, signal.SIGCONT)
        self.target.tell("write anon 0 1")

    def test_a_descriptor_can_be_adopted(self):
        self.target.tell("uffd")
        number = int(self.target.lines[-1].split()[1])
        taken = ctypes.CDLL(None).syscall(438, os.pidfd_open(self.target.pid), number, 0)  # pidfd_getfd
        self.assertGreaterEqual(taken, 0)
        self.target.tell(f"close {number}")
        tracker = vmsnap.Tracker.adopt(self.target.pid, taken)
        self.addCleanup(tracker.close)
        capture(self.target, tracker)
        self.target.tell("write anon 3 4")
        self.assertEqual(said(capture(self.target, tracker), self.target, "anon"), ({3}, set()))
        with self.assertRaises(vmsnap.VmsnapError):
            vmsnap.Tracker.adopt(self.target.pid, os.open("/dev/null", os.O_RDONLY))

    def test_who_uses_userfaultfd_is_left_alone(self):
        self.target.tell("uffd")
        with self.assertRaisesRegex(vmsnap.VmsnapError, "uses userfaultfd itself"):
            self.tracker()
        self.target.tell("write anon 0 1")

    def test_who_filters_system_calls_lives(self):
        self.target.tell("seccomp")
        if kernel.capable(kernel.SYS_ADMIN):
            tracker, _ = self.armed()
            self.target.tell("write anon 3 4")
            self.assertEqual(said(capture(self.target, tracker), self.target, "anon"), ({3}, set()))
            tracker.close()
        else:
            with self.assertRaisesRegex(vmsnap.VmsnapError, "seccomp"):
                self.tracker()
        self.target.tell("write anon 0 1")
        # The filter is as it was.
        self.target.process.stdin.write(b"uffd\n")
        self.assertEqual(self.target.process.wait(), -signal.SIGSYS)

    def test_who_makes_threads_all_the_time_is_tracked(self):
        self.target.tell("threads 4")
        for _ in range(5):
            tracker, _ = self.armed()
            self.target.tell("write anon 3 4")
            self.assertEqual(said(capture(self.target, tracker), self.target, "anon"), ({3}, set()))
            tracker.close()


class SoftDirty(unittest.TestCase):
    def setUp(self):
        self.target = Target(self, "writes")
        try:
            self.tracker = vmsnap.Tracker(self.target.pid)
        except vmsnap.VmsnapError as error:
            self.assertRegex(str(error), "soft-dirty.*userfaultfd")
            skip(self, "this kernel has no soft-dirty bits")
        self.addCleanup(self.tracker.close)
        for command in ("write anon 0 64", "write shared 0 32", "write private_file 0 4", "write data 0 8"):
            self.target.tell(command)
        self.first = capture(self.target, self.tracker)

    def test_what_was_written_is_told(self):
        self.assertEqual((self.tracker.tracking, self.tracker.how), ("armed", "soft-dirty"))
        for command in ("write anon 3 5", "kernel anon 20 22", "read anon 30 40", "write private_file 1 2",
                        "read private_file 40 50", "write data 1 2", "child anon 50 52", "write shared 1 2"):
            self.target.tell(command)
        second = capture(self.target, self.tracker)
        self.assertEqual((self.tracker.tracking, second.info.known.written), ("tells", vmsnap.WrittenBy.SOFT_DIRTY))
        self.assertEqual(second.info.written_since, self.first.info.monotonic)
        for name, pages in (("anon", {3, 4, 20, 21}), ("private_file", {1}), ("data", {1}), ("shared", {1})):
            self.assertEqual(said(second, self.target, name), (pages, set()), name)
        third = capture(self.target, self.tracker)
        self.assertEqual(said(third, self.target, "anon"), (set(), set()))

    def test_another_one_goes_on_where_the_first_ended(self):
        self.tracker.close()
        self.target.tell("write anon 5 6")
        again = vmsnap.Tracker(self.target.pid, "soft-dirty")
        again.resume(self.first)
        second = capture(self.target, again)
        self.assertEqual(said(second, self.target, "anon"), ({5}, set()))
        self.assertEqual(second.info.written_since, self.first.info.monotonic)
        with self.assertRaises(vmsnap.VmsnapError):
            again.resume(vmsnap.capture(self.target.pid))

    def test_who_clears_meanwhile_is_noticed(self):
        self.target.tell("map new 10")
        self.target.tell("write new 0 1")
        kernel.clear_soft_dirty(self.target.pid)
        snapshot = capture(self.target, self.tracker)
        self.assertEqual((self.tracker.tracking, snapshot.written()), ("disturbed", None))

    def test_what_runs_is_not_cleared(self):
        self.target.tell("write anon 5 6")
        running = vmsnap.Snapshot.capture(self.target.pid, freeze=False, tracker=self.tracker)
        self.assertEqual(self.tracker.tracking, "ran")
        self.assertEqual(said(running, self.target, "anon"), ({5}, set()))
        self.target.tell("write anon 7 8")
        snapshot = capture(self.target, self.tracker)
        self.assertEqual(said(snapshot, self.target, "anon"), ({5, 7}, set()))
        self.assertEqual(snapshot.info.written_since, self.first.info.monotonic)


if __name__ == "__main__":
    main()
