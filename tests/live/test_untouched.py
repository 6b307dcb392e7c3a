"""A snapshot looks but does not touch; and a vmsnap that is killed leaves nothing."""

import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import blaming
import kernel
import support
from support import Target, become, each_user, process_is, run, skip, world


def appearance(pid):
    """All that can be seen of a process's memory from outside."""
    vmas = kernel.maps(pid)
    found = kernel.entries(pid, [(vma.start, vma.end) for vma in vmas])
    status = kernel.status(pid)
    faults = kernel.read(f"/proc/{pid}/stat").rpartition(b") ")[2].split()
    return {"maps": vmas, "pagemap": found,
            "smaps": [(start, end, {key: size for key, size in keys.items() if key not in ("Referenced", "Pss", "Pss_Dirty")
                                    and not key.startswith(("Shared_", "Private_"))})
                      for start, end, keys in kernel.smaps(pid)],
            "status": {key: value for key, value in status.items()
                       if key.startswith(("Vm", "Rss", "Hugetlb", "Threads", "SigPnd", "SigBlk", "ShdPnd", "State", "Tracer"))},
            "faults": {"minor": faults[7], "major": faults[9]}}


class Untouched(unittest.TestCase):
    maxDiff = 3000

    def check(self, *argv, user, options=()):
        target = Target(self, *argv, user=user)
        before = appearance(target.pid)
        handle, path = tempfile.mkstemp(suffix=".vms", dir=world().home(user))
        os.close(handle)
        os.unlink(path)
        for arguments in (("capture", target.pid, "-o", path, *options), ("show", target.pid), ("pages", target.pid),
                          ("map", target.pid), ("status", target.pid),
                          ("page", target.pid, f"{before['maps'][0].start:x}"), ("diff", f"{path}@pid:{target.pid}", target.pid)):
            result = run(*arguments, user=user)
            self.assertIn(result.status, (0, 1), (arguments, result))
            self.assertTrue(process_is(target.pid, "S"))
            after = appearance(target.pid)
            for key, value in before.items():
                if value != after[key]:
                    old, new = (dict(enumerate(x)) if isinstance(x, list) else x for x in (value, after[key]))
                    changed = [(at, old.get(at), new.get(at)) for at in sorted(old.keys() | new.keys())
                               if old.get(at) != new.get(at)][:3]
                    self.fail(f"{arguments[0]} changed {key}: {changed}")
        target.end()

    KINDS = ("anonymous", "zero", "thp", "huge_zero", "guard", "memfd", "sysv", "file", "prot_none", "uffd_wp")

    @each_user
    def test_no_page_appears_or_changes(self, user):
        kinds = support.made_here(self.KINDS, user)
        for options in ((), ("--smaps",), ("--no-freeze",)):
            self.check("pages", *kinds, user=user, options=options)

    @each_user
    def test_arguments_that_are_swapped_out_stay_there(self, user):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        target = Target(self, "processes", "argument", "a" * 40000, user=user)
        area = target.ranges["argument"]
        slots = [entry for entry in kernel.entries(target.pid, [area]).values() if entry & kernel.SWAPPED]
        if len(slots) < 4:
            skip(self, "the arguments could not be swapped out")
        target.end()
        self.check("processes", "argument", "a" * 40000, user=user)

    @each_user
    def test_swapped_pages_stay_there(self, user):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        self.check("pages", *support.made_here(("swap", "uffd_wp_swap"), user), user=user)


SOURCES = os.environ.get("VMSNAP_SOURCE", ".")
# What depends on who else maps a page, and what merely reading a page changes.
NOT_ITS_OWN = ("Pss", "Shared_", "Private_", "Referenced", "nonvoluntary_ctxt", "voluntary_ctxt", "SigQ")


def build(test, source, *flags):
    """A program of its own, made as the flags say."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    program = os.path.join(world().folder, os.path.basename(source)[:-2] + "".join(flags))
    if not os.path.exists(program) and (not compiler or subprocess.run(
            [compiler, *flags, "-O1", "-pthread", "-o", program, os.path.join(SOURCES, "tests", source)],
            stderr=subprocess.DEVNULL).returncode):
        skip(test, f"no compiler here makes {' '.join(flags)} programs")
    return program


def look(test, user, *pids):
    """{what: lines} of processes, as a program sees them that shares nothing with anybody, not even libc."""
    observer = build(test, "live/observe.c", "-static")
    lines = subprocess.run([observer, *map(str, pids)], stdout=subprocess.PIPE, check=True, **become(user)).stdout
    found, mapping = {}, b""
    for line in lines.split(b"\n")[:-1]:
        what, _, rest = line.partition(b" ")
        if what == b"map":
            mapping = rest
        if what == b"page":
            address, entry = (int(word, 16) for word in rest.split())
            # Whoever maps libc as well takes the bit away, and gives it back.
            found[b"page", address] = (hex(entry & ~kernel.EXCLUSIVE if entry & kernel.FILE else entry), mapping)
        elif not rest.startswith(tuple(key.encode() for key in NOT_ITS_OWN)):
            found.setdefault((what, rest.partition(b":")[0] if what in (b"rollup", b"status") else b""), []
                             ).append(rest)
    return found


class Observed(unittest.TestCase):
    """As a program sees it that shares nothing with anybody, not even libc."""

    def check(self, user, make, states="S", children=False):
        """Nothing that vmsnap can be asked of a live process leaves a trace.  Others may: who reads the kernel's
        cmdline (ps does), or has it move pages.  So it is vmsnap that does only if it does each time.  The process,
        which make() makes, is returned."""
        for _ in range(3):
            target = make()
            listed = kernel.read(f"/proc/{target.pid}/task/{target.pid}/children") if children else b""
            pids = [int(pid) for pid in listed.split()]
            self.assertEqual(len(pids), 2 if children else 0)
            changed = self.changed(user, target, states, pids)
            if not changed:
                return target
            target.end()
        self.fail(changed)

    def changed(self, user, target, states, pids):
        """What of it has, with the command; () if nothing has."""
        path = os.path.join(world().home(user), f"observed-{target.pid}.vms")
        first = kernel.maps(target.pid)[0].start
        commands = [("capture", target.pid, "-o", path), ("capture", target.pid, "--append", "-o", path, "--smaps"),
                    ("capture", target.pid, "--append", "-o", path, "--no-freeze"),
                    ("capture", target.pid, "--append", "-o", path, "--contents", "--kpage"),
                    ("capture", target.pid, "--append", "-o", path, "--tree"),
                    ("show", target.pid, "--json"), ("pages", target.pid), ("map", target.pid),
                    ("status", target.pid), ("page", target.pid, f"{first:x}"), ("diff", f"{path}@pid:{target.pid}", target.pid),
                    ("cow", f"{path}@pid:{target.pid}", target.pid), ("show", "--no-freeze", target.pid)]
        for arguments in commands:
            before = look(self, user, target.pid, *pids)
            result = run(*arguments, user=user)
            self.assertIn(result.status, (0, 1), (arguments, result))
            self.assertTrue(process_is(target.pid, states))
            after = look(self, user, target.pid, *pids)
            changed = [(key, before.get(key), after.get(key)) for key in {**before, **after}
                       if before.get(key) != after.get(key)]
            if changed:
                return arguments, changed[:3]
        os.unlink(path)
        return ()

    ZOO = ("anonymous", "zero", "given_back", "threads", "memfd", "sysv", "file", "prot_none", "named")
    RARE = ("guard", "uffd_wp", "uffd_missing", "ksm", "thp", "thp_split", "thp_shared", "huge_zero", "hugetlb")

    @each_user
    def test_pages_of_every_kind(self, user):
        self.check(user, lambda: Target(self, "pages", *self.ZOO, user=user)).end()

    def each_kind(self, kinds):
        """Each by itself, for a machine may lack it."""
        for kind in kinds:
            for user in support.users():
                with self.subTest(kind=kind, user=support.user_name(user)):
                    self.check(user, lambda: Target(self, "pages", kind, user=user)).end()

    def test_pages_of_rare_kinds(self):
        self.each_kind(self.RARE)

    def test_pages_in_swap(self):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        self.each_kind(("swap", "uffd_wp_swap", "swap_code"))

    @each_user
    def test_32_bits(self, user):
        program = build(self, "targets/pages.c", "-m32")
        try:
            subprocess.run([program], stdout=subprocess.DEVNULL, check=True)
        except (OSError, subprocess.CalledProcessError):
            skip(self, "this kernel runs no 32-bit programs")
        kinds = ("anonymous", "zero", "file", "given_back")
        self.check(user, lambda: Target(self, "pages", *kinds, user=user, executable=program)).end()

    @each_user
    def test_a_statically_linked_program(self, user):
        program = build(self, "targets/pages.c", "-static")
        self.check(user, lambda: Target(self, "pages", "anonymous", user=user, executable=program)).end()

    @each_user
    def test_a_python(self, user):
        script = "import sys; print('ready', flush=True); sys.stdin.read()"
        words = ("python", "-I", "-S", "-c", script)
        self.check(user, lambda: Target(self, *words, user=user, executable="/usr/bin/python3")).end()

    @each_user
    def test_a_parent_that_waits_for_its_vfork_child(self, user):
        def make():
            target = Target(self, "processes", "vfork", user=user)
            self.assertTrue(process_is(target.pid, "D"))
            return target
        self.check(user, make, "D").end()

    @each_user
    def test_a_tree(self, user):
        self.check(user, lambda: Target(self, "pages", "forked", "shared", user=user), children=True).end()

    def arguments(self, how, user):
        """Those that vmsnap tells, and then the kernel, which may touch pages for them."""
        target = self.check(user, lambda: Target(self, "title", how, user=user))
        told = support.ask(self, "show", target.pid, user=user)["snapshot"]["cmdline"]
        in_time = support.ask(self, "show", "--no-freeze", target.pid, user=user)["snapshot"]["cmdline"]
        self.assertEqual(told, in_time)
        kernels = kernel.read(f"/proc/{target.pid}/cmdline")
        target.end()
        return told, kernels

    @each_user
    def test_arguments_are_told_as_the_kernel_tells_them(self, user):
        for how in ("absent", "uffd", "within", "ordinary", "grown", "alone", "below"):
            with self.subTest(how=how):
                told, kernels = self.arguments(how, user)
                self.assertEqual(b"\0".join(word.encode() for word in told), kernels.removesuffix(b"\0"))

    @each_user
    def test_arguments_that_go_on_in_swap_are_not_known(self, user):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        self.assertIsNone(self.arguments("swapped", user)[0])

    @each_user
    def test_arguments_in_a_file_are_not_read(self, user):
        self.assertIsNone(self.arguments("file", user)[0])


class Watched(unittest.TestCase):
    """What page faults are blamed on is in no page that was not there."""

    def files_pages(self, user, how):
        """{(file, page of it)} that a program has that does something while it is watched, or, how None, just does it."""
        target = Target(self, "setarch", "-R", os.path.join(world().targets, "calls"), "dropped", user=user,
                        executable=shutil.which("setarch"))
        if how is None:
            target.tell("go")
        else:
            result = blaming.blame(target, *how, "--json", user=user)
            if result.status == 2 and "page faults" in result.err:
                skip(self, "the kernel does not let page faults be watched (perf_event_open)")
            self.assertEqual(result.status, 0, result)
            document = json.loads(result.out)
            if "kernel" in document["watched"] and platform.machine() == "x86_64":
                self.assertIn("call_fread", [row["function"] for row in document["rows"]])
        found = {key[1] for key, value in look(self, user, target.pid).items()
                 if key[0] == b"page" and b"/" in value[1] and b"w" not in value[1].split(b" ")[1]}
        target.end()
        return found

    @each_user
    def test_unwind_tables_and_instructions_are_not_fetched(self, user):
        if not shutil.which("setarch"):
            skip(self, "no setarch, to have files at the same addresses")
        for _ in range(3):
            watched, alone = self.files_pages(user, ()), self.files_pages(user, None)
            if watched <= alone:
                return
        self.fail(f"{len(watched - alone)} pages of files more, with {len(alone)}: {sorted(watched - alone)[:5]}")


class Killed(unittest.TestCase):
    @each_user
    def test_killed_at_any_moment_the_target_runs_on_and_nothing_is_left(self, user):
        self.check(user)

    def check(self, user):
        target = Target(self, "big", "touched", "512", user=user)
        threads = Target(self, "processes", "threads", "3", user=user)
        folder = tempfile.mkdtemp(dir=world().home(user))
        if support.ROOT:
            os.chown(folder, user, user)
        path = os.path.join(folder, "out")
        begun = time.monotonic()
        self.assertEqual(run("capture", target.pid, "-o", path, user=user).status, 0)
        whole = time.monotonic() - begun
        os.unlink(path)
        chance, held, finished = random.Random(1), 0, 0
        for n in range(120):
            victim = target if n % 3 else threads
            command = subprocess.Popen([world().vmsnap, "capture", str(victim.pid), "-o", path], env=world().env,
                                       stderr=subprocess.DEVNULL, **become(user))
            time.sleep(chance.random() * whole)
            held += kernel.state(victim.pid) == "t"
            command.kill()
            done = command.wait() == 0
            finished += done
            # The machine may have become slower or quicker than at the first one.
            whole *= 0.9 if done else 1 / 0.9
            self.assertTrue(process_is(victim.pid, "SR"), f"the target is left {kernel.state(victim.pid)}")
            for task in os.listdir(f"/proc/{target.pid}/task"):
                self.assertEqual(kernel.status(f"{target.pid}/task/{task}")["TracerPid"], b"0")
            self.assert_no_litter(folder, path, user)
        target.tell("still there?")
        if held <= 3 or finished >= 100:
            skip(self, "captures that are killed: on this machine the signal came before or after most of them")

    def assert_no_litter(self, folder, path, user):
        """Nothing but a whole snapshot file; the next capture clears what a killed one left."""
        names = os.listdir(folder)
        if names:
            self.assertEqual(names, ["out"])
            self.assertEqual(run("check", path).status, 0)
            os.unlink(path)


if __name__ == "__main__":
    support.main()
