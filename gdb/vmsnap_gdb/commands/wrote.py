"""vmsnap wrote."""

import gdb

from vmsnap_gdb.commands import base, options

TRACK = options.Option("track", None, "HOW", ("on", "soft-dirty", "uffd"),
                       "track writes while COMMAND runs: each page's first one is a fault then")


class Wrote(base.Command):
    """What a command changed in memory, by variable.

Usage: vmsnap wrote [COMMAND]

COMMAND is one of gdb's that lets the program run: finish, next 3, call f(2), continue.
What memory of the program's own holds is looked at before and after it, up to 512 MiB, and
what differs is told: globals, thread-locals, variables of frames that are there before and
after, blocks of malloc's, and what else changed as ranges.  Nothing of it is kept.  Not told
are registers, shared memory, and the stack below the frames that are there both times.
After `set vmsnap blame on' each value has the line that wrote there first, or that wrote to its
page first; of a page that was written to without a fault no line is known, unless it is tracked.
Without COMMAND: since the newest snapshot of before this stop that keeps contents, as with
`vmsnap auto stop'.
Example:
  (gdb) vmsnap wrote finish
  (gdb) vmsnap wrote --track uffd next"""

    NAME = "wrote"
    USAGE = "[COMMAND]"
    OPTIONS = (TRACK, options.JSON, options.ASCII)

    def work(self, argument, from_tty):
        given, command, _ = options.before(self.OPTIONS, argument)
        if given["help"]:
            return self.help()
        if given["track"] and not command:
            raise gdb.GdbError("--track is for the time of COMMAND: there is none")
        from vmsnap_gdb import wrote
        found, failed = wrote.run(command, from_tty, base.note, given["track"]) if command else \
            (wrote.since_last_stop(base.note), None)
        if found is not None:
            base.write(wrote.as_json(found) if given["json"] else wrote.as_text(found, given))
        if failed is not None:
            raise gdb.GdbError(str(failed))
        return None

    def complete(self, text, word):
        return gdb.COMPLETE_COMMAND


def register():
    Wrote()
