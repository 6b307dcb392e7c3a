"""Snapshots in formats of other programs: databases, monitoring, profilers (docs/archive.md)."""

import ctypes
import errno
from ctypes import byref

from vmsnap import _header, _lib, given
from vmsnap._header import ExportFlag, ExportFormat, SchemaDialect
from vmsnap._lib import lib
from vmsnap.errors import VmsnapError
from vmsnap.groups import Group
from vmsnap.owned import Owned
from vmsnap.text import PLAIN, printed

_FORMATS = {"sqlite": ExportFormat.SQLITE, "tsv": ExportFormat.TSV, "openmetrics": ExportFormat.OPENMETRICS,
            "pprof": ExportFormat.PPROF, "folded": ExportFormat.FOLDED}
_DIALECTS = {"sqlite": SchemaDialect.SQLITE, "clickhouse": SchemaDialect.CLICKHOUSE, "postgres": SchemaDialect.POSTGRES}


def _one_of(table, word, what):
    if word not in table:
        raise VmsnapError(f"there is no {what} {word!r}: " + ", ".join(table))
    return table[word]


class Export(Owned):
    """Snapshots are added in the order in which they were taken, those of one instant at once; with `with` it is
    finished unless something failed."""

    _free = "vmsnap_export_free"

    def __init__(self, format, path=None, table=None, runs=False, changed=False, arguments=False, headings=True, host=None,
                 strip=(), schema="sqlite", demangled=True):
        """path None: not of "sqlite"; finish() returns the bytes.  table and headings: of "tsv", and schema, who reads it.
        strip: what is left out, of "pfns", "cmdline", "names", "host", "contents", "faults".
        demangled: functions in stacks as their language has them."""
        super().__init__()
        flags = ((ExportFlag.RUNS if runs else 0) | (ExportFlag.CHANGED if changed else 0) |
                 (ExportFlag.ARGUMENTS if arguments else 0) | (0 if headings else ExportFlag.NO_HEADING))
        self._pieces = []

        def write(_, text, length):
            try:
                self._pieces.append(ctypes.string_at(text, length))
            except MemoryError:
                return errno.ENOMEM
            return 0

        raw = lambda text, what: None if text is None else given.raw(text, what)  # noqa: E731
        options = _lib.cancellable(_header.ExportOptions, flags=flags, strip=given.strip(strip), host=raw(host, "a host's name"),
                                   table=raw(table, "a table's name"), path=raw(path, "the file's name"),
                                   dialect=_one_of(_DIALECTS, schema, "schema"), raw_symbols=not demangled)
        if path is None:
            options.write = _header.WriteFn(write)
        self._options = options  # its strings are used until it is finished
        _lib.call_holding_interrupts(lib().vmsnap_export_new, _one_of(_FORMATS, format, "format"), byref(options),
                                     byref(self._handle))

    def add(self, snapshots):
        """Those of one instant; or a Group, with what it knows of their shares."""
        if isinstance(snapshots, Group):
            _lib.call_holding_interrupts(lib().vmsnap_export_add_group, self._handle, snapshots.handle)
            return
        snapshots = list(snapshots)
        handles = (ctypes.c_void_p * len(snapshots))(*(one.handle for one in snapshots))
        _lib.call_holding_interrupts(lib().vmsnap_export_add, self._handle, handles, len(snapshots))

    def finish(self):
        """Once, after the last; the bytes, if there is no path."""
        _lib.call_holding_interrupts(lib().vmsnap_export_finish, self._handle)
        return None if self._options.path is not None else b"".join(self._pieces)

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        if failed is None:
            self.finish()


def _instants(snapshots):
    """Neighbours of one instant together."""
    instant = []
    for one in snapshots:
        if instant and not lib().vmsnap_same_instant(instant[0].handle, one.handle):
            yield instant
            instant = []
        instant.append(one)
    if instant:
        yield instant


def export(format, snapshots, path=None, **options):
    """These snapshots, in the order in which they were taken, or a Group; options: as for Export.  The bytes, if
    there is no path."""
    made = Export(format, path, **options)
    for instant in [snapshots] if isinstance(snapshots, Group) else _instants(snapshots):
        made.add(instant)
    return made.finish()


def export_schema(engine):
    """What makes the tables and views in "sqlite", "clickhouse" or "postgres"."""
    return printed(lib().vmsnap_export_schema, _one_of(_DIALECTS, engine, "schema"), style=PLAIN)
