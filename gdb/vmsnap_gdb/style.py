"""How texts look in this gdb."""

import os

import gdb

from vmsnap import Style, escaped
from vmsnap_gdb import settings

_NONE, _16, _256, _RGB = range(4)


def _depth():
    term = os.environ.get("TERM", "")
    if os.environ.get("COLORTERM") in ("truecolor", "24bit") or "-direct" in term:
        return _RGB
    return _256 if "256color" in term else _16


def _terminal():
    try:
        return os.isatty(1)
    except OSError:
        return False


def color(when="auto"):
    """gdb 13 does not look at NO_COLOR by itself; no-color.org: if it is not empty."""
    if when == "never":
        return _NONE
    if when == "always":
        return _depth()
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "") in ("", "dumb"):
        return _NONE
    return _depth() if gdb.parameter("style enabled") and _terminal() else _NONE


def light(which=None):
    """Whether the terminal is: as the option or the setting says, or COLORFGBG.  The terminal is not asked: it is gdb's, and what it
    answers would be taken for something typed."""
    if which in (None, "auto"):
        which = settings.color_scheme()
    if which == "auto":
        *_, background = os.environ.get("COLORFGBG", "").split(";")
        return background in ("7", "9", "10", "11", "12", "13", "14", "15")
    return which == "light"


def unicode():
    """Whether gdb writes what is not ASCII as it is."""
    # Before gdb 12 the value of "auto" is not to be had.
    charset = gdb.host_charset() if hasattr(gdb, "host_charset") else gdb.parameter("host-charset")
    return charset.upper() in ("UTF-8", "UTF8")


def plain(text):
    """Text from outside, fit for a line of ours."""
    return escaped(text, Style(unicode=unicode()))


def style(options=None):
    """options: the parsed options of a command, or None."""
    given = options or {}
    width = given.get("width")
    # None: gdb does not limit its lines (in -batch it never does).
    width = (gdb.parameter("width") or 0) if width is None else width
    return Style(color=color(given.get("color") or "auto"), width=width,
                 unicode=unicode() and not given.get("ascii"), json=bool(given.get("json")),
                 raw=bool(given.get("raw")), bytes=bool(given.get("bytes")),
                 no_headings=bool(given.get("noheadings")), columns=given.get("output"), sort=given.get("sort"),
                 light=light(given.get("color-scheme")))
