"""`vmsnap export`: snapshots for other programs."""

from vmsnap_gdb.commands import files, options

# What a file is called says what is in it, unless --format does.
_ENDINGS = {".db": "sqlite", ".sqlite": "sqlite", ".prom": "openmetrics", ".pb.gz": "pprof", ".folded": "folded"}


class Export(files.FileCommand):
    """Write snapshots for databases, monitoring and profilers.

Usage: vmsnap export FILE [SNAPSHOT...]

FILE.db is a database of SQLite, which is added to; FILE.pb.gz is a profile for pprof,
FILE.folded are stacks for flame graphs, FILE.prom are metrics; or say so with --format.
Without SNAPSHOT, all that there are.  An existing file is replaced if it is of that
format, and left alone otherwise; pipes and devices are not written to.
Example:
  (gdb) vmsnap export all.db
  (gdb) vmsnap export memory.pb.gz now"""

    NAME = "export"
    USAGE = "[--format FORMAT] FILE [SNAPSHOT...]"
    OPTIONS = (options.Option("format", None, "FORMAT", ("sqlite", "openmetrics", "pprof", "folded"),
                              "sqlite, openmetrics, pprof or folded"),
               options.Option("runs", None, None, None, "of sqlite: each run of pages, too"))
    OPERANDS = (1, None)
    SNAPSHOTS = True

    def run(self, given, operands, from_tty):
        import gdb
        from vmsnap import export
        from vmsnap_gdb.session import session
        from vmsnap_gdb.style import plain
        words = list(dict.fromkeys(operands[1:])) or session.names_list()
        path = files.output_of(operands[0])
        kind = given["format"] or next((_ENDINGS[end] for end in _ENDINGS if path.endswith(end)), None)
        if kind is None:
            raise gdb.GdbError(f"what is {plain(operands[0])} to be? Say --format sqlite, openmetrics, pprof or folded, or call it "
                               + ", ".join("FILE" + end for end in _ENDINGS))
        if not words:
            raise gdb.GdbError("there is no snapshot to export: take one with 'vmsnap take', or say "
                               f"'vmsnap export {plain(operands[0])} now'")
        snapshots = sorted((session.resolve(word) for word in words), key=lambda each: each.info.monotonic)
        export(kind, snapshots, path, runs=bool(given["runs"]))
        no_code = kind == "folded" and not any(each.faults for each in snapshots)
        return (f"Exported {len(snapshots)} snapshot{'' if len(snapshots) == 1 else 's'} to {plain(path)}"
                f"{': bytes that are resident, as no page faults are kept with them' if no_code else ''}.\n")


def register():
    Export()
