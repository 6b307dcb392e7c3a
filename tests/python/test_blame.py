"""Page faults as they happen, in Python: of a program that knows what it wrote."""

import ctypes
import mmap
import os
import platform
import resource
import signal
import time
import unittest

from module import PAGE, ROOT, Target, kernel, main, skip, support, vmsnap
from vmsnap import _header, _lib


def watch(test, pid, **how):
    try:
        return vmsnap.FaultWatch([pid], **how)
    except vmsnap.VmsnapError as error:
        if error.code in (vmsnap.Rc.ERR_PERMISSION, vmsnap.Rc.ERR_NOT_FOUND):
            skip(test, f"page faults cannot be watched: {error}")
        raise


def touch():
    """64 pages, so that there are as many faults."""
    with mmap.mmap(-1, 64 * PAGE) as memory:
        for at in range(0, len(memory), PAGE):
            memory[at] = 1


def forked(body):
    """A child that does it, and ends."""
    child = os.fork()
    if not child:
        try:
            body()
        finally:
            os._exit(0)
    return child


def by_programs():
    """Whether the kernel takes programs that tell of faults."""
    return vmsnap.abilities()["bpf"].able == "yes"


def read_pages():
    """64 pages, in which the kernel has the faults."""
    with mmap.mmap(-1, 64 * PAGE) as memory, open("/dev/zero", "rb", buffering=0) as zeros:
        zeros.readinto(memory)


def open_files():
    """Of programs and libraries."""
    found = (os.readlink(f"/proc/self/fd/{each.name}") for each in os.scandir("/proc/self/fd")
             if os.path.lexists(f"/proc/self/fd/{each.name}"))
    return [name for name in found if ".so" in name or "python" in name]


class Family:
    """A process that makes a child when it is told to: that touches pages, and has ended and is gone afterwards."""

    def __init__(self, test):
        self.ask, asked = os.pipe()[::-1]
        answers, self.answer = os.pipe()
        self.pid = forked(lambda: self.serve(asked))
        os.close(asked)
        os.close(self.answer)
        self.answers = answers
        test.addCleanup(self.end)

    def serve(self, asked):
        os.close(self.ask)
        while os.read(asked, 1):
            child = forked(touch)
            os.waitpid(child, 0)
            os.write(self.answer, child.to_bytes(4, "little"))

    def child(self):
        os.write(self.ask, b"g")
        return int.from_bytes(os.read(self.answers, 4), "little")

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.ask)
        os.close(self.answers)


def stranger(test, pid):
    """Has such a number, touches pages, and is nobody's child who is watched.  None: somebody else has it by now."""
    numbers = (ctypes.c_int * 1)(pid)
    # struct clone_args: exit_signal, set_tid, set_tid_size
    asked = (ctypes.c_uint64 * 10)(0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, ctypes.addressof(numbers), 1)
    libc = ctypes.CDLL(None, use_errno=True)
    made = libc.syscall(435, ctypes.byref(asked), ctypes.sizeof(asked))  # clone3
    if made == 0:
        touch()
        os._exit(0)
    if made < 0:
        if ctypes.get_errno() == 17:  # EEXIST
            return None
        skip(test, f"no process can be given a number here: {os.strerror(ctypes.get_errno())}")
    os.waitpid(made, 0)
    return made


class Watching(unittest.TestCase):
    def look(self, **how):
        target = Target(self, "blame", "flood", 1)
        with watch(self, target.pid, **how) as faults:
            before = vmsnap.capture(target.pid)
            target.tell("go")
            faults.read()
            after = vmsnap.capture(target.pid)
            faults.stop()
            faults.read()
            lost = faults.lost
            taken = faults.take()
            self.assertEqual((lost, faults.lost), (taken.faults.lost, 0))
            taken = taken.named([before, after], vmsnap.Names(after), faults)
            blame = vmsnap.Blame([before], [after], taken, faults)
        return target, taken, blame

    def test_each_page_is_blamed_on_its_function(self):
        target, taken, blame = self.look(frames=1)
        start, end = target.ranges["flooded"]
        pages = {}
        for row in blame:
            pages.update({page: row for page in range(row.start, row.end, PAGE) if start <= page < end})
        self.assertEqual(len(pages), (end - start) // PAGE)
        self.assertEqual({row.became for row in pages.values()}, {"new"})
        for page, row in pages.items():
            (fault,) = row.faults or (None,)
            if fault is None and taken.faults.lost:
                continue
            self.assertEqual((fault.pid, fault.address // PAGE * PAGE), (target.pid, page))
            self.assertEqual(taken.faults.code(fault.ip, fault.pid).function, "write_store")
            self.assertEqual(taken.faults.code(fault.ip, fault.pid).file.rsplit("/", 1)[-1], "blame.c")
        # Where neither the processor's word is to be had (tracefs) nor instructions are decoded, nobody knows who wrote.
        told = "write_store" if platform.machine() == "x86_64" else r"write_store|\(one of several\)"
        self.assertRegex(blame.text(), told)
        self.assertIn('"schema": "vmsnap.blame/1"', blame.text(by="stack", style=vmsnap.JSON))
        target.end()

    def became(self, *arguments):
        """{range: {(what became of a page, by which functions)}} of a program that knows, but for pages of which faults
        were lost; and the entries of its pages before."""
        target = Target(self, "became", *arguments)
        with watch(self, target.pid, frames=1) as faults:
            before, entries = vmsnap.capture(target.pid), kernel.entries(target.pid, target.ranges.values())
            target.tell("go")
            faults.read()
            after = vmsnap.capture(target.pid)
            faults.stop()
            taken = faults.take().named([before, after], vmsnap.Names(after), faults)
            rows = [row for row in vmsnap.Blame([before], [after], taken, faults) if not row.doubtful]
        found = {}
        for name, (start, end) in target.ranges.items():
            told = ((page, row) for row in rows for page in range(row.start, row.end, PAGE) if start <= page < end)
            found[name] = {page: (row.became, *sorted({taken.faults.code(fault.ip, fault.pid).function for fault in row.faults}))
                           for page, row in told}
        target.end()
        if taken.faults.lost:
            skip(self, "records were lost: too much else is done")
        if not taken.faults.flags & vmsnap.FaultsFlag.KINDS:
            skip(self, "the kernel does not tell what each access was")
        return found, entries

    def test_what_became_of_pages(self):
        if not kernel.shows_frames():
            skip(self, "frames are not shown")
        found, _ = self.became()
        functions = {"new": "makes_new", "filled": "fills", "privatised": "privatises", "copied": "copies", "replaced": "replaces"}
        for name, function in functions.items():
            with self.subTest(name):
                self.assertEqual((len(found[name]), set(found[name].values())), (32, {(name, function)}))
        self.assertEqual(list(found["mapped"].values())[:1], [("mapped", "maps")])
        self.assertLessEqual(set(found["mapped"].values()), {("mapped", "maps"), ("mapped",)})

    def test_what_came_back_from_swap(self):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        found, entries = self.became("swap")
        for name, function in ("swapped_in", "swaps_in"), ("swapped_in_written", "writes_swapped"):
            with self.subTest(name):
                swapped = {page: told for page, told in found[name].items() if entries[page] & kernel.SWAPPED}
                self.assertGreater(len(swapped), 16)
                # Its neighbours come back with a page, into the page tables only as they are touched.
                self.assertEqual(set(swapped.values()), {("swapped_in", function)})

    def test_call_chains(self):
        target, taken, _ = self.look()
        stacks = [fault.stack for fault in taken.faults if fault.stack and fault.pid == target.pid]
        self.assertTrue(stacks)
        self.assertTrue(all(fault.stack[0] == fault.ip for fault in taken.faults if fault.stack))
        target.end()

    def test_each_snapshot_has_those_since_the_one_before(self):
        target, shares = Target(self, "blame", "flood", 1), vmsnap.FaultShares()
        with watch(self, target.pid, children=False) as faults:
            faults.add(target.pid)  # twice is once
            before, after = vmsnap.capture(target.pid), None
            shares.add(faults.take())
            shares.give([before])
            target.tell("go")
            after = vmsnap.capture(target.pid)
            shares.add(faults.take())
            shares.give([after])
        self.assertIsNone(before.faults)
        self.assertEqual(after.faults.begin, before.info.monotonic)
        self.assertGreaterEqual(len(after.faults) + (after.faults.lost or 0), 1)
        self.assertTrue(all(before.info.monotonic < fault.time <= after.info.monotonic for fault in after.faults))
        target.end()

    def test_whoever_begins_to_watch_can_change_their_mind(self):
        target, asked, handle = Target(self, "blame", "flood", 1), [], ctypes.c_void_p()
        watch(self, target.pid).close()
        options = _lib.struct(_header.FaultWatchOptions)
        kind = type(options.cancelled)
        options.cancelled = kind(lambda _: asked.append(1) or True)
        with self.assertRaises(vmsnap.VmsnapError) as caught:
            _lib.lib().vmsnap_fault_watch_open((ctypes.c_int * 1)(target.pid), 1, ctypes.byref(options),
                                               ctypes.byref(handle))
        self.assertEqual((caught.exception.code, asked, handle.value), (vmsnap.Rc.ERR_CANCELLED, [1], None))
        target.end()

    def seen_of_child_and_stranger(self, **how):
        """How many faults were told of a child, and then of somebody who is given its number."""
        for _ in range(50):
            family = Family(self)
            with watch(self, family.pid, **how) as faults:
                child = family.child()
                first = faults.take().faults
                made = stranger(self, child)
                second = faults.take().faults
            if made and first.lost == second.lost == 0:
                return [sum(fault.pid == child for fault in taken) for taken in (first, second)]
        skip(self, "somebody else has taken the number, or some were lost, each time")

    def test_who_is_given_the_number_of_a_child_is_somebody_else(self):
        for frames in 1, 0:  # by programs in the kernel, where it takes them, and by events of each thread
            with self.subTest(frames=frames):
                child, other = self.seen_of_child_and_stranger(frames=frames)
                self.assertGreaterEqual(child, 64)
                self.assertEqual(other, 0)

    def test_children_only_if_they_are_asked_for(self):
        for frames in 1, 0:
            with self.subTest(frames=frames):
                family = Family(self)
                with watch(self, family.pid, frames=frames, children=False) as faults:
                    child = family.child()
                    taken = faults.take().faults
                if taken.flags & _header.FaultsFlag.CHILDREN:
                    skip(self, "the kernel tells of children nevertheless: it is older than 5.13")
                self.assertEqual(sum(fault.pid == child for fault in taken), 0)

    def test_files_of_who_has_ended_are_closed(self):
        asked, ask = os.pipe()
        answers, answer = os.pipe()
        child = forked(lambda: (os.read(asked, 1), read_pages(), os.write(answer, b"r"), os.read(asked, 1)))
        before = sorted(open_files())
        with watch(self, child) as faults:
            os.write(ask, b"g")
            os.read(answers, 1)
            faults.read()
            there = sorted(open_files())
            os.write(ask, b"g")
            os.waitpid(child, 0)
            faults.read()  # tells of its end
            faults.read()
            after = sorted(open_files())
        for each in asked, ask, answers, answer:
            os.close(each)
        if there == before:
            skip(self, "nobody is told who called the kernel here: no file is opened for that")
        self.assertEqual(after, before)

    def test_instructions_are_known_after_the_main_thread_has_ended(self):
        """By a user, whom the kernel does not tell reads from writes: the process has no memory under its number then."""
        user = support.NOBODY if ROOT else support.me()
        target = Target(self, "blame", "leaderless", user=user)
        start, _ = target.ranges["written"]
        answers, answer = os.pipe()

        def watch_as_user():
            if ROOT:
                os.setgroups([])
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
            try:
                faults = vmsnap.FaultWatch([target.pid])
            except vmsnap.VmsnapError as error:
                os.write(answer, f"cannot {error}".encode())
                return
            target.tell("write")
            faults.read()
            target.process.stdin.write(b"end\n")
            while kernel.state(target.pid) != "Z":
                time.sleep(0.001)
            faults.read()  # tells of its end
            faults.read()
            target.wait()
            target.tell("write")
            kinds = {fault.address // PAGE * PAGE: fault.kind for fault in faults.take().faults}
            os.write(answer, f"{kinds.get(start)} {kinds.get(start + PAGE)}".encode())

        child = forked(watch_as_user)
        os.close(answer)
        said = os.read(answers, 4096).decode()
        os.close(answers)
        os.waitpid(child, 0)
        if said.startswith("cannot"):
            skip(self, said)
        before, after = said.split(" ")
        self.assertNotEqual(before, "None")
        self.assertEqual(after, before)

    def test_programs_in_the_kernel_are_done_without_where_descriptors_are_too_few(self):
        """Of as few as it takes at the least, and of more."""
        target = Target(self, "blame", "flood", 1)
        with watch(self, target.pid, frames=1) as faults:
            self.assertIsNone(faults.remark)
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        remarks = []
        for limit in range(8, 1000, 3):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
            try:
                with vmsnap.FaultWatch([target.pid], frames=1) as faults:
                    remarks.append(faults.remark)
            except vmsnap.VmsnapError:
                self.assertEqual(remarks, [])
                continue
            if remarks[-1] is None:
                break
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        self.assertIsNone(remarks.pop())
        if by_programs():
            self.assertIn("descriptors are not enough for programs in the kernel", remarks[0])
        self.assertEqual(len(set(remarks)), int(by_programs()))
        target.end()

    def test_words_that_mean_nothing(self):
        with self.assertRaises(vmsnap.VmsnapError):
            vmsnap.FaultWatch([2 ** 22 - 1])
        with self.assertRaises(vmsnap.VmsnapError):
            vmsnap.FaultWatch([1], frames=1000)


if __name__ == "__main__":
    main()
