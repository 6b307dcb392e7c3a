"""vmsnap page."""

import re

import gdb

from vmsnap_gdb.commands import base, options

AT = options.Option("at", None, "SNAPSHOT", options.SNAPSHOTS, "the page as it was in SNAPSHOT")
HISTORY = options.Option("history", None, None, None, "only how the page went through the snapshots")
_LIKE_A_NAME = re.compile(r"\w[\w.@:+-]*")


def split(argument):
    """(given, expression, snapshot's name or None).  Options stand first, for an
    expression may hold dashes; spelled out and without a value, also last.  The last word is a snapshot if it is the name of one
    (or "now") and something comes before it that is an expression without it: in
    `&a s1` it is, in `a - s1` and `s1` alone it is not.  --at says it for certain."""
    given, rest, ended = options.before(Page.OPTIONS, argument)
    if ended:
        return given, rest, given["at"]
    rest = _take_flags_behind(given, rest)
    if given["at"]:
        return given, rest, given["at"]
    head, _, last = rest.rpartition(" ")
    if head.strip() and last in base.snapshot_names() and _complete(_take_flags_behind(options.Given(), head)):
        return given, _take_flags_behind(given, head.strip()), last
    return given, rest, None


def _take_flags_behind(given, rest):
    """Options without a value may stand last as well: no expression ends in " --json"."""
    flags = {f"--{option.name}": option.name for option in Page.OPTIONS if option.value is None}
    while True:
        head, _, last = rest.rpartition(" ")
        if not head.strip() or last not in flags:
            return rest
        given[flags[last]] = True
        rest = head.strip()


def _complete(text):
    """Whether it is an expression as it stands; `a -` is not.  Calls no function."""
    try:
        gdb.execute("whatis " + text, to_string=True)
    except gdb.error as error:
        # An unknown variable is not the last word's fault.
        return "syntax error" not in str(error)
    return True


def _missing(expression):
    """The last word of "&a s7" or "&a b3.1", if it is no part of the expression: a snapshot that there is not."""
    head, _, last = expression.rpartition(" ")
    looks_so = head.strip() and _LIKE_A_NAME.fullmatch(last)
    return last if looks_so and _complete(head) and not _complete(expression) else None


class Page(base.Command):
    """Everything about the page of an address, and how it went so far.

Usage: vmsnap page [OPTIONS] EXPRESSION [SNAPSHOT]

A pointer or a number is taken as an address; of an array, a structure or a function,
its own address is meant.  Without SNAPSHOT, the live process.  Options come first;
those without a value, spelled out, may come last.
The last word is a snapshot if there is one of that name and the words before it make
an expression; --at SNAPSHOT says it for certain, and after -- all is expression.
Below stands, a line each, how the page went through all snapshots of this process.
Example:
  (gdb) vmsnap page &counter
  (gdb) vmsnap page p->next s1
  (gdb) vmsnap page --at s1 buf + 4096"""

    NAME = "page"
    USAGE = "[OPTIONS] EXPRESSION [SNAPSHOT]"
    OPTIONS = (AT, HISTORY, *options.NAMES, *options.PRINTING)

    def work(self, argument, from_tty):
        given, expression, name = split(argument)
        if given["help"]:
            return self.help()
        if not expression:
            raise gdb.GdbError(f"usage: vmsnap page {self.USAGE}")
        from vmsnap_gdb import paging
        from vmsnap.errors import VmsnapError
        try:
            return paging.page(given, expression, name, base.note)
        except VmsnapError:
            missing = _missing(expression) if name is None else None
            if missing is None:
                raise
        from vmsnap_gdb.session import session
        session.entry(missing)  # says that there is none

    def candidates(self, words, word):
        # What follows a word of the expression may be more of it, or a snapshot.
        if words and not options.is_option(words[-1]):
            names = [name for name in base.snapshot_names() if name.startswith(word)]
            return names if names else gdb.COMPLETE_EXPRESSION
        # After the first word of the expression there are no options any more.
        if all(options.is_option(each) for each in words[:-1]):
            return super().candidates(words, word)
        return gdb.COMPLETE_EXPRESSION

    def operand_candidates(self, words, word):
        return gdb.COMPLETE_EXPRESSION


def register():
    Page()
