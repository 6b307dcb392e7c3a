"""vmsnap diff and vmsnap cow."""

from vmsnap_gdb.commands import base, options

OPTIONS = (options.TOTALS, options.LONG, *options.NAMES, *options.TABLES)
ASLR = options.Option("aslr", None, None, None, "two runs: mappings by what they are, not where")
DIFF_OPTIONS = (ASLR, *OPTIONS)


class Diff(base.Command):
    """What changed between two snapshots.

Usage: vmsnap diff [A [B]]

Without B, the live process.  Without A, the newest snapshot, but none that was taken by
itself at this very stop: after `vmsnap auto stop', the one of the stop before.
With --aslr A and B are of two runs of one program, or two of its workers.
Example:
  (gdb) vmsnap take
  (gdb) next
  (gdb) vmsnap diff"""

    NAME = "diff"
    USAGE = "[A [B]]"
    OPTIONS = DIFF_OPTIONS
    OPERANDS = (0, 2)
    SNAPSHOTS = True

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import comparing
        return comparing.diff(given, operands, base.note).text


BASE = options.Option("base", None, "SNAPSHOT", options.SNAPSHOTS, "a side of auto fork's, or the parent before the fork")
MAP = options.Option("map", None, None, None, "the child's memory as a picture")
COW_OPTIONS = (BASE, MAP, *OPTIONS)


class Cow(base.Command):
    """After a fork: what is shared, and who copied what.

Usage: vmsnap cow [PARENT CHILD]
       vmsnap cow FORK

FORK is one that was taken at the fork, such as fork2: its two processes as they are
now, with the snapshots of both from the fork itself as base.  Without operands, the newest
(but no vfork that has ended).  A side that has ended is shown as it was seen last.
For --base that of the fork itself is best; of others one from before the fork.
Example:
  (gdb) vmsnap auto fork
  (gdb) continue
  (gdb) vmsnap cow
  (gdb) vmsnap cow fork1 --map"""

    NAME = "cow"
    USAGE = "[FORK | PARENT CHILD]"
    OPTIONS = COW_OPTIONS
    OPERANDS = (0, 2)
    SNAPSHOTS = True

    def operand_candidates(self, words, word):
        return base.fork_names() + base.snapshot_names()

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import comparing
        return comparing.cow(given, operands, base.note).text


def register():
    Diff()
    Cow()
