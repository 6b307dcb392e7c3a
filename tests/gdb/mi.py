"""gdb's machine interface, spoken to over pipes: lines to values."""

from gdb_session import SECONDS, Failed, Talk, command_line, environment, me, program, world


class Mi(Talk):
    """gdb --interpreter=mi3.  Called with a command it gives its results."""

    def __init__(self, test, target=None, *args, user=None):
        user = me() if user is None else user
        argv = command_line("--interpreter=mi3")
        if target:
            argv += ["--args", program(target), *map(str, args)]
        super().__init__(test, argv, user, environment(), world().home(user))
        self.token = 0
        self.events = []

    def __call__(self, command, seconds=SECONDS):
        """The results of ^done or ^running; raises Failed with the message of ^error."""
        self.token += 1
        self.send(f"{self.token}{command}")
        while True:
            line = self.line(seconds)
            if line.startswith(f"{self.token}^"):
                kind, _, rest = line[len(str(self.token)) + 1:].partition(",")
                results = _results(rest)
                if kind == "error":
                    raise Failed(results["msg"])
                return results
            self.events.append(line)

    def stopped(self, seconds=SECONDS):
        """The results of the next *stopped."""
        while True:
            for index, line in enumerate(self.events):
                if line.startswith("*stopped"):
                    del self.events[:index + 1]
                    return _results(line.partition(",")[2])
            self.events.append(self.line(seconds))

    def line(self, seconds):
        self.read_until(lambda: b"\n" in self.out, seconds)
        line, _, self.out = self.out.partition(b"\n")
        return line.decode()


def _results(text):
    found, rest = {}, text
    while rest:
        name, _, rest = rest.partition("=")
        found[name], rest = _value(rest)
        rest = rest[1:]  # the comma
    return found


ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def _value(text):
    """(value, rest): "…" is a string, {…} a dictionary, […] a list."""
    if text[0] == '"':
        out, at = [], 1
        while text[at] != '"':
            if text[at] == "\\":
                at += 1
                out.append(ESCAPES.get(text[at], text[at]))
            else:
                out.append(text[at])
            at += 1
        return "".join(out), text[at + 1:]
    close, made, rest = {"{": "}", "[": "]"}[text[0]], [], text[1:]
    while rest[0] != close:
        name = None
        if rest[0] not in '"{[':
            name, _, rest = rest.partition("=")
        value, rest = _value(rest)
        made.append((name, value))
        if rest[0] == ",":
            rest = rest[1:]
    if close == "}":
        return dict(made), rest[1:]
    return [value for _, value in made], rest[1:]
