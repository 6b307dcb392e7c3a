"""`vmsnap report`: a page for a browser."""

from vmsnap_gdb.commands import base, files, options


class Report(files.FileCommand):
    """Make a page for a browser that shows snapshots over time.

Usage: vmsnap report FILE.html [SNAPSHOT...]

One file that needs nothing else: what was resident, what changed between any two
snapshots, after a fork who copied what, and which variables lie there.  Without SNAPSHOT,
all that there are.  An existing file is replaced if it is such a page, and left alone
otherwise; pipes and devices are not written to.
Example:
  (gdb) vmsnap report fork.html
  (gdb) vmsnap report two.html s1 now"""

    NAME = "report"
    USAGE = "FILE.html [SNAPSHOT...]"
    OPTIONS = (options.NO_NAMES, options.NO_DEMANGLE, options.Option("contents", None, None, None, "with the bytes that changed, and variables' values"))
    OPERANDS = (1, None)
    SNAPSHOTS = True

    def run(self, given, operands, from_tty):
        import gdb
        from vmsnap.page import save_page
        from vmsnap_gdb.session import session
        from vmsnap_gdb.style import plain
        words = list(dict.fromkeys(operands[1:])) or session.names_list()
        if not words:
            raise gdb.GdbError("there is no snapshot to show: take one with 'vmsnap take', or say "
                               f"'vmsnap report {plain(operands[0])} now'")
        path = files.output_of(operands[0])
        snapshots = sorted((session.resolve(word) for word in words), key=lambda each: each.info.monotonic)
        save_page(path, snapshots, title="gdb", strip=("names",) if given["no-names"] else (),
                  contents=bool(given["contents"]), demangled=not given["no-demangle"] and gdb.parameter("print demangle"))
        return f"{plain(path)} shows {len(snapshots)} snapshot{'' if len(snapshots) == 1 else 's'}: open it in a browser.\n"


def register():
    Report()
