"""What the live tests share: users, targets, the command and its answers."""

import collections
import functools
import json
import mmap
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

import kernel
from kernel import PAGE

VMSNAP = os.environ.get("VMSNAP", "vmsnap")
TARGETS = os.environ.get("VMSNAP_TARGETS", "targets")
NOBODY = 65534
ROOT = os.geteuid() == 0
FRAMES = kernel.shows_frames()
# How many times slower than a real machine this one is, if it is emulated: limits of time are as many times
# longer, and what is large only to be large is smaller.
SLOWNESS = int(os.environ.get("VMSNAP_SLOWNESS", "1"))
# Whether we can run programs as other users, and look at what they do.
OTHERS = ROOT and kernel.capable(kernel.SETUID, kernel.SETGID, kernel.SYS_PTRACE)


def skip(test, reason):
    """Skips, and leaves the line that script/test collects."""
    print(f"SKIP: {reason}", flush=True)
    test.skipTest(reason)


def need_others(test):
    if not OTHERS:
        skip(test, "other users: this one may not become another and trace its processes")


def need_frames(test):
    if not FRAMES:
        skip(test, "the kernel hides frame numbers from this user (it takes CAP_SYS_ADMIN)")


@functools.lru_cache(maxsize=None)
def _why_no_namespaces(options):
    done = subprocess.run(["unshare", *options, "true"], stderr=subprocess.PIPE, check=False)
    return done.stderr.decode().strip() if done.returncode else None


def need_namespaces(test, *options):
    """For what runs below unshare(1) with these options.  A container may forbid it, and in a
    chroot there can be no other mounts: its root is no mount point, so they would be everybody's."""
    if not shutil.which("unshare"):
        skip(test, "unshare is not installed")
    reason = _why_no_namespaces(options)
    if reason:
        skip(test, f"no namespaces here (unshare {' '.join(options)}): {reason}")


def mount_tmpfs(test, folder, options):
    """A small file system of memory for the length of a test."""
    mount_kind(test, "tmpfs", folder, "-o", options)


def mount_kind(test, kind, folder, *options):
    if not ROOT:
        skip(test, "not root: cannot mount a file system")
    done = subprocess.run(["mount", "-t", kind, *options, "vmsnap-test", folder], stderr=subprocess.PIPE, check=False)
    if done.returncode:
        skip(test, f"no file system can be mounted here: {done.stderr.decode().strip()}")
    test.addCleanup(subprocess.run, ["umount", "-l", folder], stderr=subprocess.DEVNULL, check=False)


def _reachable_by_nobody(path):
    path = os.path.realpath(path)
    while True:
        mode = os.stat(path).st_mode
        if not mode & (stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH):
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


_held = {}


def hold_files(*paths):
    """Maps each page of these files, for as long as the tests run.  Whether a page of the C library
    or of a program is mapped by one process or by more is then not up to who else runs it."""
    for path in paths:
        if path not in _held and os.path.isfile(path) and 0 < os.path.getsize(path) < 1 << 26:
            with open(path, "rb") as file:
                _held[path] = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
            sum(_held[path][::PAGE])  # reading maps them


def libraries():
    """Those that this process has loaded, and so has every other."""
    return sorted({os.fsdecode(vma.name) for vma in kernel.maps(os.getpid()) if b".so" in vma.name})


class World:
    """Where `nobody` can run the command and the targets, too: copies, if the
    build is in somebody's home."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="vmsnap-live-")
        os.chmod(self.folder, 0o755)
        self.vmsnap, self.targets = VMSNAP, TARGETS
        library = os.environ.get("VMSNAP_LIB")
        self.env = dict(os.environ)
        hold_files(*libraries())
        if ROOT and not (_reachable_by_nobody(VMSNAP) and _reachable_by_nobody(TARGETS)):
            self.vmsnap = shutil.copy(VMSNAP, self.folder)
            self.targets = shutil.copytree(TARGETS, os.path.join(self.folder, "targets"))
            if library:
                name = "libvmsnap.so.0"
                shutil.copy(library, os.path.join(self.folder, name))
                self.env["LD_LIBRARY_PATH"] = self.folder
        self._homes = {}

    def home(self, user):
        """A folder that belongs to the user."""
        if user not in self._homes:
            path = tempfile.mkdtemp(prefix="home-", dir=self.folder)
            if ROOT:
                os.chown(path, user, user)
            self._homes[user] = path
        return self._homes[user]

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


WORLD = None


def world():
    global WORLD
    if WORLD is None:
        WORLD = World()
        unittest.addModuleCleanup(WORLD.remove)
    return WORLD


def me():
    return os.geteuid()


def users():
    """Who the tests are run as: root and nobody, or whoever we are."""
    if ROOT and not OTHERS:
        print("SKIP: as nobody, too: this root may not become another user and trace its processes", flush=True)
    return [0, NOBODY] if OTHERS else [me()]


def each_user(method):
    """A test that is run as every user; the method takes the user."""
    @functools.wraps(method)
    def run_as_each(self):
        for user in users():
            with self.subTest(user=user_name(user)):
                method(self, user)
    run_as_each.method = method
    return run_as_each


def unmoved(test):
    """A test, or all of a class, of what is said only of pages that the kernel left where they were: run again
    if it moved some meanwhile, of whomever (compaction, swap, KSM)."""
    if isinstance(test, type):
        for name, method in list(vars(test).items()):
            if name.startswith("test"):
                each = getattr(method, "method", None)  # a subtest keeps what fails in it to itself
                setattr(test, name, each_user(unmoved(each)) if each else unmoved(method))
        return test

    @functools.wraps(test)
    def run_again(self, *args):
        for _ in range(20):
            before = kernel.page_moves()
            try:
                return test(self, *args)
            except unittest.SkipTest:
                raise
            except Exception:
                if kernel.page_moves() == before:
                    raise
            self.doCleanups()
            self.setUp()
        skip(self, "the kernel moved pages all the time")
    return run_again


def sees_frames(user):
    """Whether the command, run as this user, is shown frame numbers."""
    return FRAMES and user == me()


def become(user):
    """For subprocess: run as this user, without any privilege of ours."""
    if user == me():
        return {}
    return {"user": user, "group": user, "extra_groups": []}


def user_name(user):
    return {0: "root", NOBODY: "nobody"}.get(user, str(user))


class Target:
    """A running program of tests/targets, standing still."""

    def __init__(self, test, *argv, user=None, wait=True, executable=None, **options):
        self.test = test
        self.ranges = {}
        self.lines = []
        user = me() if user is None else user
        path = executable or os.path.join(world().targets, argv[0])
        hold_files(path)
        self.process = subprocess.Popen([argv[0], *map(str, argv[1:])], executable=path, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, cwd=world().home(user), bufsize=0,
                                        **become(user), **options)
        self.pid = self.process.pid
        test.addCleanup(self.end)
        self._buffer = b""
        if wait:
            self.wait()

    def _line(self):
        while b"\n" not in self._buffer:
            data = self.process.stdout.read(65536)
            if not data:
                raise AssertionError(f"the target ended: {self.process.wait()}")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()

    def wait(self):
        """Takes what the target says until it is ready."""
        while True:
            line = self._line()
            words = line.split(" ")
            if words[0] == "ready":
                self.settle()
                return self
            if words[0] == "range":
                self.ranges[words[1]] = (int(words[2], 16), int(words[3], 16))
            elif words[0] == "cannot":
                skip(self.test, f"this machine cannot {line[7:]}")
            else:
                self.lines.append(line)

    def settle(self):
        """Waits until the target sleeps in its read(), or its main thread has ended."""
        for _ in range(10000 * SLOWNESS):
            if kernel.state(self.pid) in ("S", "T", "t", "D", "Z"):
                return
            time.sleep(0.001)

    def tell(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        return self.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.send_signal(signal.SIGCONT)  # not to a number that is nobody's any more
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()


def copies_of_files(target, user=None):
    """(executable, the words before its own) for a Target of the same program and libraries once more: that others
    map the same ones meanwhile changes nothing then."""
    folder = tempfile.mkdtemp(dir=world().home(me() if user is None else user))
    os.chmod(folder, 0o755)
    found = {vma.name.decode() for vma in kernel.maps(target.pid) if vma.name.startswith(b"/")}
    copies = {os.path.basename(name): shutil.copy(name, folder) for name in found if os.path.isfile(name)}
    loader = next((path for name, path in copies.items() if name.startswith("ld")), None)
    if loader is None:
        skip(target.test, "the target is not started by a loader of its own")
    program = os.path.basename(os.readlink(f"/proc/{target.pid}/exe"))
    return loader, ("--library-path", folder, copies[program])


class Result:
    def __init__(self, process):
        self.status, self.out, self.err = process.returncode, process.stdout, process.stderr.decode(errors="replace")

    def __repr__(self):
        return f"exit status {self.status}, said {self.err!r}, printed {self.out[:200]!r}"


def blank_lines(text):
    """Where a text for people has a blank line that divides nothing: two of them, at its begin or end."""
    found = re.search(rb"\A *\n|\n *\n *\n|\n *\n\Z", text)
    return text[max(found.start() - 200, 0):found.end() + 200] if found else None


def run(*argv, user=None, **options):
    """Runs the command to its end."""
    user = me() if user is None else user
    options.setdefault("timeout", 300 * SLOWNESS)
    options.setdefault("cwd", world().home(user))
    result = Result(subprocess.run([world().vmsnap, *map(str, argv)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=world().env, **become(user), **options))
    if not {"capture", "--json", "-o", "-r", "--raw"} & set(argv) and result.status in (0, 1):
        assert blank_lines(result.out) is None, (argv, blank_lines(result.out))
    return result


def ask(test, *argv, status=(0,), **options):
    """The JSON that the command prints."""
    result = run(*argv, "--json", **options)
    test.assertIn(result.status, status, result)
    test.assertTrue(result.out.endswith(b"\n"), "JSON ends with a newline")
    return json.loads(result.out.decode("utf-8"))


def capture(test, pid, *argv, user=None, name=None):
    """Captures into a fresh file and gives its path."""
    user = me() if user is None else user
    handle, path = tempfile.mkstemp(suffix=".vms", prefix=name or "", dir=world().home(user))
    os.close(handle)
    os.unlink(path)
    result = run("capture", pid, "-o", path, *argv, user=user)
    test.assertEqual(result.status, 0, result)
    return path


def number(text):
    return None if text is None else int(text, 16)


def pages_changed(diff, area):
    """{change: pages} within an area, of what `vmsnap diff --json` has, but for what not every kernel counts."""
    counted = collections.Counter()
    for line in diff["pages"]:
        if line["change"] == "soft_dirtied":
            continue
        first = number(line["start"])
        last = first + line["pages"] * PAGE
        counted[line["change"]] += max(0, min(last, area[1]) - max(first, area[0])) // PAGE
    return {change: count for change, count in counted.items() if count}


def pages(test, snapshot, *argv, **options):
    """{address: (state, pfn, swap, flags)} as `vmsnap pages --json` has it."""
    answer = ask(test, "pages", snapshot, *argv, **options)
    test.assertEqual(answer["schema"], "vmsnap.pages/1")
    found, last = {}, 0
    for run_ in answer["runs"]:
        start, pfn, swap = number(run_["start"]), number(run_["pfn"]), run_["swap"]
        test.assertGreaterEqual(start, last, "runs are in order and do not overlap")
        flags = frozenset(run_["flags"])
        for index in range(run_["pages"]):
            slot = None
            if swap and swap["offset"] is not None:
                offset = swap["offset"] if isinstance(swap["offset"], int) else number(swap["offset"])
                slot = (swap["type"], offset + index)
            found[start + index * PAGE] = (run_["state"], None if pfn is None else pfn + index, slot, flags)
        last = start + run_["pages"] * PAGE
    return found


@functools.lru_cache(maxsize=None)
def _is_made_here(kind, user):
    program = os.path.join(world().targets, "pages")
    done = subprocess.run([program, kind], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=world().home(user),
                          check=False, **become(user))
    return done.returncode != 77


def made_here(kinds, user):
    """Of these kinds of `pages` those that this machine can make: what is told of all at once does not depend on
    one that an older kernel lacks."""
    return [kind for kind in kinds if _is_made_here(kind, user)]


def process_is(pid, letters, seconds=20.0):
    """Whether the process is soon in one of these states."""
    end = time.monotonic() + seconds * SLOWNESS
    while time.monotonic() < end:
        if kernel.state(pid) in letters:
            return True
        time.sleep(0.002)
    return False


def main():
    unittest.main(verbosity=2, argv=[sys.argv[0], *sys.argv[1:]])
