"""Snapshots of one process again and again, by its debugger."""

from ctypes import byref

from vmsnap import _lib, given
from vmsnap._header import CaptureFlag, CaptureOptions
from vmsnap._lib import lib
from vmsnap.owned import Owned
from vmsnap.snapshot import Snapshot, capture_options


class Repeat(Owned):
    """For the thread that debugs a process: each time a brief Snapshot of it, for which only what may have changed
    since the last is read.  A new one is needed when the process executes another program."""

    _free = "vmsnap_repeat_free"

    def __init__(self, pid):
        super().__init__()
        self._brief = _lib.cancellable(CaptureOptions, flags=CaptureFlag.BRIEF)
        lib().vmsnap_repeat_new(given.process(pid), byref(self._handle))

    def capture(self, reason="", if_running="", label="", **how):
        """if_running: put behind the reason where some thread runs that the debugger has not stopped.
        how: as of Snapshot.capture(); what asks for more than a brief capture tells has all of it read."""
        options = self._options(reason, label) if not any(how.values()) else capture_options(reason, label, brief=True, **how)
        return Snapshot.made_by(lib().vmsnap_repeat_capture, self._handle, byref(options),
                                given.raw(if_running, "the reason"))

    def _options(self, reason, label):
        """Those that are always the same are made once."""
        self._brief.reason, self._brief.label = given.raw(reason, "the reason"), given.raw(label, "the name")
        return self._brief

    @property
    def brief(self):
        """How many of its snapshots were made without reading all."""
        return lib().vmsnap_repeat_brief(self._handle)
