"""Whether a process runs while gdb looks at one of its threads.

In a condition and in stop() gdb has stopped only the thread that hit; it stops the
others later, and only if the program is to stop (unless `maint set target-non-stop
off`).  What gdb tells Python of a thread's state is what the user is to see; the kernel
knows.
"""

import gdb

from vmsnap import process_now
from vmsnap_gdb import target

_LOOKED_AT = 64


def others_run():
    """Whether another thread of the selected one's process runs."""
    selected = gdb.selected_thread()
    if selected is None:
        return False
    pid, tid = selected.ptid[0], selected.ptid[1]
    if not target.is_local(pid):
        return False  # a remote target stands as a whole, unless in non-stop mode
    others = [each.ptid[1] for each in selected.inferior.threads() if each.ptid[1] != tid]
    return any(_runs(pid, other) for other in others[:_LOOKED_AT])


def _runs(pid, tid):
    found = process_now(tid)
    return found is not None and found.tgid == pid and found.state not in "tTZX"
