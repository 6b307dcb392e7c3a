"""vmsnap inside gdb: a thin layer over the module vmsnap.

What this package knows is which process is meant, which snapshots there are, and
what only a debugger can tell (locals, its own footprints).  Everything that is
worked out or laid out as text comes from the library.
"""
