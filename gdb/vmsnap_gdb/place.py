"""Why and where the program stands: the reason that a snapshot remembers."""

import os
import signal

import gdb

from vmsnap_gdb import language, same_frames, target

# si_code of a SIGTRAP: a debug register's, and PTRACE_EVENT_… << 8 | SIGTRAP.
_TRAPS = {4: "watchpoint", 0x105: "fork", 0x205: "vfork", 0x305: "clone", 0x405: "exec"}
_LONGEST = 200
_MAX_PLACES = 1000

_places = {}  # where a breakpoint was hit -> words for it; symbols may be read or forgotten
_watching = False


def reason(event=None, what=None):
    """"breakpoint 2 at compute (cow.c:41), thread 1".  Without an event: of the last
    stop.  what: said instead of what the event tells."""
    why = what or (_event(event) if event is not None else _last_stop())
    parts = [part for part in (why, _place()) if part]
    text = " ".join(parts)
    thread = gdb.selected_thread()
    return (text if thread is None else _with_thread(text, thread))[:_LONGEST]


def reason_of_hit(breakpoint):
    """The same of a breakpoint that the selected thread has just hit, once for each place."""
    global _watching
    if not _watching:
        for name in ("new_objfile", "free_objfile", "clear_objfiles"):
            if hasattr(gdb.events, name):
                getattr(gdb.events, name).connect(lambda event: _places.clear())
        _watching = True
    thread = gdb.selected_thread()
    now = same_frames.registers(thread) if target.is_local(thread.ptid[0]) else None
    key = breakpoint.number, breakpoint.type, thread.ptid[0], gdb.newest_frame().pc() if now is None else now.pc
    place = _places.get(key)
    if place is None:
        if len(_places) >= _MAX_PLACES:
            _places.clear()
        place = _places[key] = f"{breakpoint_words(breakpoint)} {_place()}"
    return _with_thread(place, thread)[:_LONGEST]


def _with_thread(text, thread):
    number = f"{thread.inferior.num}.{thread.num}" if len(gdb.inferiors()) > 1 else f"{thread.num}"
    return text + f", thread {number}" if text else f"thread {number}"


def reason_of(inferior):
    """The same of an inferior that need not be the selected one."""
    if inferior == gdb.selected_inferior():
        return reason()
    threads = [thread for thread in inferior.threads() if thread.is_valid() and thread.is_stopped()]
    if not threads:
        return ""
    selected, frame = gdb.selected_thread(), _selected_frame()
    home = gdb.selected_inferior()
    try:
        threads[-1].switch()  # gdb lists the newest first
        return reason()
    finally:
        if selected is not None:
            selected.switch()
            if frame is not None and frame.is_valid():
                frame.select()
        else:
            gdb.execute(f"inferior {home.num}", to_string=True)


def _selected_frame():
    try:
        return gdb.selected_frame()
    except gdb.error:
        return None


def _event(event):
    breakpoints = getattr(event, "breakpoints", None)
    if breakpoints:
        return breakpoint_words(breakpoints[0])
    return getattr(event, "stop_signal", None) or "stop"


def breakpoint_words(breakpoint):
    words = {gdb.BP_CATCHPOINT: "catchpoint", gdb.BP_BREAKPOINT: "breakpoint",
             gdb.BP_HARDWARE_BREAKPOINT: "breakpoint"}
    return f"{words.get(breakpoint.type, 'watchpoint')} {breakpoint.number}"


def _last_stop():
    """gdb tells Python why it stopped when it does, and not afterwards.  The kernel
    still knows the signal, and where a breakpoint is; of a remote one that would take gdb many packets."""
    thread = gdb.selected_thread()
    if thread is not None and not target.is_local(thread.ptid[0]):
        return _at_breakpoint()
    try:
        with language.sane():
            number = int(gdb.parse_and_eval("$_siginfo.si_signo"))
            code = int(gdb.parse_and_eval("$_siginfo.si_code"))
    except gdb.error:
        return ""
    if number == signal.SIGTRAP:
        return _trap(code)
    # Of an attached process it is the SIGSTOP of attaching.
    return "" if number == signal.SIGSTOP else _signal_name(number)


def _signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _trap(code):
    return _TRAPS[code] if code in _TRAPS else _at_breakpoint()


def _at_breakpoint():
    pc = gdb.newest_frame().pc()
    for breakpoint in gdb.breakpoints():
        # .locations: from gdb 13 on.
        if breakpoint.enabled and any(each.address == pc for each in getattr(breakpoint, "locations", ())):
            return breakpoint_words(breakpoint)
    return ""


def _place():
    try:
        frame = gdb.selected_frame()
        name, sal, pc = frame.name(), frame.find_sal(), frame.pc()
    except gdb.error:
        return ""
    text = f"at {name}" if name else f"at {pc:#x}"
    if sal.symtab is not None and sal.line:
        text += f" ({os.path.basename(sal.symtab.filename)}:{sal.line})"
    return text
