"""vmsnap inside gdb: a thin layer over the module vmsnap.

What this package knows is which process is meant, which snapshots there are, and
what only a debugger can tell (locals, its own footprints).  Everything that is
worked out or laid out as text comes from the library.

For scripts, once vmsnap.py has been sourced:

    import vmsnap_gdb
    vmsnap_gdb.take("a")
    gdb.execute("next")
    for r in vmsnap_gdb.diff("a").ranges:
        print(hex(r.start), r.changes, r.names)

Snapshots are called as in the commands, "now" too; what is given are objects of the module
vmsnap.  What cannot be done is a vmsnap.VmsnapError or a gdb.GdbError; remarks go where
those of the commands do.
"""


def take(name=None, **how):
    """Takes a snapshot of the selected inferior and keeps it, as `vmsnap take` does; gives
    the Snapshot.  how: smaps=True, names=False, replace=True, contents=True,
    kpage=True."""
    import gdb
    from vmsnap_gdb.commands import take as command
    given = {"smaps": how.pop("smaps", False), "no-names": not how.pop("names", True),
             "replace": how.pop("replace", False), "contents": how.pop("contents", False),
             "kpage": how.pop("kpage", False)}
    if how:
        raise TypeError(f"take() has no argument {', '.join(how)}")
    return command.take_one(gdb.selected_inferior(), name, given).snapshot


def now():
    """A Snapshot of the selected inferior that is not kept."""
    return snapshot("now")


def snapshot(name):
    """The one that is called so."""
    from vmsnap_gdb.session import session
    return session.resolve(name)


def snapshots():
    """{name: Snapshot} of all that are kept, oldest first."""
    from vmsnap_gdb.session import session
    return {entry.name: entry.snapshot for entry in session.entries()}


def drop(*names):
    """Forgets them; objects that somebody holds stay as they are."""
    from vmsnap_gdb.session import session
    for name in names:
        session.entry(name)  # all of them, before any goes
    for name in names:
        session.drop(name)


def diff(a=None, b=None):
    """A vmsnap.Diff, of what `vmsnap diff A B` compares: without b the live process, without
    a the newest snapshot of before this stop."""
    from vmsnap_gdb import comparing
    from vmsnap_gdb.commands import base
    if a is None and b is not None:
        raise TypeError("diff() needs what b is compared with")
    return comparing.made_diff([each for each in (a, b) if each is not None], base.note)


def cow(parent=None, child=None, base=None):
    """A vmsnap.Cow, of what `vmsnap cow PARENT CHILD` compares: without child those two of the
    fork `parent` ("fork2"), without both of the newest, as they are now, with the snapshot from
    the fork as base."""
    from vmsnap_gdb import comparing
    from vmsnap_gdb.commands import base as commands
    if parent is None and child is not None:
        raise TypeError("a child needs a parent")
    return comparing.made_cow([each for each in (parent, child) if each is not None], base, commands.note)


def blame(expression=None):
    """After `set vmsnap blame on', of the time that `vmsnap blame' tells of: without expression a vmsnap.blame.Blame
    of all pages that changed; with one the faults that wrote to its page, the latest first, each as in JSON:
    {"address": "0x…", "tid": 1, "by_gdb": False, "frames": [{"function": "work", "file": …, "line": 3}], …}."""
    from vmsnap_gdb import blamed
    from vmsnap_gdb.commands import base
    return blamed.of_all(base.note) if expression is None else blamed.of_page(expression, base.note)


def save(path, *names, contents=False):
    """Saves snapshots, or all that are kept, to a file.  contents: and what memory held, of those that keep it."""
    import vmsnap
    from vmsnap_gdb.session import session
    vmsnap.save(path, [session.resolve(name) for name in names] or list(snapshots().values()),
                contents=contents)


def load(path):
    """Keeps the snapshots of a file, and gives {name: Snapshot}."""
    from vmsnap_gdb import loading
    from vmsnap_gdb.commands import base
    return {entry.name: entry.snapshot for entry in loading.load(path, base.note)}
