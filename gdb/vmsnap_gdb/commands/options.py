"""Options of commands: one table for each serves the parser, help and completion.
Names and letters are those of the command line."""

import collections

from vmsnap.errors import VmsnapError

# value: None for a flag, else what stands for it in the help.
# choices: what may be given; a tuple of words, SNAPSHOTS, "number" or None.
SNAPSHOTS = "snapshots"
Option = collections.namedtuple("Option", "name letter value choices help", defaults=(None, ""))

JSON = Option("json", "J", None, None, "JSON, for programs")
COLUMNS = Option("output", "o", "COLUMNS", None, "A,B,... only these columns; +A,... these too")
SORT = Option("sort", None, "COLUMN", None, "by this column; -COLUMN: the largest first")
RAW = Option("raw", "r", None, None, "no padding, nothing cut, one blank between")
BYTES = Option("bytes", "b", None, None, "exact sizes, in bytes")
NO_HEADINGS = Option("noheadings", "n", None, None, "no line of headings")
COLOR = Option("color", None, "WHEN", ("auto", "always", "never"), "auto, always or never")
COLOR_SCHEME = Option("color-scheme", None, "SCHEME", ("auto", "dark", "light"), "for a terminal that is dark or light; or auto")
ASCII = Option("ascii", None, None, None, "no characters beyond ASCII")
WIDTH = Option("width", "w", "COLUMNS", "number", "as if the terminal were so wide; 0: no limit")
NO_NAMES = Option("no-names", None, None, None, "do not look up symbols")
NO_DEMANGLE = Option("no-demangle", None, None, None, "symbols of C++ and Rust as files have them")
SYSROOT = Option("sysroot", None, "FOLDER", None, "look for the mapped files below FOLDER")
TOTALS = Option("totals", None, None, None, "only the sums")
HELP = Option("help", "h", None, None, "this text")
LONG = Option("long", "l", None, None, "a row for each range of pages")

# A range is in gdb's words; what the others mean is the library's matter.
FILTERS = (Option("name", None, "GLOB", None, "only mappings of this name: libc*, [heap]"),
           Option("perm", None, "PERM", None, "only mappings that are x, rw, w!x, r-xp, ..."),
           Option("range", None, "RANGE", None, "only what lies there: a variable, START,END or START,+LENGTH"),
           Option("only", None, "STATES", None, "only pages that are exclusive,!file, ..."),
           Option("pfn", None, "A-B", None, "only pages in these frames; or one: A"))

PRINTING = (JSON, BYTES, COLOR, COLOR_SCHEME, ASCII, WIDTH)
TABLES = (JSON, COLUMNS, SORT, RAW, BYTES, NO_HEADINGS, COLOR, COLOR_SCHEME, ASCII, WIDTH)
NAMES = (NO_NAMES, NO_DEMANGLE, SYSROOT)

_WIDTH_MAX = 10000


class Given(dict):
    """Values by name of option; what was not given is None."""

    def __missing__(self, name):
        return None


def _find(table, word):
    """By its name, or the beginning of only one name, as the command line has it."""
    name = word[2:] if word.startswith("--") else None
    for option in table:
        if name == option.name or (name is None and word[1:2] == option.letter):
            return option
    close = [option for option in table if name and option.name.startswith(name)]
    if len(close) == 1:
        return close[0]
    if close:
        raise VmsnapError(f"{word} may be " + " or ".join(f"--{option.name}" for option in close))
    raise VmsnapError(f"there is no option {word} here; see help")


def _value(option, text):
    if option.choices == "number":
        if not text.isascii() or not text.isdigit() or int(text) > _WIDTH_MAX:
            raise VmsnapError(f"--{option.name}: '{text}' is not a number from 0 to {_WIDTH_MAX}")
        return int(text)
    if isinstance(option.choices, tuple) and text not in option.choices:
        raise VmsnapError(f"--{option.name}: '{text}' is none of " + ", ".join(option.choices))
    return text


def take_option(table, given, words):
    """Takes one option, words[0], and its value from the list.  Letters of flags may
    stand together: -rn."""
    word = words.pop(0)
    if word.startswith("--"):
        name, equals, text = word.partition("=")
        option = _find(table, name)
        if option.value is None and equals:
            raise VmsnapError(f"{name} takes no value")
    else:
        option = _find(table, word)
        text, equals = word[2:], word[2:]
        if option.value is None and text:
            words.insert(0, "-" + text)
    if option.value is None:
        given[option.name] = True
        return
    if not equals:
        if not words:
            raise VmsnapError(f"--{option.name} needs a value: {option.value}")
        text = words.pop(0)
    given[option.name] = _value(option, text)


def is_option(word):
    return len(word) > 1 and word.startswith("-")


def parse(table, words):
    """(given, operands).  "--" ends the options."""
    given, operands, words = Given(), [], list(words)
    while words:
        if words[0] == "--":
            operands += words[1:]
            break
        if is_option(words[0]):
            take_option(table, given, words)
        else:
            operands.append(words.pop(0))
    return given, operands


def before(table, argument):
    """(given, rest, whether "--" ended the options) where they stand before what is gdb's to take apart."""
    given, rest = Given(), argument.strip()
    while is_option(rest.split(None, 1)[0] if rest else "") and not rest[1:2].isdigit():
        words = rest.split(None, 2)
        if words[0] == "--":
            return given, rest[2:].strip(), True
        count = len(words)
        take_option(table, given, words)
        used = count - len(words)
        # Letters of flags may stand together: -rn.
        rest = (rest.split(None, used) + [""])[used] if used else rest[0] + rest[2:]
    return given, rest, False


def help_text(table):
    rows = []
    for option in table:
        name = (f"-{option.letter}, " if option.letter else "    ") + f"--{option.name}"
        rows.append((name + (f" {option.value}" if option.value else ""), option.help))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name.ljust(width)}  {help}" for name, help in rows)


def complete(table, words, word):
    """Candidates for `word`, after `words`; SNAPSHOTS if they are those; None if it is no
    matter of options."""
    last = words[-1] if words else ""
    if is_option(last) and "=" not in last and "--" not in words:
        try:
            option = _find(table, last)
        except VmsnapError:
            option = None
        if option and option.value:
            if option.choices == SNAPSHOTS:
                return SNAPSHOTS
            return list(option.choices) if isinstance(option.choices, tuple) else []
    if word.startswith("-") and "--" not in words:
        return [f"--{option.name}" for option in table]
    return None
