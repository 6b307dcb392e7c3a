"""$_vmsnap_pfn(ADDRESS) and its like: one page as it is right now.

They stop nothing and read one entry of pagemap, so that a breakpoint's condition may
use them.  What there is none of (the frame of an absent page) is void; what cannot be
known is an error that says why.
"""

import gdb


def _page(value):
    """(address, page or None, known)"""
    from vmsnap import snapshot
    from vmsnap_gdb import address, target
    where = address.of_value(value)
    page, known = snapshot.page_now(target.require_live(), where)
    return where, page, known


def _nothing():
    # A variable that was never set is void in every language; "(void)0" is C.
    return gdb.parse_and_eval("$_vmsnap_nothing")


def _frame(value):
    """(address, number of the frame), which is None if the page has none."""
    from vmsnap.snapshot import PRESENT
    where, page, known = _page(value)
    if page is None or not page.flags & PRESENT:
        return where, None
    if not known.pfn:
        raise gdb.GdbError("frame numbers are hidden from this user: run gdb as root, or with CAP_SYS_ADMIN")
    if not page.pfn:
        raise gdb.GdbError("the kernel is just moving this page to another frame")
    return where, page.pfn


class Function(gdb.Function):
    NAME = ""

    def __init__(self):
        super().__init__(f"_vmsnap_{self.NAME}")

    def invoke(self, *arguments):
        if len(arguments) != 1:
            raise gdb.GdbError(f"usage: $_vmsnap_{self.NAME}(ADDRESS)")
        from vmsnap_gdb.commands import base
        return base.guarded(self.work, arguments[0])


class Pfn(Function):
    """$_vmsnap_pfn (ADDRESS): the number of the frame that the page of ADDRESS is in.

Void if the page is not present.
Example:
  (gdb) print/x $_vmsnap_pfn(&counter)"""

    NAME = "pfn"

    def work(self, value):
        _, frame = _frame(value)
        return _nothing() if frame is None else frame


class Physical(Function):
    """$_vmsnap_physical (ADDRESS): the physical address of the byte at ADDRESS.

Void if its page is not present.
Example:
  (gdb) print/x $_vmsnap_physical(&counter)"""

    NAME = "physical"

    def work(self, value):
        import resource
        where, frame = _frame(value)
        size = resource.getpagesize()
        return _nothing() if frame is None else frame * size + where % size


class Present(Function):
    """$_vmsnap_present (ADDRESS): 1 if the page of ADDRESS is in memory, else 0.

Example:
  (gdb) print $_vmsnap_present(&table[512])"""

    NAME = "present"

    def work(self, value):
        _, page, _ = _page(value)
        if page is not None and page.swapped is None:
            raise gdb.GdbError("this page looks swapped, but may be just moving: root would know")
        return int(page is not None and page.present)


class Shared(Function):
    """$_vmsnap_shared (ADDRESS): 1 if the page of ADDRESS is mapped by someone else too.

After a fork that is so until one of the two writes to it.  Void if the page is not
present.
Example:
  (gdb) break compute if !$_vmsnap_shared(&counter)"""

    NAME = "shared"

    def work(self, value):
        from vmsnap.snapshot import EXCLUSIVE, HUGE
        _, page, known = _page(value)
        if page is None or not page.present:
            return _nothing()
        if not known.exclusive and page.flags & HUGE:
            raise gdb.GdbError("this page is part of a huge one, of which the kernel tells only root who maps it")
        if not known.exclusive:
            raise gdb.GdbError("this kernel does not say who maps this page")
        return int(not page.flags & EXCLUSIVE)


class Changed(Function):
    """$_vmsnap_changed (ADDRESS): 1 if the page of ADDRESS differs from the newest snapshot.

What differs is what `vmsnap diff` would tell of that page, 0 if nothing.  One that was
taken by itself at this very stop does not count.  An error if the process has executed
another program since: no page was kept.
Example:
  (gdb) vmsnap take
  (gdb) break compute if $_vmsnap_changed(&counter)"""

    NAME = "changed"

    def work(self, value):
        from vmsnap_gdb import target
        from vmsnap_gdb.session import session
        now = target.process(target.require_live())
        entry = now and session.before(now.pid, now.start_time)
        if entry is None:
            raise gdb.GdbError("there is no snapshot of this process: take one first with 'vmsnap take'")
        where, page, known = _page(value)
        executed = entry.executed_since(now)
        changes, elsewhere = entry.snapshot.page_changes(where, page, known)
        if elsewhere and not executed:
            changes = entry.snapshot.page_compare(session.capture_now(names=False), where)
        if executed or changes is None:
            raise gdb.GdbError(f"process {now.pid} has executed another program since {entry.name}: take a new "
                               "snapshot, with 'vmsnap take'")
        return int(changes != 0)


def register():
    for made in (Pfn, Physical, Present, Shared, Changed):
        made()
