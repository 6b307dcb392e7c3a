"""Which pages a process writes to, from one look to the next."""

from ctypes import byref

from vmsnap import _lib, given
from vmsnap._header import WrittenBy
from vmsnap._lib import lib
from vmsnap.owned import Owned
from vmsnap.snapshot import Snapshot

# How: by the kernel's soft-dirty bits, where there are any; by userfaultfd only if that is asked for.
_HOW = {None: WrittenBy.UNKNOWN, "soft-dirty": WrittenBy.SOFT_DIRTY, "uffd": WrittenBy.UFFD}


class Tracker(Owned):
    """Write tracking of a process, armed until close() or until nobody holds it any more.  Give it to
    Snapshot.capture(): each snapshot then tells what was written since the one before (Snapshot.written())."""

    _free = "vmsnap_tracker_free"

    def __init__(self, pid, how=None):
        """how: "soft-dirty", "uffd" (userfaultfd: it has the process make two system calls); None: soft-dirty."""
        super().__init__()
        _lib.call_holding_interrupts(lib().vmsnap_tracker_new, given.process(pid), _HOW[how], byref(self._handle))

    @classmethod
    def adopt(cls, pid, uffd):
        """With a descriptor of a userfaultfd of the process, of which nobody has asked anything; the tracker's
        from then on."""
        made = cls.__new__(cls)
        Owned.__init__(made)
        lib().vmsnap_tracker_adopt(given.process(pid), uffd, byref(made._handle))
        return made

    @property
    def how(self):
        return {value: word for word, value in _HOW.items()}[lib().vmsnap_tracker_how(self._handle)]

    @property
    def tracking(self):
        """Of the last look: "tells", "armed" (it was the first), "disturbed", "ran", "execed"."""
        return lib().vmsnap_tracking_name(lib().vmsnap_tracker_tracking(self._handle)).decode()

    def resume(self, snapshot):
        """Goes on from a snapshot that was taken with another tracker: of soft-dirty bits, which are the kernel's."""
        lib().vmsnap_tracker_resume(self._handle, snapshot.handle)

    def look(self):
        """A Snapshot without pages, that tells what was written since the look before, and names."""
        return Snapshot.made_by(lib().vmsnap_tracker_look, self._handle)

    def peek(self):
        """The same, and the next look or capture tells it, too."""
        return Snapshot.made_by(lib().vmsnap_tracker_peek, self._handle)

    def close(self):
        """Gives everything back."""
        if self._handle:
            lib().vmsnap_tracker_free(self._handle)
            self._handle = None
