"""What really lies where a pointer to a base class points: of a class with virtual functions what its table says, of the
GNU C++ library's containers their nodes, of a vector of Rust its elements.  Asks gdb for types, and never for bytes."""

import re

import gdb

from vmsnap_gdb import render

_WORD = 8
_VTABLE = "vtable for "
_TO_FUNCTIONS = 16  # from a table's beginning to where objects point into it
_LOCAL = ")::"      # of a function's classes, and of those in an anonymous namespace
_MOST_FUNCTIONS = 16  # of a table that are looked at

_NODE_BASES = {"std::_Rb_tree_node_base", "std::__detail::_List_node_base", "std::__detail::_Hash_node_base",
               "std::_Fwd_list_node_base"}
_NODE = re.compile(r"std::(_Rb_tree_node|_List_node|__cxx11::_List_node|_Fwd_list_node|__detail::_Hash_node)<")
# Rust's vectors are pointers to bytes, whatever they hold.
_VECTOR, _ERASED = "alloc::vec::Vec<", {"u8"}
# Which template argument is what it holds, and what its nodes may be called.
_CONTAINERS = ((re.compile(r"std::_Rb_tree<"), 1, ("std::_Rb_tree_node<{}>",)),
               (re.compile(r"std::(__cxx11::)?_List_base<"), 0, ("std::_List_node<{}>", "std::__cxx11::_List_node<{}>")),
               (re.compile(r"std::_Fwd_list_base<"), 0, ("std::_Fwd_list_node<{}>",)),
               (re.compile(r"std::_Hashtable<"), 1, ("std::__detail::_Hash_node<{}, false>",
                                                     "std::__detail::_Hash_node<{}, true>")))


def node_of(owner, outer):
    """The type of the nodes of a container, or of one of its nodes, or of a vector's elements; None: gdb does not know it.
    outer: what owner lies in has these nodes, and they are what it gives of anything else, as of parts of a container."""
    name = owner.name or ""
    if _NODE.match(name):
        return owner
    if name.startswith(_VECTOR):
        return render.template_argument(owner, 0)
    for container, argument, nodes in _CONTAINERS:
        if container.match(name):
            held = render.template_argument(owner, argument)
            if held is None:
                return outer
            return next(filter(None, (_node(node.format(held.strip_typedefs()), held) for node in nodes)), None)
    return outer


def _node(name, held):
    """The type of nodes that hold such; a class of a function has the short name that another may have, too."""
    found = _looked_up(name)
    of = render.template_argument(found, 0) if found is not None else None
    return found if of is not None and render.laid_out_alike(of, held) else None


def declared(target, node):
    """What a pointer points to, whose declared target it is.  node: what node_of() says of what it is in."""
    return node if node is not None and render.plain(target).name in _NODE_BASES | _ERASED else target


def found(kind, address, room, read, names):
    """(type, how many of it there may be in a row) of what lies there, in so much room; None: that is not known."""
    plain = render.plain(kind)
    name = plain.name or ""
    if not plain.sizeof or plain.sizeof > room or plain.dynamic and not render.is_placed(plain):
        return None
    if _NODE.match(name):
        return kind, 1
    if name in _NODE_BASES:
        return None
    if not _has_table(plain):
        return kind, room // plain.sizeof
    actual = _by_table(address, room, read, names)
    if actual is None or actual.name != name:
        return actual and (actual, 1)
    return kind, _alike(address, plain.sizeof, room, read)


def _looked_up(name):
    try:
        return gdb.lookup_type(name)
    except (gdb.error, RuntimeError):
        return None


def _has_table(kind):
    """Whether its first word points to a table of virtual functions."""
    for field in kind.fields() if kind.code == gdb.TYPE_CODE_STRUCT else ():
        if getattr(field, "bitpos", None) != 0 or field.type is None:
            continue
        if (field.name or "").startswith("_vptr") or field.is_base_class and _has_table(render.plain(field.type)):
            return True
    return False


def _by_table(address, room, read, names):
    """The class that an object is of, by its table; None: not known, or only a part of it lies there."""
    table = int.from_bytes(read(address, _WORD), "little")
    symbol = names.at(table) if names is not None else None
    if symbol is None or table - symbol.address != _TO_FUNCTIONS or not str(symbol).startswith(_VTABLE):
        return None
    name = str(symbol)[len(_VTABLE):]
    kind = _of_one_file(name, symbol, read, names) if _LOCAL in name else _looked_up(name)
    return kind if kind is not None and 0 < kind.sizeof <= room else None


def _of_one_file(name, table, read, names):
    """The class of that name, of which other files may have others: that of its functions in the table."""
    held = read(table.address + _TO_FUNCTIONS, min(table.size - _TO_FUNCTIONS, _WORD * _MOST_FUNCTIONS))
    for at in range(0, len(held) - _WORD + 1, _WORD):
        address = int.from_bytes(held[at:at + _WORD], "little")
        symbol = names.at(address)
        if symbol is not None and str(symbol).startswith(f"{name}::"):
            return _class_of(address)
    return None


def _class_of(address):
    """That whose function's code lies there, by what its `this` points to; None: not known."""
    try:
        block = gdb.block_for_pc(address)
        # Of a function that is inlined at its very beginning the innermost one is that one's.
        while block and block.superblock and not (block.superblock.is_static or block.superblock.is_global):
            block = block.superblock
        return block.function.type.fields()[0].type.target().unqualified() if block and block.function else None
    except (gdb.error, RuntimeError, IndexError):
        return None


def _alike(address, size, room, read):
    """How many objects in a row have the first one's table: those of an array."""
    held = read(address, room)
    first, count = held[:_WORD], 1
    while (count + 1) * size <= len(held) and held[count * size:count * size + _WORD] == first:
        count += 1
    return count
