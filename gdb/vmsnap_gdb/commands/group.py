"""vmsnap group."""

from vmsnap_gdb.commands import base, options

BY = options.Option("by", None, "WHAT", ("mapping", "name"), "rows by mapping, or by name: variables")
LONG = options.Option("long", "l", None, None, "each with whom, and all mappings or names")
OPTIONS = (BY, options.TOTALS, LONG, *options.NAMES, *options.TABLES)
MOST = 1000


class Group(base.Command):
    """Who shares how much memory with whom.

Usage: vmsnap group [SNAPSHOT...]

Without snapshots, all inferiors that live here, captured at one instant.  With some, those:
of one instant, as `vmsnap load' has them of a tree, or of two, for what was lost in
between.  "now" is all inferiors as they are.
Example:
  (gdb) set detach-on-fork off
  (gdb) continue
  (gdb) vmsnap group
  (gdb) vmsnap group --by name"""

    NAME = "group"
    USAGE = "[SNAPSHOT...]"
    OPTIONS = OPTIONS
    OPERANDS = (0, MOST)
    SNAPSHOTS = True

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import grouping
        return grouping.grouped(given, operands, base.note)


def register():
    Group()
