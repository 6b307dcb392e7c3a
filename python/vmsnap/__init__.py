"""libvmsnap in Python: what a process's memory is, page by page.

    import vmsnap
    before = vmsnap.capture(pid)
    …
    diff = vmsnap.diff(before, vmsnap.capture(pid))
    for r in diff.ranges:
        print(hex(r.start), r.changes, r.names)

docs/python.md tells more.  Nothing is loaded until it is asked for: gdb reads this at its
start.
"""

import importlib

VERSION = "0.1.0"  # of this package, and of the library it wants

# What there is, by the module that it lies in.
_THERE = {
    "able": ("Abilities", "Ability", "abilities"),
    "errors": ("VmsnapError",),
    "snapshot": ("Snapshot", "Store", "Mapping", "Run", "Thread", "WrittenRange", "Annotation", "ENTRY_FLAGS_SHIFT",
                 "ENTRY_PFN",
                 "MALLOC_HEAP", "capture", "capture_set", "capture_tree", "recorded", "page_now", "snapshots_text",
                 "history_text"),
    "source": ("capture_from",),
    "compare": ("Diff", "Cow", "relation"),
    "aslr": ("Aslr", "AslrRow", "AslrSide", "AslrContents", "AslrSums"),
    "names": ("Name", "Names"),
    "blame": ("Blame", "BlamedRange", "FaultShares", "FaultWatch", "Taken"),
    "faults": ("Faults", "Fault", "FaultEvent"),
    "files": ("File", "Walk", "Writer", "copy", "load", "save"),
    "repeat": ("Repeat",),
    "tracker": ("Tracker",),
    "over_time": ("Series", "SeriesForks", "Step", "Line", "ForkStep", "file_history_text"),
    "sets": ("Set", "SetDiff", "SetCow"),
    "groups": ("Group", "GroupChange", "GroupLost", "GroupMapping", "GroupProcess", "group", "groups_of"),
    "page": ("Page", "save_page"),
    "exporting": ("Export", "export", "export_schema"),
    "values": ("Value", "ValueAt", "ValueChange", "ValueDiff"),
    "process": ("Process", "AT_BASE", "AT_ENTRY", "process_now", "children_now", "auxv_now", "pages_now",
                "put_back"),
    "self": ("IsMapped", "Mapped", "capture_self", "find_gap", "is_mapped"),
    "who": ("Who", "WhoProcess", "WhoPlace", "who"),
    "elf": ("ThreadLocal", "ThreadLocals", "elf_thread_locals", "elf_symbol_offset"),
    "text": ("Style", "Filter", "PLAIN", "JSON", "escaped", "one_line", "report_columns", "size_text"),
    "_header": ("PageFlag", "Perm", "Freeze", "AnnotationKind", "NameKind", "Color", "Layer", "Rc", "WrittenBy",
                "FaultKind", "FaultFlag", "FaultsFlag", "FaultEventKind", "Source"),
}
_CALLED = {"open": ("files", "File"), "diff": ("compare", "Diff"), "cow": ("compare", "Cow"),
           "series": ("over_time", "Series"), "series_forks": ("over_time", "SeriesForks")}
_WHERE = {name: (module, name) for module, names in _THERE.items() for name in names} | _CALLED

__all__ = sorted(_WHERE)


def __getattr__(name):
    try:
        module, there = _WHERE[name]
    except KeyError:
        raise AttributeError(f"module 'vmsnap' has no attribute {name!r}") from None
    found = globals()[name] = getattr(importlib.import_module(f"vmsnap.{module}"), there)
    return found


def __dir__():
    return sorted({*globals(), *__all__})
