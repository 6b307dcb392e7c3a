"""vmsnap print."""

import gdb

from vmsnap_gdb.commands import base, options

AT = options.Option("at", None, "SNAPSHOT", options.SNAPSHOTS, "as SNAPSHOT has it; without it, the newest that keeps contents")


class Print(base.Command):
    """What an expression was in a snapshot.

Usage: vmsnap print [--at SNAPSHOT] EXPRESSION

Where variables lie, and their types, is as the selected frame has them now; what lies there is as
the snapshot has it, and `->', `*' and `[]' follow its pointers.  Nothing is called; what was in
registers is not known.  The snapshot has to keep what pages held: see `set vmsnap contents'.
Example:
  (gdb) vmsnap take before
  (gdb) next
  (gdb) vmsnap print --at before list->next->value"""

    NAME = "print"
    USAGE = "[--at SNAPSHOT] EXPRESSION"
    OPTIONS = (AT,)

    def work(self, argument, from_tty):
        given, expression, _ = options.before(self.OPTIONS, argument)
        if given["help"]:
            return self.help()
        if not expression:
            raise gdb.GdbError(f"usage: vmsnap print {self.USAGE}")
        from vmsnap_gdb import showing
        return showing.shown(expression, given["at"]) + "\n"

    def operand_candidates(self, words, word):
        return gdb.COMPLETE_EXPRESSION


def register():
    Print()
