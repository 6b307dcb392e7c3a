"""vmsnap take."""

import gdb

from vmsnap_gdb.commands import base, options

ALL = options.Option("all", None, None, None, "every live inferior, in one go")
SMAPS = options.Option("smaps", None, None, None, "keep the fields of smaps too; slower")
NO_NAMES = options.Option("no-names", None, None, None, "do not remember variables of frames")
REPLACE = options.Option("replace", None, None, None, "in the place of the snapshot NAME, if there is one")
CONTENTS = options.Option("contents", None, None, None, "keep what pages hold, however much it is")
KPAGE = options.Option("kpage", None, None, None, "keep what the kernel's tables say of its frames, and their NUMA nodes")
OPTIONS = (ALL, REPLACE, SMAPS, CONTENTS, KPAGE, NO_NAMES)


def captured(inferior, name, given):
    from vmsnap_gdb import keeping, place, target
    from vmsnap_gdb.session import session
    pid = target.require_any(inferior)
    return session.captured(pid, inferior=inferior, name=name, reason=place.reason_of(inferior),
                            replace=bool(given["replace"]), names=not given["no-names"], smaps=bool(given["smaps"]), kpage=bool(given["kpage"]),
                            contents=keeping.chosen(asked=bool(given["contents"])))


def take_one(inferior, name, given):
    return take_each([inferior], [name], given)[0]


def take(given, operands):
    """The entries that were made; also for MI."""
    from vmsnap_gdb import target
    from vmsnap_gdb.session import session
    if given["replace"] and not operands:
        raise gdb.GdbError("--replace needs a name: vmsnap take NAME --replace")
    if not given["all"]:
        return [take_one(gdb.selected_inferior(), operands[0] if operands else None, given)]
    inferiors = target.live_inferiors()
    if not inferiors:
        target.require_live()
    if not operands:
        names = [None] * len(inferiors)
    elif len(inferiors) == 1:
        names = [operands[0]]
    else:
        names = [f"{operands[0]}.{inferior.num}" for inferior in inferiors]
    for name in names:
        if name is not None:
            session.check_name(name, given["replace"])
    return take_each(inferiors, names, given)


def take_each(inferiors, names, given):
    """All or, if one fails, none."""
    from vmsnap_gdb.session import session
    made = [captured(inferior, name, given) for inferior, name in zip(inferiors, names)]
    return [session.keep(entry) for entry in made]


def said(entry):
    """One line about a snapshot that was just made."""
    from vmsnap import size_text
    from vmsnap_gdb.style import plain
    snapshot = entry.snapshot
    if entry.origin == "core":
        held = sum(end - start for start, end in snapshot.contents_ranges())
        who, has = "core file of process", f"{size_text(held)} with what they hold"
    else:
        who, has = "process", f"{size_text(snapshot.resident())} resident"
    text = (f"{plain(entry.name)}: {who} {snapshot.pid} ({plain(snapshot.info.comm)}), {has} in "
            f"{snapshot.mapping_count()} mappings")
    return text + (f", {plain(snapshot.info.reason)}" if snapshot.info.reason else "")


class Take(base.Command):
    """Take a snapshot of the program.

Usage: vmsnap take [NAME]

Without NAME it is called s1, s2, and so on.  It remembers why and where the program
stood, the variables of its frames, and, of a program whose own memory is no more than
16 MiB, what that holds (set vmsnap contents).  With --replace a command of your own (define)
can take one of the same name again and again.
Example:
  (gdb) vmsnap take before
  (gdb) next
  (gdb) vmsnap diff before now"""

    NAME = "take"
    USAGE = "[--all] [NAME]"
    OPTIONS = OPTIONS
    OPERANDS = (0, 1)

    def operand_candidates(self, words, word):
        return base.snapshot_names(with_now=False) if "--replace" in words else gdb.COMPLETE_NONE

    def run(self, given, operands, from_tty):
        from vmsnap_gdb.session import remarks
        entries = take(given, operands)
        for remark in remarks(entry.snapshot for entry in entries):
            base.note(remark)
        return "".join(f"Snapshot {said(entry)}\n" for entry in entries)


def register():
    Take()
