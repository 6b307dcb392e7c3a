#!/usr/bin/env python3
"""Writes vmsnap_gdb/commands/columns.py: the columns of the library's tables, for help.

    gdb/generate.py          writes it anew, as the library says (VMSNAP_LIB, or the newest build)
    gdb/generate.py --check  says whether it is as the library says

Help is there from gdb's start on, when no library has been loaded.  A test runs --check."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MADE = os.path.join(HERE, "vmsnap_gdb", "commands", "columns.py")

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "python"))

from vmsnap import report_columns  # noqa: E402
from vmsnap._header import Report  # noqa: E402

# By command; of two snapshots another table.
TABLES = {"show": (Report.SHOW,), "pages": (Report.PAGES,), "diff": (Report.DIFF, Report.ASLR), "cow": (Report.COW,),
          "status": (Report.STATUS_ONE, Report.STATUS_TWO), "list": (Report.SNAPSHOTS,),
          "group": (Report.GROUP, Report.GROUP_BY), "who": (Report.WHO, Report.WHO_FILE),
          "blame": (Report.BLAME,)}

HEAD = '''"""Made by gdb/generate.py from what the library says: run it again when a table has changed."""

# By command: (name, whether it is shown unless asked for, what it means), table by table.
COLUMNS = {
'''

TAIL = '''}


def help_text(command):
    """"" if it prints no table."""
    tables = COLUMNS.get(command, ())
    text = "\\nColumns; those with + are printed if asked for:\\n" if tables else ""
    for index, table in enumerate(tables):
        title = {"diff": "or, with --aslr:\\n", "group": "or, by what is shared (--by):\\n",
                 "who": "or, of a file:\\n"}
        text += title.get(command, "or, of two snapshots:\\n") if index else ""
        text += "".join(f" {' ' if usual else '+'}{name.ljust(9)} {help}\\n" for name, usual, help in table)
    return text
'''


def made():
    text = HEAD
    for command, reports in TABLES.items():
        text += f"    {command!r}: (\n".replace("'", '"')
        for report in reports:
            text += "        (\n"
            for name, usual, meaning in report_columns(report):
                text += f"            ({quoted(name)}, {usual}, {quoted(meaning)}),\n"
            text += "        ),\n"
        text += "    ),\n"
    return text + TAIL


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main():
    text = made()
    if sys.argv[1:] == ["--check"]:
        with open(MADE, encoding="utf-8") as file:
            if file.read() != text:
                sys.exit(f"{MADE} is not what the library says: run gdb/generate.py")
        return
    with open(MADE, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
