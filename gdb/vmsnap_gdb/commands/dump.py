"""`vmsnap dump`: what memory held, as hexadecimal digits and text."""

import gdb

from vmsnap.errors import VmsnapError
from vmsnap_gdb.commands import base, look, options

DIFF = options.Option("diff", None, "SNAPSHOT", options.SNAPSHOTS, "below each line what differs in SNAPSHOT")


def held(name):
    """A snapshot with what its pages hold; of the live process that is read now."""
    from vmsnap_gdb import keeping
    from vmsnap_gdb.session import NOW, session
    of = session.capture_now(names=False, contents=keeping.all_of_it()) if name == NOW else session.entry(name).snapshot
    if of.contents != "bytes":
        raise VmsnapError(f"{name} does not keep what its pages held; take one with 'vmsnap take --contents'")
    return of


class Dump(base.Command):
    """What memory held, as hexadecimal digits and text.

Usage: vmsnap dump [SNAPSHOT] RANGE

Without SNAPSHOT, the live process.  RANGE is a variable, START,END or START,+LENGTH, of
expressions; one with blanks in it needs quotes.  ?? is a byte that is not known.
Example:
  (gdb) vmsnap dump table
  (gdb) vmsnap dump s1 buffer,+64 --diff now"""

    NAME = "dump"
    USAGE = "[SNAPSHOT] RANGE"
    OPTIONS = (DIFF, options.RAW, *options.PRINTING)
    OPERANDS = (1, 2)

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import address
        from vmsnap_gdb.session import NOW
        of = held(operands[0] if len(operands) == 2 else NOW)
        other = None if given["diff"] is None else held(given["diff"])
        start, end = address.range_of_text(operands[-1])
        return of.dump_text(start, end, look.styled(given), other)

    def operand_candidates(self, words, word):
        operands = [given for given in words if not options.is_option(given)]
        return gdb.COMPLETE_EXPRESSION if operands else base.snapshot_names()


def register():
    Dump()
