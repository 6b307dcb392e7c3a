"""Snapshots of a file become snapshots of this session."""

import collections
import os
import re

from vmsnap import File
from vmsnap.errors import CANCELLED, VmsnapError
from vmsnap_gdb import cores, settings
from vmsnap_gdb.session import NOW, session

_UNFIT = re.compile(r"[\s'\"\\]|[^\x21-\U0010ffff]")


# What the library lets one snapshot of a file take (vmsnap.h, struct vmsnap_limits); of a
# file that is made of many, all of them take no more.
_FLOOR, _EACH_BYTE, _MOST = 64 << 20, 16 << 10, 4 << 30


def _label(text):
    """A label, made fit for a name; "" if nothing is left."""
    return _UNFIT.sub("_", "".join(c if c.isprintable() else "_" for c in text))[:200].lstrip("-")


def _called(snapshot, path):
    """Its label; of a core file, which has none, the file's name."""
    label = _label(snapshot.label)
    return label or (_label(os.path.basename(path)) if cores.is_core(snapshot) else "")


def _name(label, numbers):
    """A name unlike all others.  numbers: the last one tried, by label."""
    if not label:
        return session.fresh_name("s")
    name = label
    while name == NOW or name in session:
        numbers[label] += 1
        name = f"{label}~{numbers[label]}"
    return name


def load(path, note):
    file = File(path)
    damage = file.damage()
    if damage:
        note(f"{damage}; only what comes before that is loaded")
    loaded = _load_last(file, min(_FLOOR + _EACH_BYTE * os.path.getsize(path), _MOST), note)
    if not loaded:
        raise VmsnapError("the file holds no snapshot that can be read")
    labels = [_called(snapshot, path) for snapshot in loaded]
    numbers = collections.Counter({label: 1 for label in labels})
    entries = [session.add(_name(label, numbers), snapshot, "load") for label, snapshot in zip(labels, loaded)]
    _pair_up(entries)
    return entries


def _load_last(file, room, note):
    """The last snapshots of a file, as many as the limits let, in the file's order."""
    loaded, lost = [], []
    limit = settings.limit() or len(file)
    if len(file) > limit:
        note(f"the file holds {len(file)} snapshots; only the last {limit} are loaded (set vmsnap limit)")
    for index in reversed(range(max(len(file) - limit, 0), len(file))):
        try:
            snapshot = file.load(index)
        except VmsnapError as error:
            if error.code == CANCELLED:
                raise
            lost.append(f"snapshot {index + 1} of {len(file)} is left out: {error}")
            continue
        room -= snapshot.memory()
        if room < 0 and loaded:
            lost.append(f"the first {index + 1} snapshots of {len(file)} are left out: "
                        "together they take too much memory")
            break
        loaded.append(snapshot)
    for line in reversed(lost):
        note(line)
    return loaded[::-1]


def _fork_label(entry, role):
    """"fork3" of "fork3.parent", if that is its role."""
    stem, dot, last = entry.snapshot.label.rpartition(".")
    return stem if dot and last == role else None


def _pair_up(entries):
    """Forks by their labels; what has none, by who is whose parent."""
    stems = collections.defaultdict(list)
    for entry in entries:
        stems[_fork_label(entry, "parent")].append(entry)
    for child in entries:
        stem = _fork_label(child, "child")
        found = (parent for parent in stems[stem] if _is_parent(parent, child) and not parent.pair) if stem else ()
        parent = next(iter(found), None)
        if parent:
            session.add_pair(parent, child, "vfork" if stem.startswith("vfork") else "fork")
    if any(entry.pair for entry in entries):
        return
    of_pid = collections.defaultdict(list)
    for entry in entries:
        of_pid[entry.pid].append(entry)
    for child in entries:
        parents = [entry for entry in of_pid[child.snapshot.ppid] if _is_parent(entry, child) and not entry.pair]
        if parents and not child.pair:
            session.add_pair(parents[-1], child)


def _is_parent(parent, child):
    return (child.snapshot.ppid == parent.pid != child.pid
            and child.snapshot.info.boot_id == parent.snapshot.info.boot_id)
