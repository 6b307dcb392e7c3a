"""The language that the user chose with `set language`."""

import contextlib

import gdb


@contextlib.contextmanager
def sane():
    """gdb 13 crashes over C's types and names if the user chose one of these."""
    chosen = gdb.parameter("language")
    if chosen not in ("pascal", "go"):
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
