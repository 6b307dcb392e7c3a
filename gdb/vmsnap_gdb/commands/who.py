"""vmsnap who."""

import gdb

from vmsnap_gdb.commands import base, options


class Who(base.Command):
    """Which processes of the machine map a page, a frame or a file now.

Usage: vmsnap who [OPTIONS] EXPRESSION|pfn:FRAME|phys:ADDRESS|/PATH

Of an EXPRESSION the page of the selected inferior, as `vmsnap page' takes it; pfn:1a2b and
phys:1a2b3c000 are hexadecimal; what begins with / or ./ is a file.  No process is stopped for
it.  Options come first.
Example:
  (gdb) vmsnap who &counter
  (gdb) vmsnap who pfn:25dc12
  (gdb) vmsnap who /usr/lib/x86_64-linux-gnu/libc.so.6"""

    NAME = "who"
    USAGE = "[OPTIONS] EXPRESSION|pfn:FRAME|phys:ADDRESS|/PATH"
    OPTIONS = (*options.NAMES, *options.TABLES)

    def work(self, argument, from_tty):
        given, what, _ = options.before(self.OPTIONS, argument)
        if given["help"]:
            return self.help()
        if not what:
            raise gdb.GdbError(f"usage: vmsnap who {self.USAGE}")
        from vmsnap_gdb import owners
        return owners.who(given, what, base.note)

    def operand_candidates(self, words, word):
        return gdb.COMPLETE_EXPRESSION


def register():
    Who()
