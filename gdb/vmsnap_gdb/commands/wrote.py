"""vmsnap wrote."""

import gdb

from vmsnap_gdb.commands import base, options


class Wrote(base.Command):
    """What a command changed in memory, by variable.

Usage: vmsnap wrote [COMMAND]

COMMAND is one of gdb's that lets the program run: finish, next 3, call f(2), continue.
What memory of the program's own holds is looked at before and after it, up to 512 MiB, and
what differs is told: globals, thread-locals, variables of frames that are there before and
after, blocks of malloc's, and what else changed as ranges.  Nothing of it is kept.  Not told
are registers, shared memory, and the stack below the frames that are there both times.
Without COMMAND: since the newest snapshot of before this stop that keeps contents, as with
`vmsnap auto stop'.
Example:
  (gdb) vmsnap wrote finish"""

    NAME = "wrote"
    USAGE = "[COMMAND]"
    OPTIONS = (options.JSON, options.ASCII)

    def work(self, argument, from_tty):
        given, command, _ = options.before(self.OPTIONS, argument)
        if given["help"]:
            return self.help()
        from vmsnap_gdb import wrote
        found, failed = wrote.run(command, from_tty, base.note) if command else (wrote.since_last_stop(base.note), None)
        if found is not None:
            base.write(wrote.as_json(found) if given["json"] else wrote.as_text(found, given))
        if failed is not None:
            raise gdb.GdbError(str(failed))
        return None

    def complete(self, text, word):
        return gdb.COMPLETE_COMMAND


def register():
    Wrote()
