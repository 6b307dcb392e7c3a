"""What a command looks like in a terminal: a pane of tmux, as text with attributes."""

import os
import re
import shutil
import subprocess
import tempfile

# How a terminal says what it can.
LOOKS = {
    "dark": {"TERM": "tmux-256color", "COLORTERM": "truecolor", "COLORFGBG": "15;0"},
    "light": {"TERM": "tmux-256color", "COLORTERM": "truecolor", "COLORFGBG": "0;15"},
    "16": {"TERM": "xterm", "COLORFGBG": "15;0"},
    "ascii": {"TERM": "xterm", "NO_COLOR": "1"},
}
OPTIONS = {"ascii": ["--ascii"]}  # of vmsnap, with that look
SLOWNESS = int(os.environ.get("VMSNAP_SLOWNESS", "1"))


def missing():
    """Why there can be no captures, or None."""
    return None if shutil.which("tmux") else "tmux is not installed"


class Tmux:
    """A server of our own, which nothing else of this user's tmux reaches."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="vmsnap-tmux-")
        self.socket = os.path.join(self.folder.name, "socket")
        self.env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "TZ": "UTC",
                    "HOME": self.folder.name, "TMUX_TMPDIR": self.folder.name}
        self.count = 0
        self.call("new-session", "-d", "-s", "keep", "exec sleep 100000")  # without any session it would end

    def close(self):
        self.call("kill-server", check=False)
        self.folder.cleanup()

    def call(self, *words, check=True):
        done = subprocess.run(["tmux", "-u", "-f", "/dev/null", "-S", self.socket, *words], env=self.env, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=120 * SLOWNESS)
        if check and done.returncode:
            raise RuntimeError(f"tmux {words[0]}: {done.stderr.decode().strip()}")
        return done.stdout.decode()

    def capture(self, command, look, width, cwd):
        """The lines that it leaves in a pane of that width, which is as high as it takes."""
        self.count += 1
        name = f"pane{self.count}"
        environment = [f"{key}={value}" for key, value in LOOKS[look].items()]
        # The pane is no wider than the session, and keeps what it shows until we have it.
        inner = ["env", "-u", "COLORTERM", "-u", "NO_COLOR", "-u", "TMUX", "-u", "TMUX_PANE", *environment, *command]
        script = 'trap : INT; "$@"; tmux -S "$VMSNAP_SOCKET" wait-for -S "$VMSNAP_PANE"; exec sleep 1000'
        self.call("new-session", "-d", "-s", name, "-x", str(width), "-y", "400", "-c", cwd,
                  "env", f"VMSNAP_SOCKET={self.socket}", f"VMSNAP_PANE={name}", "sh", "-c", script, "sh", *inner)
        self.call("wait-for", name)
        lines = canonical(self.call("capture-pane", "-e", "-p", "-N", "-t", name))
        self.call("kill-session", "-t", name)
        return lines


# ---- attributes in one way of writing them -------------------------------------------------

ATTRIBUTES = {"1": "bold", "2": "dim", "3": "italic", "4": "underline", "5": "blink", "7": "reverse"}
OFF = {"22": ("bold", "dim"), "23": ("italic",), "24": ("underline",), "25": ("blink",), "27": ("reverse",)}
NUMBER = {name: number for number, name in ATTRIBUTES.items()}


def changed(style, sequence):
    """style: (attributes, foreground, background), the colours as SGR writes them."""
    attributes, front, back = set(style[0]), style[1], style[2]
    words = (sequence or "0").replace(":", ";").split(";")
    while words:
        word = words.pop(0) or "0"
        if word == "0":
            attributes, front, back = set(), "", ""
        elif word in ATTRIBUTES:
            attributes.add(ATTRIBUTES[word])
        elif word in OFF:
            attributes -= set(OFF[word])
        elif word in ("38", "48"):
            more = 4 if words[0] == "2" else 2
            color = ";".join([word, *words[:more]])
            words = words[more:]
            front, back = (color, back) if word == "38" else (front, color)
        elif word == "39":
            front = ""
        elif word == "49":
            back = ""
        elif re.fullmatch(r"[39]\d", word):
            front = word
        elif re.fullmatch(r"4\d|10\d", word):
            back = word
        else:
            raise ValueError(f"unknown attribute {word}")
    return frozenset(attributes), front, back


PLAIN = (frozenset(), "", "")


def written(style):
    numbers = sorted(NUMBER[name] for name in style[0]) + [color for color in style[1:] if color]
    return "\033[" + ";".join(["0", *numbers]) + "m"


def runs(line, style=PLAIN):
    """[(style, text)] of a line, and the style in which the next one begins."""
    out, at = [], 0
    for found in re.finditer(r"\033\[([0-9;:]*)m", line):
        if found.start() > at:
            out.append((style, line[at:found.start()]))
        style, at = changed(style, found[1]), found.end()
    if at < len(line):
        out.append((style, line[at:]))
    assert "\033" not in "".join(text for _, text in out), line
    return out, style


def canonical(text):
    """Whatever version of tmux it is of: each run of one style behind all of what the style is; no blanks at the ends
    of lines that show nothing, and no such lines at the end."""
    lines, style = [], PLAIN
    for line in text.split("\n"):
        parts, style = runs(line, style)
        joined = []
        for each, piece in parts:
            if joined and joined[-1][0] == each:
                joined[-1] = (each, joined[-1][1] + piece)
            else:
                joined.append((each, piece))
        while joined and not joined[-1][0][2] and "reverse" not in joined[-1][0][0] and not joined[-1][1].strip(" "):
            joined.pop()
        if joined and not joined[-1][0][2]:
            joined[-1] = (joined[-1][0], joined[-1][1].rstrip(" "))
        made = "".join((written(each) if each != PLAIN or number else "") + piece for number, (each, piece) in enumerate(joined))
        lines.append(made + ("\033[0m" if joined and joined[-1][0] != PLAIN else ""))
    while lines and not lines[-1]:
        lines.pop()
    return lines
