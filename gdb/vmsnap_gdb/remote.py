"""A process on another machine, through gdb's remote target: gdbserver reads files there, and so its /proc.

    why_not(inferior)        None: its process can be looked at; else why not, for people
    knows(pid)               whether a number is of such a process; then nothing is asked of this machine's /proc
    process(pid)             as vmsnap.process_now()
    capture(pid, …)          a Snapshot
    page_now(pid, address)   as vmsnap.page_now()

Each packet takes a round trip, and some links take 20 ms for one.  So as little is asked as can be: what a machine is
once for each connection, what a process is once for each stop, and pagemap with as much as one answer holds.

gdbserver (13.1 and 16.3) reads an offset as a number of 31 bits, which is an address of 1 TiB in pagemap.  The first
one that it refuses says so, and no other above is tried: the states of these pages are not known, but for what smaps
says of mappings as a whole."""

import contextlib
import errno
import os
import re

import gdb

from vmsnap import Process, Run, _header
from vmsnap.errors import VmsnapError
from vmsnap.source import capture_from
from vmsnap_gdb import quiet, remote_files, resumes

_MOST = 0x4000  # bytes that are asked for at once; more than any answer holds
_OFFSET_LEAST = 1 << 28  # every gdbserver reads offsets below
_HIGH_ENTRY = (1 << 31) // 8 * 8  # in pagemap, and the first that some do not
_ENTRY = 8
_TEXT_MAX = 64 << 20
_PAGE_TEXT = 4096  # the kernel gives no more of status and its like at once, and they are shorter
# What gdb calls errors (its File-I/O protocol), where Linux calls them otherwise.
_ERRORS = {91: errno.ENAMETOOLONG, 9999: errno.EIO}
_ARCHITECTURES = {"i386:x86-64": "x86_64", "i386:x64-32": "x86_64", "i386": "i686", "aarch64": "aarch64"}
_WHOLE = ("status", "stat", "comm")  # given in one answer
_MEMORY_ERRORS = (gdb.error, OverflowError, ValueError)


_LAST = re.compile(rb"^ffffffffff600000-ffffffffff601000 ", re.MULTILINE)


class NoFiles(Exception):
    """The stub does not know of files."""


# ---- packets ---------------------------------------------------------------------------------


def _unescaped(data):
    parts = data.split(b"}")
    return parts[0] + b"".join(bytes([part[0] ^ 0x20]) + part[1:] for part in parts[1:] if part)


def _ask(connection, packet):
    """(number, data) of an answer; OSError if it is one."""
    if _silent:
        raise VmsnapError("the remote target cannot be asked while the program runs")
    try:
        answer = connection.send_packet(packet)
    except (gdb.error, RuntimeError) as error:  # it runs; the connection is gone
        raise VmsnapError(f"the remote target does not answer: {error}") from None
    if not answer or not answer.startswith(b"F"):
        raise NoFiles
    head, _, data = answer[1:].partition(b";")
    number, _, code = head.partition(b",")
    number = int(number, 16)
    if number < 0:
        code = int(code.split(b",")[0] or b"0", 16)
        code = _ERRORS.get(code, code)
        raise OSError(code, f"remote error {code}")
    return number, _unescaped(data)


class Host:
    """The machine of a connection, and what is read there."""

    def __init__(self, connection):
        self.connection = connection
        self.refused_from = 1 << 64  # no offset from there on is understood
        self.reads_high = False
        self._identity = None
        self._left_open = []
        self._stats = {}  # pid: (stop, text)
        self.refused = {}  # pid: why its /proc cannot be read
        self.beginnings = {}  # of mapped files
        self.status = None  # (pid, stop, text) of the last that was read to find that out

    def open(self, path):
        return _ask(self.connection, b"vFile:open:" + os.fsencode(path).hex().encode() + b",0,0")[0]

    def close(self, descriptor):
        _ask(self.connection, b"vFile:close:%x" % descriptor)

    def inode(self, descriptor):
        """Its lower 32 bits: gdb's protocol has no more."""
        return int.from_bytes(_ask(self.connection, b"vFile:fstat:%x" % descriptor)[1][4:8], "big")

    def pread(self, descriptor, offset, length):
        got, data = _ask(self.connection, b"vFile:pread:%x,%x,%x" % (descriptor, length, offset))
        return data[:max(0, min(got, length))]

    def text(self, path, whole=False, later=False):
        """whole: it is shorter than what is given at once.  later: it is closed with the next snapshot, as the first
        takes the most round trips."""
        descriptor = self.open(path)
        if later:
            self._left_open.append(descriptor)
            return self._rest(descriptor, whole)
        try:
            return self._rest(descriptor, whole)
        finally:
            self.close(descriptor)

    def _rest(self, descriptor, whole):
        found, size = [], 0
        while True:
            data = self.pread(descriptor, size, _MOST)
            found.append(data)
            size += len(data)
            if size > _TEXT_MAX:  # a half of smaps would be half of its mappings
                raise OSError(errno.EFBIG, "more than there is room for")
            # Nothing of a map is behind [vsyscall].
            if not data or whole and len(data) < _PAGE_TEXT or _LAST.search(data):
                break
        return b"".join(found)

    def _line(self, path):
        try:
            return self.text(path, whole=True, later=True).strip()
        except OSError:
            return b""

    def leave_open(self, descriptors):
        self._left_open.extend(descriptors)

    def close_left(self):
        while self._left_open:
            try:
                self.close(self._left_open.pop())
            except OSError:
                pass

    def identity(self):
        """Of the machine: lines as docs/recorded.md has them."""
        if self._identity is None:
            self._identity = b"Host: %b\nKernel: %b\nBoot-id: %b\n" % tuple(
                self._line(f"/proc/sys/kernel/{name}") for name in ("hostname", "osrelease", "random/boot_id"))
        return self._identity

    def stat(self, pid):
        """The text of its stat as it is since the program stopped; OSError if there is no such process."""
        if not any(inferior.pid == pid for inferior in gdb.inferiors()):
            return self.text(f"/proc/{pid}/stat", whole=True)  # it runs, or will soon
        resumes.watch()
        stop = resumes.count(pid)
        if self._stats.get(pid, (None,))[0] != stop:
            self._stats[pid] = stop, self.text(f"/proc/{pid}/stat", whole=True)
        return self._stats[pid][1]


_silent = 0


@contextlib.contextmanager
def silent():
    """Nothing is asked within: the program has just been let run, and the stub answers when it stops."""
    global _silent
    _silent += 1
    try:
        yield
    finally:
        _silent -= 1


_hosts = {}  # by number of the connection
_of = {}     # pid: the Host that it is of
_watching = False


def _exited(event):
    # What is run next may be another program of that name, built anew.
    for host in _hosts.values():
        host.beginnings.clear()


def _host(inferior):
    global _watching
    if not _watching:
        gdb.events.exited.connect(_exited)
        _watching = True
    connection = inferior.connection
    found = _hosts.get(connection.num)
    if found is None or found.connection is not connection and not found.connection.is_valid():
        found = _hosts[connection.num] = Host(connection)
    return found


def note(pid, inferior):
    """From now on this number is of the inferior's machine: of a child at its fork, say."""
    _of[pid] = _host(inferior)


def knows(pid):
    return pid in _of


def forget(pid):
    """It is of this machine: gdb runs one of that number here."""
    _of.pop(pid, None)


# ---- whether it can be ------------------------------------------------------------------------

_NO_FILES = "its stub cannot read files there (vFile), as gdbserver can"
_NO_PROC = "it shows no /proc of its process: it is no Linux, or /proc is not mounted"
_STRANGE = "the /proc that it shows is of other processes than those that it debugs"


def why_not(inferior):
    """Asked of the stub once for each process.  VmsnapError: it cannot be asked now."""
    resumes.watch()
    connection = inferior.connection
    if not hasattr(connection, "send_packet"):
        return "this gdb does not let its remote targets be asked (gdb 12 does)"
    host = _host(inferior)
    if inferior.pid not in host.refused:
        host.refused[inferior.pid] = _refused(host, inferior.pid)
    if host.refused[inferior.pid] is None:
        _of[inferior.pid] = host
    return host.refused[inferior.pid]


def _refused(host, pid):
    try:
        text = host.text(f"/proc/{pid}/status", whole=True)
    except NoFiles:
        return _NO_FILES
    except OSError as error:
        return _NO_PROC if error.errno == errno.ENOENT else f"its /proc cannot be read: {error.strerror}"
    # It may be the /proc of a container, with numbers of its own; or that of an emulator's machine.
    told = re.search(rb"(?m)^TracerPid:\t(\d+)$", text), re.search(rb"(?m)^Tgid:\t(\d+)$", text)
    if None in told or not int(told[0][1]) or int(told[1][1]) != pid:
        return _STRANGE
    host.status = pid, resumes.count(pid), text
    return None


# ---- a process --------------------------------------------------------------------------------


def process(pid):
    """As vmsnap.process_now(); None: there is none, or nobody can be asked."""
    host = _of[pid]
    try:
        text = host.stat(pid)
    except (OSError, NoFiles, VmsnapError):
        return None
    fields = text[text.rindex(b")") + 2:].split()
    state = fields[0].decode()
    return Process(pid, pid, int(fields[1]), 1 if state == "t" else 0, int(fields[19]), state, int(fields[23]),
                   int(fields[25]))


def children(pid, tid):
    """Of one thread, the newest first; needs CONFIG_PROC_CHILDREN there."""
    try:
        text = _of[pid].text(f"/proc/{pid}/task/{tid}/children", whole=True)
    except (OSError, NoFiles, VmsnapError):
        return []
    return [int(word) for word in reversed(text.split())]


def newborn(pid, candidates, known):
    """The first of them that is a child of the process and stands, as of a fork that the stub has just told of."""
    for child in candidates:
        if child in known:
            continue
        before = _of.get(child)
        _of[child] = _of[pid]
        found = process(child)
        if found is not None and found.ppid == pid and found.state == "t":
            return child
        if before is None:
            del _of[child]
    return None


class _Files:
    """Of /proc/PID, for capture_from()."""

    def __init__(self, pid, inferior, open_mapped=False):
        self._host, self._pid, self._inferior = _of[pid], pid, inferior
        self._texts, self._open = {}, {}
        self._mapped = remote_files.Mapped(self._host, pid, open_mapped)

    def __enter__(self):
        self._host.close_left()
        return self

    def __exit__(self, *error):
        self._host.leave_open(self._open.values())

    def read(self, name, offset, length):
        if name == "pagemap":
            return self._entries(offset, length)
        if name == "mem":
            return self._memory(offset, length)
        if name.startswith("map_files/"):
            return self._mapped.beginning(self._texts["maps"], name)[offset:offset + length]
        if name not in self._texts:
            self._texts[name] = self._text(name)
        return self._texts[name][offset:offset + length]

    def _text(self, name):
        if name == "identity":
            return self._identity()
        if name == "status" and self._host.status and self._host.status[:2] == (self._pid, resumes.count(self._pid)):
            return self._host.status[2]
        if name == "stat":
            return self._host.stat(self._pid)
        if name == "cmdline":
            return self._arguments()
        if name in ("comm", "cgroup"):  # the name is in status
            raise OSError(errno.ENOENT, name)
        if name == "maps" and not self._reads_high():
            # smaps will be read, too, for what pagemap does not tell.
            return b"".join(line for line in self._smaps().splitlines(True) if _MAPPING.match(line))
        if name == "smaps":
            return self._smaps()
        try:
            return self._host.text(f"/proc/{self._pid}/{name}", whole=name in _WHOLE, later=True)
        except NoFiles:
            raise OSError(errno.ENOSYS, name) from None

    def _arguments(self):
        """The kernel wrote to the pages that they lie in; so they are there, if nothing of the process is in swap, and to
        read them makes none.  Of a child at its fork it would take three round trips."""
        fields = self._host.stat(self._pid).rpartition(b")")[2].split()
        start, end = (int(field) for field in fields[45:47]) if len(fields) > 46 else (0, 0)
        if self._inferior is None or not 0 < end - start <= _MOST or not _NO_SWAP.search(self._status()):
            raise OSError(errno.ENOENT, "cmdline")
        held = self._memory(start, end - start)
        if not held.endswith(b"\0"):  # a title, which may go on in what was the environment
            raise OSError(errno.ENOENT, "cmdline")
        return held

    def _status(self):
        if "status" not in self._texts:
            self._texts["status"] = self._text("status")
        return self._texts["status"]

    def _reads_high(self):
        """Where programs of 64 bits have most of their memory."""
        if _is_32_bit() or self._host.reads_high:
            return True
        if self._host.refused_from == 1 << 64:
            try:
                self._pread("pagemap", _HIGH_ENTRY, _ENTRY)
                self._host.reads_high = True
            except OSError as error:
                return error.errno != errno.EINVAL
        return self._host.reads_high

    def _smaps(self):
        if "smaps" not in self._texts:
            self._texts["smaps"] = self._host.text(f"/proc/{self._pid}/smaps", later=True)
        return self._texts["smaps"]

    def _identity(self):
        text = self._host.identity() + b"Page-size: %d\n" % _page_size(self._inferior)
        return text + b"Arch: %b\nExe: %b\n" % (_architecture().encode(), self._exe())

    def _exe(self):
        """Where its code begins lies its program."""
        found = process(self._pid)
        for line in self._texts["maps"].splitlines() if found is not None else ():
            start, _, end = line.split(b" ", 1)[0].partition(b"-")
            if int(start, 16) <= found.start_code < int(end, 16):
                words = line.split(None, 5)
                return words[5] if len(words) > 5 else b""
        return b""

    def _descriptor(self, name):
        if name not in self._open:
            self._open[name] = self._host.open(f"/proc/{self._pid}/{name}")
        return self._open[name]

    def _pread(self, name, offset, length):
        if offset >= self._host.refused_from:
            raise OSError(errno.EINVAL, "this gdbserver reads pagemap below 1 TiB of addresses only")
        try:
            return self._host.pread(self._descriptor(name), offset, length)
        except OSError as error:
            if error.errno == errno.EINVAL and offset >= _OFFSET_LEAST:
                self._host.refused_from = offset
                raise OSError(errno.EINVAL, "this gdbserver reads pagemap below 1 TiB of addresses only") from None
            raise

    def _entries(self, offset, length):
        """Whole ones: an answer that had to be escaped may end within one."""
        found = []
        while length > 0:
            data = self._pread("pagemap", offset, min(length, _MOST))
            data = data[:len(data) // _ENTRY * _ENTRY]
            if not data:
                break
            found.append(data)
            offset += len(data)
            length -= len(data)
        return b"".join(found)

    def _memory(self, address, length):
        """gdb's own way, where it has an inferior.  Of a child at its fork there is none yet."""
        if self._inferior is not None and self._inferior.pid == self._pid:
            try:
                return bytes(self._inferior.read_memory(address, length))
            except _MEMORY_ERRORS:
                raise OSError(errno.EIO, "memory") from None
        return self._pread("mem", address, min(length, _MOST))


_NO_SWAP = re.compile(rb"(?m)^VmSwap:\s+0 kB$")
_MAPPING = re.compile(rb"[0-9a-f]+-[0-9a-f]+ ")
_PAGE_SIZE = re.compile(r"(?m)^6 +AT_PAGESZ .* (\d+)$")
_page_sizes = {}  # by number of the connection


def _page_size(inferior):
    """As the kernel told the program; gdb has that at hand."""
    inferior = inferior or gdb.selected_inferior()
    number = inferior.connection_num
    if number not in _page_sizes:
        found = _PAGE_SIZE.search(quiet.ask("info auxv"))
        if found is None:
            return 4096
        _page_sizes[number] = int(found[1])
    return _page_sizes[number]


def _is_32_bit():
    try:
        return gdb.selected_frame().architecture().void_type().pointer().sizeof == 4
    except (gdb.error, AttributeError):
        return False


def _architecture():
    try:
        return _ARCHITECTURES.get(gdb.selected_frame().architecture().name(), "")
    except gdb.error:
        return ""


def _threads(pid, listed):
    """[(number, stack pointer)]; where it would have to be asked for, 0."""
    if listed is None:
        return [(pid, 0)]
    selected = gdb.selected_thread()
    found = []
    for thread in reversed(listed):
        pointer = 0
        if selected is not None and thread.ptid == selected.ptid:
            try:
                pointer = int(gdb.newest_frame().read_register("sp")) & ((1 << 64) - 1)
            except _MEMORY_ERRORS:
                pass
        found.append((thread.ptid[1], pointer))
    return found


def _stands():
    """In all-stop mode a stub that answers has stopped all threads, whatever gdb tells of them within an event."""
    return not gdb.parameter("non-stop")


def capture(pid, inferior, listed, *, reason="", label="", smaps=False, contents="none", store=None, contents_limit=0,
            left_out=()):
    """inferior, listed: it and its threads; None of a child at its fork, which gdb has none for yet."""
    if inferior is not None and inferior.pid != pid:
        inferior = None
    if contents == "hashes":  # they would have to be read all the same
        contents = "none"
    with _Files(pid, inferior, contents != "none") as files:
        return capture_from(files.read, held=_stands(), threads=_threads(pid, listed), reason=reason,
                            label=label, smaps=smaps, contents=contents, store=store, contents_limit=contents_limit,
                            left_out=left_out)


# ---- one page ---------------------------------------------------------------------------------

_FLAGS_SHIFT = 55
_FRAME = (1 << _FLAGS_SHIFT) - 1


def page_now(pid, address):
    """(Run or None, struct vmsnap_known): what one entry of pagemap says."""
    with _Files(pid, None) as files:
        size = _page_size(None)
        start = address // size * size
        try:
            data = files.read("pagemap", start // size * _ENTRY, _ENTRY)
        except OSError as error:
            raise VmsnapError(f"the state of this page cannot be read through the remote target: {error.strerror}") \
                from None
    entry = int.from_bytes(data, "little") if len(data) == _ENTRY else 0
    flags, frame = entry >> _FLAGS_SHIFT, entry & _FRAME
    present, swapped = flags & _header.PageFlag.PRESENT, flags & _header.PageFlag.SWAPPED
    known = _header.Known(pfn=bool(frame), exclusive=True)
    if not present and not swapped:
        return None, known
    return Run(start, start + size, flags, frame if present else 0, 0 if present else frame & 31,
               0 if present else frame >> 5), known


def read_memory(pid, address, length):
    """Bytes; None if they cannot be had."""
    inferior = next((each for each in gdb.inferiors() if each.pid == pid), None)
    try:
        return bytes(inferior.read_memory(address, length))
    except (*_MEMORY_ERRORS, AttributeError):
        return None
