"""Asking gdb from inside an event handler or a condition.

There, gdb.execute() does two things that no handler wants (gdb 13.1,
execute_gdb_command()):
  - If the command fails, the terminal goes back to the user: `run` or `continue` ends
    with a prompt, and a script goes on, while the program still runs.
  - Afterwards gdb runs the `commands` of the breakpoint at which the thread stands.
    In a handler of events.stop that is too early: a `continue` among them lets the
    program run before the handler is through.
"""

import contextlib

import gdb

_forbidden = False


def ask(command):
    """What the command writes; "" if it fails, or no thread that stands is selected, or
    it may not be asked now."""
    if _forbidden:
        return ""
    try:
        # `frame apply` with -s is the command that swallows the errors of another.
        return gdb.execute(f"frame apply level 0 -q -s {command}", to_string=True)
    except gdb.error:
        return ""


@contextlib.contextmanager
def no_commands_of_breakpoints(there_are):
    """Nothing is asked within, if there are commands that would run."""
    global _forbidden
    before, _forbidden = _forbidden, _forbidden or there_are
    try:
        yield
    finally:
        _forbidden = before
