"""Sourced into the gdb under test: what gdb_session.py needs there."""

import json
import sys

import gdb


class Mark(gdb.Command):
    """test-mark N: says on both streams that everything before was done."""

    def __init__(self):
        super().__init__("test-mark", gdb.COMMAND_OBSCURE)

    def invoke(self, arg, from_tty):
        for stream in (gdb.STDOUT, gdb.STDERR):
            gdb.write(f"<<mark {arg}>>\n", stream)
            gdb.flush(stream)


class Value(gdb.Command):
    """test-value EXPRESSION: a Python expression's value, as JSON."""

    def __init__(self):
        super().__init__("test-value", gdb.COMMAND_OBSCURE)

    def invoke(self, arg, from_tty):
        value = eval(arg, {"gdb": gdb, **words, **plugin()})
        gdb.write("<<value " + json.dumps(value, default=str) + ">>\n")


def number(expression):
    """A gdb expression's value as a number."""
    return int(gdb.parse_and_eval(expression))


def frame_names():
    names, frame = [], gdb.newest_frame()
    while frame is not None:
        names.append(frame.name())
        frame = frame.older()
    return names


def select_frame(function):
    """What `frame function` does, but that crashes gdb 13 once there are two inferiors."""
    frame = gdb.newest_frame()
    while frame.name() != function:
        frame = frame.older()
    frame.select()


def plugin():
    """The plugin's own objects, once it has been used; to load them is not for us."""
    module = sys.modules.get("vmsnap_gdb.session")
    return {"session": module.session} if module else {}


words = {"number": number, "frame_names": frame_names, "select_frame": select_frame}
Mark()
Value()
