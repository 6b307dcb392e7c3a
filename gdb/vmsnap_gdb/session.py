"""The snapshots that this gdb holds, and what `now` is.

    take(pid, inferior=…, name=…, reason=…)  a new one, kept
    capture_now(…)                           one that is not kept
    resolve(word)                            a name, or "now", as a Snapshot
"""

import collections
import itertools
import re

import gdb

from vmsnap import Freeze, Names, Snapshot, capture_set, one_line
from vmsnap.errors import VmsnapError
from vmsnap_gdb import (auto_notes, blaming, cores, execs, keeping, looks, remote, repeating, resumes, rseq, settings,
                        target, touched, tracking, variables)

NOW = "now"
_OTHERS_RAN = "; other threads were running"
_NAME = re.compile(r"[^\s\x00-\x1f\x7f'\"\\-][^\s\x00-\x1f\x7f'\"\\]{0,200}")
_NAMES_KEPT = 4
_GONE_KEPT = 1000


class Pair(collections.namedtuple("Pair", "parent child kind")):
    """The entries of a fork's two."""

    __slots__ = ()

    @property
    def name(self):
        """"fork2" of "fork2.parent"; that of the parent if it is called otherwise."""
        return self.parent.name.replace(".parent", "", 1)


class Entry:
    """A snapshot and how it came here.  origin: "take", "auto", "load" or "core"."""

    def __init__(self, name, snapshot, origin, exec_generation=0, resumed=None):
        self.name = name
        self.snapshot = snapshot
        self.origin = origin
        self.pid = snapshot.pid
        self.start_time = snapshot.start_time
        self.exec_generation = exec_generation
        self.resumed = resumed  # how often, when it was taken; None: not known
        self.pair = None
        self.role = None  # "parent" or "child", in a pair

    def executed_since(self, now):
        """Whether its process has executed another program; now: as process_now() has it."""
        info = self.snapshot.info
        if self.origin not in ("load", "core") and self.exec_generation != execs.generation(self.pid):
            return True
        return any(then and there and then != there for then, there in
                   ((info.start_stack, now.start_stack), (info.start_code, now.start_code)))

    @property
    def automatic(self):
        return self.origin == "auto"

    def of_this_stop(self):
        """Whether its process has not run since."""
        return self.resumed is not None and self.resumed == resumes.count(self.pid)


class Session:
    def __init__(self):
        self._entries = {}  # by name, oldest first
        self._automatic = {}  # those of them that the limit takes first
        self._numbers = collections.Counter()
        self._names = collections.OrderedDict()
        self.dropped = 0  # by the limit
        self._gone = {}  # names of those that were dropped, by whomever, the last ones
        self.dropped_forks = collections.deque(maxlen=_GONE_KEPT)

    # ---- what there is ----

    def entries(self):
        return list(self._entries.values())

    def names_list(self):
        return list(self._entries)

    def __contains__(self, name):
        return name in self._entries

    def newest(self):
        return next(reversed(self._entries.values()), None)

    def newest_of(self, pid, start_time=None):
        """The newest entry of a process, None if there is none.  start_time None: of the
        one that has this number now."""
        start_time = target.start_time(pid) if start_time is None else start_time
        return next((entry for entry in reversed(self._entries.values())
                     if entry.pid == pid and entry.start_time == start_time), None)

    def before(self, pid, start_time=None):
        """What the present of a process is compared with if nobody says: its newest entry, but
        not one that was taken by itself at this very stop, which is the present."""
        start_time = target.start_time(pid) if start_time is None else start_time
        newest = None
        for entry in reversed(self._entries.values()):
            if (entry.pid, entry.start_time) != (pid, start_time):
                continue
            if not (entry.automatic and entry.of_this_stop()):
                return entry
            newest = newest or entry
        return newest

    def before_core(self):
        """The same of a core file, which does not go on: the newest entry that is not of one which gdb looked at, if there is
        one; None: there is none at all."""
        entries = self.entries()[::-1]
        return next((entry for entry in entries if entry.origin != "core"), next(iter(entries), None))

    def in_pair(self, entry):
        """Whether its process is one of a fork's two."""
        return any(other.pair and (other.pid, other.start_time) == (entry.pid, entry.start_time)
                   for other in reversed(self._entries.values()))

    def pairs(self):
        """All forks, the newest first."""
        return [entry.pair for entry in reversed(self._entries.values()) if entry.role == "child"]

    def pair(self, word):
        """The fork that is called so, or has a snapshot of that name; None if there is none."""
        return next((pair for pair in self.pairs() if word in (pair.name, pair.parent.name, pair.child.name)), None)

    def entry(self, name):
        if name in self._entries:
            return self._entries[name]
        what = f"the snapshot '{name}' was dropped" if name in self._gone else f"there is no snapshot called '{name}'"
        raise VmsnapError(f"{what}; {self._what_there_is()}")

    def _what_there_is(self):
        names = self.names_list()
        if not names:
            again = "left" if self._gone else "yet"
            return f"there are none {again}: take one with 'vmsnap take', or load a file"
        shown = ", ".join(names[-8:])
        older = len(names) - 8
        more = "" if older <= 0 else " and an older one" if older == 1 else f" and {older} older ones"
        return f"there are {shown}{more}, and now"

    def resolve(self, word, inferior=None):
        return self.capture_now(inferior=inferior) if word == NOW else self.entry(word).snapshot

    # ---- making them ----

    def capture_now(self, *, inferior=None, pid=None, label=NOW, reason="", names=True, smaps=False, threads=None,
                    depth=None, brief=False, contents=None, link=False, kpage=False):
        """A snapshot that is not kept.  pid: of a process that is no inferior (any more).
        threads, depth: of which threads the variables, in how many frames; None: of all,
        as is set.  brief: at each hit of a breakpoint.  contents: of keeping.py, None: nothing.
        kpage: what the kernel's tables say of its frames, and their nodes, too.
        link: it will be kept, and what is written is counted anew from it on (tracking.py)."""
        if pid is None:
            inferior = inferior or gdb.selected_inferior()
            pid = target.require_any(inferior)
        if pid is None:
            return self._of_core(inferior, label, names, depth, threads)
        execs.watch()
        resumes.watch()
        looks.watch()
        touched.watch()
        tracked = tracking.of(inferior, pid)
        # Pages first: to look at variables is to touch them.
        if not target.is_local(pid):
            listed = list(inferior.threads()) if inferior is not None else None  # which takes a packet
            threads = listed if threads is None else threads
            snapshot = remote.capture(pid, inferior, listed, reason=reason, label=label, smaps=smaps, **(contents or {}))
        elif brief:
            snapshot = repeating.of(pid).capture(reason=reason, if_running=_OTHERS_RAN, label=label,
                                                 realtime=settings.realtime(), tracker=tracked and tracked.tracker,
                                                 peek=not link, **(contents or {}))
        else:
            snapshot = Snapshot.capture(pid, reason=reason, label=label, smaps=smaps, kpage=kpage,
                                        realtime=settings.realtime(), tracker=tracked and tracked.tracker,
                                        peek=not link, **(contents or {}))
        snapshot.tracking = tracked and tracked.trouble()
        return self._annotated(snapshot, inferior, names, depth, threads, brief)

    @staticmethod
    def get_ready(depth):
        """What is read once, symbols above all, is read now if it can be, and not while the program stands at a hit of a
        breakpoint.  What is wrong will be said then."""
        try:
            execs.watch()
            resumes.watch()
            looks.watch()
            touched.watch()
            inferior, thread = gdb.selected_inferior(), gdb.selected_thread()
            if thread is not None and thread.is_stopped() and target.kind(inferior) == "native" and not target.replaying():
                variables.collect(inferior, depth, [thread])
                looks.after_ours()
        except (VmsnapError, gdb.error):
            pass

    def capture_now_together(self, pids):
        """Snapshots of several processes at one instant, that are not kept."""
        execs.watch()
        touched.watch()
        return [self._annotated(snapshot, target.inferior_of(snapshot.pid))
                for snapshot in capture_set(pids, label=NOW, realtime=settings.realtime())]

    @staticmethod
    def _of_core(inferior, label, names, depth, threads):
        """Of the core file that an inferior is.  All of it is at hand whatever is asked for, and none of it changes."""
        snapshot = cores.loaded(inferior, label)
        snapshot.types, snapshot.kernels_own = {}, []
        if names:
            snapshot.annotate(variables.collect(inferior, settings.depth() if depth is None else depth, threads,
                                                types=snapshot.types))
        return snapshot

    @staticmethod
    def _annotated(snapshot, inferior, names=True, depth=None, threads=None, hit=False):
        found = []
        # By key, of what was found.  Values need them; they are of gdb, and not in files.
        kept = snapshot.contents == "bytes"
        snapshot.types = {} if kept else None
        snapshot.kernels_own = rseq.areas(inferior) if kept and inferior is not None else []
        if names and inferior is not None and not target.replaying():
            found = variables.collect(inferior, settings.depth() if depth is None else depth, threads,
                                      types=snapshot.types, hit=snapshot if hit else None)
            looks.after_ours()
        found = found + touched.ranges(snapshot)
        if hit:
            snapshot.annotate_later(found, _names_lost)  # of a thousand hits few are looked at
        else:
            snapshot.annotate(found)
        return snapshot

    def take(self, pid, **how):
        """A snapshot that is kept.  how: as of captured()."""
        return self.keep(self.captured(pid, **how))

    def captured(self, pid, *, name=None, prefix="s", reason=None, automatic=False, replace=False, contents=None, **how):
        """An entry that is not kept yet.  pid None: of a core file.  name None: the next of s1, s2, …, or with another
        prefix.  replace: there may be one of that name.  contents: as of capture_now(), or None: as it is set.
        how: as there."""
        name = self.fresh_name(prefix) if name is None else self.check_name(name, replace)
        contents = keeping.chosen(hit=automatic) if contents is None else contents
        snapshot = self.capture_now(pid=pid, label=name, reason=reason or "", contents=contents, link=True, **how)
        if pid is None:
            return Entry(name, snapshot, "core")
        blaming.keep_with(snapshot, self.names_for)
        # At its fork a child is no inferior yet, and when it runs nobody tells.
        resumed = resumes.count(pid) if how.get("inferior") is not None else None
        return Entry(name, snapshot, "auto" if automatic else "take", execs.generation(pid), resumed)

    def add(self, name, snapshot, origin):
        return self.keep(Entry(name, snapshot, origin))

    def keep(self, entry):
        """In the place of the one of its name, if there is one."""
        self.drop(entry.name)
        self._gone.pop(entry.name, None)
        self._entries[entry.name] = entry
        if entry.automatic:
            self._automatic[entry.name] = entry
        self._keep_limit(entry)
        return entry

    def add_pair(self, parent, child, kind="fork"):
        pair = Pair(parent, child, kind)
        parent.pair = child.pair = pair
        parent.role, child.role = "parent", "child"
        return pair

    # ---- names of snapshots ----

    def fresh_name(self, prefix):
        """Never one that was used before, even if it has been dropped."""
        while True:
            self._numbers[prefix] += 1
            name = f"{prefix}{self._numbers[prefix]}"
            if name not in self._entries:
                return name

    def check_name(self, name, replace=False):
        if name == NOW:
            raise VmsnapError("'now' always means what gdb looks at as it is; choose another name")
        if not _NAME.fullmatch(name) or not name.isprintable():
            raise VmsnapError("a snapshot's name is one word, without quotes or backslashes, that does not begin "
                              "with '-'")
        if name in self._entries and not replace:
            raise VmsnapError(f"there is a snapshot called '{name}' already; vmsnap take {name} --replace takes its "
                              "place")
        return name

    # ---- letting go ----

    def drop(self, name):
        entry = self._entries.pop(name, None)
        self._automatic.pop(name, None)
        if entry is None:
            return  # one of a fork's two, dropped with the other
        self._gone[name] = None
        while len(self._gone) > _GONE_KEPT:
            del self._gone[next(iter(self._gone))]
        if entry.pair:
            self.dropped_forks.append(entry.pair.name)
            other = entry.pair.child if entry.role == "parent" else entry.pair.parent
            other.pair = other.role = entry.pair = entry.role = None
        if not self._entries:
            self._names.clear()

    def _keep_limit(self, newest):
        limit = settings.limit()
        while limit and len(self._entries) > limit:
            candidates = itertools.chain(self._automatic.values(), self._entries.values())
            victim = next((entry for entry in candidates if entry is not newest), None)
            if victim is None:
                return
            gone = {victim.name}
            if victim.pair:
                gone |= {victim.pair.parent.name, victim.pair.child.name} - {newest.name}
            for name in gone & self._entries.keys():
                self.drop(name)
                self.dropped += 1

    # ---- naming addresses ----

    def names_for(self, snapshot, fallbacks=(), sysroot=None):
        """Names of a snapshot; what was read of its files is kept for the next one."""
        key = (snapshot.info.exe, snapshot.info.boot_id, sysroot)
        names = self._names.pop(key, None)
        if names is None:
            names = Names(snapshot, sysroot)
        else:
            names.rebind(snapshot)
        for other in fallbacks:
            if other is not None and other is not snapshot:
                names.add_fallback(other)
        self._names[key] = names
        while len(self._names) > _NAMES_KEPT:
            self._names.popitem(last=False)
        return names


def _names_lost(snapshot, error):
    """Whatever is asked of it then, has nothing to do with names."""
    auto_notes.say(f"{snapshot.label} is without the names of what is where: {one_line(str(error))}")


def remarks(snapshots):
    """What makes new snapshots doubtful, for people."""
    found = []
    for snapshot in snapshots:
        # What nothing held back may still be consistent, as far as the map goes.
        if snapshot.one_instant() is not True and not cores.is_core(snapshot):
            waited = snapshot.info.freeze == Freeze.PARTIAL and snapshot.info.consistent
            what = "could not wholly be stopped" if waited else "ran while it was read"
            found.append(f"process {snapshot.pid} {what}: its pages may not be of one instant")
        found += [f"process {snapshot.pid}: {trouble}" for trouble in [getattr(snapshot, "tracking", None)] if trouble]
        unread = keeping.unread_remark(snapshot)
        found += [unread] if unread else []
        left_out = keeping.remark(snapshot)
        found += [left_out] if left_out else []
    recording = target.recording()
    return found + ([recording] if recording else [])


session = Session()
