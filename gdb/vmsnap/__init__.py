"""vmsnap inside gdb: a thin layer over libvmsnap.

What this package knows is which process is meant, which snapshots there are, and
what only a debugger can tell (locals, its own footprints).  Everything that is
worked out or laid out as text comes from the library.
"""

VERSION = "0.1.0"  # of this package, and of the library it wants
