"""The core file that gdb looks at, as a snapshot.  It is read from the file: of the process that it was
of nothing is asked, as its number may be a stranger's by now."""

import collections
import os
import re

import gdb

from vmsnap import File, Source
from vmsnap.errors import VmsnapError

# What "info files" says of it (gdb 13 and 16; Python is told from 17 on); of a file that is gone with warnings between.
_NAMED = re.compile(r"^Local core dump file:\n(?:warning: [^\n]*\n)*\t`(.*?)', file type ", re.DOTALL | re.MULTILINE)
_DELETED = " (deleted)"


def is_core(snapshot):
    return snapshot.info.source == Source.CORE


def _named():
    found = _NAMED.search(gdb.execute("info files", to_string=True))
    if found is None:
        raise VmsnapError("gdb does not say where the core file is: load it with 'vmsnap load FILE'")
    return found[1]


def _real(path):
    """Of a file that may be gone."""
    folder, name = os.path.split(path)
    return os.path.realpath(path) if os.path.lexists(path) else os.path.join(os.path.realpath(folder), name)


def _held(path):
    """What gdb itself has open of it, which stays as it was when the file is deleted, or another takes its name; None
    if that is not open now (gdb 16 closes it at each prompt)."""
    wanted = _real(path)
    found = None
    for number in os.listdir("/proc/self/fd"):
        name = f"/proc/self/fd/{number}"
        try:
            link = os.readlink(name)
        except OSError:
            continue  # the one of the folder itself
        if link == wanted + _DELETED:
            return name
        if link == wanted:
            found = path
    return found


def _path(named):
    """Of the core file that gdb calls so, to be opened."""
    found = _held(named)
    if found is None and not os.path.exists(named):
        raise VmsnapError(f"the core file {named} is gone, and gdb does not have it open any more")
    return found or named


_opened = collections.OrderedDict()  # by the number of gdb's connection, (what it is called, File)
_MOST = 4


def _file(inferior):
    """Kept open, so that it stays what it was."""
    number, named = inferior.connection.num, _named()
    if _opened.get(number, (None,))[0] != named:
        _opened[number] = named, File(_path(named))
    _opened.move_to_end(number)
    while len(_opened) > _MOST:
        _opened.popitem(last=False)
    return _opened[number][1]


def loaded(inferior, label=""):
    """A Snapshot, without the names that gdb knows."""
    if inferior != gdb.selected_inferior():
        raise VmsnapError(f"inferior {inferior.num} has a core file: select it first (inferior {inferior.num})")
    snapshot = _file(inferior).load(0)
    if not is_core(snapshot):
        raise VmsnapError("the core file is no core file any more")
    if label:
        snapshot.set_label(label)
    return snapshot
