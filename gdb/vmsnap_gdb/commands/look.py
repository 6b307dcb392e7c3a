"""Commands that look at one snapshot, or at two side by side."""

import gdb

from vmsnap_gdb.commands import base, options


def snapshot(operands):
    """The first operand, else the live process."""
    from vmsnap_gdb.session import NOW, session
    return session.resolve(operands[0] if operands else NOW)


def names_of(snapshot):
    """What memory without a name is called; None if that is not to be had: then it is not told."""
    from vmsnap.errors import CANCELLED, VmsnapError
    from vmsnap_gdb.session import session
    try:
        return session.names_for(snapshot)
    except VmsnapError as error:
        if error.code == CANCELLED:
            raise
        return None


def styled(given):
    from vmsnap_gdb import style
    return style.style(given)


def chosen(given):
    """A Filter, or None if all is told of.  Not to be asked before the snapshot has been taken: to
    evaluate an expression is perhaps to touch memory."""
    words = {name: given[name] for name in ("name", "perm", "only", "pfn")}
    if given["range"] is None and all(word is None for word in words.values()):
        return None
    from vmsnap import Filter
    from vmsnap_gdb import address
    start, end = (0, 0) if given["range"] is None else address.range_of_text(given["range"])
    return Filter(start=start, end=end, **words)


def shown_one(given, of, title):
    if given["by"]:
        return of.show_by_text(given["by"], styled(given), chosen(given), names_of(of), title=title)
    return of.show_text(styled(given), chosen(given), names_of(of), title=title, long_rows=bool(given["long"]))


def shown(given, operands):
    texts = [shown_one(given, snapshot([name] if name else []), name if len(operands) > 1 else None)
             for name in operands or [None]]
    if len(operands) < 2:
        return texts[0]
    if given["json"]:
        return "[\n" + ",\n".join(texts) + "]\n"
    return ("" if given["raw"] or given["noheadings"] else "\n").join(texts)


BY = options.Option("by", None, "WHAT", ("kind", "file", "node"), "added up by kind, file or node")
EACH_MAPPING = options.Option("long", "l", None, None, "a row for each mapping, and how it was taken")


class Show(base.Command):
    """The address space as a table, with totals.

Usage: vmsnap show [SNAPSHOT...]

Without SNAPSHOT, the live process; of several a table each, in JSON an array.  What
belongs to one file is one row.  A range is a variable, START,END or START,+LENGTH, of
expressions; one with blanks in it needs quotes.
Example:
  (gdb) vmsnap show s1
  (gdb) vmsnap show --name 'libc*' --perm x
  (gdb) vmsnap show --range table --only exclusive
  (gdb) vmsnap show --by kind"""

    NAME = "show"
    USAGE = "[SNAPSHOT...]"
    OPTIONS = (BY, EACH_MAPPING, *options.FILTERS, *options.TABLES)
    OPERANDS = (0, None)
    SNAPSHOTS = True

    def run(self, given, operands, from_tty):
        return shown(given, operands)


class Two(base.Command):
    OPERANDS = (0, 2)
    USAGE = "[A [B]]"
    SNAPSHOTS = True

    def run(self, given, operands, from_tty):
        if len(operands) < 2:
            return self.text(snapshot(operands), given, None)
        from vmsnap_gdb import comparing
        a, b = comparing.two(operands, base.note)
        return self.text(a, given, b)


class Status(Two):
    """The lines of /proc/PID/status.

Usage: vmsnap status [A [B]]

Without A, the live process.  With two snapshots: side by side.
Example:
  (gdb) vmsnap status s1 now"""

    NAME = "status"
    OPTIONS = options.TABLES

    @staticmethod
    def text(a, given, b):
        return a.status_text(styled(given), b)


class Map(Two):
    """The address space as a picture.

Usage: vmsnap map [A [B]]

Without A, the live process.  With two snapshots: what became of A's pages in B.
Example:
  (gdb) vmsnap map s1 now"""

    NAME = "map"
    OPTIONS = (*options.FILTERS, *options.PRINTING)

    @staticmethod
    def text(a, given, b):
        return a.map_text(styled(given), b, chosen(given), names_of(b or a))


EACH = options.Option("each", None, None, None, "a row for each page, not each run")
LONG = options.Option("long", "l", None, None, "a row for each run of frames, too")


class Pages(base.Command):
    """Page states, run by run.

Usage: vmsnap pages [SNAPSHOT [START [END]]]

Neighbouring pages in one state make a run.  Without SNAPSHOT, the live process.  START
and END are expressions; one with blanks in it needs quotes.  Without END, the page
that holds START; END is the first byte that is not wanted, or +LENGTH.
Example:
  (gdb) vmsnap pages now $sp +65536
  (gdb) vmsnap pages s1 &table '&table + 1' --each"""

    NAME = "pages"
    USAGE = "[SNAPSHOT [START [END]]]"
    OPTIONS = (EACH, LONG, *options.FILTERS, *options.TABLES)
    OPERANDS = (0, 3)

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import address
        snap = snapshot(operands)
        start, end = address.whole_pages(*address.range_of(operands[1:]), snap.page_size)
        return snap.pages_text(styled(given), start, end, bool(given["each"]), chosen(given),
                               long_rows=bool(given["long"]))

    def operand_candidates(self, words, word):
        operands = [given for given in words if not options.is_option(given)]
        return gdb.COMPLETE_EXPRESSION if operands else base.snapshot_names()


def register():
    Show()
    Status()
    Map()
    Pages()
