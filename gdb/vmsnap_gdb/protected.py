"""Writes to a page that was there, and write-protected: a copy was made of it, or not, as it was armed (`set vmsnap
track'), or nobody else had it any more.  The kernel tells the same of all of these; frames tell which it was."""

from vmsnap import FaultEventKind, FaultKind


class Protected:
    def __init__(self, seen, pid, before, when, tracked):
        """before: a snapshot of then, or None; tracked: its pages were armed."""
        events, count = seen.watch.events
        self._forked = any((events[which].pid, events[which].kind) == (pid, FaultEventKind.FORK) and events[which].time > when
                           for which in range(count))
        self._before, self._tracked = before, tracked

    def told(self, page, now, known, alone):
        """(how it is called in JSON, whether it was copied) of the writes to a page.  now, known: as page_now() gives
        them; alone: there was one such write."""
        copied = self._copied(page, now, known, alone)
        return "write_protected" if copied is not False else "write_armed" if self._tracked else "write_kept", copied

    def _copied(self, page, now, known, alone):
        was = self._before.page_at(page) if self._before is not None else None
        if was is None or now is None or not was.present or not now.present:
            return None
        frames = known.pfn and self._before.info.known.pfn and was.pfn and now.pfn
        if frames and was.pfn == now.pfn:
            return False
        shared = self._forked or not was.exclusive(self._before.info.known)
        if not frames:
            return None if shared else False
        return True if shared and alone else None


def is_protected(fault):
    return fault.kind == FaultKind.WRITE_PROTECTED
