"""The commands: one small class each.  To import them costs little; what they need
for their work is imported when they are used."""

import importlib

import gdb

_MODULES = ("take", "wrote", "blame", "print_", "look", "dump", "page", "compare", "group", "who", "files", "core",
            "report", "export", "keep", "auto")


class Prefix(gdb.Command):
    """What happens to the program's memory, page by page.

A snapshot is the address space at one instant: its mappings, and for each page
whether it is there, in which frame, and who else maps it.  Take some by hand or let
vmsnap take them (vmsnap auto), and compare them.  Wherever a snapshot is expected,
"now" stands for the live process.

Example:
  (gdb) vmsnap take
  (gdb) next
  (gdb) vmsnap diff"""

    def __init__(self):
        super().__init__("vmsnap", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        if argument not in ("", "-h", "--help"):
            raise gdb.GdbError(f'Undefined vmsnap command: "{argument}".  Try "help vmsnap".')
        gdb.execute("help vmsnap", from_tty)


def register():
    Prefix()
    from vmsnap_gdb import functions, mi, settings
    settings.register()
    for name in _MODULES:
        try:
            module = importlib.import_module(f"vmsnap_gdb.commands.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"vmsnap_gdb.commands.{name}":
                raise
            continue
        module.register()
    functions.register()
    mi.register()
