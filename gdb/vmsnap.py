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
    binding = os.path.join(os.path.dirname(here), "python")
    # Packages have a link there, to where Python looks for modules.
    module = os.path.dirname(os.path.realpath(os.path.join(binding, "vmsnap")))

    def there(name):
        """The folder that a package was imported from; None if it was not."""
        loaded = sys.modules.get(name)
        return loaded and os.path.dirname(os.path.dirname(os.path.realpath(loaded.__file__)))

    def complain(text):
        import gdb  # an error here would be shown with a traceback
        gdb.write(text + "\n", gdb.STDERR)

    def let_go(name):
        sys.path[:] = [folder for folder in sys.path if folder != there(name)]
        for each in [each for each in sys.modules if each == name or each.startswith(name + ".")]:
            del sys.modules[each]

    if there("vmsnap_gdb") == here:
        return  # sourced twice
    if not os.path.isdir(os.path.join(binding, "vmsnap")):
        complain(f"vmsnap cannot be loaded: the module that it stands on is not in {binding}")
        return
    # Another copy, say the installed one.  Once it has been used it stays: it may hold
    # snapshots and follow events.
    for name, folder, marks in (("vmsnap_gdb", here, ("vmsnap_gdb.session", "vmsnap_gdb.auto")),
                                ("vmsnap", module, ("vmsnap._lib",))):
        if there(name) in (None, folder):
            continue
        if any(mark in sys.modules for mark in marks):
            complain(f"vmsnap is in use already, from {there(name)}; to use that of {here}, start gdb anew")
            return
        let_go(name)
    # In this order: beside the plugin lies this file, which is called vmsnap too.
    sys.path[:] = [binding, here] + [folder for folder in sys.path if folder not in (binding, here)]
    from vmsnap_gdb import commands
    commands.register()


_load_vmsnap()
del _load_vmsnap
