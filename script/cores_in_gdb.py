"""In gdb, at a core file: what gdb itself says of it.  CORES_ASKED names a file with what is asked, CORES_TOLD the one for the
answers, both JSON; for script/cores."""

import hashlib
import json
import os
import re

import gdb

PAGE = 4096
CHUNK = 1 << 20
VARIABLE_MOST = 1 << 14  # bytes of a variable that is taken apart


def said(command):
    try:
        return gdb.execute(command, to_string=True)
    except gdb.error as error:
        return f"ERROR {error}"


def sections():
    """What gdb has the bytes of."""
    found = re.findall(r"0x([0-9a-f]+)->0x([0-9a-f]+) at 0x[0-9a-f]+: load\d+\w* (.*)", said("maint info sections"))
    return sorted((int(start, 16), int(end, 16)) for start, end, flags in found if "LOAD" in flags and "CONTENTS" in flags)


def pages():
    """Of each page what it held."""
    inferior, found = gdb.selected_inferior(), {}
    for start, end in sections():
        for at in range(start, end, CHUNK):
            held = inferior.read_memory(at, min(CHUNK, end - at))
            for offset in range(0, len(held), PAGE):
                found[at + offset] = hashlib.blake2b(held[offset:offset + PAGE], digest_size=16).hexdigest()
    return found


def mappings():
    found = re.findall(r"(?m)^\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+0x[0-9a-f]+\s+0x[0-9a-f]+\s+(?:[-rwxps]+ +)?(/.*?) *$",
                       said("info proc mappings"))
    return [(int(start, 16), int(end, 16), name) for start, end, name in found]


def leaves(name, value):
    kind = value.type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        for field in kind.fields():
            if hasattr(field, "bitpos") and not field.bitsize:  # bit-fields have no address
                yield from leaves(name if field.is_base_class else f"{name}.{field.name}", value[field])
    elif kind.code == gdb.TYPE_CODE_ARRAY:
        low, high = kind.range()
        for index in range(low, high + 1):
            yield from leaves(f"{name}[{index}]", value[index])
    else:
        yield name, value


def leaf(name, value, known_everywhere):
    at, size, kind = int(value.address), value.type.sizeof, value.type.strip_typedefs()
    pointer = kind.code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_REF)
    return {"address": at, "size": size, "name": name, "value": str(value), "kind": f"{kind.code}/{size}",
            "held": bytes(gdb.selected_inferior().read_memory(at, size)).hex(),
            "pointee": said(f"info symbol {int(value)}").strip() if pointer else None, "global": known_everywhere}


def own_variables():
    """Those of the program's own source."""
    main = gdb.lookup_global_symbol("own::main") or gdb.lookup_global_symbol("main") or gdb.lookup_static_symbol("own::main")
    for block in (main.symtab.global_block(), main.symtab.static_block()):
        for symbol in block:
            if symbol.is_variable and not symbol.needs_frame and symbol.symtab.filename == main.symtab.filename:
                yield symbol, True


def variables(wanted):
    """Those that gdb knows by these names with a type, where they are said to be; at None: wherever it finds one."""
    for name, at in wanted:
        for find in (gdb.lookup_global_symbol, gdb.lookup_static_symbol):
            symbol = find(name)
            if symbol is not None and symbol.is_variable and not symbol.needs_frame and symbol.type.sizeof <= VARIABLE_MOST:
                value = symbol.value()
                if value.address is not None and at in (None, int(value.address)):
                    yield symbol, find is gdb.lookup_global_symbol
                    break


def all_leaves(asked):
    found = []
    for symbol, everywhere in own_variables() if asked["own"] else variables(asked["variables"]):
        try:
            found += [leaf(name, value, everywhere) for name, value in leaves(symbol.name, symbol.value())]
        except (gdb.error, gdb.MemoryError):
            continue  # a type that gdb cannot read of this core
    return found


def printed(wanted):
    """What the plugin says of the earlier core, in a gdb that looks at the later one."""
    for frame in ("main", "own::main"):
        if not said(f"frame function {frame}").startswith("ERROR"):
            break
    return [said(f"vmsnap print --at dumped {name}").strip() for name in wanted]


def evaluated(expressions):
    found = []
    for expression in expressions:
        try:
            found.append(int(gdb.parse_and_eval(expression)))
        except gdb.error:
            found.append(None)
    return found


def main():
    with open(os.environ["CORES_ASKED"], encoding="utf-8") as file:
        asked = json.load(file)
    told = {}
    if "variables" in asked:
        told.update(pages=pages(), mappings=mappings(), leaves=all_leaves(asked),
                    symbols=[said(f"info symbol {at}").strip() for at in asked["symbols"]])
    if "print" in asked:
        told.update(print=printed(asked["print"]), evaluate=evaluated(asked["evaluate"]))
    with open(os.environ["CORES_TOLD"], "w", encoding="utf-8") as file:
        json.dump(told, file)


main()
