"""What went wrong with an automatic snapshot.

It is taken while the program is on its way, from inside gdb: an exception there would
stop the program, and a line for each of thousands would bury its output.  So the first
failure of each kind is said, and the rest are counted.
"""

import gdb

from vmsnap import one_line


class Notes:
    def __init__(self):
        self.count = 0
        self.last = ""
        self._said = set()

    def add(self, what, error):
        """what: "fork"; error: an exception, or words."""
        self.count += 1
        text = str(error) or type(error).__name__
        if isinstance(error, gdb.GdbError):  # behind the ";" follows what could be done instead
            text = text.partition(";")[0]
        self.last = one_line(text)
        kind = (what, getattr(error, "code", type(error)))
        if kind not in self._said:
            self._said.add(kind)
            say(f"{what} without a snapshot: {self.last}")

    def summary(self):
        """For `vmsnap auto`; "" if all went well."""
        if not self.count:
            return ""
        return f"{self.count} could not be taken, the last because: {self.last}"


def say(text):
    """One line, whatever gdb is doing."""
    try:
        gdb.write(f"vmsnap: {text}\n", gdb.STDERR)
    except (gdb.error, KeyboardInterrupt):
        pass  # `q` at the pager
