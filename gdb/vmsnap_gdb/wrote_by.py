"""Which line wrote first to where a value lies, by page faults (blaming.py): for `vmsnap wrote`.

A fault tells of the first write to a page.  What it wrote to may be the value itself; else all that is known is that
this line was the first on its page."""

import collections

from vmsnap import FaultsFlag, PageFlag
from vmsnap_gdb import blamed, blaming, protected

_HUGE = 1 << 21
_PAGES = 16  # of one value are looked at

# row: as of blamed.row_of(); exact: it wrote to the value; others: lines that wrote first to other pages of it.
By = collections.namedtuple("By", "row exact others")


class WroteBy:
    def __init__(self, pid, before, snapshot, tracked, note):
        """before, snapshot: of before and after; tracked: all pages were protected before."""
        when = before.info.monotonic
        self._seen = blaming.since(pid, when)
        self._protected = protected.Protected(self._seen, pid, before, when, tracked)
        self._pid, self._snapshot, self._when, self._tracked = pid, snapshot, when, tracked
        self._faults = self._seen.taken.faults
        self._first, self._told = {}, {}
        blamed.say_gaps(self._seen, when, "the snapshot before", note)

    # ---- one value ----

    def of(self, row, ranges):
        """By, or None: no fault was seen.  ranges: which of its bytes changed."""
        key = row.start, row.size
        if key not in self._told:
            self._told[key] = self._find(ranges)
        return self._told[key]

    def _find(self, ranges):
        firsts = {fault for fault in map(self._first_on, self._pages(ranges)) if fault is not None}
        if not firsts:
            return None
        faults = sorted(firsts, key=lambda fault: fault.time)
        exact = any(start <= faults[0].address < end for start, end in ranges)
        rows = [blamed.row_of(fault, self._faults, self._told_of(fault)) for fault in faults]
        words = {blamed.code_text(row) for row in rows}
        return By(rows[0], exact, len(words) - 1)

    def _told_of(self, fault):
        state = self._snapshot.page_at(fault.address)
        start, end = self._unit(fault.address, state)
        alone = self._faults.first_write(self._pid, start, end, fault.time) is None
        return self._protected.told(fault.address, state, self._snapshot.info.known, alone)

    def _pages(self, ranges):
        """The first ones that these bytes lie on."""
        size, found = self._snapshot.page_size, []
        for start, end in ranges:
            for page in range(start // size * size, end, size):
                if len(found) == _PAGES:
                    return found
                if not found or page != found[-1]:
                    found.append(page)
        return found

    def _first_on(self, page):
        if page not in self._first:
            start, end = self._unit(page, self._snapshot.page_at(page))
            self._first[page] = self._faults.first_write(self._pid, start, end, self._when)
        return self._first[page]

    def _unit(self, address, state):
        """From where to where its page goes."""
        unit = _HUGE if state is not None and state.flags & PageFlag.HUGE else self._snapshot.page_size
        start = address // unit * unit
        return start, start + unit

    # ---- in words ----

    @staticmethod
    def text(by):
        """"by bump (t.c:12)", "page by fill (t.c:30) and 2 more"."""
        text = f"{'by' if by.exact else 'page by'} {blamed.code_text(by.row)}"
        text += f" and {by.others} more" if by.others else ""
        return text + (", in a call by gdb" if by.row["by_gdb"] else "")

    @staticmethod
    def json(by):
        frame = by.row["frames"][0]
        return {"function": frame["function"], "file": frame["file"], "line": frame["line"], "exact": by.exact,
                "more": by.others,
                **{key: by.row[key] for key in ("address", "tid", "kind", "copied", "syscall", "by_gdb", "frames")}}

    def legend(self, found):
        """Lines below.  found: a By or None for each value that was shown."""
        lines = []
        if any(found):
            lines.append("by: the line that wrote there first; page by: that wrote to its page first; what was written "
                         "later to the same page is not known")
        count = sum(each is None for each in found)
        if count:
            lines.append(f"{count} value{'' if count == 1 else 's'} without a line: {self._why_none()}")
        return lines

    def _why_none(self):
        hidden = "" if self._faults.flags & FaultsFlag.KERNEL else \
            "; faults inside system calls are not told to this user"
        if self._tracked:
            return f"the page was written to without a fault that was seen, by the kernel or a debugger{hidden}"
        return ("the page was written to without a fault, as the program's own is: set vmsnap track on, or "
                f"vmsnap wrote --track, would tell{hidden}")
