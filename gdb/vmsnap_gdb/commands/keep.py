"""vmsnap list and vmsnap drop."""

import gdb

from vmsnap_gdb.commands import base, options


def listed(given, note):
    from vmsnap_gdb import style
    from vmsnap_gdb.session import session
    from vmsnap import snapshots_text
    entries = session.entries()
    if session.dropped:
        note(f"{session.dropped} snapshots were dropped to keep the limit of {gdb.parameter('vmsnap limit')}"
             " (set vmsnap limit)")
    if not entries and not given["json"]:
        return "No snapshots: take one with 'vmsnap take'.\n"
    return snapshots_text(style.style(given), [entry.snapshot for entry in entries],
                          [entry.name for entry in entries])


class List(base.Command):
    """The snapshots that there are, oldest first.

Usage: vmsnap list

Example:
  (gdb) vmsnap list"""

    NAME = "list"
    USAGE = ""
    OPTIONS = options.TABLES

    def run(self, given, operands, from_tty):
        return listed(given, base.note)


class Drop(base.Command):
    """Forget snapshots.

Usage: vmsnap drop NAME...
       vmsnap drop --all

Example:
  (gdb) vmsnap drop s1 s2"""

    NAME = "drop"
    USAGE = "NAME... | --all"
    OPTIONS = (options.Option("all", None, None, None, "all that there are"),)
    OPERANDS = (0, None)
    SNAPSHOTS = True
    NOW = False

    def run(self, given, operands, from_tty):
        from vmsnap_gdb.session import session
        if bool(operands) == bool(given["all"]):
            raise gdb.GdbError(f"usage: vmsnap drop {self.USAGE}")
        names = session.names_list() if given["all"] else list(dict.fromkeys(operands))
        for name in names:
            session.entry(name)  # all of them, before any goes
        for name in names:
            session.drop(name)
        return f"Dropped {len(names)} snapshot{'' if len(names) == 1 else 's'}.\n"


def register():
    List()
    Drop()
