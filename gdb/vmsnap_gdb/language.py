"""The language that the user chose with `set language`."""

import contextlib

import gdb


_CRASHING = "pascal", "go"
_chosen = None  # at the last hit of a breakpoint; None: to be asked for, which takes 25 us
_watching = False


def _forget(event=None):
    global _chosen
    _chosen = None


def _at_hit():
    """From hit to hit nobody gives commands: the program has to stop for that."""
    global _chosen, _watching
    if not _watching:
        gdb.events.stop.connect(_forget)
        gdb.events.exited.connect(_forget)
        gdb.events.before_prompt.connect(_forget)
        _watching = True
    if _chosen is None:
        _chosen = gdb.parameter("language")
    return _chosen


def is_sane_at_hit():
    """Whether sane() would do nothing."""
    return _at_hit() not in _CRASHING


@contextlib.contextmanager
def sane(hit=False):
    """gdb 13 crashes over C's types and names if the user chose one of these.  hit: of a breakpoint, just now."""
    chosen = _at_hit() if hit else gdb.parameter("language")
    if chosen not in _CRASHING:
        yield
        return
    gdb.execute("set language c", to_string=True)
    try:
        yield
    finally:
        gdb.execute(f"set language {chosen}", to_string=True)


@contextlib.contextmanager
def of_c():
    """C, whatever the program is written in: for expressions of ours."""
    chosen = gdb.parameter("language")
    gdb.execute("set language c", to_string=True)
    try:
        yield
    finally:
        gdb.execute(f"set language {chosen}", to_string=True)
