"""vmsnap core."""

from vmsnap_gdb.commands import base, files, options

NAME = options.Option("name", None, "NAME", None, "what the snapshot is called")
CONTENTS = options.Option("contents", None, None, None, "and what memory held, in the snapshot, too")
OPTIONS = (NAME, CONTENTS)


def written(given, operands):
    """(the entry, the path of the core file); also for MI."""
    from vmsnap_gdb import dumping
    path = files.output_of(operands[0])
    return dumping.written(path, given["name"], bool(given["contents"])), path


class Core(files.FileCommand):
    """Write a core file, and beside it a snapshot from before that.

Usage: vmsnap core FILE

FILE is what `generate-core-file FILE' writes.  That changes the process: gdb reads all of
its memory, and pages come in for it.  So a snapshot is taken first, which has the states of
pages, too, that a core file does not tell; it is saved as FILE.vms, and kept here.
An existing core file is replaced, and anything else left alone.
Example:
  (gdb) vmsnap core core.today
  (gdb) vmsnap diff"""

    NAME = "core"
    USAGE = "[--name NAME] [--contents] FILE"
    OPTIONS = OPTIONS
    OPERANDS = (1, 1)

    def run(self, given, operands, from_tty):
        import os
        from vmsnap import size_text
        from vmsnap_gdb.commands import take
        from vmsnap_gdb.session import remarks
        from vmsnap_gdb.style import plain
        entry, path = written(given, operands)
        for remark in remarks([entry.snapshot]):
            base.note(remark)
        return (f"Snapshot {take.said(entry)}\n"
                f"Saved it to {plain(path)}.vms, and then the core file {plain(path)} "
                f"({size_text(os.stat(path).st_blocks * 512)} on disk).\n")


def register():
    Core()
