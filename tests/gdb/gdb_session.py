"""Real gdbs with the plugin in them, for the tests.

VMSNAP_GDB names the gdb (default: gdb), VMSNAP_LIB the library under test,
VMSNAP_SOURCE the checkout.  Gdb talks to one over pipes, as a person would at the
prompt: every command is followed by a mark on both of its streams, so whatever it wrote
to standard error is known to be its complaint.  Mi speaks the machine interface, Screen
is a terminal with gdb's text user interface in it, batch() runs gdb to its end."""

import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "live"))

import kernel  # noqa: E402
import support  # noqa: E402
from support import (FRAMES, NOBODY, OTHERS, ROOT, Target, become, me, mount_tmpfs,  # noqa: E402,F401
                     need_frames, need_namespaces, sees_frames, skip, world)

GDB = os.environ.get("VMSNAP_GDB", "gdb")
SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.dirname(os.path.dirname(HERE)))
NOBODY_OR_ME = NOBODY if OTHERS else me()
SECONDS = 200  # for one command; the machine may be busy



def need_no_frames(test):
    """For what a user sees from whom frame numbers are hidden."""
    if sees_frames(NOBODY_OR_ME):
        skip(test, "hidden frame numbers: this user sees them, and can become no other")


# What gdb itself says on standard error though nothing is wrong.
HARMLESS = re.compile(r"warning: |Warning: ptrace\(regsets_store|note: |vmsnap: |\s*$|\[Inferior \d|\[Detaching after |\[Attaching after |\[Switching to |"
                      r"\d+\t.*: No such file or directory\.$")
# gdb 13 on a processor with more registers than it knows (AMX): whatever has to write them fails.
NO_REGISTERS = "Couldn't write extended state status"

QUIET = ["set confirm off", "set pagination off", "set width 0", "set height 0", "set print thread-events off",
         "set print inferior-events off", "set debuginfod enabled off", "set style enabled off"]


class Failed(AssertionError):
    """A gdb command complained."""


def program(name):
    return os.path.join(world().targets, name)


def plugin_file():
    """The file that people source, where nobody can read it too."""
    path = os.path.join(SOURCE, "gdb", "vmsnap.py")
    if not ROOT or support._reachable_by_nobody(path):
        return path
    return copy_plugin(world().folder)


def copy_plugin(where):
    """The plugin and the module that it stands on, in a folder; gives what is sourced."""
    for name in ("gdb", "python"):
        if not os.path.exists(os.path.join(where, name)):
            shutil.copytree(os.path.join(SOURCE, name), os.path.join(where, name))
    return os.path.join(where, "gdb", "vmsnap.py")


def helper_file():
    path = os.path.join(HERE, "in_gdb.py")
    if not ROOT or support._reachable_by_nobody(path):
        return path
    return shutil.copy(path, world().folder)


def environment(**changes):
    env = dict(world().env)
    library = os.environ.get("VMSNAP_LIB")
    if library:
        copied = os.path.join(world().folder, "libvmsnap.so.0")
        env["VMSNAP_LIB"] = copied if os.path.exists(copied) else library
    env.update(HISTSIZE="0", TERM="dumb", LC_ALL="C.UTF-8", PATH=os.path.join(HERE, "bin") + ":" + env["PATH"])
    env.pop("COLUMNS", None)
    env.update(changes)
    return {key: value for key, value in env.items() if value is not None}


def command_line(*options, plugin=True):
    argv = [*GDB.split(), "-nx", "-q", *[word for line in QUIET for word in ("-iex", line)]]
    if plugin:
        argv += ["-ex", f"source {plugin_file()}"]
    return argv + ["-ex", f"source {helper_file()}", *options]


def gdb_version():
    text = subprocess.run([*GDB.split(), "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return tuple(int(part) for part in re.search(r"\) (\d+)\.(\d+)", text).groups())


def wait_for(condition, seconds=10.0):
    """Whether it is soon true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def gone(pid):
    return kernel.state(pid) in (None, "Z", "X")


class Talk:
    """Two pipes of a process, read without waiting on the wrong one."""

    def __init__(self, test, argv, user, env, cwd):
        self.test = test
        # A session of its own: a signal for it is not one for us, and no terminal is shared.
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=env, cwd=cwd, bufsize=0, start_new_session=True, **become(user))
        self.pid = self.process.pid
        self.out, self.err = b"", b""
        self.selector = selectors.DefaultSelector()
        for pipe, name in ((self.process.stdout, "out"), (self.process.stderr, "err")):
            os.set_blocking(pipe.fileno(), False)
            self.selector.register(pipe, selectors.EVENT_READ, name)
        test.addCleanup(self.end)

    def send(self, line):
        try:
            self.process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise AssertionError(f"gdb is gone: {self.story()}") from None

    def read_until(self, done, seconds):
        """Takes text until done() holds."""
        end = time.monotonic() + seconds
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"no answer from gdb after {seconds} s: {self.story()}")
            for key, _ in self.selector.select(left):
                data = key.fileobj.read(65536)
                if data:
                    setattr(self, key.data, getattr(self, key.data) + data)
                elif data == b"":
                    self.selector.unregister(key.fileobj)
            if not self.selector.get_map():
                if done():
                    return
                raise AssertionError(f"gdb ended with {self.process.wait()}: {self.story()}")

    def story(self):
        return f"out {self.out[-3000:].decode(errors='replace')!r}, err {self.err[-3000:].decode(errors='replace')!r}"

    def end(self):
        if self.process.poll() is None:
            # What gdb had started dies with it; it asks the kernel for that.
            self.process.kill()
        self.process.wait()
        self.selector.close()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


class Gdb(Talk):
    """A gdb at its prompt.  Called with a command it gives what the command said, and
    raises Failed if that was a complaint."""

    def __init__(self, test, target=None, *args, user=None, options=(), plugin=True, cwd=None, **env):
        user = me() if user is None else user
        argv = command_line(*options, plugin=plugin)
        if target:
            target = target if "/" in target else program(target)
            support.hold_files(target)
            argv += ["--args", target, *map(str, args)]
        self.marks = 0
        self.notes = ""  # what the last command said beside its result
        # Neither a prompt nor a question will come; commands are taken from the pipe.
        argv[argv.index("-q"):argv.index("-q")] = ["-ex", "set prompt"]
        super().__init__(test, argv, user, environment(**env), cwd or world().home(user))
        self.started = self.do("echo", seconds=120)

    def do(self, command, seconds=SECONDS):
        """Runs a command: (what it said, what it complained of)."""
        self.start(command)
        return self.finish(seconds)

    def start(self, command):
        self.marks += 1
        self.send(f"{command}\ntest-mark {self.marks}")

    def finish(self, seconds=SECONDS):
        mark = f"<<mark {self.marks}>>\n".encode()
        self.read_until(lambda: mark in self.out and mark in self.err, seconds)
        said, _, self.out = self.out.partition(mark)
        complaint, _, self.err = self.err.partition(mark)
        return said.decode(errors="surrogateescape"), complaint.decode(errors="surrogateescape")

    def __call__(self, command, seconds=SECONDS):
        said, complaint = self.do(command, seconds)
        self.notes = complaint
        if NO_REGISTERS in complaint:
            skip(self.test, "this gdb cannot write the registers of this processor (no calls, no checkpoints)")
        if any(not HARMLESS.match(line) for line in complaint.splitlines()):
            raise Failed(f"{command!r} complained: {complaint.strip()!r} (and said {said!r})")
        # gdb begins what it says of a stop, whenever that is, with an empty line.
        ours = re.sub(r"\A\n(?=Thread |Breakpoint |Catchpoint |Temporary |Program |\[)", "", said)
        if command.startswith("vmsnap ") and re.search(r"\A *\n|\n *\n *\n|\n *\n\Z", ours):
            raise Failed(f"{command!r}: a blank line that divides nothing, in {said!r}")
        return said

    def fails(self, command, *words, seconds=SECONDS):
        """The complaint of a command that cannot be done: one plain message that has these
        words in it, and no traceback of ours."""
        said, complaint = self.do(command, seconds)
        self.test.assertTrue(complaint.strip(), f"{command!r} did not fail but said {said!r}")
        self.test.assertNotRegex(complaint, "Traceback|Python Exception|Error occurred in Python", command)
        for word in words:
            self.test.assertIn(word.lower(), complaint.lower(), command)
        return complaint.strip()

    def json(self, command, seconds=SECONDS):
        """What "vmsnap SOMETHING …" gives with --json."""
        words = command.split(" ", 2)
        said = self(" ".join([*words[:2], "--json", *words[2:]]), seconds)
        try:
            return json.loads(said)
        except ValueError as error:
            raise AssertionError(f"{command}: {error}: {said[:2000]!r}") from None

    def value(self, expression):
        """The value of a Python expression in gdb (session: the plugin's snapshots)."""
        said = self(f"test-value {expression}")
        found = re.search(r"<<value (.*)>>\n", said, re.DOTALL)
        return json.loads(found[1])

    def number(self, expression):
        """The value of an expression of the program's language."""
        return self.value(f"number({expression!r})")

    def inferior(self):
        return self.value("gdb.selected_inferior().pid")

    def names(self):
        """What the snapshots are called, oldest first."""
        return [row["name"] for row in self.json("vmsnap list")["snapshots"]]

    def completions(self, line):
        return [each[len(line.rpartition(" ")[0]) + 1:] for each in self(f"complete {line}").splitlines()]

    def interrupt(self):
        os.kill(self.pid, signal.SIGINT)

    def programs(self, name):
        """Processes of this name that this gdb started."""
        found = []
        for tid in os.listdir(f"/proc/{self.pid}/task"):
            try:
                found += [int(word) for word in kernel.read(f"/proc/{self.pid}/task/{tid}/children").split()]
            except OSError:
                pass  # a thread of gdb's that has ended
        return [pid for pid in found if kernel.state(pid) and kernel.status(pid)["Name"].decode() == name]

    def wait_for_stops(self, name, count):
        """Until its program was stopped so often, once more than now; gives its number."""
        counted = {}

        def enough():
            for pid in self.programs(name):
                switches = int(kernel.status(pid)["voluntary_ctxt_switches"])
                if switches - counted.setdefault(pid, switches) > count:
                    return True
            return False
        self.test.assertTrue(wait_for(enough, SECONDS), f"{name} does not run")
        return self.programs(name)[0]

    def holds_open(self, path):
        """Whether it has this file open right now."""
        for number in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                if os.readlink(f"/proc/{self.pid}/fd/{number}") == path:
                    return True
            except FileNotFoundError:
                pass
        return False

    def quit(self):
        """Leaves gdb in good order; gives its exit status."""
        self.send("quit")
        return self.process.wait(SECONDS)


def need_faults(test):
    """For what the kernel tells of page faults."""
    _, complaint = Gdb(test).do("set vmsnap blame on")
    if complaint:
        skip(test, complaint.strip())


def batch(test, commands, target=None, *args, user=None, seconds=SECONDS, plugin=True, stdin=None, **env):
    """gdb -batch with these commands: (exit status, standard output, standard error)."""
    user = me() if user is None else user
    options = ["-batch", *[word for line in commands for word in ("-ex", line)]]
    argv = command_line(*options, plugin=plugin)
    if target:
        argv += ["--args", target if "/" in target else program(target), *map(str, args)]
    done = subprocess.run(argv, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment(**env), cwd=world().home(user), timeout=seconds, start_new_session=True,
                          **become(user))
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def folder(test, user=None):
    """An empty folder of the user's, gone after the test."""
    user = me() if user is None else user
    path = tempfile.mkdtemp(dir=world().home(user))
    if ROOT:
        os.chown(path, user, user)
    test.addCleanup(shutil.rmtree, path, ignore_errors=True)
    return path


def main():
    support.main()
