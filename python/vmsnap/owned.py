"""Objects of the library's that belong to objects of ours."""

from ctypes import c_void_p

from vmsnap._lib import lib


class Owned:
    """One object of the library's, freed with this one."""

    _free = None

    def __init__(self, *borrowed):
        self._handle = c_void_p()
        self._borrowed = borrowed  # what it needs is kept alive

    @property
    def handle(self):
        return self._handle

    def __del__(self):
        # Nothing was made, or the interpreter is going away.
        if getattr(self, "_handle", None) and lib is not None:
            getattr(lib(), self._free)(self._handle)
            self._handle = None
