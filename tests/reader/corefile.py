"""Writes ELF core files of any class and byte order, from the kernel's headers alone (include/uapi/linux/elfcore.h,
fs/binfmt_elf.c): what a test put into one it knows."""

import struct

PT_LOAD, PT_NOTE = 1, 4
NT_PRSTATUS, NT_PRPSINFO, NT_AUXV, NT_FILE, NT_SIGINFO = 1, 3, 6, 0x46494c45, 0x53494749
AT_PHDR, AT_PAGESZ, AT_ENTRY, AT_RANDOM, AT_SYSINFO_EHDR = 3, 6, 9, 25, 33
R, W, X = 4, 2, 1


class Machine:
    """What differs: the stack pointer's place among the registers, and how wide a user's number is."""

    def __init__(self, number, bits, order, stack, registers, name, narrow=False):
        self.number, self.bits, self.order, self.name, self.narrow = number, bits, order, name, narrow
        self.stack, self.registers = stack, registers  # bytes


MACHINES = {
    "x86_64": Machine(62, 64, "<", 19 * 8, 27 * 8, "x86_64"),
    "i386": Machine(3, 32, "<", 15 * 4, 17 * 4, "i686", narrow=True),
    "aarch64": Machine(183, 64, "<", 31 * 8, 34 * 8, "aarch64"),
    "arm": Machine(40, 32, "<", 13 * 4, 18 * 4, "arm", narrow=True),
    "s390x": Machine(22, 64, ">", 16 + 15 * 8, 27 * 8, "s390x"),
    "ppc64": Machine(21, 64, ">", 8, 48 * 8, "ppc64"),
    "ppc64le": Machine(21, 64, "<", 8, 48 * 8, "ppc64le"),
    "ppc": Machine(20, 32, ">", 4, 48 * 4, "ppc"),
    "riscv64": Machine(243, 64, "<", 16, 32 * 8, "riscv64"),
}


class Core:
    def __init__(self, machine="x86_64", page_size=4096):
        self.machine = MACHINES[machine]
        self.order, self.word = self.machine.order, "Q" if self.machine.bits == 64 else "I"
        self.page_size = page_size
        self.loads, self.files, self.threads, self.auxiliary = [], [], [], {AT_PAGESZ: page_size}
        self.signal = self.pid = self.ppid = self.uid = 0
        self.fault = None
        self.comm = b""
        self.file_unit = page_size
        self.segments = None  # those that are said to be there, if it is not the truth
        self.at_end = False  # notes stand behind all else, as gdb writes them

    def pack(self, layout, *values):
        return struct.pack(self.order + layout.replace("L", self.word), *values)

    def load(self, start, size, flags, held=b"", name=None, offset=0):
        """A mapping, and what of it is in the file from its start on; zeros of whole pages become holes if `held` is a
        list of pages, of which None is one."""
        self.loads.append((start, size, flags, held))
        if name is not None:
            self.files.append((start, start + size, offset, name))
        return self

    def note(self, kind, desc, name=b"CORE\0"):
        pad = lambda data: data + bytes(-len(data) % 4)
        return self.pack("III", len(name), len(desc), kind) + pad(name) + pad(desc)

    def status(self, index):
        tid, stack = self.threads[index]
        signal = 0 if index else self.signal
        head = self.pack("iiihxxLLiiii", signal, 0, 0, signal, 0x10, 0x20, tid, self.ppid, 0, 0)
        if self.machine.bits == 64:
            assert len(head) == 48
        registers = bytearray(self.machine.registers)
        struct.pack_into(self.order + self.word, registers, self.machine.stack, stack)
        return head + self.pack("8L", *[0] * 8) + bytes(registers) + bytes(8)

    def process(self):
        user = "HH" if self.machine.narrow else "II"
        head = self.pack("4B", 0, ord("R"), 0, 0) + (bytes(4) if self.machine.bits == 64 else b"")
        return head + self.pack("L" + user + "4i16s80s", 0, self.uid, 7, self.pid, self.ppid, 0, 0, self.comm, b"words")

    def notes(self):
        made = b""
        for index in range(len(self.threads)):
            made += self.note(NT_PRSTATUS, self.status(index))
            if index == 0:
                made += self.note(NT_PRPSINFO, self.process())
                address = self.pack("L", self.fault or 0)
                code = 1 if self.fault is not None else 0
                info = self.pack("iii", self.signal, 0, code) + (bytes(4) if self.machine.bits == 64 else b"") + address
                made += self.note(NT_SIGINFO, info + bytes(128 - len(info)))
                pairs = [*self.auxiliary.items(), (0, 0)]
                made += self.note(NT_AUXV, b"".join(self.pack("LL", *pair) for pair in pairs))
                if self.files:
                    made += self.note(NT_FILE, self.list_of_files())
            made += self.note(2, bytes(16))  # NT_PRFPREG, which nobody reads
        return made

    def list_of_files(self):
        made = self.pack("LL", len(self.files), self.file_unit)
        for start, end, offset, _ in self.files:
            made += self.pack("LLL", start, end, offset // self.file_unit)
        return made + b"".join(name.encode() + b"\0" for *_, name in self.files)

    def header(self, count):
        phnum = count if count < 0xffff else 0xffff
        size = 64 if self.machine.bits == 64 else 52
        ident = b"\x7fELF" + bytes([2 if self.machine.bits == 64 else 1, 1 if self.order == "<" else 2, 1]) + bytes(9)
        shoff = size if phnum == 0xffff else 0
        entry = 56 if self.machine.bits == 64 else 32
        section = 64 if self.machine.bits == 64 else 40
        phoff = size + (section if shoff else 0)
        made = ident + self.pack("HHILLLIHHHHHH", 4, self.machine.number, 1, 0, phoff, shoff, 0, size, entry, phnum, section,
                                 1 if shoff else 0, 0)
        if shoff:  # so many segments that section 0 counts them
            made += self.pack("IILLLLIILL", 0, 0, 0, 0, 0, 0, 0, count, 0, 0)
        return made

    def segment(self, kind, flags, offset, address, held, size):
        if self.machine.bits == 64:
            return self.pack("IIQQQQQQ", kind, flags, offset, address, 0, held, size, 1)
        return self.pack("IIIIIIII", kind, offset, address, 0, held, size, flags, 1)

    def parts(self):
        """[(offset, bytes)]: what lies between is a hole.  And the size of it all."""
        notes, count = self.notes(), len(self.loads) + 1
        head = self.header(count if self.segments is None else self.segments)
        entry = 56 if self.machine.bits == 64 else 32
        at = len(head) + entry * count
        pages = -(-(at + len(notes)) // self.page_size) * self.page_size
        table, parts, data = [], [], pages
        for start, size, flags, held in self.loads:
            blocks = held if isinstance(held, list) else [held]
            length = sum(self.page_size if block is None else len(block) for block in blocks)
            table.append(self.segment(PT_LOAD, flags, data, start, length, size))
            for block in blocks:
                if block is not None:
                    parts.append((data, block))
                data += self.page_size if block is None else len(block)
            data = -(-data // self.page_size) * self.page_size
        if self.at_end:
            at = data
            data += len(notes)
        return [(0, head + self.segment(PT_NOTE, 0, at, 0, len(notes), 0) + b"".join(table)), (at, notes), *parts], data

    def bytes(self):
        parts, size = self.parts()
        made = bytearray(size)
        for offset, part in parts:
            made[offset:offset + len(part)] = part
        return bytes(made)

    def write(self, path):
        parts, size = self.parts()
        with open(path, "wb") as stream:
            stream.truncate(size)
            for offset, part in parts:
                stream.seek(offset)
                stream.write(part)
        return path


def mapped_elf(build_id, machine="x86_64"):
    """The first page of a program that is mapped, with its build ID."""
    core = Core(machine)
    wide = core.machine.bits == 64
    size, entry = (64, 56) if wide else (52, 32)
    note = core.pack("III", 4, len(build_id), 3) + b"GNU\0" + build_id
    at = size + 2 * entry
    head = b"\x7fELF" + bytes([2 if wide else 1, 1 if core.order == "<" else 2, 1]) + bytes(9)
    head += core.pack("HHILLLIHHHHHH", 3, core.machine.number, 1, 0, size, 0, 0, size, entry, 2, 0, 0, 0)
    head += core.segment(PT_LOAD, R, 0, 0, 4096, 4096) + core.segment(PT_NOTE, R, at, at, len(note), len(note))
    return (head + note).ljust(4096, b"\0")
