"""vmsnap diff and vmsnap cow."""

import gdb

from vmsnap_gdb.commands import base, options

OPTIONS = (options.TOTALS, options.LONG, *options.NAMES, *options.TABLES)


class Diff(base.Command):
    """What changed between two snapshots.

Usage: vmsnap diff [A [B]]

Without B, the live process.  Without A, the newest snapshot.
Example:
  (gdb) vmsnap take
  (gdb) next
  (gdb) vmsnap diff"""

    NAME = "diff"
    USAGE = "[A [B]]"
    OPTIONS = OPTIONS
    OPERANDS = (0, 2)
    SNAPSHOTS = True

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import comparing
        return comparing.diff(given, operands, base.note).text


BASE = options.Option("base", None, "SNAPSHOT", options.SNAPSHOTS, "parent or child as it was at the fork")
COW_OPTIONS = (BASE, *OPTIONS)


class Cow(base.Command):
    """After a fork: what is shared, and who copied what.

Usage: vmsnap cow [PARENT CHILD]

Without operands, the newest fork's two processes as they are now, with the snapshot
from the fork itself as base.
Example:
  (gdb) vmsnap auto fork
  (gdb) continue
  (gdb) vmsnap cow"""

    NAME = "cow"
    USAGE = "[PARENT CHILD]"
    OPTIONS = COW_OPTIONS
    OPERANDS = (0, 2)
    SNAPSHOTS = True

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import comparing
        if len(operands) == 1:
            raise gdb.GdbError("a parent needs a child: vmsnap cow PARENT CHILD")
        return comparing.cow(given, operands, base.note).text


def register():
    Diff()
    Cow()
