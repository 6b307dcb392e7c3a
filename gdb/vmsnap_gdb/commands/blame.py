"""vmsnap blame."""

import gdb

from vmsnap_gdb.commands import base, options

BY = options.Option("by", None, "WHAT", ("function", "line", "mapping", "variable", "page", "thread", "stack"),
                    "a row for each function (if nobody says), line, ...")


class Blame(base.Command):
    """Which code made, copied and wrote pages, by page faults.

Usage: vmsnap blame [OPTIONS] [EXPRESSION]

After `set vmsnap blame on'.  With EXPRESSION: the lines that wrote to its page, as `vmsnap page'
takes it, the latest first.  A page that is the program's own already is written to without a
fault, unless `set vmsnap track' protects it: then the first write after each snapshot that is kept
is seen.  Without EXPRESSION a table of all pages that changed.  Both are since the newest snapshot
of before this stop, or, if there is none, since the stop before.  Options come first.
Example:
  (gdb) set vmsnap blame on
  (gdb) next
  (gdb) vmsnap blame &counter
  (gdb) vmsnap blame --by line"""

    NAME = "blame"
    USAGE = "[OPTIONS] [EXPRESSION]"
    OPTIONS = (BY, *options.NAMES, *options.TABLES, options.LONG)

    def work(self, argument, from_tty):
        given, expression, _ = options.before(self.OPTIONS, argument)
        if given["help"]:
            return self.help()
        from vmsnap_gdb import blamed
        return blamed.text(given, expression, base.note)

    def operand_candidates(self, words, word):
        return gdb.COMPLETE_EXPRESSION


def register():
    Blame()
