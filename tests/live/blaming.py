"""What the target `blame` did, by its log, and what vmsnap blame says of it."""

import ctypes
import errno
import os
import platform
import struct

import support
from kernel import PAGE

HOWS = ("write_store", "write_add", "write_string", "write_wide", "write_thread", "read_page", "write_syscall", "drop",
        "fork", "populate", "lock", "map_again", "move", "write_vfork", "collapse")
KERNEL = "(the kernel)"
WINDOW = 100
ENTRY = struct.Struct("=IIQII")
HUGE = PAGE // 8 * PAGE


class Truth:
    """Frames as the kernel gives them out: which operation made the one that a page is in."""

    def __init__(self, target):
        self.areas = {name: area for name, area in target.ranges.items() if name != "log"}
        self.memory = {target.pid: {}}  # process: page: frame; none is not in it
        self.users = {}
        self.made = {}
        self.wrote = {}  # (process, page): the functions that wrote to it since the window's begin
        self.born = {}   # process forked meanwhile: its parent
        self.before = {}
        self.dropped = set()  # (process, page) that was given back meanwhile
        self.shared = set()   # frames that two processes have, or had
        self.copied = {}      # (process, page): the functions that wrote to one that nobody else has any more
        self.moved = set()    # and of which the frame is another one's
        self.collapsed = set()  # pages of which the kernel made huge ones, or not; then nobody has them in common
        start, end = target.ranges["log"]
        self.window = False
        for entry in entries(target.pid, start, end):
            self.take(*entry)

    def area_of(self, address):
        return next((name for name, (start, end) in self.areas.items() if start <= address < end), None)

    def let_go(self, pid, page):
        frame = self.memory[pid].pop(page, None)
        if frame is not None:
            self.users[frame] -= 1

    def give(self, pid, page, function):
        self.let_go(pid, page)
        frame = len(self.made)
        self.made[frame] = function if self.window else None  # None: before
        self.users[frame] = 1
        self.copied.pop((pid, page), None)
        self.memory[pid][page] = frame

    def drop(self, pid, page):
        self.let_go(pid, page)
        if self.window:
            self.dropped.add((pid, page))

    def move(self, pid, page, by):
        source = page + (by - (by >> 31 << 32)) * PAGE
        self.drop(pid, page)
        frame = self.memory[pid].pop(source, None)
        if frame is not None:
            self.memory[pid][page] = frame
        if self.window:
            wrote = self.wrote.pop((pid, source), [])
            self.wrote[pid, page] = wrote
            self.copied[pid, page] = self.copied.pop((pid, source), set())
            self.dropped.add((pid, source))
            self.moved |= {(pid, page), (pid, source)}

    def write(self, pid, page, function):
        if self.window and function != KERNEL:
            self.wrote.setdefault((pid, page), []).append(function)
        frame = self.memory[pid].get(page)
        if frame is None and self.area_of(page) == "huge":
            first = page // HUGE * HUGE
            for other in range(first, first + HUGE, PAGE):
                if other not in self.memory[pid]:
                    self.give(pid, other, function)
        elif frame is None or self.users[frame] > 1:
            self.give(pid, page, function)
        elif frame in self.shared and self.window:
            self.copied.setdefault((pid, page), set()).add(function)

    def fork(self, parent, child):
        self.memory[child] = dict(self.memory[parent])
        for frame in self.memory[child].values():
            self.users[frame] += 1
            self.shared.add(frame)
        if self.window:
            self.born[child] = parent

    def take(self, pid, how, address, other):
        if how == WINDOW:
            self.window = True
            self.before = {process: dict(pages) for process, pages in self.memory.items()}
        elif HOWS[how] == "fork":
            self.fork(pid, other)
        elif HOWS[how] in ("drop", "map_again"):
            self.drop(pid, address)
        elif HOWS[how] == "move":
            self.move(pid, address, other)
        elif HOWS[how] == "collapse":
            first = address // HUGE * HUGE
            self.collapsed |= set(range(first, first + HUGE, PAGE))
        elif HOWS[how] in ("populate", "lock"):
            self.write(pid, address, KERNEL)
        elif HOWS[how] != "read_page":
            self.write(pid, address, HOWS[how])

    def changed(self):
        """{(process, page): the function whose write made its frame} of what is in another frame than before."""
        found = {}
        for pid, pages in self.memory.items():
            if pid in self.born:
                continue
            for page, frame in pages.items():
                if self.before[pid].get(page) != frame:
                    found[pid, page] = self.made[frame]
        return found


def entries(pid, start, end):
    with open(f"/proc/{pid}/mem", "rb") as memory:
        memory.seek(start)
        data = memory.read(end - start)
    (count,) = struct.unpack_from("=I", data, len(data) - PAGE)
    return [ENTRY.unpack_from(data, index * ENTRY.size)[:4] for index in range(count)]


# What a shell can name: numbers of one digit.
GO, READY = 8, 9
for number in GO, READY:
    os.dup2(os.open(os.devnull, os.O_RDWR), number)


_prctl, _long = ctypes.CDLL(None).prctl, ctypes.c_ulong


def refusing(name, error=errno.EPERM):
    """For preexec_fn: fails this system call from then on, by a filter."""
    number = {"perf_event_open": 298, "bpf": 321}[name]  # of x86-64
    instructions = ((0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | error), (0x06, 0, 0, 0x7fff0000))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in instructions))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(instructions), ctypes.addressof(code)))

    def refuse():
        assert code
        _prctl(38, _long(1), _long(0), _long(0), _long(0))
        if _prctl(22, _long(2), ctypes.c_void_p(ctypes.addressof(program)), _long(0), _long(0)):
            raise OSError("no filter of system calls can be set")
    return refuse


def can_refuse():
    """Whether refusing() works here."""
    child = platform.machine() == "x86_64" and os.fork()
    if child == 0:
        try:
            refusing("bpf")()
        except OSError:
            os._exit(1)
        os._exit(0)
    return bool(child) and os.waitpid(child, 0)[1] == 0


def words(target, *more, by="page"):
    """vmsnap blame, which watches while the target does its part; and what a program that runs it has to give it."""
    os.dup2(target.process.stdin.fileno(), GO)
    os.dup2(target.process.stdout.fileno(), READY)
    part = f"echo go >&{GO}; head -c 6 <&{READY} >/dev/null"
    return ("blame", target.pid, "--tree", "--by", by, *more, "--", "sh", "-c", part), {"pass_fds": [GO, READY]}


def blame(target, *more, user=None, by="page", without=None):
    """What it gives, without a system call maybe."""
    argv, options = words(target, *more, by=by)
    if without:
        options["preexec_fn"] = refusing(without)
    return support.run(*argv, user=user, **options)


def judge(document, truth):
    """How many pages are blamed rightly, wrongly (told one by one), on one of several, and on nobody."""
    sums = {"right": 0, "wrong": [], "several": 0, "unseen": 0, "kernel": 0, "maybe": 0, "untold": []}
    changed = truth.changed()
    told = set()
    for row in document["rows"]:
        if row["mapped"]:
            continue
        for page in range(int(row["start"], 16), int(row["end"], 16), PAGE):
            area = truth.area_of(page)
            if not area:
                continue
            pid = row["pid"]
            told.add((pid, page))
            kernels = changed.get((pid, page)) in (KERNEL, None) or page in truth.collapsed
            if row["known"] == "unseen" and kernels:
                sums["kernel"] += 1
                continue
            if row["known"] != "seen":
                sums[row["known"]] += 1
                continue
            said = "write_syscall" if row["syscall"] == "pread64" else row["function"]
            wrote = set(truth.wrote.get((pid, page), []))
            # The kernel may copy a page that nobody else has any more: what is on a processor's list has a reference.
            may = wrote if pid in truth.born or (pid, page) not in changed else {changed[pid, page]}
            may = may | truth.copied.get((pid, page), set())
            if area == "huge":
                may |= wrote
            if said in may:
                sums["right"] += 1
            elif "memory" not in document["watched"] and (pid, page) in truth.moved:
                sums["several"] += 1  # what mremap moves then leaves no trace
            elif "memory" not in document["watched"] and (pid, page) in truth.dropped and said in wrote:
                sums["maybe"] += 1  # given back and filled by the kernel, neither of which is seen
            else:
                sums["wrong"].append((pid, hex(page), area, said, sorted(map(str, may)), truth.wrote.get((pid, page))))
    # A frame that was given back may be given out again, to the same page.
    sums["untold"] = [(pid, hex(page), truth.area_of(page), function) for (pid, page), function in changed.items()
                      if (pid, page) not in told and (pid, page) not in truth.dropped | truth.moved and page not in truth.collapsed]
    return sums
