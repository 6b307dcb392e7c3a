"""Who maps a page, a frame or a file now: of all processes, not of gdb's alone."""

import os
import re

import gdb

from vmsnap.errors import VmsnapError
from vmsnap.who import Who
from vmsnap_gdb import address, comparing, target
from vmsnap_gdb import style as styles
from vmsnap_gdb.session import session

_FRAME = re.compile(r"(pfn|phys):(?:0[xX])?([0-9a-fA-F]{1,16})\Z")


def _asked(what):
    """What Who() takes."""
    if what.startswith(("pfn:", "phys:")):
        frame = _FRAME.match(what)
        if frame is None:
            raise VmsnapError(f"{what}: a hexadecimal number is expected behind the colon")
        number = int(frame[2], 16)
        return {"pfn": number if frame[1] == "pfn" else number // os.sysconf("SC_PAGE_SIZE")}
    if what.startswith(("/", "./", "../")):
        return {"path": what}
    pid = target.require_live(gdb.selected_inferior())
    return {"pid": pid, "address": address.of_expression(what)}


def who(given, what, note):
    """The text."""
    target.require_local("who maps a page or a file is asked of this machine's processes")
    asked = _asked(what)
    found = Who(**asked)
    if "path" in asked and not len(found) and not os.path.exists(what):
        raise VmsnapError(f"{what}: no such file, and no process maps one of that name")
    # Only code that was written to has names.
    wanted = any(process.copied_code for process in found) and target.live_inferiors()
    names = comparing.names_of(given, session.capture_now(names=False), (), note) if wanted else None
    return found.text(styles.style(given), names)
