"""Goes through a lesson of docs/labs.  Called by the script lab in the folder above.

A lesson is a page of Markdown.  Its `console` blocks are run: a line "$ ./NAME" starts the lesson's program (NAME.c,
see lab.h), "$ echo WORD  # into the terminal of NAME" tells it a word, all else is a command for the shell.  Process
ids and addresses that the page shows stand for those that the program says now.  What a block needs (NEEDS) is said in
a line before it, "<!-- needs NAME -->".  A paragraph "**Claim:** ..." is checked where it stands, by the function of
lab_claims.py that bears the same sentence."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap

LABS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The next two are shared with the tests; where vmsnap is installed they lie beside this file.
sys.path.append(os.path.join(os.path.dirname(os.path.dirname(LABS)), "tests", "live"))

import documents  # noqa: E402
import kernel  # noqa: E402

SHOWN_FOLDER = "/tmp/lab"  # how the pages call the folder of the lesson
LIMIT = 300                # seconds for a command


class Skip(Exception):
    """What this machine or this user cannot have."""


class Wrong(Exception):
    """A claim that does not hold."""


def need(holds, reason):
    if not holds:
        raise Skip(reason)


NEEDS = {
    "frames": lambda: need(kernel.shows_frames(), "the kernel shows frame numbers to root only (CAP_SYS_ADMIN)"),
    "scan": lambda: need(kernel.has_scan(), "this kernel has no PAGEMAP_SCAN (Linux 6.7)"),
    "zero": lambda: need(kernel.has_scan() or kernel.shows_frames(),
                         "without PAGEMAP_SCAN (Linux 6.7) and frame numbers the zero page is not known"),
    "swap": lambda: need(kernel.swap_is_on(), "there is no swap"),
    "thp": lambda: need(b"[never]" not in kernel.read("/sys/kernel/mm/transparent_hugepage/enabled"),
                        "huge pages are off"),
    "ksm": lambda: need(kernel.ksm_is_on(), "KSM is off (/sys/kernel/mm/ksm/run)"),
}


class Step:
    def __init__(self, kind, text, needs=()):
        self.kind, self.text, self.needs = kind, text, needs


def parse(text):
    """The page as steps: text, console and claim, in its order."""
    steps = []
    pattern = re.compile(r"(?ms)(?:^<!-- needs ([a-z ]+) -->\n)?^```console\n(.*?)^```\n"
                         r"|^\*\*Claim:\*\* (.*?)(?=\n\n|\n?\Z)")
    end = 0
    for found in pattern.finditer(text):
        if text[end:found.start()].strip():
            steps.append(Step("text", text[end:found.start()].strip("\n")))
        if found[3]:
            steps.append(Step("claim", " ".join(found[3].split())))
        else:
            steps.append(Step("console", found[2], (found[1] or "").split()))
        end = found.end()
    if text[end:].strip():
        steps.append(Step("text", text[end:].strip("\n")))
    return steps


def pages():
    """{number: path} of the lessons."""
    paths = glob.glob(os.path.join(LABS, "[0-9]*.md"))
    return {int(os.path.basename(path).split("-")[0]): path for path in paths}


class Said:
    """What a program said, or is said to have: where things lie, and who it is."""

    def __init__(self):
        self.ranges, self.values, self.pids = {}, {}, []

    def take(self, line):
        words = line.split()
        if words[:1] == ["range"]:
            self.ranges[words[1]] = (int(words[2], 16), int(words[3], 16))
        elif words[:1] == ["value"]:
            self.values[words[1]] = int(words[2], 16)
        elif words[:1] in (["pid"], ["pids"]):
            self.pids = words[1:]


class Program:
    """The lesson's program, as it runs."""

    def __init__(self, path, words, said):
        self.said = said
        self.process = subprocess.Popen([path, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        cwd=os.path.dirname(path))

    def listen(self):
        lines = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise Wrong(f"the program has ended: {self.process.wait()}")
            line = line.rstrip("\n")
            if line.startswith("cannot "):
                raise Skip(f"this machine cannot {line[7:]}")
            lines.append(line)
            self.said.take(line)
            if line == "ready":
                break
        for line in lines:
            if line.startswith("unable "):
                raise Skip(f"the program is {line}")
        return lines

    def tell(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.listen()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Lab:
    """A lesson under way.  What claims are made of: said, pid, json(), answer()."""

    def __init__(self, path, check):
        with open(path, encoding="utf-8") as file:
            self.steps = parse(file.read())
        self.number = int(os.path.basename(path).split("-")[0])
        self.check = check
        self.said, self.shown = Said(), Said()
        self.lines = []           # what the program answered last
        self.kept = {}            # what a claim leaves for the next ones
        self.lacking = {}         # {need: reason}, as the program has found out
        self.program = None
        self.folder = tempfile.mkdtemp(prefix="vmsnap-lab-")
        self.held = self.failed = 0

    # For claims.

    @property
    def pid(self):
        return int(self.said.pids[0])

    @property
    def child(self):
        return int(self.said.pids[1])

    def page(self, name, index=0):
        return self.said.ranges[name][0] + index * kernel.PAGE

    def entries(self, name, pid=None):
        """{index of the page: entry} of a range, as the kernel's pagemap has it."""
        start, end = self.said.ranges[name]
        start -= start % kernel.PAGE
        end += -end % kernel.PAGE
        return {(at - start) // kernel.PAGE: entry
                for at, entry in kernel.entries(pid or self.pid, [(start, end)]).items()}

    def json(self, *words):
        done = subprocess.run([os.environ["VMSNAP"], *map(str, words), "--json"], cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT,
                              check=False)
        if done.returncode not in (0, 1):
            raise Wrong(done.stderr.decode(errors="replace"))
        return json.loads(done.stdout)

    def told(self, name, pid=None):
        """{index of the page: its row} of a range, as `vmsnap pages` has it."""
        start, end = self.said.ranges[name]
        start -= start % kernel.PAGE
        found = {}
        for run in self.json("pages", pid or self.pid, f"{start:x}-{end + -end % kernel.PAGE:x}")["runs"]:
            first, frame = int(run["start"], 16), run["pfn"] and int(run["pfn"], 16)
            for index in range(run["pages"]):
                at = (first - start) // kernel.PAGE + index
                found[at] = {**run, "pfn": frame and frame + index}
        return found

    # The way through.

    def start(self, name, words):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            source = os.path.join(LABS, name + ".c")
            subprocess.run([os.environ.get("CC", "cc"), "-std=c17", "-O1", "-g", "-Wall", "-Wextra", source, "-o", path,
                            "-ldl"], check=True)
        if self.program:
            self.program.end()
        self.program = Program(path, words, self.said)
        return self.program.listen()

    def real(self, command):
        """The command with what the program said in place of what the page shows."""
        names = dict(zip(self.shown.pids, self.said.pids))
        for name, value in self.shown.values.items():
            names[f"{value:x}"] = f"{self.said.values[name]:x}"

        def place(found):
            at = int(found[2], 16)
            for name, (start, end) in self.shown.ranges.items():
                if start <= at <= end and name in self.said.ranges:
                    return f"{found[1] or ''}{self.said.ranges[name][0] + at - start:x}"
            return (found[1] or "") + names.get(found[2], found[2])
        command = re.sub(r"\b(0x)?([0-9a-f]{8,})\b", place, command)
        return re.sub(r"\b\d+\b", lambda found: names.get(found[0], found[0]), command)

    def run(self, command):
        """The lines that a command prints."""
        word = re.match(r"echo (\w+) +# into the terminal of", command)
        if word:
            self.lines = self.program.tell(word[1])
            return self.lines
        if command.startswith("./"):
            name, *words = command[2:].split()
            self.lines = self.start(name, words)
            return self.lines
        env = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "80"}
        script = 'vmsnap() { "$VMSNAP" "$@"; }\n' + self.real(command)
        done = subprocess.run(["bash", "-c", script], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT, check=False)
        said = done.stdout.decode(errors="replace").replace(os.path.realpath(self.folder), SHOWN_FOLDER)
        return said.split("\n")[:-1]

    def console(self, step):
        try:
            for name in step.needs:
                need(name not in self.lacking, self.lacking.get(name))
                try:
                    NEEDS[name]()
                except OSError as reason:
                    raise Skip(str(reason)) from None
            for command, expected in documents.sessions(step.text):
                self.command(command, expected)
            print()
        except Skip as reason:
            if not self.program or self.program.process.poll() is not None:
                raise
            self.lacking.update((name, str(reason)) for name in step.needs)
            print(f"(Not here: {reason}. The lesson shows what comes of it elsewhere.)\n")
            print(textwrap.indent(step.text, "    "))

    def command(self, command, expected):
        if command.startswith(("./", "echo ")):
            for line in expected:
                self.shown.take(line)
        got = self.run(command)
        print(f"    $ {self.real(command)}")
        print(textwrap.indent("\n".join(got), "    "))
        if self.check and not documents.matches(expected, got):
            self.failed += 1
            print("\nwrong: the lesson says that it prints\n\n" + textwrap.indent("\n".join(expected), "    "))

    def claim(self, step, claims):
        try:
            claims[step.text](self)
        except Skip as reason:
            print(f"claim: {step.text}\n  ... cannot be tried here: {reason}\n")
        except (Wrong, KeyError, OSError) as reason:
            self.failed += 1
            print(f"claim: {step.text}\n  ... DOES NOT HOLD: {reason!r}\n")
        else:
            self.held += 1
            print(f"claim: {step.text}\n  ... holds\n")

    def wait(self):
        """For the reader to have guessed."""
        if not self.check and sys.stdin.isatty():
            input("[Enter] ")

    def tell(self, paragraphs):
        for index, paragraph in enumerate(paragraphs):
            print(paragraph + "\n")
            if paragraph.startswith("**Question.**") and index + 1 < len(paragraphs):
                self.wait()

    def go(self, claims):
        for step in self.steps:
            if step.kind == "text":
                self.tell(step.text.split("\n\n"))
            elif step.kind == "claim":
                self.claim(step, claims)
            else:
                self.wait()
                self.console(step)
        claims = sum(step.kind == "claim" for step in self.steps)
        print(f"{self.held} of {claims} claims hold here" + (f"; wrong: {self.failed}" if self.failed else ""), flush=True)
        return 1 if self.failed else 0 if self.held else 77

    def end(self):
        if self.program:
            self.program.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def main(words):
    from lab_claims import CLAIMS
    check = "--check" in words
    words = [word for word in words if word != "--check"]
    known = pages()
    if not words:
        for _, path in sorted(known.items()):
            with open(path, encoding="utf-8") as file:
                print(file.readline().lstrip("# ").rstrip())
        print(f"\n{os.environ.get('LAB_CALLED', 'lab')} N begins lesson N.")
        return 0
    if len(words) > 1 or not words[0].isdigit() or int(words[0]) not in known:
        sys.exit(f"lab: expected the number of a lesson, 1 to {len(known)}, not {' '.join(words)}; try --help")
    lab = Lab(known[int(words[0])], check)
    try:
        return lab.go(CLAIMS)
    except Skip as reason:
        print(f"SKIP: {reason}")
        return 1 if lab.failed else 77
    except (Wrong, subprocess.SubprocessError) as reason:
        print(f"wrong: {reason}")
        return 1
    finally:
        lab.end()


if __name__ == "__main__":
    sys.modules["lab"] = sys.modules["__main__"]  # lab_claims raises our exceptions
    try:
        sys.exit(main(sys.argv[1:]))
    except (KeyboardInterrupt, EOFError):
        sys.exit(130)
