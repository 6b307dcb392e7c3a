"""Random programs that know what they write, for tests/python/test_random_programs.py and tests/gdb/test_random_programs.py.

A program has variables of random types everywhere: globals, statics of files and of functions, thread-locals,
locals of a frame that lives, blocks of the heap, mappings.  It writes to random parts of them, stops, writes again,
and stops.  What each part held at both stops is known when the program is made; where it lay, the program notes in
a shared mapping, beside which and the stacks nothing else of it may change."""

import os
import random
import shutil
import struct
import subprocess
import sys

INTS = (("short", 16, True), ("unsigned short", 16, False), ("int", 32, True), ("unsigned", 32, False),
        ("long", 64, True), ("unsigned long long", 64, False))
COLORS = ("RED", "GREEN", "BLUE")
TEXT = 24
ENTRY = struct.Struct("qQQ")  # which write, where, of how many bytes
BUILT = os.environ.get("WRITTEN_PROGRAMS")  # a folder of programs that were built before, each in one named by its seed

# What both units of a program share.
COMMON = """
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
enum color { RED, GREEN, BLUE };
struct entry { long which; unsigned long at, size; };
extern struct entry *entries;
extern volatile long *noted;
extern int pool[10];
#define NOTE(n, where, bytes) \\
	(entries[*noted].which = (n), entries[*noted].at = (unsigned long)(where), entries[*noted].size = (bytes), ++*noted)
#define WRITE(n, part, value) (NOTE(n, &(part), sizeof(part)), *(volatile __typeof__(part) *)&(part) = (value))
#define BITS(n, whole, part, value) (NOTE(n, &(whole), sizeof(whole)), (part) = (value))
#define MAP(size, kind) mmap(NULL, size, PROT_READ | PROT_WRITE, (kind) | MAP_ANONYMOUS, -1, 0)
#define TEXT(n, part, value) (NOTE(n, &(part), sizeof(part)), memcpy(part, value, sizeof(part)))
"""
START = r"""
struct entry *entries;
volatile long *noted;
int pool[10];
static int go[2], done[2], forked[2];
static pid_t child;
static void pass(int to, int from)
{
	char byte = 1;
	if (write(to, &byte, 1) != 1 || read(from, &byte, 1) != 1)
		_exit(1);
}
static void await(int from)
{
	char byte;
	if (read(from, &byte, 1) != 1)
		_exit(1);
}
static void tell(int to)
{
	char byte = 1;
	if (write(to, &byte, 1) != 1)
		_exit(1);
}
"""


def seeds(count, usual):
    """Of the programs that are tried: those that were built before (WRITTEN_PROGRAMS), or as many as the environment's
    variable says, from WRITTEN_SEED on, or the usual."""
    if BUILT:
        return sorted(int(each) for each in os.listdir(BUILT))
    first = int(os.environ.get("WRITTEN_SEED", "1"))
    return range(first, first + int(os.environ[count])) if count in os.environ else usual


def build(seed, folder, without=()):
    """Makes the program of a seed in a folder, without some of its options.  Why it cannot be made, or None."""
    made, path = Program(seed), os.path.join(folder, "program")
    compiler, suffix = ("c++", "cc") if made.cxx else (os.environ.get("VMSNAP_CC", "cc"), "c")
    if not shutil.which(compiler):
        return f"{compiler} is not installed"
    sources = []
    for unit in (0, 1):
        sources.append(f"{path}{unit}.{suffix}")
        with open(sources[-1], "w", encoding="utf-8") as file:
            file.write(made.unit(unit))
    options = [each for each in made.options if each not in without]
    # All symbols are bound before main(): else a call may write to a page.
    built = subprocess.run([compiler, "-g", *options, "-Wl,-z,now", "-pthread", *sources, "-o", path],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return f"{compiler} builds nothing here: {built.stdout.strip()[:300]}" if built.returncode else None


class Variable:
    """One of them.  where: "global", "unit", "function", "thread", "local", "heap", "mapping"; parts: {path: kind}
    of those that can be written, a kind being (C type, bits, signed, path of the whole of a bit-field)."""

    def __init__(self, where, unit, name, expression, parts, typedef):
        self.where, self.unit, self.name, self.expression = where, unit, name, expression
        self.parts, self.typedef = parts, typedef


class Write:
    def __init__(self, variable, path, old, new):
        self.variable, self.path, self.old, self.new = variable, path, old, new

    @property
    def kind(self):
        return self.variable.parts[self.path]


class Program:
    def __init__(self, seed):
        self.random = random.Random(seed)
        chance = self.random
        self.seed, self.cxx, self.names = seed, chance.randrange(3) == 0, 0
        self.workers, self.forks, self.maps = chance.randrange(3), chance.randrange(2), chance.randrange(2)
        self.options = chance.choice((("-O0",), ("-O1",), ("-O0", "-gdwarf-4"), ("-O0", "-fdebug-types-section"),
                                      ("-O0", "-no-pie")))
        self.types, self.variables, self.declared = {0: [], 1: []}, [], {0: [], 1: []}
        for where, count in (("global", 6), ("unit", 6), ("function", 4), ("thread", 3), ("local", 4), ("heap", 4),
                             ("mapping", 3)):
            for _ in range(chance.randrange(1, count + 1)):
                self.add(where)
        self.before, self.now, self.writes = {}, {}, []
        self.first = [self.write(each) for each in self.chosen(12)]
        self.before = dict(self.now)
        self.second = [self.write(each) for each in self.chosen(16)]

    # ---- types ----

    def number(self):
        self.names += 1
        return self.names

    def add(self, where):
        unit = self.random.randrange(2) if where in ("global", "unit", "function") else 0
        count = self.number()
        name = {"unit": f"u{count % 3}"}.get(where, f"{where[0]}{count}")  # both units may have a u1 of their own
        if any(each.name == name and each.unit == unit for each in self.variables):
            return
        typedef = f"T{count}"
        declaration, parts = self.declare(typedef, unit, 0)
        self.types[unit].append(f"typedef {declaration};")
        expression = {"global": name, "unit": name, "function": f"v{count}", "thread": name}.get(where, f"(*p{count})")
        pad = f"{'static ' if self.random.randrange(2) else ''}int pad{count}[{self.random.choice((3, 700, 5000))}]" \
              f"{' = { 1 }' if self.random.randrange(2) else ''};"
        lines = self.declared[unit]
        if where == "global":
            lines.append(f"extern {typedef} {name}; {typedef} {name}; {pad}")
        elif where == "unit":
            lines.append(f"static {typedef} {name}; {pad}")
        elif where == "thread":
            lines.append(f"static __thread {typedef} {name};")
        elif where != "function":
            lines.append(f"static {typedef} *p{count};")
        variable = Variable(where, unit, expression if where == "function" else name, expression, parts, typedef)
        variable.number = count
        self.variables.append(variable)

    def declare(self, name, unit, depth, in_array=False):
        """A declaration of it, and {path: kind} of its parts."""
        chance = self.random
        what = chance.randrange(5 if depth > 2 else 11)
        if what == 4 and not in_array:
            return f"char {name}[{TEXT}]", {"": ("text", TEXT * 8, False, None)}
        if what < 3 or what == 4:
            kind = chance.choice((*INTS, ("double", 64, True), ("float", 32, True), ("enum color", 32, False)))
            return f"{kind[0]} {name}", {"": (*kind, None)}
        if what == 3:
            return f"int *{name}", {"": ("int *", 64, False, None)}
        if what < 7:
            count = chance.choice((1, 2, 7, 60, 1500) if depth < 2 else (1, 2, 3))
            declared, parts = self.declare(f"{name}[{count}]", unit, depth + 1, True)
            return declared, {f"[{i}]{path}": self.within(kind, f"[{i}]")
                              for i in sorted({0, count - 1, chance.randrange(count)}) for path, kind in parts.items()}
        return self.struct(name, unit, depth)

    @staticmethod
    def within(kind, path):
        return kind if kind[3] is None else (*kind[:3], path + kind[3])

    def struct(self, name, unit, depth):
        chance, members, parts = self.random, [], {}
        tag = f"s{self.number() if chance.randrange(3) else len(self.types[unit])}_"  # units may have one of a name
        for index in range(chance.randrange(1, 6)):
            member = f"m{index}"
            if chance.randrange(3) == 0:
                kind, bits, signed = chance.choice(INTS[2:4])
                width = chance.randrange(1, bits)
                members.append(f"{kind} {member} : {width}")
                parts[f".{member}"] = (kind, width, signed, "")
                continue
            declared, inner = self.declare(member, unit, depth + 1)
            members.append(declared)
            parts.update({f".{member}{path}": self.within(kind, f".{member}") for path, kind in inner.items()})
        base = ""
        if self.cxx and chance.randrange(2):
            self.types[unit].append(f"struct b{tag}{len(self.types[unit])} {{ int low; }};")
            base_name = self.types[unit][-1].split()[1]
            base = f" : {base_name}"
            parts[f".{base_name}::low"] = ("int", 32, True, None)
        tag += str(len(self.types[unit]))
        self.types[unit].append(f"struct {tag}{base} {{ {''.join(one + '; ' for one in members)}}};")
        return f"struct {tag} {name}", parts

    # ---- what is written ----

    def chosen(self, most):
        """Parts to be written, in this order; some twice."""
        chance, found = self.random, []
        for variable in self.variables:
            paths = list(variable.parts)
            for _ in range(chance.randrange(min(most, len(paths)) + 1)):
                found.append((variable, chance.choice(paths)))
        chance.shuffle(found)
        return found

    def write(self, part):
        variable, path = part
        old = self.now.get(part, self.zero(variable.parts[path]))
        again = self.before.get(part, old)
        new = self.random.choice((old, again)) if self.random.randrange(5) == 0 else self.value(variable.parts[path])
        self.now[part] = new
        write = Write(variable, path, old, new)
        write.number = len(self.writes)
        self.writes.append(write)
        return write

    @staticmethod
    def zero(kind):
        return {"text": "", "int *": None, "double": 0.0, "float": 0.0}.get(kind[0], 0)

    def value(self, kind):
        chance = self.random
        name, bits, signed, _ = kind
        if name in ("double", "float"):
            return chance.choice((0.5, -3.25, 1024.0, 0.0))
        if name == "enum color":
            return chance.randrange(3)
        if name == "int *":
            return chance.randrange(10)
        if name == "text":
            return chance.choice(("", "hello", "hallo", "hello world", "x" * (TEXT - 1)))
        low, high = -(1 << bits - 1) if signed else 0, (1 << bits - signed) - 1
        return chance.choice((0, high, low, chance.randint(low, high)))

    def changed(self):
        """{(variable, path): (before, after)} of what differs between the stops."""
        found = {}
        for part, new in self.now.items():
            old = self.before.get(part, self.zero(part[0].parts[part[1]]))
            if old != new:
                found[part] = (old, new)
        return found

    # ---- as source ----

    def statement(self, write):
        whole, kind = write.variable.expression, write.kind
        part = whole + write.path
        if kind[0] == "text":
            padded = write.new + "\\0" * (TEXT - 1 - len(write.new))
            return f'TEXT({write.number}, {part}, "{padded}");'
        if kind[0] == "int *":
            text = "(int *)0" if write.new is None else f"pool + {write.new}"
        elif kind[0] == "enum color":
            text = COLORS[write.new]
        elif isinstance(write.new, float):
            text = repr(write.new)
        else:
            text = f"({kind[0]}){write.new & (1 << 64) - 1}ULL"
        if kind[3] is not None:
            return f"BITS({write.number}, {whole}{kind[3]}, {part}, {text});"
        return f"WRITE({write.number}, {part}, {text});"

    def steps(self, writes, name, unit):
        """Functions that do these writes of one unit, and the one that calls them."""
        lines, calls = [], []
        for write in writes:
            if write.variable.unit == unit and write.variable.where != "function":
                calls.append(self.statement(write))
            elif write.variable.unit == unit:
                calls.append(f"of_{write.variable.expression}({write.number});")
        lines.append(f"void {name}{unit}(void)\n{{\n\t" + "\n\t".join(calls) + "\n}")
        return lines

    def functions(self, unit):
        lines = []
        for each in self.variables:
            if each.where == "function" and each.unit == unit:
                cases = "\n\t".join(f"if (n == {write.number}) {self.statement(write)}" for write in self.writes
                                    if write.variable is each)
                lines.append(f"static __attribute__((noinline)) void of_{each.expression}(int n)\n{{\n"
                             f"\tstatic {each.typedef} {each.expression};\n\t(void)&{each.expression};\n"
                             f"\tif (n < 0) NOTE(n, &{each.expression}, sizeof({each.expression}));\n\t{cases}\n}}")
        return lines

    def roots(self, unit):
        """A function that notes where each variable lies, as write -1 - its index."""
        notes = []
        for index, each in enumerate(self.variables):
            if each.unit == unit:
                notes.append(f"of_{each.expression}({-1 - index});" if each.where == "function" else
                             f"NOTE({-1 - index}, &{each.expression}, sizeof({each.expression}));")
        return f"void roots{unit}(void)\n{{\n\t" + "\n\t".join(notes) + "\n}"

    def unit(self, unit):
        lines = [COMMON, *([] if unit else [START]), *self.types[unit], *self.declared[unit], *self.functions(unit),
                 *self.steps(self.first, "first", unit), *self.steps(self.second, "second", unit), self.roots(unit)]
        scribbles = [f"memset((void *)&{each.expression}, 0x5a, sizeof({each.expression}));" for each in self.variables
                     if each.unit == unit and each.where != "function"]
        lines.append(f"void scribble{unit}(void)\n{{\n\t" + "\n\t".join(scribbles) + "\n}")
        if not unit:
            lines += [self.worker(), self.main()]
        return "\n".join(lines)

    def worker(self):
        """Threads: each has locals and thread-locals of its own, to which nobody but it writes."""
        threads = [each for each in self.variables if each.where == "thread"]
        note = "\n\t".join(f"NOTE(-1000, &{each.name}, sizeof({each.name})); memset((void *)&{each.name}, 0x11, "
                           f"sizeof({each.name}));" for each in threads)
        return ("static void *worker(void *unused)\n{\n\ttell(done[1]);\n\tawait(go[0]);\n\t" + note +
                "\n\ttell(done[1]);\n\tpause();\n\treturn unused;\n}")

    def main(self):
        """The frame in which the locals are, and the stops."""
        lines = ["void first1(void), second1(void), roots1(void), scribble1(void);",
                 "static __attribute__((noinline)) void step(void)\n{", "\tsecond0();\n\tsecond1();",
                 *["\tpass(go[1], done[0]);"] * self.workers]
        if self.forks:
            lines.append("\tpass(go[1], forked[0]);" if not self.workers else "\tpass(forked[1], done[0]);")
        if self.maps:
            lines.append("\tchar *made = (char *)MAP(1 << 15, MAP_PRIVATE);\n"
                         "\tNOTE(-2000, made + 9000, 3);\n\tmemset(made + 9000, 7, 3);")
        lines.append("}\nstatic __attribute__((noinline)) void frame(int alone)\n{")
        for each in self.variables:
            pointer, kind = f"p{each.number}", each.typedef
            if each.where == "local":
                lines.append(f"\t{kind} {each.name};\n\tmemset((void *)&{each.name}, 0, sizeof({each.name}));\n"
                             f"\t{pointer} = &{each.name};")
            elif each.where == "heap":
                lines.append(f"\t{pointer} = ({kind} *)calloc(1, sizeof({kind}));")
            elif each.where == "mapping":
                lines.append(f"\t{pointer} = ({kind} *)((char *)MAP(sizeof({kind}) + 65536, MAP_PRIVATE) +"
                             f" {self.random.randrange(0, 8192) & ~15});")
        lines.append("\tfirst0();\n\tfirst1();\n\troots0();\n\troots1();\n\tpthread_t thread;")
        lines += ["\tpthread_create(&thread, NULL, worker, NULL);\n\tawait(done[0]);"] * self.workers
        if self.forks:
            wait, told = ("go[0]", "forked[1]") if not self.workers else ("forked[0]", "done[1]")
            lines.append("\tchild = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);\n\tif (!child) {\n"
                         f"\t\tprctl(PR_SET_PDEATHSIG, SIGKILL);\n\t\tawait({wait});\n"
                         f"\t\tscribble0();\n\t\tscribble1();\n\t\ttell({told});\n\t\tpause();\n\t}}")
        stop = '\tif (!alone) pass(1, 0);'
        lines += [stop, "\tstep();", stop, "}"]
        lines.append(
            "int main(int argc, char **argv)\n{\n\t(void)argv;\n\tprctl(PR_SET_PDEATHSIG, SIGKILL);\n\talarm(900);\n"
            "\tnoted = (volatile long *)MAP(1 << 20, MAP_SHARED);\n"
            "\tentries = (struct entry *)((char *)noted + 4096);\n"
            '\tif (pipe(go) || pipe(done) || pipe(forked)) return 1;\n\tif (argc == 1) {\n\t\tchar text[64];\n'
            '\t\tint len = snprintf(text, sizeof(text), "%p\\n", (void *)noted);\n'
            "\t\tif (write(1, text, (size_t)len) != len) return 1;\n\t}\n\tframe(argc > 1);\n\t\n"
            "\treturn 0;\n}")
        return "\n".join(lines)


def main(folder, count):
    """Builds them for a machine that has no compiler, or where that takes long."""
    for seed in map(str, seeds("WRITTEN_COUNT", range(1, int(count) + 1))):
        os.makedirs(os.path.join(folder, seed))
        why = build(int(seed), os.path.join(folder, seed))
        if why:
            sys.exit(why)


if __name__ == "__main__":
    main(*sys.argv[1:])
