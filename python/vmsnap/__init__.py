"""libvmsnap in Python: what a process's memory is, page by page."""

VERSION = "0.1.0"  # of this package, and of the library it wants
