"""Page faults of the programs that gdb debugs: `set vmsnap blame`.

    begin(pid)                 watches a process, if it is not watched yet
    since(pid, …)              what came since a snapshot or the stop before: Seen
    keep_with(snapshot, …)     a snapshot that is kept has what came since the one before

perf_event_open() needs no ptrace, and gdb's own does not disturb it: what gdb writes to the program's memory is no
fault of the program's.  A function that gdb calls is the program's code; its faults are marked (FaultFlag.CALL).

The kernel's buffers are emptied at each stop, and while the program runs by a thread, as far as gdb lets Python run:
it does, but not within `vmsnap wrote COMMAND` or a script's gdb.execute().  What finds no room is counted as lost."""

import collections
import os
import signal
import threading
import time

import gdb

from vmsnap import FaultFlag
from vmsnap.blame import FaultWatch, joined
from vmsnap.errors import CANCELLED, VmsnapError
from vmsnap.faults import faults_of
from vmsnap_gdb import execs, resumes, settings, target

_MOST_FAULTS = 1 << 20  # of one watch, as far as nobody has asked for them
_MOST_BYTES = 1 << 27  # that these take, and what became of memory
_MOST_CALLS = 4096
_FEW = 1024
_PAUSE = 0.01

# taken: a vmsnap.blame.Taken; watch: for Blame; begin: nothing of before is known.
Seen = collections.namedtuple("Seen", "taken watch begin")
_Base = collections.namedtuple("_Base", "snapshot resumed generation")

_watched = {}  # by pid; a child that gdb keeps has its parent's
_calls = collections.deque(maxlen=_MOST_CALLS)  # marks
_calling = {}  # by thread: since when
_said = set()
_running = threading.Event()
_reader = None
_watching = False


class Watched:
    """The watch of a process and of its children."""

    def __init__(self, pid):
        self.watch = FaultWatch([pid])
        self.pid, self.start_time = pid, target.start_time(pid)
        self.begin = time.monotonic_ns()
        self.parts = collections.deque()  # (Taken, its end), oldest first
        self.bases = {}  # by pid: two _Base
        self.linked = {}  # by pid: the snapshot that has what came until then
        self._lock = threading.Lock()

    def drain(self):
        with self._lock:
            if self.watch is not None and _running.is_set():
                self.watch.read()

    def collect(self):
        # What the watch tells of forks is valid until it is read again: not before the program goes on.
        _running.clear()
        with self._lock:
            taken = self.watch.take()
        faults = taken.faults
        if self.parts and not len(faults) and faults.lost == 0 and len(self.parts[-1][0].faults) < _FEW:
            # Nothing happened; that it was watched is known.
            taken = joined([self.parts[-1][0], taken])
            self.parts.pop()
        self.parts.append((taken, faults.end))
        while len(self.parts) > 1 and self._too_many():
            self.begin = self.parts.popleft()[1]

    def _too_many(self):
        faults = [part.faults for part, _ in self.parts]
        return sum(map(len, faults)) > _MOST_FAULTS or sum(each.memory for each in faults) > _MOST_BYTES

    def since(self, when):
        self.collect()
        found = [part for part, end in self.parts if end >= when] or [self.parts[-1][0]]
        return Seen(joined(found, list(_calls)), self.watch, self.begin)

    def has_child(self, pid):
        events, count = self.watch.events
        return any(events[which].child == pid for which in range(count))

    def close(self):
        with self._lock:
            watch, self.watch = self.watch, None
        watch.close()


# ---- which processes ----


def check():
    """Whether this kernel lets gdb watch: an error if not, tried out on gdb itself."""
    try:
        FaultWatch([os.getpid()], frames=1).close()
    except VmsnapError as error:
        raise VmsnapError(f"page faults cannot be watched: {error}") from None


def begin(pid):
    """Watches it from now on; an error if that cannot be."""
    _watch_gdb()
    found = current(pid)
    if found is None:
        _forget(pid)
        found = next((each for each in set(_watched.values()) if each.has_child(pid)), None) or Watched(pid)
        _watched[pid] = found
    return found


def current(pid):
    """The Watched of a process, if it is watched now."""
    found = _watched.get(pid)
    if found is not None and found.pid == pid and found.start_time != target.start_time(pid):
        return None
    return found


def _try(pid):
    """Never an error: what cannot be watched is said once."""
    try:
        return begin(pid)
    except VmsnapError as error:
        from vmsnap_gdb.commands import base
        if error.code != CANCELLED and str(error) not in _said:
            _said.add(str(error))
            base.note(f"page faults of process {pid} are not watched: {error}")
        return None


# ---- what is known ----


def base_of(pid):
    """A snapshot of its stop before this one; None: there is none."""
    found = current(pid)
    bases = found.bases.get(pid, ()) if found is not None else ()
    return next((each.snapshot for each in reversed(bases) if each.resumed != resumes.count(pid)
                 and each.generation == execs.generation(pid)), None)


def since(pid, when):
    """What came since then: CLOCK_MONOTONIC, ns."""
    return begin(pid).since(when)


def keep_with(snapshot, names_for):
    """What came since the last snapshot that was kept of its process goes with this one."""
    found = current(snapshot.pid) if settings.blame() else None
    if found is not None:
        _give(found, snapshot, found.linked.get(snapshot.pid), names_for)
        found.linked[snapshot.pid] = snapshot


def tell(now, before, names_for):
    """What came since a snapshot goes with the present, to be compared with it."""
    found = current(now.pid) if settings.blame() else None
    if found is not None:
        _give(found, now, before, names_for)


def _give(found, snapshot, before, names_for):
    when = before.info.monotonic if before is not None else 0
    taken = found.since(when).taken.of_process(snapshot.pid)
    shots = [each for each in (before, snapshot) if each is not None]
    try:
        taken = taken.named(shots, names_for(snapshot), found.watch)
    except VmsnapError as error:
        if error.code == CANCELLED:
            raise  # else it is told without names
    snapshot.set_faults(taken)


def links(entries, a, b):
    """Snapshots from between two of one process that have page faults, for a Diff."""
    first, last = a.info.monotonic, b.info.monotonic
    return [entry.snapshot for entry in entries
            if entry.snapshot.same_process(b) and first < entry.snapshot.info.monotonic < last
            and not entry.snapshot.info.known.written and faults_of(entry.snapshot) is not None]


# ---- what gdb tells ----


def _watch_gdb():
    global _watching, _reader
    if _watching:
        return
    execs.watch()
    resumes.watch()
    gdb.events.stop.connect(_stopped)
    gdb.events.cont.connect(_resumed)
    gdb.events.exited.connect(_gone)
    gdb.events.inferior_call.connect(_called)
    gdb.events.gdb_exiting.connect(lambda event: stop())
    _reader = threading.Thread(target=_read, daemon=True)
    # Signals of gdb's are gdb's thread's.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        _reader.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    _watching = True


def watch():
    """Programs that are started from now on are watched, as long as it is set."""
    _watch_gdb()


def _read():
    while True:
        _running.wait()
        for each in set(_watched.values()):
            try:
                each.drain()
            except VmsnapError:
                pass  # it is lost, and counted so
        time.sleep(_PAUSE)


def _live():
    return [each.pid for each in target.live_inferiors() if target.is_local(each.pid)]


def _resumed(event):
    try:
        if settings.blame():
            for pid in _live():
                if current(pid) is None:
                    _try(pid)
            _running.set()
    except Exception:  # gdb would print a traceback
        pass


def _stopped(event):
    _running.clear()
    if not settings.blame():
        return
    try:
        for pid in _live():
            found = current(pid) or _try(pid)
            if found is not None:
                found.collect()
                _base(found, pid)
    except Exception:  # gdb would print a traceback
        pass


def _base(found, pid):
    from vmsnap_gdb.session import session
    inferior, resumed = target.inferior_of(pid), resumes.count(pid)
    if any(thread.is_running() for thread in inferior.threads()):
        return
    bases = found.bases.setdefault(pid, collections.deque(maxlen=2))
    if not bases or bases[-1].resumed != resumed:
        bases.append(_Base(session.capture_now(inferior=inferior, names=False), resumed, execs.generation(pid)))


def _called(event):
    """From before until after gdb has a function called."""
    tid, now = event.ptid[1], time.monotonic_ns()
    if isinstance(event, gdb.InferiorCallPreEvent):
        _calling[tid] = now
    elif tid in _calling:
        _calls.append((_calling.pop(tid), now, tid, FaultFlag.CALL))


# ---- its end ----


def stop():
    _running.clear()
    for pid in list(_watched):
        _forget(pid)
    _said.clear()
    _calls.clear()


def _forget(pid):
    found = _watched.pop(pid, None)
    if found is not None and found not in _watched.values():
        found.close()


def _gone(event):
    """Exited, killed or detached."""
    pids = set(_live()) - {event.inferior.pid}
    for pid in [pid for pid in _watched if pid not in pids]:
        _forget(pid)
