"""$_vmsnap_pfn(ADDRESS) and its like: one page as it is right now.

They stop nothing and read one entry of pagemap, so that a breakpoint's condition may
use them.  What there is none of (the frame of an absent page) is void; what cannot be
known is an error that says why.
"""

import gdb


def _page(value):
    """(address, page or None, known)"""
    from vmsnap_gdb import address, target, tracking
    where = address.of_value(value)
    page, known = tracking.page_now(target.require_live(), where)
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


def _newest():
    """The entry that the present is compared with, of the process as it is."""
    from vmsnap_gdb import target
    from vmsnap_gdb.session import session
    if target.is_core():
        entry = session.before_core()
        if entry is None:
            raise gdb.GdbError("there is no snapshot to compare the core file with: load one with 'vmsnap load FILE'")
        return entry
    now = target.process(target.require_live())
    entry = now and session.before(now.pid, now.start_time)
    if entry is None:
        raise gdb.GdbError("there is no snapshot of this process: take one first with 'vmsnap take'")
    if entry.executed_since(now):
        raise gdb.GdbError(f"process {now.pid} has executed another program since {entry.name}: take a new "
                           "snapshot, with 'vmsnap take'")
    return entry


def _by_state(entry, value):
    """(whether the page's state tells that it is another one, how far it moved, whether it is elsewhere
    now): it may be there now and not before, copied, moved."""
    from vmsnap_gdb.session import session
    where, page, known = _page(value)
    changes, elsewhere = entry.snapshot.page_changes(where, page, known)
    if not elsewhere:
        return bool(changes), 0, False
    found = entry.snapshot.page_diff(session.capture_now(names=False), where)
    if found is None:
        return True, 0, False
    page = where // entry.snapshot.page_size * entry.snapshot.page_size
    moved = getattr(found, "from") - page if found.moved else 0
    return bool(found.changes), moved, bool(found.moved_away)


class Changed(Function):
    """$_vmsnap_changed (ADDRESS): 1 if what lies at ADDRESS differs from the newest snapshot.

The object that ADDRESS is the address of, by its type; of an address without a type, such as a
number, its page: what it holds, and what `vmsnap diff' would tell of it.  A snapshot that was
taken by itself at this very stop does not count.
An error, at which a breakpoint stops, if that is not known: if the snapshot does not keep what
its pages held (set vmsnap contents), or the process has executed another program since.
Example:
  (gdb) vmsnap take
  (gdb) break compute if $_vmsnap_changed(&counter)"""

    NAME = "changed"

    def work(self, value):
        from vmsnap_gdb import address, memory_now, target
        entry = _newest()
        typed = address.object_of_value(value)
        if target.is_core():
            return int(memory_now.differs_in_core(entry, *(typed or address.page_of_value(value, entry.snapshot.page_size))))
        changed, moved, away = _by_state(entry, value)
        if away or typed is None and changed:
            return int(not away)
        start, end = typed or address.page_of_value(value, entry.snapshot.page_size)
        return int(memory_now.differs(entry, start, end, typed is None, moved))


class Written(Function):
    """$_vmsnap_written (ADDRESS): 1 if the page of ADDRESS was written to since the newest snapshot.

Where writes are tracked (set vmsnap track) that tells; else what it holds does, and a page in
which everything was overwritten with what it held already counts as not written.  An error,
at which a breakpoint stops, if it is not known.
Example:
  (gdb) vmsnap take
  (gdb) break compute if $_vmsnap_written(&counter)"""

    NAME = "written"

    def work(self, value):
        from vmsnap_gdb import address, memory_now, target
        entry = _newest()
        start, end = address.page_of_value(value, entry.snapshot.page_size)
        if target.is_core():
            return int(memory_now.differs_in_core(entry, start, end))
        return int(memory_now.differs(entry, start, end, True))


def register():
    for made in (Pfn, Physical, Present, Shared, Changed, Written):
        made()
