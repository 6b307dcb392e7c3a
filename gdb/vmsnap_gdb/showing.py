"""vmsnap print, and what an expression was in each snapshot."""

import gdb

from vmsnap.errors import VmsnapError
from vmsnap_gdb import changed_bytes, keeping, language, peek, render, target
from vmsnap_gdb.session import NOW, session
from vmsnap_gdb.style import plain


def _snapshot(name):
    """(what it is called, the snapshot)"""
    if name == NOW:
        return NOW, session.capture_now(contents=keeping.all_of_it(keeping.WROTE_LIMIT))
    if name is not None:
        return name, session.entry(name).snapshot
    pid = target.pid()
    entries = [entry for entry in session.entries() if entry.snapshot.contents == "bytes"]
    own = [entry for entry in entries if pid in (None, entry.pid)] or entries
    if not own and target.is_core():
        return _snapshot(NOW)
    if not own:
        raise VmsnapError("no snapshot keeps what pages held: take one with 'vmsnap take --contents'")
    return own[-1].name, own[-1].snapshot


def shown(expression, name):
    """A line: "s1: counter = 5"."""
    called, text = evaluated(expression, name)
    return f"{plain(called)}: {expression} = {text}"


def evaluated(expression, name):
    """(the snapshot's name, the value as text)"""
    called, snapshot = _snapshot(name)
    if snapshot.contents != "bytes":
        raise VmsnapError(f"{called} does not keep what pages held: take one with 'vmsnap take --contents'")
    with language.sane():
        read = changed_bytes.Reader(snapshot)
        node = peek.Evaluation(expression, read, called).value()
        text = render.Renderer(session.names_for(snapshot), read).text(node.type, node.raw)
    if text == render.UNKNOWN:
        raise VmsnapError(f"what {called} has at {node.address:#x} is not known")
    return called, text


def history(start, kind, snapshots):
    """[(name, text)] of an object in each of [(name, snapshot)] that has it."""
    found = []
    with language.sane():
        for called, snapshot in snapshots:
            if snapshot.contents != "bytes":
                continue
            read = changed_bytes.Reader(snapshot)
            raw = read(start, kind.sizeof)
            if len(raw) == kind.sizeof:
                found.append((called, render.Renderer(session.names_for(snapshot), read).text(kind, raw)))
    return found


def object_of(expression):
    """(address, type) of what an expression means to `vmsnap page`; None if that is no object."""
    try:
        value = gdb.parse_and_eval(expression)
        kind = value.type.strip_typedefs()
        if kind.code == gdb.TYPE_CODE_PTR:
            start, kind = int(value), kind.target()
        elif kind.code in (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION) and value.address is not None:
            start, kind = int(value.address), value.type
        else:
            return None
    except gdb.error:
        return None
    plain = kind.strip_typedefs()
    if plain.code in (gdb.TYPE_CODE_VOID, gdb.TYPE_CODE_FUNC) or plain.dynamic or not 0 < plain.sizeof <= 1 << 20:
        return None
    return start & (1 << 64) - 1, kind
