"""What memory holds right now beside what a snapshot keeps of it: for $_vmsnap_changed and $_vmsnap_written,
which may stand in the condition of a breakpoint that is hit a thousand times a second.  Only pages that are
there are read, past gdb, each once."""

import os

from vmsnap import PageFlag, Perm, put_back
from vmsnap.errors import VmsnapError
from vmsnap_gdb import changed_bytes, keeping, remote, target, tracking
from vmsnap_gdb.session import session

_MOST = 64 << 20


def _read(pid, start, end, size):
    """Bytes; None if not all of its pages are in memory."""
    for page in range(start // size * size, end, size):
        state = tracking.page_now(pid, page)[0]
        if state is None or not state.flags & PageFlag.PRESENT:
            return None
    if not target.is_local(pid):
        found = remote.read_memory(pid, start, end - start)
        return found if found is not None and len(found) == end - start else None
    try:
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.pread(memory, end - start, start)
    except OSError:
        return None
    finally:
        os.close(memory)
        put_back()
    return found if len(found) == end - start else None


def _captured(contents):
    return session.capture_now(names=False, contents=contents)


def _by_bytes(snapshot, start, end, moved):
    """Whether they differ; None: not known."""
    length = end - start
    old = changed_bytes.Reader(snapshot)(start + moved, length)
    if len(old) < length:
        return None
    new = _read(snapshot.pid, start, end, snapshot.page_size)
    if new is None:
        now = _captured(keeping.all_of_it(keeping.WROTE_LIMIT))
        if now.mapping_at(start) is None:
            return True  # it is gone
        new = changed_bytes.Reader(now)(start, length)
    return old != new if len(new) == length else None


def _by_hashes(snapshot, start, end, whole):
    """The same.  A page that differs does not tell of an object on it."""
    size = snapshot.page_size
    left = [(start // size * size, -(-end // size) * size)]
    for one, other, differ in snapshot.contents_compare(_captured(keeping.like(snapshot))):
        if one < end and other > start:
            if differ:
                return True if whole else None
            left = changed_bytes.outside(left, [(one, other)])
    return None if left else False


def _untouched(snapshot, start, end):
    """Whether all of its pages are absent still, or a file's still."""
    size = snapshot.page_size
    for page in range(start // size * size, end, size):
        now, known = tracking.page_now(snapshot.pid, page)
        changes, elsewhere = snapshot.page_changes(page, now, known)
        mapping = snapshot.mapping_at(page)
        clean = now is None or now.present and now.flags & PageFlag.FILE
        if changes or elsewhere or mapping is None or mapping.perms & Perm.SHARED or not clean:
            return False
    return True


def _by_tracking(entry, start, end, whole):
    """The same.  A page that was written does not tell of an object on it; one that was dropped, or is another,
    was not written, and may hold something else all the same."""
    found = tracking.written_within(entry, session.entries(), start, end)
    if found:
        return True if whole else None
    size = entry.snapshot.page_size
    for page in range(start // size * size, end, size) if found is False else ():
        if any(entry.snapshot.page_changes(page, *tracking.page_now(entry.pid, page))):
            return None
    return found


def differs(entry, start, end, whole, moved=0):
    """Whether what lies at [start, end) is not what the entry's snapshot has there, or `moved` bytes further.
    whole: it is a page, not an object.  What is not known is an error."""
    snapshot = entry.snapshot
    if end - start > _MOST:
        raise VmsnapError(f"an object of {end - start} bytes is too large to look at")
    kind = snapshot.contents
    found = None if moved else _by_tracking(entry, start, end, whole)
    if found is not None:
        return found
    if kind == "bytes":
        found = _by_bytes(snapshot, start, end, moved)
    elif kind == "hashes" and not moved:
        found = _by_hashes(snapshot, start, end, whole)
    if found is None and _untouched(snapshot, start, end):
        found = False
    if found is None:
        raise VmsnapError(f"whether it was written to since {entry.name} is not known: {_why(snapshot, kind)}")
    return found


def differs_in_core(entry, start, end):
    """Whether the core file that gdb looks at does not hold what the entry's snapshot has at [start, end)."""
    if end - start > _MOST:
        raise VmsnapError(f"an object of {end - start} bytes is too large to look at")
    now = session.capture_now(names=False)
    old, new = (changed_bytes.Reader(each)(start, end - start) for each in (entry.snapshot, now))
    for held, called in ((old, entry.name), (new, "the core file")):
        if len(held) < end - start:
            raise VmsnapError(f"whether it differs from {entry.name} is not known: {called} does not have what was there")
    return old != new


def _why(snapshot, kind):
    if kind == "bytes":
        return "the snapshot does not have what its page held"
    if kind == "hashes":
        return "its page was, but the snapshot keeps hashes of pages only (set vmsnap contents full)"
    left_out = snapshot.info.contents_left_out
    more = f", since that was {left_out >> 20} MiB" if left_out else ""
    return f"the snapshot does not keep what pages held{more} (vmsnap take --contents, set vmsnap contents; or set vmsnap track)"


