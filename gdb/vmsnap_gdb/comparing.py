"""Which snapshots are meant: the newest, a fork's two, and which process is "now".
For the commands and for MI; note is called with each remark."""

import collections

import gdb

from vmsnap.aslr import Aslr
from vmsnap.compare import Cow, Diff
from vmsnap.errors import CANCELLED, VmsnapError
from vmsnap_gdb import blaming, cores, execs, keeping, target, tracking, values
from vmsnap_gdb import style as styles
from vmsnap_gdb.session import NOW, remarks, session

Result = collections.namedtuple("Result", "text differs")


def _live_pid(entry):
    """The number of an entry's process if that very process lives here; else an error
    that says why not."""
    if cores.is_core(entry.snapshot):
        raise VmsnapError(f"{entry.name} is of a core file, which is no process")
    if entry.origin == "load" and target.inferior_of(entry.pid) is None:
        raise VmsnapError(f"{entry.name} is from a file, and its process is not one that gdb debugs now")
    started = target.start_time(entry.pid)
    if started is None:
        raise VmsnapError(f"process {entry.pid} is gone")
    if started != entry.start_time:
        raise VmsnapError(f"process {entry.pid} is gone, and its number is another process's now")
    return entry.pid


def now_of(entry, names=True, contents=None):
    """The process of an entry as it is now: an inferior, or one that gdb let go.  contents: of keeping.py."""
    pid = _live_pid(entry)
    snapshot = session.capture_now(inferior=target.inferior_of(pid), pid=pid, names=names,
                                   contents=contents)
    if snapshot.start_time != entry.start_time:
        raise VmsnapError(f"process {pid} is gone, and its number is another process's now")
    return snapshot


def _now_beside(word):
    """"now" beside another snapshot: that one's process if it is an inferior or of a
    fork, else the selected inferior or its core file, else whatever that one's process is now."""
    entry = None if word == NOW else session.entry(word)
    contents = keeping.like(entry.snapshot) if entry else None
    if entry is None or (target.pid() is not None or target.is_core()) and not _followed(entry):
        return session.capture_now(contents=contents)
    try:
        return now_of(entry, contents=contents)
    except VmsnapError as error:
        if target.pid() is None:
            raise VmsnapError(f"{error}; snapshots can still be compared with each other: vmsnap diff A B") from None
    return session.capture_now(contents=contents)


def _followed(entry):
    return target.inferior_of(entry.pid) is not None or session.in_pair(entry)


def _generation(word, snapshot):
    """None: not known, as of a snapshot from a file."""
    if cores.is_core(snapshot):
        return None
    if word == NOW:
        return execs.generation(snapshot.pid)
    entry = session.entry(word)
    return None if entry.origin == "load" else entry.exec_generation


def _executed(first, a, second, b):
    """Whether gdb has seen that the process of two snapshots became another program in between:
    they may not tell, as gdb has addresses not randomised."""
    before, after = _generation(first, a), _generation(second, b)
    return a.same_process(b) and None not in (before, after) and before != after


def note_exec(first, a, second, b, note):
    """Two snapshots of one process, from before and from after it became another program."""
    if a.info.exe != b.info.exe or _executed(first, a, second, b):
        note(f"process {a.pid} has executed another program between {first} and {second}: nothing of it was kept")


def two(words, note, one_process=True):
    """Two words as snapshots; "now" is of the other's process, if that lives."""
    first, second = words
    a = _now_beside(second) if first == NOW else session.entry(first).snapshot
    b = session.entry(second).snapshot if second != NOW else _now_beside(first)
    if NOW in words:
        _remark((a if first == NOW else b,), note)
    if a.same_process(b):
        note_exec(first, a, second, b, note)
    elif one_process and not _may_be_one(a, b):
        note(f"{first} and {second} are of two processes, {a.pid} and {b.pid}")
    return a, b


def _may_be_one(a, b):
    """Whether two snapshots may be of one process, though a core file does not tell when that began."""
    return a.pid == b.pid and (cores.is_core(a) or cores.is_core(b))


def _remark(snapshots, note):
    for text in remarks(snapshots):
        note(text)


def _diff_words(operands, note):
    if len(operands) == 2:
        return operands
    if operands:
        return operands[0], NOW
    selected = target.pid()
    entry = session.before_core() if target.is_core() else (session.before(selected) if selected else None) or \
        session.newest()
    if entry is None:
        target.require_any()
        raise VmsnapError("there is no snapshot to compare with: take one first with 'vmsnap take'")
    if selected and entry.pid != selected:
        note(f"process {selected} has no snapshot: {entry.name}, the newest, is of process {entry.pid}")
    if entry.automatic and entry.of_this_stop():
        note(f"{entry.name} was taken at this stop, and there is none of before it")
    return entry.name, NOW


def names_of(given, snapshot, lenders, note):
    """Names for a snapshot.  lenders: whose captured names serve, if it has none of its
    own since gdb could not look into that process."""
    if given["no-names"] or given["totals"]:
        return None
    lend = () if snapshot.has_variables() else lenders
    try:
        found = session.names_for(snapshot, lend, given["sysroot"])
    except VmsnapError as error:
        if error.code == CANCELLED:
            raise
        note(f"no names: {error}")
        return None
    for line in found.warnings():
        note(f"names: {line}")
    found.demangled = not given["no-demangle"] and gdb.parameter("print demangle")
    return found


def made_diff(words, note):
    """Of two names, one (and now) or none (the newest, and now)."""
    words = _diff_words(words, note)
    a, b = two(words, note)
    if words[1] == NOW and a.same_process(b):
        blaming.tell(b, a, session.names_for)
    entries = session.entries()
    between = [*tracking.links(entries, a, b), *blaming.links(entries, a, b)]
    return Diff(a, b, _executed(words[0], a, words[1], b), between)


def _aslr(given, words, note):
    """Of two runs: that they are of two processes is what is meant."""
    made = Aslr(*two(words, note, one_process=False))
    return Result(made.text(styles.style(given), bool(given["totals"]), bool(given["long"])), made.any())


def diff(given, operands, note):
    if given["aslr"]:
        return _aslr(given, _diff_words(operands, note), note)
    made = made_diff(operands, note)
    names = names_of(given, made.b, made.lenders, note)
    text = made.text(styles.style(given), names, bool(given["totals"]), bool(given["long"]))
    one = made.a.same_process(made.b) or _may_be_one(made.a, made.b)
    found = None if given["totals"] or made.not_compared or not one else \
        values.between(made.a, made.b, names, values.symtabs())
    if found is None:
        return Result(text, made.any())
    more = values.json_beside(text, found) if given["json"] else text + values.section(found, given)
    return Result(more, made.any() or bool(found.objects))


def _last_seen(entry):
    """The last snapshot of an entry's process, if that is not the one from the fork."""
    last = session.newest_of(entry.pid, entry.start_time)
    return None if last is None or last is entry else last


def _side(entry, note):
    """One side of a fork as it is now, or as it was seen last, which is said; None if
    that was at the fork."""
    try:
        snapshot = now_of(entry)
    except VmsnapError as error:
        last = _last_seen(entry)
        if last is None:
            if entry.origin != "load":
                note(f"the {entry.role}: {error}, and there is no snapshot of it from after the fork")
            return None
        note(f"the {entry.role}: {error}; this is {last.name}, its last snapshot")
        return last.snapshot
    note_exec(entry.name, entry.snapshot, NOW, snapshot, note)
    return snapshot


def _has_ended(pair):
    """Of a vfork: whether the two have no longer one address space.  Until the child executes or
    exits, the parent stands at the event (if it has not run since) or sleeps in the kernel."""
    child, parent = target.process(pair.child.pid), target.process(pair.parent.pid)
    if None in (child, parent) or child.start_time != pair.child.start_time:
        return True
    return not pair.parent.of_this_stop() and parent.state != "D"


def _newest_fork():
    """The pair that is meant if nobody says.  A vfork that has ended left nothing to compare."""
    pairs = session.pairs()
    found = next((pair for pair in pairs if pair.kind != "vfork" or not _has_ended(pair)), None)
    if found is None and pairs:
        none = "no other fork is left than" if session.dropped_forks else "no fork has been seen but"
        raise VmsnapError(f"{none} {pairs[0].name}, a vfork, in which parent and child had one "
                          f"address space; the two as they were: vmsnap cow {pairs[0].name}")
    if found is None and session.dropped_forks:
        raise VmsnapError(f"{_dropped_forks()}, and of no other fork are there snapshots: name two snapshots: "
                          "vmsnap cow PARENT CHILD")
    if found is None:
        raise VmsnapError("no fork has been seen: say 'vmsnap auto fork' before the program forks, or name two "
                          "snapshots: vmsnap cow PARENT CHILD")
    return found


def _dropped_forks():
    """The newest first, as in "snapshots of fork2 and fork1 were dropped"."""
    named = 3
    forks = list(reversed(session.dropped_forks))
    more = len(forks) - named
    shown = " and ".join(forks[:named] + ([f"{more} more"] if more > 0 else []))
    why = f" (set vmsnap limit {gdb.parameter('vmsnap limit')})" if session.dropped else ""
    return f"snapshots of {shown} were dropped{why}"


def _named_fork(word):
    found = session.pair(word)
    if found is None:
        there = ", ".join(pair.name for pair in session.pairs()[:8])
        known = f"the forks are {there}" if there else "no fork has been seen (vmsnap auto fork)"
        if session.dropped_forks and (not there or word in session.dropped_forks):
            known = "; ".join([_dropped_forks()] + ([known] if there else []))
        raise VmsnapError(f"'{word}' is no fork, and a parent needs a child: vmsnap cow PARENT CHILD; {known}")
    return found


def _both_now(pair, note):
    """Both sides of a fork at one instant; None if one is gone."""
    sides = pair.parent, pair.child
    try:
        shots = session.capture_now_together([_live_pid(entry) for entry in sides])
    except VmsnapError as error:
        if error.code == CANCELLED:
            raise
        return None
    if any(shot.start_time != entry.start_time for shot, entry in zip(shots, sides)):
        return None
    for shot, entry in zip(shots, sides):
        note_exec(entry.name, entry.snapshot, NOW, shot, note)
    return tuple(shots)


_ONE_SPACE = "this was a vfork: parent and child have one address space until the child executes or exits"


def _fork(pair, note):
    """(parent, child, the two at the fork, who may lend names): the two of a fork as they are now, or as far as
    they were seen."""
    if pair.kind == "vfork":
        note(_ONE_SPACE)
    at_fork = pair.parent.snapshot, pair.child.snapshot
    found = parent, child = _both_now(pair, note) or (_side(pair.parent, note), _side(pair.child, note))
    if found == (None, None) or None in found and pair.kind == "vfork":
        note(f"these are the two as they were at the fork, as in: vmsnap cow {pair.parent.name} {pair.child.name}")
        return *at_fork, (None, None), at_fork
    # Of the one that was not seen again it is not known what it copied, of the other it is.
    if child is None:
        note(f"the child is shown as it was at the fork, {pair.child.name}: what is called shared the parent has not "
             "copied, and what the child copied later is not known")
    elif parent is None:
        note(f"the parent is shown as it was at the fork, {pair.parent.name}: what is called shared the child has not "
             "copied, and what the parent copied later is not known")
    _remark([snapshot for snapshot in found if snapshot is not None], note)
    return parent or at_fork[0], child or at_fork[1], at_fork, at_fork[::-1]


def _of_vfork(words):
    pairs = [session.entry(word).pair for word in words if word != NOW]
    return any(pair and pair.kind == "vfork" for pair in pairs)


def _two_of_cow(words, note):
    if _of_vfork(words):
        note(_ONE_SPACE)
    parent, child = two(words, note, one_process=False)
    if parent.same_process(child):
        raise VmsnapError(f"{words[0]} and {words[1]} are both of process {parent.pid}, and cow compares two; what "
                          f"changed in one: vmsnap diff {words[0]} {words[1]}")
    return parent, child, (None, None), None


def _base(word):
    """A base by its name, and the other side of the same fork if it is of one."""
    if word == NOW:
        return session.resolve(word), None
    entry = session.entry(word)
    if entry.pair is not None:
        return entry.snapshot, (entry.pair.child if entry.role == "parent" else entry.pair.parent).snapshot
    # A file tells by its names which two belong together.
    fork, _, role = word.rpartition(".")
    other = {"parent": f"{fork}.child", "child": f"{fork}.parent"}.get(role)
    return entry.snapshot, session.entry(other).snapshot if other in session else None


def made_cow(words, base, note):
    """Of a parent's and a child's names, of a fork's, or of the newest fork.  base: a name or None."""
    if len(words) == 2:
        parent, child, at_fork, lenders = _two_of_cow(words, note)
    else:
        parent, child, at_fork, lenders = _fork(_named_fork(words[0]) if words else _newest_fork(), note)
    base, other = _base(base) if base else at_fork
    return Cow(parent, child, base, lenders, other)


def cow(given, operands, note):
    made = made_cow(operands, given["base"], note)
    found = names_of(given, made.child, made.lenders, note)
    flags = (bool(given[option]) for option in ("totals", "long", "map"))
    return Result(made.text(styles.style(given), found, *flags), None)
