"""Whose memory it is: one address space of several processes, other programs, other processes of
one number; and several processes at one instant."""

import ctypes
import os
import signal
import unittest

import kernel
import support
from support import Target, ask, capture, each_user, process_is, run, skip

PTRACE_SEIZE = 0x4206
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class _Filter(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("yes", ctypes.c_ubyte), ("no", ctypes.c_ubyte), ("k", ctypes.c_uint)]


class _Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("filters", ctypes.POINTER(_Filter))]


def without_kcmp():
    """For preexec_fn: kcmp(2) fails with EPERM, as in many containers."""
    load, equal, give = 0x20, 0x15, 0x06
    filters = (_Filter * 4)((load, 0, 0, 0), (equal, 0, 1, kernel.KCMP), (give, 0, 0, 0x50001),
                            (give, 0, 0, 0x7FFF0000))
    program = _Program(4, filters)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
        os._exit(77)


def not_randomised():
    """For preexec_fn: what is executed then lies where it always does."""
    libc.personality(0x0040000)


def need_kcmp(test):
    if not kernel.one_memory(os.getpid(), os.getpid()):
        skip(test, "the kernel does not tell whether two processes have one address space (kcmp)")


class Kin(unittest.TestCase):
    def kin(self, kind, user, **how):
        """(target, its child)"""
        target = Target(self, "kin", kind, user=user, **how)
        child = int(target.lines[0].split()[1])
        self.addCleanup(self.end, child)
        return target, child

    @staticmethod
    def end(pid):
        for call in (lambda: os.kill(pid, signal.SIGKILL), lambda: os.waitpid(pid, 0)):
            try:
                call()
            except OSError:
                pass

    def shot(self, path):
        return ask(self, "show", path)["snapshot"]


class OneAddressSpace(Kin):
    @each_user
    def test_cow_says_so_and_compares_nothing(self, user):
        target, child = self.kin("clone_vm", user)
        told = ask(self, "cow", target.pid, child, user=user)
        self.assertEqual(told["not_compared"], "one_address_space")
        self.assertEqual(told["ranges"], [])
        self.assertEqual(set(told["totals"].values()), {None})
        self.assertIn("one address space", told["warning"])
        text = run("cow", target.pid, child, user=user).out.decode()
        self.assertIn("one address space", text)
        for word in ("copied_by", "shared", "pages"):
            self.assertNotIn(word, text)
        target.end()

    @each_user
    def test_diff_of_one_instant_compares_nothing(self, user):
        target, child = self.kin("clone_vm", user)
        told = ask(self, "diff", target.pid, child, user=user, status=(0, 1))
        self.assertEqual(told["not_compared"], "one_address_space")
        self.assertEqual((told["pages"], told["vmas"]), ([], []))
        self.assertIsNone(told["totals"]["appeared"])
        self.assertIn(b"one address space", run("diff", target.pid, child, user=user).out)
        target.end()

    @each_user
    def test_cow_of_two_captures_says_so_too(self, user):
        need_kcmp(self)
        target, child = self.kin("clone_vm", user)
        parent, other = capture(self, target.pid, user=user), capture(self, child, user=user)
        self.assertEqual(ask(self, "cow", parent, other)["not_compared"], "one_address_space")
        # But one memory at two times can be compared.
        self.assertIsNone(ask(self, "diff", parent, other, status=(0, 1))["not_compared"])
        target.end()

    @each_user
    def test_snapshot_tells_who_else_has_its_memory(self, user):
        need_kcmp(self)
        for kind in ("clone_vm", "orphan", "sibling"):
            with self.subTest(kind=kind):
                target, child = self.kin(kind, user)
                path = capture(self, target.pid, user=user)
                self.assertEqual(self.shot(path)["memory_with"], [child])
                self.assertIn(f"one address space with process {child}\n", run("show", path).out.decode())
                both = capture(self, child, target.pid, user=user)
                self.assertEqual(self.shot(f"{both}@1")["memory_with"], [target.pid])
                # An orphan's maker has ended, and nothing leads from it to the others.
                alone = self.shot(capture(self, child, user=user))
                self.assertEqual((alone["memory_with"], alone["freeze"]), ([target.pid], "full"))
                target.end()

    @each_user
    def test_of_an_ordinary_fork_nobody_else_has_it(self, user):
        need_kcmp(self)
        target, child = self.kin("fork", user)
        path = capture(self, target.pid, "--tree", user=user)
        self.assertEqual([self.shot(f"{path}@{n}")["memory_with"] for n in (1, 2)], [[], []])
        told = ask(self, "cow", path)
        self.assertIsNone(told["not_compared"])
        self.assertGreater(told["totals"]["shared"], 15)
        target.end()

    @each_user
    def test_tree_counts_it_once(self, user):
        target, child = self.kin("clone_vm", user)
        alone = run("capture", target.pid, "-o", "-", user=user).err
        result = run("capture", target.pid, "--tree", "-o", "-", user=user).err
        mappings = [line.split(" mappings")[0].split()[-1] for line in (alone, result)]
        self.assertEqual(mappings[0], mappings[1], result)
        self.assertIn("2 processes", result)
        self.assertIn(f"process {target.pid} has one address space with process {child}", result)
        target.end()

    @each_user
    def test_memory_that_another_process_writes_to_is_of_one_instant(self, user):
        target = Target(self, "instant", "memory", user=user)
        target.process.stdin.write(b"go\n")
        target.wait()
        paths = [capture(self, target.pid, user=user) for _ in range(6)]
        for path in paths:
            first, second = (self.count(path, target.ranges[name]) for name in ("first", "second"))
            self.assertIn(first - second, (0, 1))
            self.assertTrue(self.shot(path)["consistent"])
        self.assertGreater(second, 0)
        target.end()

    def count(self, path, area):
        return sum(area[0] <= at < area[1] for at in support.pages(self, path, f"{area[0]:x}-{area[1]:x}"))

    def test_memory_of_one_that_cannot_be_stopped_is_not_of_one_instant(self):
        """We trace the child and let it run."""
        need_kcmp(self)
        target, child = self.kin("clone_vm", support.me())
        self.assertEqual(libc.ptrace(PTRACE_SEIZE, child, None, None), 0)
        path = capture(self, target.pid)
        told = self.shot(path)
        self.assertEqual((told["consistent"], told["freeze"]), (False, "partial"))
        self.assertIn(b"INCONSISTENT", run("show", path).out)
        self.assertFalse(any(thread["missed"] for thread in ask(self, "show", path)["threads"]))
        target.end()

    @each_user
    def test_where_the_kernel_does_not_tell_it_is_told_by_maps_and_frames(self, user):
        need_kcmp(self)
        target, child = self.kin("clone_vm", user)
        told = ask(self, "cow", target.pid, child, user=user, preexec_fn=without_kcmp)
        self.assertIsNone(told["parent"]["memory_with"])
        if support.sees_frames(user):
            self.assertEqual(told["not_compared"], "one_address_space")
        else:
            self.assertIsNone(told["not_compared"])
            self.assertIn("they may have one address space", told["warning"])
        target.end()

    @each_user
    def test_where_the_kernel_does_not_tell_a_fork_is_compared(self, user):
        need_kcmp(self)
        target, child = self.kin("fork", user)
        told = ask(self, "cow", target.pid, child, user=user, preexec_fn=without_kcmp)
        self.assertIsNone(told["not_compared"])
        self.assertGreater(told["totals"]["shared"], 15)
        target.end()

    @each_user
    def test_where_the_kernel_does_not_tell_all_that_look_alike_stand(self, user):
        need_kcmp(self)
        target = Target(self, "instant", "memory", user=user)
        target.process.stdin.write(b"go\n")
        target.wait()
        for n in range(4):
            path = os.path.join(support.world().home(user), f"alike{n}.vms")
            result = run("capture", target.pid, "-o", path, user=user, preexec_fn=without_kcmp)
            self.assertEqual(result.status, 0, result)
            first, second = (self.count(path, target.ranges[name]) for name in ("first", "second"))
            self.assertIn(first - second, (0, 1))
        target.end()

    def check_words_of_a_parent_that_waits(self, target, user):
        """It cannot be stopped, and stands all the same, as its child does: all that tells of it says the same."""
        path = os.path.join(support.world().home(user), "waits.vms")
        said = run("capture", target.pid, "-o", path, user=user).err
        self.assertRegex(said, r"(?m)on disk, not paused$")
        self.assertNotIn("could not be stopped", said)
        self.assertNotIn("its pages may not be of one instant", said)
        shot = self.shot(path)
        self.assertEqual([shot[key] for key in ("freeze", "instant", "pause_us")], ["full", True, None])
        self.assertRegex(run("show", path, user=user).out.decode(),
                         r"instant +not paused: it waited in the kernel for another process of its memory\n")
        listed = run("list", path, "-r", "-n", "-o", "FREEZE,INSTANT,PAUSE", user=user).out
        self.assertEqual(listed, b"full yes -\n")

    @each_user
    def test_vfork_child_and_the_parent_that_waits_for_it(self, user):
        target = Target(self, "processes", "vfork", user=user)
        self.assertTrue(process_is(target.pid, "D"))
        path = capture(self, target.pid, "--tree", user=user)
        parent, child = (self.shot(f"{path}@{n}") for n in (1, 2))
        self.assertEqual(ask(self, "cow", path)["not_compared"], "one_address_space")
        # Who waits in the kernel runs in no memory.
        self.assertEqual((child["consistent"], child["freeze"]), (True, "full"))
        # And of one memory the words are the same.
        self.assertEqual((parent["instant"], child["instant"]), (True, True))
        listed = run("list", path, "-r", "-n", "-o", "INSTANT", user=user).out
        self.assertEqual(listed, b"yes\nyes\n")
        self.assertEqual(self.shot(capture(self, child["pid"], user=user))["consistent"], True)
        self.assertEqual(kernel.state(target.pid), "D")
        self.check_words_of_a_parent_that_waits(target, user)
        target.process.stdin.write(b"x\n")
        target.wait()
        self.end(child["pid"])
        target.end()


class OtherPrograms(Kin):
    @each_user
    def test_child_that_executed_a_program_is_not_compared(self, user):
        target, child = self.kin("exec", user)
        for word in (("cow", target.pid, child), ("cow", capture(self, target.pid, "--tree", user=user))):
            told = ask(self, *word, user=user)
            self.assertEqual(told["not_compared"], "another_program")
            self.assertEqual(told["ranges"], [])
            self.assertIn("another program since: not comparable page by page", told["warning"])
        target.end()

    @each_user
    def test_without_randomised_addresses_it_is_told_too(self, user):
        """Then all places of a program are the same again, as gdb has it."""
        target, child = self.kin("exec", user, preexec_fn=not_randomised)
        forked, not_executed = self.kin("fork", user, preexec_fn=not_randomised)
        both = capture(self, target.pid, "--tree", user=user)
        one, other = (self.shot(f"{both}@pid:{pid}") for pid in (target.pid, child))
        if [one[key] for key in ("start_code", "start_stack")] != [other[key] for key in ("start_code", "start_stack")]:
            skip(self, "addresses are randomised here all the same (personality)")
        self.assertEqual([one["executed"], other["executed"]], [True, True])
        told = ask(self, "cow", both)
        self.assertEqual((told["not_compared"], told["ranges"]), ("another_program", []))
        self.assertIn("another program since: not comparable page by page", told["warning"])
        of_fork = capture(self, forked.pid, "--tree", user=user)
        self.assertEqual([self.shot(f"{of_fork}@pid:{pid}")["executed"] for pid in (forked.pid, not_executed)], [True, False])
        self.assertIsNone(ask(self, "cow", of_fork)["not_compared"])
        forked.end()
        target.end()

    @each_user
    def test_of_trees_those_that_executed_are_told_and_marked(self, user):
        target, child = self.kin("exec", user)
        waits = Target(self, "processes", "vfork", user=user)
        self.assertTrue(process_is(waits.pid, "D"))
        path = os.path.join(support.world().home(user), "several.vms")
        self.assertEqual(run("capture", target.pid, waits.pid, "--tree", "-o", path, user=user).status, 0)
        told = {one["pid"]: one for one in ask(self, "cow", path)["processes"]}
        vforked = next(pid for pid, one in told.items() if one["parent"] == waits.pid)
        self.assertEqual({pid: one["not_compared"] for pid, one in told.items()},
                         {target.pid: None, child: "another_program", waits.pid: None, vforked: "one_address_space"})
        self.assertIn(f"process {child} has executed another program since", told[child]["warning"])
        text = " ".join(run("cow", path).out.decode().split())
        self.assertIn(f"1 of the forks is not compared (another program since): process {child} of parent {target.pid}", text)
        self.assertRegex(text, rf" {child} {target.pid} \S+ (\S+ (ms|s) )?another_program ")
        target.tell("exec")
        after = os.path.join(support.world().home(user), "after.vms")
        self.assertEqual(run("capture", target.pid, waits.pid, "--tree", "-o", after, user=user).status, 0)
        found = {one["pid"]: one for one in ask(self, "diff", path, after, status=(1,))["processes"]}
        self.assertEqual([found[target.pid][key] for key in ("not_compared", "new", "gone")], ["another_program", None, None])
        self.assertIsNone(found[waits.pid]["not_compared"])
        self.assertIn("1 not compared page by page", " ".join(run("diff", path, after).out.decode().split()))
        waits.process.stdin.write(b"x\n")
        waits.wait()
        self.end(vforked)
        waits.end()
        target.end()

    @each_user
    def test_diff_across_an_exec_lists_mappings_only(self, user):
        target, _ = self.kin("exec", user)
        before = capture(self, target.pid, user=user)
        target.tell("exec")
        after = capture(self, target.pid, user=user)
        told = ask(self, "diff", before, after, status=(1,))
        self.assertEqual((told["not_compared"], told["pages"]), ("another_program", []))
        self.assertIsNone(told["totals"]["pfn_changed"])
        self.assertEqual({row["change"] for row in told["vmas"]} & {"moved", "possibly_moved", "possibly_replaced"},
                         set())
        self.assertIn(b"another program since; not comparable page by page", run("diff", before, after).out)
        self.assertIn(b"another program since", run("map", before, after).out)
        target.end()

    def test_two_processes_without_relation_are_called_that(self):
        one, other = (Target(self, "pages", "anonymous") for _ in range(2))
        words = b"! two processes without relation"
        for command in ("diff", "map"):
            said = run(command, one.pid, other.pid).out
            self.assertIn(words, said)
            self.assertNotIn(b"another program since", said)
        warning = ask(self, "cow", one.pid, other.pid)["warning"]
        self.assertIn("two processes without relation: not comparable page by page", warning)
        self.assertNotIn("has executed another program", warning)

    def test_of_two_times_it_is_told_if_the_first_is_the_later(self):
        target = Target(self, "pages", "anonymous")
        before, after = (capture(self, target.pid) for _ in range(2))
        for command in ("diff", "map"):
            self.assertIn(b"A is the later one", run(command, after, before).out)
            self.assertNotIn(b"A is the later one", run(command, before, after).out)
        self.assertNotIn(b"A is the later one", run("diff", after, before, "-n").out)

    @each_user
    def test_cow_of_one_process_is_an_error(self, user):
        target = Target(self, "pages", "anonymous", user=user)
        one = capture(self, target.pid, user=user)
        for words in ((target.pid, target.pid), (one, one)):
            result = run("cow", *words, user=user)
            self.assertEqual((result.status, result.out), (2, b""), words)
            self.assertIn(f"both are process {target.pid}, and a parent needs a child", result.err)

    @each_user
    def test_one_program_is_compared(self, user):
        target, _ = self.kin("clone_vm", user)
        before = capture(self, target.pid, user=user)
        target.tell("go on")
        self.assertIsNone(ask(self, "diff", before, capture(self, target.pid, user=user), status=(0, 1))["not_compared"])
        target.end()


class OneInstant(Kin):
    @each_user
    def test_unrelated_processes(self, user):
        one, other = (Target(self, "pages", "anonymous", user=user) for _ in range(2))
        path = capture(self, one.pid, other.pid, user=user)
        shots = [self.shot(f"{path}@{n}") for n in (1, 2)]
        self.assertEqual([shot["pid"] for shot in shots], [one.pid, other.pid])
        self.assertEqual(len({shot["taken"] for shot in shots}), 1)
        self.assertEqual({shot["pause_us"] for shot in shots}, {shots[0]["pause_us"]})
        self.assertEqual({shot["freeze"] for shot in shots}, {"full"})

    @each_user
    def test_two_that_write_in_turn(self, user):
        target = Target(self, "instant", "processes", user=user)
        target.process.stdin.write(b"go\n")
        target.wait()
        child = kernel.children(target.pid)[0]
        for _ in range(4):
            path = capture(self, child, target.pid, user=user)
            first, second = (sum(area[0] <= at < area[1] for at in support.pages(self, f"{path}@{n}", f"{area[0]:x}-{area[1]:x}"))
                             for n, area in ((2, target.ranges["first"]), (1, target.ranges["second"])))
            self.assertIn(first - second, (0, 1))
        target.end()

    @each_user
    def test_each_command_of_two_live_processes(self, user):
        target, child = self.kin("fork", user)
        for command in ("cow", "diff", "map"):
            told = ask(self, command, target.pid, child, user=user, status=(0, 1))
            sides = [told[key] for key in (("parent", "child") if command == "cow" else ("a", "b"))]
            self.assertEqual(sides[0]["taken"], sides[1]["taken"], command)
        told = ask(self, "cow", target.pid, child, "--base", target.pid, user=user)
        self.assertEqual(told["base"]["taken"], told["child"]["taken"])
        target.end()

    def test_one_that_is_gone_spoils_all(self):
        target = Target(self, "pages", "anonymous")
        path = os.path.join(support.world().home(support.me()), "none.vms")
        result = run("capture", target.pid, 2**22 + 12345, "-o", path)
        self.assertEqual(result.status, 2, result)
        self.assertFalse(os.path.exists(path))

    def test_one_named_twice_is_taken_once(self):
        target = Target(self, "pages", "anonymous")
        path = capture(self, target.pid, f"pid:{target.pid}")
        self.assertEqual(len(ask(self, "list", path)["snapshots"]), 1)
        self.assertEqual(ask(self, "diff", target.pid, target.pid)["pages"], [])


if __name__ == "__main__":
    support.main()
