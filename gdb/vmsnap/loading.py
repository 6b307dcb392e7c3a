"""Snapshots of a file become snapshots of this session."""

import re

from vmsnap import settings
from vmsnap.errors import VmsnapError
from vmsnap.session import NOW, session
from vmsnap.snapshot import File

_UNFIT = re.compile(r"[\s'\"\\]|[^\x21-\U0010ffff]")


def _name(snapshot):
    """Its label, made fit for a name and unlike all others."""
    label = _UNFIT.sub("_", "".join(c if c.isprintable() else "_" for c in snapshot.label))[:200].lstrip("-")
    if not label:
        return session.fresh_name("s")
    number, name = 1, label
    while name == NOW or name in session.names_list():
        number += 1
        name = f"{label}~{number}"
    return name


def load(path, note):
    file = File(path)
    damage = file.damage()
    if damage:
        note(f"{damage}; only what comes before that is loaded")
    loaded = []
    limit = settings.limit() or len(file)
    if len(file) > limit:
        note(f"the file holds {len(file)} snapshots; only the last {limit} are loaded (set vmsnap limit)")
    for index in range(max(len(file) - limit, 0), len(file)):
        try:
            loaded.append(file.load(index))
        except VmsnapError as error:
            note(f"snapshot {index + 1} of {len(file)} is left out: {error}")
    if not loaded:
        raise VmsnapError("the file holds no snapshot that can be read")
    entries = [session.add(_name(snapshot), snapshot, "load") for snapshot in loaded]
    _pair_up(entries)
    return entries


def _fork_label(entry, role):
    """"fork3" of "fork3.parent", if that is its role."""
    stem, dot, last = entry.snapshot.label.rpartition(".")
    return stem if dot and last == role else None


def _pair_up(entries):
    """Forks by their labels; what has none, by who is whose parent."""
    for child in entries:
        stem = _fork_label(child, "child")
        for parent in entries:
            if stem and stem == _fork_label(parent, "parent") and _is_parent(parent, child) and not parent.pair:
                session.add_pair(parent, child, "vfork" if stem.startswith("vfork") else "fork")
    if any(entry.pair for entry in entries):
        return
    for child in entries:
        parents = [entry for entry in entries if _is_parent(entry, child) and not entry.pair]
        if parents and not child.pair:
            session.add_pair(parents[-1], child)


def _is_parent(parent, child):
    return (child.snapshot.ppid == parent.pid != child.pid
            and child.snapshot.info.boot_id == parent.snapshot.info.boot_id)
