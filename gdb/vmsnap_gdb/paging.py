"""One page, and how it went through the snapshots."""

from vmsnap import history_text
from vmsnap.errors import VmsnapError
from vmsnap_gdb import address, comparing, cores, keeping, showing, target
from vmsnap_gdb import style as styles
from vmsnap_gdb.session import NOW, session

_OTHERS = 8  # processes that are captured to see one page of theirs


def family(snapshot):
    """Entries of the snapshot's process, of its parent and of its children: what the
    page went through, from whichever side of a fork it is looked at."""
    pids = {snapshot.pid, snapshot.ppid}
    entries = session.entries()
    return [entry for entry in entries
            if (entry.pid in pids or entry.snapshot.ppid == snapshot.pid)
            and entry.snapshot.info.boot_id == snapshot.info.boot_id]


def page(given, expression, name, note):
    # Pages first: to follow p->next is to touch what p points to.
    snapshot = session.resolve(name or NOW)
    where = address.of_expression(expression)
    style = styles.style(given)
    if given["history"]:
        return _history(style, snapshot, name, where)
    text = snapshot.page_text(style, where, comparing.names_of(given, snapshot, (), note))
    # One JSON text at a time.
    if given["json"]:
        return text
    return text + "\n" + _history(style, snapshot, name, where) + _values(expression, snapshot, name in (None, NOW))


def _values(expression, snapshot, is_now):
    """What the object was in each snapshot of its process that keeps contents, and is now; "" if none does."""
    there = showing.object_of(expression)
    shots = [(entry.name, entry.snapshot) for entry in family(snapshot) if entry.snapshot.same_process(snapshot)]
    core = cores.is_core(snapshot)
    if core and is_now:
        shots.append((NOW, snapshot))
    kept = [each for _, each in shots if each.contents == "bytes"]
    if there is None or not kept:
        return ""
    # The number of a core file's process may be a stranger's.
    if not core and target.start_time(snapshot.pid) == snapshot.start_time:
        inferior = target.inferior_of(snapshot.pid)
        if inferior is not None:
            shots.append((NOW, session.capture_now(inferior=inferior, names=False, contents=keeping.like(kept[-1]))))
    found = showing.history(*there, shots)
    width = max((len(called) for called, _ in found), default=0)
    return "".join(["\nvalues\n" if found else "", *(f"  {called.ljust(width)}  {text}\n" for called, text in found)])


def _history(style, snapshot, name, where):
    entries = family(snapshot)
    snapshots, called = [entry.snapshot for entry in entries], [entry.name for entry in entries]
    now = snapshot if name in (None, NOW) else _now(session.entry(name))
    for each in [now, *_nows(entries, snapshot)]:
        if each is not None:
            snapshots.append(each)
            called.append(NOW)
    return history_text(style, snapshots, called, where)


def _nows(entries, shown):
    """The other processes among the entries, as they are now, the newest first."""
    seen, found = {(shown.pid, shown.start_time)}, []
    for entry in reversed(entries):
        process = entry.pid, entry.start_time
        if process not in seen and len(found) < _OTHERS:
            seen.add(process)
            found.append(_now(entry))
    return found


def _now(entry):
    """None if its process is gone."""
    try:
        return comparing.now_of(entry, names=False)
    except VmsnapError:
        return None
