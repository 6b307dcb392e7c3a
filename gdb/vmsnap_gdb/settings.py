"""set vmsnap … and show vmsnap …"""

import gdb

DEPTH_USUAL = 8
HIT_DEPTH_USUAL = 3
LIMIT_USUAL = 1000
_ALL = 1 << 40  # frames


class _SetPrefix(gdb.Command):
    """Settings of vmsnap."""

    def __init__(self):
        super().__init__("set vmsnap", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, argument, from_tty):
        if argument:
            raise gdb.GdbError(f'Undefined set vmsnap command: "{argument}".  Try "help set vmsnap".')
        gdb.execute("help set vmsnap", from_tty)


class _ShowPrefix(gdb.Command):
    """Settings of vmsnap, as they are."""

    def __init__(self):
        super().__init__("show vmsnap", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, arg, from_tty):
        if arg:
            raise gdb.GdbError(f'Undefined show vmsnap command: "{arg}".  Try "help show vmsnap".')
        for name in _made:
            gdb.execute(f"show vmsnap {name}", from_tty)


class _Directory(gdb.Parameter):
    """Folder for the files of vmsnap save and load that are given without one.
Empty, as it is at first, means the current folder."""

    set_doc = "Set the folder for files of vmsnap."
    show_doc = "Show the folder for files of vmsnap."

    def __init__(self):
        super().__init__("vmsnap directory", gdb.COMMAND_DATA, gdb.PARAM_OPTIONAL_FILENAME)

    def get_set_string(self):
        return ""

    def get_show_string(self, value):
        return f"Files of vmsnap are in {value or 'the current folder'}."


class _Limit(gdb.Parameter):
    """Beyond it the oldest are dropped: automatic ones first, a fork's two together.
With "unlimited", memory is the limit."""

    set_doc = "Set how many snapshots vmsnap keeps in memory."
    show_doc = "Show how many snapshots vmsnap keeps in memory."

    def __init__(self):
        super().__init__("vmsnap limit", gdb.COMMAND_DATA, gdb.PARAM_UINTEGER)
        self.value = LIMIT_USUAL

    def get_set_string(self):
        return ""

    def get_show_string(self, value):
        return "vmsnap keeps all snapshots." if value == "unlimited" else f"vmsnap keeps at most {value} snapshots."


def _frames(value):
    """gdb 13 shows -1, others may show the word."""
    return "all frames" if value in ("unlimited", "-1") else f"the {value} innermost frames"


class _Depth(gdb.Parameter):
    """Of each thread, so many innermost frames have their variables remembered with a
snapshot.  0: none.  With "unlimited", all of them have."""

    set_doc = "Set in how many frames of a thread vmsnap looks for variables."
    show_doc = "Show in how many frames of a thread vmsnap looks for variables."

    def __init__(self):
        super().__init__("vmsnap depth", gdb.COMMAND_DATA, gdb.PARAM_ZUINTEGER_UNLIMITED)
        self.value = DEPTH_USUAL

    def get_set_string(self):
        return ""

    def get_show_string(self, value):
        return f"vmsnap remembers the variables of {_frames(value)} of each thread."


class _HitDepth(gdb.Parameter):
    """A program may hit a breakpoint a thousand times a second.  Of each hit that "vmsnap
auto break" takes, only the thread that hit is looked at, and so many frames of it, or
fewer if "vmsnap depth" is less.  0: none.  "unlimited": all."""

    set_doc = "Set in how many frames vmsnap auto break looks for variables."
    show_doc = "Show in how many frames vmsnap auto break looks for variables."

    def __init__(self):
        super().__init__("vmsnap hit-depth", gdb.COMMAND_DATA, gdb.PARAM_ZUINTEGER_UNLIMITED)
        self.value = HIT_DEPTH_USUAL

    def get_set_string(self):
        return ""

    def get_show_string(self, value):
        return f"vmsnap auto break remembers the variables of {_frames(value)}."


class _Realtime(gdb.Parameter):
    """Of a process that gdb does not hold, and that stands while a snapshot of it is taken: whether
the threads that read it are at real-time priority meanwhile, if gdb may have that, for no
more than a tenth of a second.  What gdb holds stands anyway."""

    set_doc = "Set whether vmsnap asks for real-time priority while a process stands because of it."
    show_doc = "Show whether vmsnap asks for real-time priority while a process stands because of it."

    def __init__(self):
        super().__init__("vmsnap realtime", gdb.COMMAND_DATA, gdb.PARAM_BOOLEAN)
        self.value = False

    def get_set_string(self):
        return ""

    def get_show_string(self, value):
        return f"vmsnap {'asks' if value == 'on' else 'does not ask'} for real-time priority ({value})."


class _Contents(gdb.Parameter):
    """What pages hold is what tells that a variable was written to.
auto: a snapshot keeps the contents of memory that is the program's own, if that is no more
than 16 MiB, and nothing if it is more, or at a hit of "vmsnap auto break".  full: however much
it is.  hash: only a hash of each page, which tells that it was written to, but not what.
off: nothing."""

    set_doc = "Set whether snapshots of vmsnap keep what pages hold."
    show_doc = "Show whether snapshots of vmsnap keep what pages hold."

    _MEANS = {"auto": "what pages hold if that is no more than 16 MiB", "full": "all that pages hold",
              "hash": "hashes of what pages hold", "off": "nothing of what pages hold"}

    def __init__(self):
        super().__init__("vmsnap contents", gdb.COMMAND_DATA, gdb.PARAM_ENUM, ["auto", "off", "hash", "full"])
        self.value = "auto"

    def get_set_string(self):
        return ""

    def get_show_string(self, value):
        return f"Snapshots of vmsnap keep {self._MEANS[value]} ({value})."


class _Track(gdb.Parameter):
    """What was written is known then without contents, whatever pages hold now: "vmsnap diff" tells it,
"$_vmsnap_written" needs nothing else, and "vmsnap wrote" looks only at pages that were written.
soft-dirty: by the kernel's soft-dirty bits, where it has them.  on: the same; a kernel without them needs
uffd: by userfaultfd (Linux 6.7), for which a thread of the program makes two system calls while it stands, and
is put back.  From the next snapshot on, and until off, or until the program ends or is detached from."""

    set_doc = "Set whether vmsnap tracks which pages the program writes to."
    show_doc = "Show whether vmsnap tracks which pages the program writes to."

    _MEANS = {"off": "does not track writes", "on": "tracks writes by soft-dirty bits",
              "soft-dirty": "tracks writes by soft-dirty bits", "uffd": "tracks writes by userfaultfd"}

    def __init__(self):
        super().__init__("vmsnap track", gdb.COMMAND_DATA, gdb.PARAM_ENUM, ["off", "on", "soft-dirty", "uffd"])
        self.value = self.before = "off"

    def get_set_string(self):
        """Begins at once with a program that is there.  What cannot be is an error, and nothing is set."""
        from vmsnap_gdb.commands import base
        chosen, self.value = self.value, self.before
        if chosen != self.before:
            base.guarded(self._change, chosen)
        return ""

    def _change(self, chosen):
        from vmsnap_gdb import target, tracking
        if chosen != "off":
            target.require_local("writes are tracked")
        tracking.stop()
        self.value = "off"
        if chosen != "off":
            tracking.check(chosen)
            self.value = chosen
            try:
                if target.pid() is not None:
                    tracking.begin(gdb.selected_inferior(), target.pid())
            except BaseException:
                self.value = self.before = "off"
                raise
        self.before = self.value

    def get_show_string(self, value):
        return f"vmsnap {self._MEANS[value]} ({value})."


class _Blame(gdb.Parameter):
    """The kernel tells of each page fault of the program, and of its children, by which instruction it came: that
is the first write to a page that is new, shared, or tracked ("set vmsnap track").  "vmsnap blame" tells them, and
snapshots that are kept have them, for "vmsnap save" and "vmsnap blame FILE".  A fault takes about a microsecond longer
meanwhile, and at each stop a snapshot is taken that is forgotten two stops later."""

    set_doc = "Set whether vmsnap watches which code writes to pages."
    show_doc = "Show whether vmsnap watches which code writes to pages."

    def __init__(self):
        super().__init__("vmsnap blame", gdb.COMMAND_DATA, gdb.PARAM_BOOLEAN)
        self.value = self.before = False

    def get_set_string(self):
        """Begins at once with a program that is there.  What cannot be is an error, and nothing is set."""
        from vmsnap_gdb.commands import base
        chosen, self.value = self.value, self.before
        if chosen != self.before:
            base.guarded(self._change, chosen)
        return ""

    def _change(self, chosen):
        from vmsnap_gdb import blaming, target
        if not chosen:
            self.value = self.before = False
            blaming.stop()
            return
        target.require_local("page faults are watched")
        blaming.check()
        blaming.watch()
        for inferior in target.live_inferiors():
            if target.is_local(inferior.pid):
                blaming.begin(inferior.pid)
        self.value = self.before = True

    def get_show_string(self, value):
        return f"vmsnap {'watches' if value == 'on' else 'does not watch'} which code writes to pages ({value})."


class _ColorScheme(gdb.Parameter):
    """Whether the colours of vmsnap are for a terminal that is dark or light.  auto: as COLORFGBG says,
or dark.  Only the command line asks the terminal."""

    set_doc = "Set for what terminal the colours of vmsnap are."
    show_doc = "Show for what terminal the colours of vmsnap are."

    def __init__(self):
        super().__init__("vmsnap color-scheme", gdb.COMMAND_DATA, gdb.PARAM_ENUM, ["auto", "dark", "light"])
        self.value = "auto"

    def get_set_string(self):
        return ""

    def get_show_string(self, value):
        what = "as COLORFGBG says, or dark" if value == "auto" else f"for a {value} terminal"
        return f"The colours of vmsnap are {what} ({value})."


_made = {}


def register():
    for made in (_SetPrefix, _ShowPrefix):
        made()
    for name, made in (("directory", _Directory), ("limit", _Limit), ("depth", _Depth), ("hit-depth", _HitDepth),
                       ("realtime", _Realtime), ("contents", _Contents), ("track", _Track), ("blame", _Blame),
                       ("color-scheme", _ColorScheme)):
        _made[name] = made()


# Not with gdb.parameter(), which looks the name up: 15 us at each hit of a breakpoint.

def directory():
    return _made["directory"].value or ""


def limit():
    """0: unlimited."""
    return _made["limit"].value or 0


def depth():
    return _frame_count("depth")


def realtime():
    return bool(_made["realtime"].value)


def contents():
    return _made["contents"].value


def color_scheme():
    return _made["color-scheme"].value


def track():
    return _made["track"].value


def blame():
    return bool(_made["blame"].value)


def hit_depth():
    return min(_frame_count("hit-depth"), depth())


def _frame_count(name):
    """More than any stack has, if it is unlimited: that is -1 or None."""
    value = _made[name].value
    return _ALL if value is None or value < 0 else value
