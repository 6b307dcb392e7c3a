"""EVNT: page faults with the calls that led to them, and MEVT, as plain Python values.

Written from docs/format.md alone, sections 4.15 and 4.17.  Names stay bytes.
"""

from vmsbytes import UINT64, Cursor

INT32, UINT32 = (1 << 31) - 1, (1 << 32) - 1
FRAMES_MAX, FAULTS_MAX, NAME_MAX = 512, 1 << 24, 4096
HAS_INSTRUCTION, HAS_CALL = 32, 64


class Reader:
    def __init__(self, data, offset, section="EVNT"):
        self.cursor = Cursor(data, offset, section)
        self.names = [b""]

    def expect(self, good, what):
        if not good:
            raise self.cursor.damaged(what)

    def sums(self, differences, most, what, begin=0):
        """What they add up to, none below 0 or above `most`."""
        made = []
        for difference in differences:
            begin += difference
            self.expect(0 <= begin <= most, what)
            made.append(begin)
        return made

    def texts(self, name, count):
        numbers = self.cursor.varints(name, count)
        self.expect(all(number < len(self.names) for number in numbers), "a string that there is not")
        return [self.names[number] for number in numbers]

    def head(self):
        begin, length, lost, flags, pid = (self.cursor.varint() for _ in range(5))
        self.expect(begin + length <= UINT64 and flags < 16 and pid <= INT32, "times, flags or a process")
        return {"watched": [begin, begin + length], "lost": lost - 1 if lost else None, "flags": flags, "pid": pid}

    def strings(self):
        strings = self.cursor.strings("strings", self.cursor.varint())
        self.expect(all(0 < len(string) <= NAME_MAX for string in strings), "a string's length")
        self.names += strings

    def calls(self):
        """Of each call the stack that ends in it, innermost first."""
        count = self.cursor.varint()
        gaps = self.cursor.varints("address", count)
        self.expect(all(gaps[1:]), "addresses out of order")
        addresses = self.sums(gaps, UINT64, "an address above the highest")
        count, stacks = self.cursor.varint(), [()]
        for back, at in zip(self.cursor.varints("caller", count), self.cursor.varints("at", count)):
            self.expect(1 <= back <= len(stacks) and at < len(addresses), "a call of nowhere")
            caller = stacks[-back]
            self.expect(len(caller) < FRAMES_MAX, "a stack that is too deep")
            stacks.append((addresses[at], *caller))
        return stacks

    def objects(self):
        count = self.cursor.varint()
        paths = self.texts("path", count)
        lengths = self.cursor.bytes("length", count)
        ids = self.cursor.column("build ID")
        starts, start = [], 0
        for difference in self.cursor.zigzags("start", count):
            start = (start + difference) & UINT64
            starts.append(start)
        made = []
        for path, length, start, size, offset in zip(
            paths, lengths, starts, self.cursor.varints("size", count), self.cursor.varints("offset", count)
        ):
            self.expect(start + size <= UINT64, "an object above the highest address")
            made.append([path, ids.take(length).hex(), start, start + size, offset])
        ids.finish()
        return made

    def threads(self):
        count = self.cursor.varint()
        pids = self.sums(self.cursor.varints("process", count), INT32, "a process")
        tids = self.sums(self.cursor.zigzags("thread", count), INT32, "a thread")
        made = [[pid, tid, name] for pid, tid, name in zip(pids, tids, self.texts("name", count))]
        pairs = [row[:2] for row in made]
        self.expect(all(one < other for one, other in zip(pairs, pairs[1:])), "threads out of order")
        return made

    def syscalls(self):
        count = self.cursor.varint()
        self.expect(count <= 4096, "too many system calls")
        gaps = self.cursor.varints("number", count)
        self.expect(all(gaps[1:]), "system calls out of order")
        numbers = self.sums(gaps, INT32, "a system call")
        return [list(row) for row in zip(numbers, self.texts("name", count))]

    def code(self, objects):
        count, made = self.cursor.varint(), []
        addresses = self.sums(self.cursor.varints("address", count), UINT64, "an address above the highest")
        pids, behind = self.cursor.varints("process", count), self.cursor.varints("behind", count)
        functions, files = self.texts("function", count), self.texts("file", count)
        lines, of = self.cursor.varints("line", count), self.cursor.varints("object", count)
        for address, pid, far, *names, line, number in zip(addresses, pids, behind, functions, files, lines, of):
            self.expect(pid <= INT32 and line <= UINT32 and number <= len(objects), "code that there is not")
            self.expect(far <= address, "a function that begins below the lowest address")
            made.append([address, pid, address - far + 1 if far else 0, *names, line, number - 1 if number else None])
        keys = [row[:2] for row in made]
        self.expect(all(one < other for one, other in zip(keys, keys[1:])), "code out of order")
        return made

    def faults(self, stacks, threads):
        count = self.cursor.varint()
        self.expect(count <= FAULTS_MAX, "too many faults")
        times = self.sums(self.cursor.varints("time", count), UINT64, "a time")
        steps = self.cursor.zigzags("address", count)
        who, calls = self.cursor.varints("thread", count), self.cursor.varints("stack", count)
        what = self.cursor.bytes("what", count)
        instructions = iter(self.cursor.zigzags("instruction", sum(bool(byte & HAS_INSTRUCTION) for byte in what)))
        numbers = iter(self.cursor.varints("call", sum(bool(byte & HAS_CALL) for byte in what)))
        made, address, instruction = [], 0, 0
        for time, step, thread, call, byte in zip(times, steps, who, calls, what):
            self.expect(thread < len(threads) and call < len(stacks), "a thread or a stack that there is not")
            self.expect(byte & 7 <= 5 and not byte & 128, "an access that there is not")
            address = (address + step) & UINT64
            ip = stacks[call][0] if call else 0
            if byte & HAS_INSTRUCTION:
                ip = instruction = (instruction + next(instructions)) & UINT64
            number = next(numbers) - 1 if byte & HAS_CALL else None
            self.expect(number is None or number <= INT32, "a system call that there is not")
            system = -1 if number is None else -2 if number < 0 else number
            where = [time, address, ip, *threads[thread][:2]]
            made.append([*where, list(stacks[call]), system, byte & 7, byte >> 3 & 3])
        return made


    def events(self):
        count = self.cursor.varint()
        self.expect(count <= 1 << 20, "too many events")
        times = self.sums(self.cursor.varints("time", count), UINT64, "a time")
        made = [list(row) for row in zip(times, self.cursor.varints("process", count), self.cursor.varints("child", count))]
        self.expect(all(pid <= INT32 and child <= INT32 for _, pid, child in made), "a process")
        return made

    def memory_events(self):
        count = self.cursor.varint()
        self.expect(count <= 1 << 22, "too many events of memory")
        times = self.sums(self.cursor.varints("time", count), UINT64, "a time")
        pids, kinds = self.cursor.varints("process", count), self.cursor.varints("kind", count)
        steps, made, start = self.cursor.zigzags("start", count), [], 0
        sizes, places = self.cursor.varints("size", count), self.cursor.varints("to", count)
        for time, pid, kind, step, size, to in zip(times, pids, kinds, steps, sizes, places):
            start = (start + step) & UINT64
            self.expect(pid <= INT32 and kind <= 5 and start + size <= UINT64, "an event of memory")
            self.expect(kind != 5 or to <= INT32, "a process")
            made.append([time, pid, kind, start, start + size, to])
        return made


def read_faults(data, offset):
    reader = Reader(data, offset)
    made = reader.head()
    reader.strings()
    stacks = reader.calls()
    made["objects"] = reader.objects()
    made["threads"] = reader.threads()
    made["syscalls"] = reader.syscalls()
    made["code"] = reader.code(made["objects"])
    made["faults"] = reader.faults(stacks, made["threads"])
    made["events"] = reader.events()
    reader.cursor.finish()
    return made


def read_memory(data, offset):
    reader = Reader(data, offset, "MEVT")
    told = reader.cursor.varint()
    reader.expect(told < 2, "what is known")
    events = reader.memory_events()
    reader.cursor.finish()
    return told, events
