"""MI commands: the JSON of the printers as MI values.

MI has strings, lists and tuples only: true and false become the strings "true" and "false".
There is no null, and a string would be taken for text: what is null is left out (in a list, where
places count, it is an empty tuple).  A key has to be made of letters, digits, - and _, and to
begin with a letter: other characters become _, and x is put before what begins with another one.
"""

import re

import gdb

_UNFIT = re.compile(r"[^A-Za-z0-9_-]")


def _key(text):
    made = _UNFIT.sub("_", text)
    return made if made[:1].isalpha() else "x" + made


def value(made):
    if isinstance(made, dict):
        return {_key(key): value(inner) for key, inner in made.items() if inner is not None}
    if isinstance(made, list):
        return [value(inner) for inner in made]
    if made is None:
        return {}
    return ("false", "true")[made] if isinstance(made, bool) else str(made)


def _result(text, notes):
    import json
    made = value(json.loads(text))
    if notes:
        made["notes"] = notes
    return made


def _given(table, arguments, most):
    from vmsnap_gdb.commands import options
    given, operands = options.parse(table, arguments)
    if len(operands) > most:
        raise gdb.GdbError("too many arguments")
    given["json"] = True
    return given, operands


def _take(arguments):
    import vmsnap
    from vmsnap_gdb.commands import take
    from vmsnap_gdb.session import remarks
    given, operands = _given(take.OPTIONS, arguments, 1)
    entries = take.take(given, operands)
    text = vmsnap.snapshots_text(vmsnap.JSON, [entry.snapshot for entry in entries],
                                   [entry.name for entry in entries])
    return _result(text, remarks(entry.snapshot for entry in entries))


def _core(arguments):
    import vmsnap
    from vmsnap_gdb.commands import core
    from vmsnap_gdb.session import remarks
    given, operands = _given(core.OPTIONS, arguments, 1)
    if not operands:
        raise gdb.GdbError("-vmsnap-core needs a file's name")
    entry, path = core.written(given, operands)
    made = _result(vmsnap.snapshots_text(vmsnap.JSON, [entry.snapshot], [entry.name]), remarks([entry.snapshot]))
    return made | {"core": path, "saved": f"{path}.vms"}


def _compare(name):
    def work(arguments):
        from vmsnap_gdb import comparing
        from vmsnap_gdb.commands import compare
        given, operands = _given(compare.DIFF_OPTIONS if name == "diff" else compare.COW_OPTIONS, arguments, 2)
        notes = []
        return _result(getattr(comparing, name)(given, operands, notes.append).text, notes)
    return work


def _group(arguments):
    from vmsnap_gdb import grouping
    from vmsnap_gdb.commands import group
    given, operands = _given(group.OPTIONS, arguments, group.MOST)
    notes = []
    return _result(grouping.grouped(given, operands, notes.append), notes)


def _who(arguments):
    from vmsnap_gdb import owners
    from vmsnap_gdb.commands import options, who
    given, what, _ = options.before(who.Who.OPTIONS, " ".join(arguments))
    if not what:
        raise gdb.GdbError("-vmsnap-who needs an expression, pfn:FRAME, phys:ADDRESS or a path")
    given["json"] = True
    notes = []
    return _result(owners.who(given, what, notes.append), notes)


def _blame(arguments):
    from vmsnap_gdb import blamed
    from vmsnap_gdb.commands import blame, options
    given, expression, _ = options.before(blame.Blame.OPTIONS, " ".join(arguments))
    given["json"] = True
    notes = []
    return _result(blamed.text(given, expression, notes.append), notes)


def _list(arguments):
    from vmsnap_gdb.commands import keep, options
    notes = []
    given, _ = _given(options.TABLES, arguments, 0)
    return _result(keep.listed(given, notes.append), notes)


def _show(arguments):
    from vmsnap_gdb.commands import look, options
    given, operands = _given((*options.FILTERS, *options.TABLES), arguments, 1)
    return _result(look.shown(given, operands), [])


def _page(arguments):
    from vmsnap_gdb import paging
    from vmsnap_gdb.commands import page
    notes = []
    given, expression, name = page.split(" ".join(arguments))
    if not expression:
        raise gdb.GdbError("-vmsnap-page needs an expression")
    given["json"] = True
    return _result(paging.page(given, expression, name, notes.append), notes)


def _wrote(arguments):
    """Since the stop before.  A command that lets the program run is answered by gdb itself, with ^running,
    and what we would say after it gets lost."""
    from vmsnap_gdb import wrote
    _given((), arguments, 0)
    notes = []
    found = wrote.since_last_stop(notes.append)
    made = value({"schema": wrote.SCHEMA, "values": None} if found is None else wrote.as_dictionary(found))
    if notes:
        made["notes"] = notes
    return made


def _print(arguments):
    from vmsnap_gdb import showing
    from vmsnap_gdb.commands import options, print_
    given, expression, _ = options.before(print_.Print.OPTIONS, " ".join(arguments))
    if not expression:
        raise gdb.GdbError("-vmsnap-print needs an expression")
    called, text = showing.evaluated(expression, given["at"])
    return {"snapshot": called, "value": text}


_COMMANDS = {"take": _take, "core": _core, "list": _list, "show": _show, "page": _page, "diff": _compare("diff"),
             "cow": _compare("cow"), "group": _group, "who": _who, "blame": _blame, "wrote": _wrote, "print": _print}


def register():
    # From gdb 12 on.
    if not hasattr(gdb, "MICommand"):
        return

    class Command(gdb.MICommand):
        def __init__(self, name, work):
            super().__init__(name)
            self._work = work

        def invoke(self, arguments):
            from vmsnap_gdb.commands import base
            return base.guarded(self._work, arguments)

    for name, work in _COMMANDS.items():
        Command(f"-vmsnap-{name}", work)
