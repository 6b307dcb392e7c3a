"""`vmsnap core`: a core file, and beside it a snapshot from before: to write the core file changes the process (gdb
reads all of its memory, which brings pages in)."""

import os
import stat
import tempfile

import gdb

from vmsnap import save
from vmsnap.errors import VmsnapError
from vmsnap_gdb import keeping, place, target
from vmsnap_gdb.session import session

_ET_CORE = 4


def _is_core(path):
    with open(path, "rb") as file:
        head = file.read(18)
    order = "little" if head[5:6] == b"\1" else "big"
    return head[:4] == b"\x7fELF" and int.from_bytes(head[16:18], order) == _ET_CORE


def _check_place(path):
    """What is there is replaced only if it is a core file."""
    folder = os.path.dirname(path) or os.curdir
    if not os.path.isdir(folder):
        raise VmsnapError(f"{folder} is no folder")
    if not path.isprintable():
        raise VmsnapError("the name of a core file cannot have line breaks or the like in it")
    try:
        mode = os.lstat(path).st_mode
        ours = stat.S_ISREG(mode) and _is_core(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise VmsnapError(f"{path}: {error.strerror}") from None
    if not ours:
        raise VmsnapError(f"{path} exists, and is no core file: it is left alone")


def _generate(path):
    """gdb writes it as it always does; but it has all of the process's memory, and is its owner's alone."""
    before = os.umask(0o077)
    try:
        gdb.execute(f"generate-core-file {path}", to_string=True)
    except gdb.error as error:
        raise VmsnapError(str(error)) from None
    finally:
        os.umask(before)
    if not os.path.exists(path):
        raise VmsnapError("gdb did not write the core file")


def written(path, name, contents):
    """The entry of before, which is kept in the session, too.  All or nothing: what is not whole is taken away."""
    inferior = gdb.selected_inferior()
    pid = target.require_live(inferior)
    _check_place(path)
    kept = keeping.chosen(asked=contents)
    entry = session.captured(pid, inferior=inferior, name=name, reason=place.reason_of(inferior), contents=kept)
    return _in_place(path, entry, contents)


def _in_place(path, entry, contents):
    """In a folder of our own, where nobody else can have put something of that name."""
    try:
        folder = tempfile.mkdtemp(prefix=".vmsnap-core-", dir=os.path.dirname(path) or os.curdir)
    except OSError as error:
        raise VmsnapError(f"{path}: {error.strerror}") from None
    part = os.path.join(folder, "core")
    try:
        _generate(part)
        save(f"{path}.vms", [entry.snapshot], contents=contents)
        os.replace(part, path)
    except OSError as error:
        raise VmsnapError(f"{path}: {error.strerror}") from None
    finally:
        try:
            os.unlink(part)
        except OSError:
            pass
        os.rmdir(folder)
    return session.keep(entry)
