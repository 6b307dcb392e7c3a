"""Which processes a group is of: the inferiors as they are, or snapshots that were taken."""

from vmsnap.errors import VmsnapError
from vmsnap.groups import Group, GroupChange, groups_of
from vmsnap_gdb import comparing, target
from vmsnap_gdb import style as styles
from vmsnap_gdb.session import NOW, remarks, session


def _now(note):
    """All inferiors, at one instant; how often frames are mapped is asked while they stand."""
    inferiors = target.live_inferiors()
    if not inferiors:
        target.require_live()
    for inferior in inferiors:
        target.require_local("processes are captured at one instant", inferior)
    shots = session.capture_now_together([target.pid(inferior) for inferior in inferiors])
    for text in remarks(shots):
        note(text)
    try:
        return Group(shots, counts=all(shot.info.known.pfn for shot in shots))
    except VmsnapError:
        return Group(shots)


def _groups(words, note):
    """(the earlier one or None, Group)"""
    taken = [session.entry(word).snapshot for word in words if word != NOW]
    if not taken:
        return None, _now(note)
    before, after = groups_of(taken)
    if NOW not in words:
        return before, after
    if before is not None:
        raise VmsnapError("these are of more than two instants: a group is of one, or is compared with one other")
    return after, _now(note)


def grouped(given, words, note):
    """The text."""
    before, group = _groups(words, note)
    change = GroupChange(before, group) if before is not None else None
    names = comparing.names_of(given, group.set[0], (), note) if given["by"] == "name" else None
    return group.text(styles.style(given), change=change, by=given["by"], names=names, totals=bool(given["totals"]),
                      long=bool(given["long"]))
