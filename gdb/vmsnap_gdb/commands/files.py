"""vmsnap save and vmsnap load."""

import gdb

from vmsnap_gdb.commands import base, options


def path_of(word):
    """Below `set vmsnap directory`, unless it says where it is itself."""
    import os
    from vmsnap_gdb import settings
    path = os.path.join(os.path.expanduser(settings.directory()), os.path.expanduser(word))
    # gdb's own standard input is not meant.
    return path if path != "-" else os.path.join(os.curdir, path)


def output_of(word):
    """The same for what is written to.  Nobody may ever read the other end of a pipe, and until somebody does gdb would
    be held, with Ctrl-C held back."""
    import os
    import stat
    from vmsnap_gdb.style import plain
    path = path_of(word)
    try:
        kind = os.stat(path).st_mode
    except OSError:
        return path  # whoever opens it says so
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        raise gdb.GdbError(f"{plain(path)} is a pipe or a device; only a regular file is written here")
    return path


class FileCommand(base.Command):
    def operand_candidates(self, words, word):
        return base.snapshot_names() if words and self.SNAPSHOTS else gdb.COMPLETE_FILENAME


class Save(FileCommand):
    """Save snapshots to a file.

Usage: vmsnap save FILE [SNAPSHOT...]

Without SNAPSHOT, all that there are.  An existing file is replaced if it is one of
vmsnap's, and left alone otherwise; pipes and devices are not written to.  The command
line opens it: vmsnap show FILE@s1
What memory held, of snapshots that keep it, is left out unless it is asked for: it has
whatever the program has, keys and passwords, too.
With --delta each is kept as what differs from the one before of its process, which takes
a few hundred bytes where little did; older versions of vmsnap cannot read it.
Example:
  (gdb) vmsnap save fork.vms
  (gdb) vmsnap save ~/two.vms s1 now"""

    NAME = "save"
    USAGE = "[--contents] [--delta] FILE [SNAPSHOT...]"
    OPTIONS = (options.Option("contents", None, None, None, "and what memory held"),
               options.Option("delta", None, None, None, "each as what differs from the one before"))
    OPERANDS = (1, None)
    SNAPSHOTS = True

    def run(self, given, operands, from_tty):
        import os
        from vmsnap_gdb.session import session
        from vmsnap import save, size_text
        from vmsnap_gdb.style import plain
        path = path_of(operands[0])
        words = list(dict.fromkeys(operands[1:])) or session.names_list()
        if not words:
            raise gdb.GdbError("there is no snapshot to save: take one with 'vmsnap take', or say "
                               f"'vmsnap save {plain(operands[0])} now'")
        snapshots = [session.resolve(word) for word in words]
        if given["contents"]:
            _store_types(snapshots)
        save(path, snapshots, contents=bool(given["contents"]), delta=bool(given["delta"]))
        left_out = not given["contents"] and any(snapshot.contents != "none" for snapshot in snapshots)
        return (f"Saved {len(snapshots)} snapshot{'' if len(snapshots) == 1 else 's'} to {plain(path)} "
                f"({size_text(os.path.getsize(path))})"
                f"{', without what memory held (--contents)' if left_out else ''}.\n")


def _store_types(snapshots):
    """Of what is saved with what memory held: who opens the file may have no debug information."""
    from vmsnap.errors import VmsnapError
    from vmsnap_gdb import types_stored
    from vmsnap_gdb.session import session
    for snapshot in snapshots:
        if getattr(snapshot, "types", None) is None or snapshot.stored_types:
            continue
        try:
            names = session.names_for(snapshot)
        except VmsnapError:
            names = None
        snapshot.set_types(types_stored.of(snapshot, names))


class Load(FileCommand):
    """Load the snapshots of a file.

Usage: vmsnap load FILE

They are called as they were when they were saved, if nothing else is called so.
FILE is a regular file: the command line reads pipes.
Example:
  (gdb) vmsnap load fork.vms
  (gdb) vmsnap cow"""

    NAME = "load"
    USAGE = "FILE"
    OPERANDS = (1, 1)

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import loading
        from vmsnap_gdb.style import plain
        path = path_of(operands[0])
        entries = loading.load(path, base.note)
        names = ", ".join(plain(entry.name) for entry in entries[:8])
        more = f" and {len(entries) - 8} more" if len(entries) > 8 else ""
        return (f"Loaded {len(entries)} snapshot{'' if len(entries) == 1 else 's'} from {plain(path)}: "
                f"{names}{more}.\n")


def register():
    Save()
    Load()
