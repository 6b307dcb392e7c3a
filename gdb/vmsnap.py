"""Gives gdb the command `vmsnap`.  In gdb, or in ~/.gdbinit:

    source /path/to/vmsnap.py

Nothing else changes until a command is used: no library is loaded, no event is
followed.  `help vmsnap` tells the rest.
"""


def _load_vmsnap():
    import os
    import sys
    # __file__ is that of the outermost script, if one sources us.  And not the folder
    # above ours: there, `import gdb` would find the folder gdb/.
    here = os.path.dirname(os.path.realpath(_load_vmsnap.__code__.co_filename))
    loaded = sys.modules.get("vmsnap")
    if loaded is not None:
        there = os.path.dirname(os.path.dirname(os.path.realpath(loaded.__file__)))
        if there == here:
            return  # sourced twice
        # Another copy, say the installed one.  Once it has been used it stays: it may
        # hold snapshots and follow events.
        if "vmsnap.session" in sys.modules or "vmsnap.auto" in sys.modules:
            import gdb
            gdb.write(f"vmsnap is in use already, from {there}; to use that of {here}, start gdb anew\n", gdb.STDERR)
            return
        for name in [name for name in sys.modules if name == "vmsnap" or name.startswith("vmsnap.")]:
            del sys.modules[name]
        sys.path[:] = [folder for folder in sys.path if folder != there]
    if here in sys.path:
        sys.path.remove(here)
    sys.path.insert(0, here)
    from vmsnap import commands
    commands.register()


_load_vmsnap()
del _load_vmsnap
