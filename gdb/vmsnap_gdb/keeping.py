"""How much of what pages hold is kept with a snapshot: `set vmsnap contents`."""

from vmsnap import PageFlag, size_text
from vmsnap_gdb import settings

AUTO_LIMIT = 16 << 20
WROTE_LIMIT = 512 << 20

_store = None


def store():
    """One for all snapshots of this gdb: what stayed as it was is kept once."""
    global _store
    if _store is None:
        from vmsnap import Store
        _store = Store()
    return _store


def all_of_it(limit=0):
    return {"contents": "private", "store": store(), "contents_limit": limit}


def chosen(asked=False, hit=False):
    """For a capture's options, as it is set.  asked: with --contents; hit: of a breakpoint that is passed
    perhaps a thousand times a second: nothing, unless that was set."""
    how = settings.contents()
    if asked or how == "full":
        return all_of_it()
    if how == "off" or how == "auto" and hit:
        return {}
    if how == "hash":
        return {"contents": "hashes", "store": store()}
    return all_of_it(AUTO_LIMIT)


def like(snapshot):
    """What a snapshot needs that is to be compared with one that there is."""
    if snapshot.contents == "hashes":
        return {"contents": "hashes", "store": store()}
    return all_of_it(WROTE_LIMIT) if snapshot.contents == "bytes" else None


_said = set()
_said_unread = set()
_UNREAD = PageFlag.SWAPPED | PageFlag.HUGE | PageFlag.ZERO  # together: vmsnap_page_unread()


def unread_remark(snapshot):
    """Once for each process: of how many of its pages the state could not be read.  None: nothing to say."""
    unread = 0
    if snapshot.sums()["swapped_unknown"]:
        unread = sum(run.end - run.start for run in snapshot.runs() if run.flags & _UNREAD == _UNREAD)
    key = snapshot.pid, snapshot.start_time
    if not unread or key in _said_unread:
        return None
    _said_unread.add(key)
    return (f"process {snapshot.pid}: the states of {size_text(unread)} of its pages could not be read through the remote "
            "target: gdbserver reads pagemap below 1 TiB of addresses only; that is all of a program of 32 bits, and the "
            "data and heap of one that is linked with -no-pie")


def remark(snapshot):
    """Once for each process: why nothing is kept of one that is larger.  None: nothing to say."""
    left_out = snapshot.info.contents_left_out
    key = snapshot.pid, snapshot.start_time
    if not left_out or key in _said:
        return None
    _said.add(key)
    return (f"process {snapshot.pid} has {size_text(left_out)} of memory of its own: what it holds is not kept with its "
            f"snapshots, since that is more than {size_text(AUTO_LIMIT)} (vmsnap take --contents, set vmsnap contents full)")
