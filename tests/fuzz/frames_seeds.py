"""Programs in memory for fuzz_frames: an ELF header, code, the index of unwind tables, these tables, and a stack.

Each FDE of the seed "instructions" has other call frame instructions; in "stack" they lead from one caller to the next."""

import struct

BASE = 0x500000000000  # as in fuzz_frames.c
CODE, INDEX, TABLES, START, STACK = 0x100, 0x200, 0x280, 0x7e0, 0x800
LENGTH = 16  # of a function

FUNCTIONS = (
    b"\x0e\x10\x41\x86\x02\x0e\x10\x43\x0d\x06",        # push %rbp; mov %rsp,%rbp
    b"\x41\x0e\x20\x48\xc6\x0c\x07\x08",                # sub $24,%rsp; ret
    b"\x42\x0e\x18\x0a\x44\x0e\x08\x0b",                # remember, restore
    b"\x02\x04\x0e\x40\x03\x02\x00\x0e\x48\x04\x01\x00\x00\x00\x0e\x50",
    b"\x0f\x03\x77\x08\x06\x41\x0c\x07\x08",            # an expression
    b"\x05\x06\x02\x06\x06\x07\x06\x08\x06\x09\x06\x00\x14\x06\x01\x10\x06\x01\x50\x16\x06\x01\x50\x2e\x10",
    b"\x0d\x03",                                        # of a register that nobody follows
    b"\x2f\x00",                                        # what is no instruction
)


def common(letters=b"zR", data=b"\x1b", instructions=b"\x0c\x07\x08\x90\x01"):
    body = struct.pack("=IB", 0, 1) + letters + b"\0" + b"\x01\x78\x10" + bytes([len(data)]) + data + instructions
    body += b"\0" * (-len(body) % 4)
    return struct.pack("=I", len(body)) + body


def program(functions, head=None, count=None, start=(0, 0, 0), stack=()):
    """start: the instruction, the stack's and the frame's pointer."""
    head = common() if head is None else head
    memory = bytearray(0x1000)
    memory[:64] = struct.pack("=16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    memory[64:176] = (struct.pack("=IIQQQQQQ", 1, 5, 0, 0, 0, 0x1000, 0x1000, 0x1000) +
                      struct.pack("=IIQQQQQQ", 0x6474e550, 4, INDEX, INDEX, INDEX, 0x80, 0x80, 4))
    for number in range(len(functions)):
        # A call that ends in the middle of each.
        memory[CODE + number * LENGTH + 3:CODE + number * LENGTH + 8] = b"\xe8\0\0\0\0"
    memory[INDEX:INDEX + 12] = struct.pack("=BBBBiI", 1, 0x1b, 3, 0x3b, TABLES - INDEX - 4,
                                           len(functions) if count is None else count)
    memory[TABLES:TABLES + len(head)] = head
    at = TABLES + len(head)
    for number, instructions in enumerate(functions):
        code = CODE + number * LENGTH
        body = struct.pack("=IiIB", at + 4 - TABLES, code - (at + 8), LENGTH, 0) + instructions
        body += b"\0" * (-len(body) % 4)
        memory[at:at + 4 + len(body)] = struct.pack("=I", len(body)) + body
        struct.pack_into("=ii", memory, INDEX + 12 + 8 * number, code - INDEX, at - INDEX)
        at += 4 + len(body)
    struct.pack_into("=QQQ", memory, START, *start)
    struct.pack_into(f"={len(stack)}Q", memory, STACK, *stack)
    return bytes(memory[:STACK + 8 * len(stack)])


def seeds():
    yield "instructions", program(FUNCTIONS)
    yield "personality", program(FUNCTIONS[:2], common(b"zPLR", b"\x9b\x10\0\0\0\x1b\x1b"))
    yield "cut-off", program(FUNCTIONS)[:TABLES + 60]
    yield "index-long", program(FUNCTIONS[:2], count=1 << 24)
    yield "no-common", program(FUNCTIONS[:2], b"")
    yield "wide", program((b"\x0e" + b"\xff" * 9 + b"\x01", b"\x80" + b"\xff" * 10), common(instructions=b"\x0c\x07\x08\x90\x01"))
    # The first has a return address where it begins; the second 24 bytes above; the third behind what rbp says.
    sp = BASE + STACK
    behind = [BASE + CODE + number * LENGTH + 8 for number in range(4)]
    yield "stack", program((b"", b"\x0e\x20", b"\x0c\x06\x10\x86\x02", b""), start=(BASE + CODE, sp, sp + 48),
                           stack=(behind[1], 0, 0, 0, behind[2], 0, sp + 200, behind[3], 0, 7))
