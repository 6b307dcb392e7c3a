"""What all commands share: words, errors, Ctrl-C, completion, writing."""

import gdb

from vmsnap_gdb.commands import columns, options

_PIECE = 1 << 14


def write(text):
    """In pieces of whole lines: on a terminal gdb shows them page by page, and `q`
    there (KeyboardInterrupt) ends it."""
    start = 0
    while start < len(text):
        end = text.rfind("\n", start, start + _PIECE) + 1 or start + _PIECE
        gdb.write(text[start:end])
        start = end


def note(text):
    """A remark that is no result: on gdb's standard error."""
    gdb.write(f"note: {text}\n", gdb.STDERR)


def guarded(work, *arguments):
    """The one place where errors of the library become gdb's."""
    from vmsnap.errors import CANCELLED, VmsnapError
    try:
        return work(*arguments)
    except VmsnapError as error:
        raise gdb.GdbError("interrupted" if error.code == CANCELLED else str(error)) from None
    except KeyboardInterrupt:
        raise gdb.GdbError("interrupted") from None
    except MemoryError:
        raise gdb.GdbError("out of memory") from None
    except RecursionError:
        raise gdb.GdbError("too much is nested here: an expression, or a type") from None


class Command(gdb.Command):
    """NAME: after "vmsnap".  OPTIONS: the table.  OPERANDS: the least and the most.
    run() gives the text to show, or None; what it raises has changed nothing."""

    NAME = ""
    OPTIONS = ()
    OPERANDS = (0, 0)
    USAGE = ""
    SNAPSHOTS = False  # operands are snapshots
    NOW = True         # … of which "now" may be one

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("NAME"):
            cls.OPTIONS = (*cls.OPTIONS, options.HELP)
            text, example, rest = cls.__doc__.partition("\nExample")
            cls.__doc__ = (f"{text}\nOptions:\n{options.help_text(cls.OPTIONS)}\n{columns.help_text(cls.NAME)}"
                           f"{example}{rest}")

    def __init__(self):
        super().__init__(f"vmsnap {self.NAME}", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        text = guarded(self.work, argument, from_tty)
        if text:
            write(text)

    def work(self, argument, from_tty):
        given, operands = options.parse(self.OPTIONS, gdb.string_to_argv(argument))
        if given["help"]:
            return self.help()
        least, most = self.OPERANDS
        if len(operands) < least or (most is not None and len(operands) > most):
            raise gdb.GdbError(f"usage: vmsnap {self.NAME} {self.USAGE}")
        return self.run(given, operands, from_tty)

    def run(self, given, operands, from_tty):
        raise NotImplementedError

    def help(self):
        return gdb.execute(f"help vmsnap {self.NAME}", to_string=True)

    def complete(self, text, word):
        # gdb asks once without a word, to learn which characters end one.
        if word is None:
            word = text.rpartition(" ")[2]
        # gdb begins a word anew at "-": for "diff --js" it wants what follows "--".
        before = text[:len(text) - len(word)]
        dashes = before[len(before.rstrip("-")):]
        before = before[:len(before) - len(dashes)]
        try:
            words = gdb.string_to_argv(before)
        except (gdb.error, RuntimeError):
            return gdb.COMPLETE_NONE
        found = self.candidates(words, dashes + word)
        if not isinstance(found, list):
            return found
        return [candidate[len(dashes):] for candidate in found if candidate.startswith(dashes + word)]

    def candidates(self, words, word):
        """All that may stand for `word` after `words`, or one of gdb.COMPLETE_…"""
        found = options.complete(self.OPTIONS, words, word)
        if found == options.SNAPSHOTS:
            return snapshot_names()
        return self.operand_candidates(words, word) if found is None else found

    def operand_candidates(self, words, word):
        return snapshot_names(self.NOW) if self.SNAPSHOTS else gdb.COMPLETE_NONE


def snapshot_names(with_now=True):
    """Without loading anything: no snapshot has been taken if there is no session."""
    names = _session().names_list() if _session() else []
    return names + ["now"] if with_now else names


def fork_names():
    return [pair.name for pair in _session().pairs()] if _session() else []


def _session():
    import sys
    module = sys.modules.get("vmsnap_gdb.session")
    return module and module.session
