"""Variables that changed, by name and type: programs that are made here say what they write."""

import ctypes
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest

from module import main, skip, vmsnap

FRAME = """
#include <stdio.h>
#include <string.h>
%s
int main(void)
{
	char line[16];
	setvbuf(stdout, NULL, _IONBF, 0);
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		change();
		puts("done");
	}
	return 0;
}
"""
INTS = [("signed char", 8, True), ("unsigned char", 8, False), ("short", 16, True), ("unsigned short", 16, False),
        ("int", 32, True), ("unsigned", 32, False), ("long", 64, True), ("unsigned long long", 64, False)]
MANY = 1 << 30


class Made:
    """A program of random variables, and what becomes of some parts of them."""

    def __init__(self, seed, cxx=False):
        self.random = random.Random(seed)
        self.cxx, self.count, self.types, self.globals, self.leaves = cxx, 0, [], [], []
        for index in range(self.random.randrange(3, 12)):
            static = self.random.choice(("", "static ", "volatile "))
            declared, leaves = self.declare(f"g{index}", 0)
            self.globals.append(f"{static}{declared};")
            self.leaves += [(f"g{index}{path}", kind) for path, kind in leaves]
        chosen = self.random.sample(self.leaves, self.random.randrange(1, min(len(self.leaves), 40) + 1))
        self.written = {path: self.value(kind) for path, kind in chosen}

    def number(self):
        self.count += 1
        return self.count

    def scalar(self):
        what = self.random.randrange(8)
        if what < 5:
            return self.random.choice(INTS)
        return (("double", 0, True), ("float", 0, True), ("enum color", 32, False))[what - 5]

    def declare(self, name, depth):
        """A declaration of it, and [(path, type)] of the parts that can be written."""
        what = self.random.randrange(4 if depth > 2 else 10)
        if what < 3:
            kind = self.scalar()
            while kind[1] == 8 and name.endswith("]"):  # bytes side by side are told together
                kind = self.scalar()
            return f"{kind[0]} {name}", [("", kind)]
        if what == 3:
            return f"int *{name}", [("", ("int *", 64, False))]
        if what < 7:
            count = self.random.choice((1, 2, 7, 100, 3000))
            declared, leaves = self.declare(f"{name}[{count}]", depth + 1)
            chosen = {0, count - 1, self.random.randrange(count)}
            return declared, [(f"[{i}]{path}", kind) for i in sorted(chosen) for path, kind in leaves]
        return self.struct(name, depth)

    def struct(self, name, depth):
        members, leaves, tag = [], [], f"s{self.number()}"
        for index in range(self.random.randrange(1, 6)):
            member = f"m{index}"
            if self.random.randrange(3) == 0:
                kind, bits, signed = self.random.choice(INTS[4:6])
                width = self.random.randrange(1, bits)
                members.append(f"{kind} {member} : {width}")
                leaves.append((f".{member}", (kind, width, signed)))
                continue
            declared, inner = self.declare(member, depth + 1)
            members.append(declared)
            leaves += [(f".{member}{path}", kind) for path, kind in inner]
        base = ""
        if self.cxx and self.random.randrange(2):
            self.types.append(f"struct b{tag} {{ int low; }};")
            leaves.append((f".b{tag}::low", ("int", 32, True)))
            base = f" : b{tag}"
        packed = "__attribute__((packed)) " if self.random.randrange(4) == 0 else ""
        self.types.append(f"struct {packed}{tag}{base} {{ {''.join(one + '; ' for one in members)}}};")
        return f"struct {tag} {name}", leaves

    def value(self, kind):
        name, bits, signed = kind
        if name in ("double", "float"):
            return self.random.choice((0.5, -3.25, 1024.0, 0.0))
        if name == "enum color":
            return self.random.randrange(3)
        if name == "int *":
            return self.random.randrange(10)
        low = -(1 << (bits - 1)) if signed else 0
        high = (1 << (bits - signed)) - 1
        return self.random.choice((0, high, low, self.random.randint(low, high)))

    def source(self):
        kinds = dict(self.leaves)
        lines = []
        for path, value in self.written.items():
            kind = kinds[path][0]
            text = f"pool + {value}" if kind == "int *" else f"(enum color){value}" if kind == "enum color" else repr(value)
            if isinstance(value, int) and kind not in ("int *", "enum color"):
                text = f"({kind}){value & (1 << 64) - 1}ULL"
            lines.append(f"\t{path} = {text};")
        body = ["enum color { RED, GREEN, BLUE };", "int pool[10];", *self.types, *self.globals,
                # What is never read may be left out.
                "void *volatile keep;", "static void change(void)", "{", *lines,
                *(f"\tkeep = (void *)&g{index};" for index in range(len(self.globals))), "}"]
        return FRAME % "\n".join(body)

    def expected(self):
        """{path: what it holds}, of what is not 0 any more."""
        kinds = dict(self.leaves)
        return {path: value for path, value in self.written.items() if value or kinds[path][0] == "int *"}


def held(value, pool):
    if value.kind == "float":
        return vmsnap_float(value.bytes)
    if value.kind == "pointer":
        return (value.number - pool) // 4 if value.number else 0
    return value.number


def vmsnap_float(raw):
    import struct
    return struct.unpack({4: "f", 8: "d"}[len(raw)], raw)[0]


class Programs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def build(self, source, compiler="cc", suffix="c", options=("-g",), linked=()):
        if not shutil.which(compiler):
            skip(self, f"{compiler} is not installed")
        path = os.path.join(self.folder, "program")
        with open(f"{path}.{suffix}", "w", encoding="utf-8") as file:
            file.write(source)
        built = subprocess.run([compiler, *options, f"{path}.{suffix}", "-o", path, *linked], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, check=False)
        if built.returncode:
            skip(self, f"{compiler} {' '.join(options)} builds nothing here: {built.stdout.strip()[:200]}")
        return path

    def changes(self, path, before=None):
        """The ValueDiff of one step of the program, and where its variable `pool` lies."""
        with subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
            try:
                process.stdout.readline()
                a = vmsnap.capture(process.pid, contents="private")
                process.stdin.write(b"\n")
                process.stdout.readline()
                b = vmsnap.capture(process.pid, contents="private")
                if before:
                    before()
                return vmsnap.ValueDiff(a, b, vmsnap.Names(b), MANY), b
            finally:
                process.kill()

    def of_program(self, diff, path):
        """{name: change} of its own variables, but for what only keeps the compiler from leaving out others."""
        return {one.name: one for one in diff
                if one.object == path and one.type is not None and one.name != "keep"}

    def check_each_by_its_address(self, diff, path):
        """What changed holds what its page tells (of bits that share a byte, among others)."""
        names = vmsnap.Names(diff.b)
        for one in self.of_program(diff, path).values():
            if one.after.kind not in ("bytes", "text", "unknown"):
                told = {each.name: each.after for each in vmsnap.ValueAt(diff.b, one.address, names)}
                self.assertEqual(told.get(one.name), one.after, (one, told))

    def check_made(self, made, compiler, suffix, options):
        path = self.build(made.source(), compiler, suffix, options)
        diff, snapshot = self.changes(path)
        self.check_each_by_its_address(diff, path)
        names = vmsnap.Names(snapshot)
        pool = None
        found = self.of_program(diff, path)
        for one in found.values():
            if one.after.kind == "pointer" and one.after.word == "pool":
                pool = one.after.number - one.after.offset
        del names
        expected = made.expected()
        self.assertEqual({name: held(one.after, pool) for name, one in found.items()}, expected)
        self.assertEqual({held(one.before, 0) for one in found.values()} - {0}, set())

    def test_random_programs_of_c(self):
        for seed in range(12):
            options = (("-g",), ("-g", "-O1"), ("-g", "-gdwarf-4"), ("-g", "-gz"), ("-gdwarf-3", "-gstrict-dwarf"),
                       ("-g", "-fdebug-types-section"), ("-g", "-gsplit-dwarf"), ("-gdwarf-4", "-gsplit-dwarf"),
                       ("-g", "-gsplit-dwarf", "-fdebug-types-section"))[seed % 9]
            with self.subTest(seed=seed, options=options):
                self.check_made(Made(seed), "cc", "c", options)

    def test_random_programs_of_clang(self):
        for seed in range(100, 104):
            with self.subTest(seed=seed):
                self.check_made(Made(seed), "clang", "c", ("-g", "-gsplit-dwarf") if seed % 2 else ("-g",))

    def test_random_programs_of_cxx(self):
        for seed in range(200, 206):
            with self.subTest(seed=seed):
                self.check_made(Made(seed, cxx=True), "c++", "cc", ("-g",))

    def split(self):
        """A program with split debug information, snapshots of it, and the files that hold its types."""
        path = self.build(FRAME % "int counter = 5; static void change(void) { counter = 8; }", options=("-g", "-gsplit-dwarf"))
        diff, _ = self.changes(path)
        files = [os.path.join(self.folder, name) for name in os.listdir(self.folder) if name.endswith(".dwo")]
        return path, diff, files

    def told(self, diff):
        """(type of the variable `counter`, warnings)"""
        names = vmsnap.Names(diff.b)
        again = vmsnap.ValueDiff(diff.a, diff.b, names, MANY)
        return {one.name: one.type for one in again}.get("counter"), "\n".join(names.warnings())

    def test_split_debug_information_that_is_not_there_is_missed(self):
        _, diff, files = self.split()
        self.assertTrue(files)
        self.assertEqual(self.told(diff), ("int", ""))
        for file in files:
            os.rename(file, f"{file}.away")
        kind, said = self.told(diff)
        self.assertIsNone(kind)
        self.assertRegex(said, r"program: types are missing: 1 file of split debug information is not there "
                               r"\(.*program.*\.dwo\)")
        for file in files:
            os.rename(f"{file}.away", file)
        self.assertEqual(self.told(diff)[0], "int")

    def test_split_debug_information_of_another_compilation_is_not_believed(self):
        path, diff, files = self.split()
        kept = {file: open(file, "rb").read() for file in files}
        program = open(path, "rb").read()
        self.build(FRAME % "int other; float counter = 5; static void change(void) { counter = other; }",
                   options=("-g", "-gsplit-dwarf"))
        self.assertTrue(all(open(file, "rb").read() != held for file, held in kept.items()))
        os.unlink(path)
        with open(path, "wb") as file:
            file.write(program)
        kind, said = self.told(diff)
        self.assertIsNone(kind)
        self.assertIn("types are missing", said)

    def words(self, diff, path):
        text = diff.text(vmsnap.Style(raw=True, columns="NAME,BEFORE,AFTER,TYPE", no_headings=True))
        return {line.split()[0]: [word for word in line.split()[1:] if word != "-"] for line in text.splitlines()}

    def test_c_in_words(self):
        source = FRAME % r"""
            #include <complex.h>
            #include <stdbool.h>
            #include <wchar.h>
            enum color { RED, GREEN = 5, BLUE = -3 } color = RED;
            enum perm { READ = 1, WRITE = 2, EXEC = 4 } perm;
            struct node { struct node *next; int v; } nodes[3], *head;
            union { int i; double d; } both;
            struct { int x; struct { short a, b; }; union { int y; }; } anon;
            struct flex { int n; int items[]; } flex = { 2, { 1, 2 } };
            int table[64], *p = table + 4, never = 7;
            char text[32] = "hello", letter = 'a', large[100000];
            long double wide = 1.0L;
            double complex z;
            __int128 huge;
            bool flag;
            float third;
            wchar_t w = L'x';
            int (*fn)(const char *) = puts;
            unsigned char raw[100];
            int many[1000];
            static int step(void) { static int calls = 10; return ++calls; }
            static int other(const char *text) { return *text; }
            static void change(void)
            {
                color = BLUE; perm = READ | EXEC | 64; head = &nodes[1]; nodes[1].v = 4; both.i = 3; anon.b = -2;
                anon.y = 5; flex.items[1] = 99; p = table + 8; strcpy(text, "hallo"); letter = 'b'; wide = 1.1L;
                z = 1 + 2 * I; huge = -((__int128)1 << 100); flag = true; third = 1 / 3.0f; w = L'y'; fn = other;
                memset(raw + 50, 0xab, 3); large[70000] = 'q'; step();
                for (int i = 0; i < 1000; i++) many[i] = i;
            }"""
        path = self.build(source)
        diff, snapshot = self.changes(path)
        self.check_each_by_its_address(diff, path)
        names, third = vmsnap.Names(snapshot), self.of_program(diff, path)["third"]
        self.assertIn("\nvalue       third = 0.33333334 (float)\n", snapshot.page_text(vmsnap.PLAIN, third.address, names))
        self.assertNotIn("\nvalue ", snapshot.page_text(vmsnap.PLAIN, third.address))
        with self.assertRaises(vmsnap.VmsnapError):
            vmsnap.ValueAt(snapshot, 0)
        found = self.words(diff, path)
        for line in ("color RED BLUE color", r"perm 0 READ\x20|\x20EXEC\x20|\x200x40 perm", r"head NULL &nodes+16 struct\x20node\x20*",
                     "nodes[1].v 0 4 int", "both.i 0 3 int", "anon.b 0 -2 short\\x20int", "anon.y 0 5 int",
                     "flex.items[1] 2 99 int", r"p &table+16 &table+32 int\x20*", r'text "hello" "hallo" char\x20[32]',
                     r"letter 97\x20'a' 98\x20'b' char", r"wide 1 1.1 long\x20double", "z.real 0 1 double", "z.imag 0 2 double",
                     "huge 0 -1267650600228229401496703205376 __int128", "flag false true _Bool",
                     "third 0 0.33333334 float", "w 120 121 wchar_t", r"raw[50..52] 00\x2000\x2000 ab\x20ab\x20ab unsigned\x20char\x20[100]",
                     r"large[70000] 0 113\x20'q' char", "step::calls 10 11 int"):
            name, before, after, kind = line.split(" ")
            kind = kind.replace(r"struct\x20", "")
            self.assertEqual(found.get(name), [before, after, kind], name)
        self.assertNotIn("never", found)
        self.assertNotIn("flex.n", found)
        self.assertEqual(found["fn"][1:], ["&other", r"int\x20(*)(const\x20char\x20*)"])
        few = vmsnap.ValueDiff(diff.a, diff.b, vmsnap.Names(snapshot))
        some = [one for one in few if one.symbol == "many"]
        self.assertEqual(([one.name for one in some], some[-1].more), ([f"many[{i}]" for i in range(1, 9)], 991))
        self.assertRegex(few.text(), r"(?m)^many\[8\] +0 → 8, and 991 more +int$")
        self.assertIn("many[8]", few.text(vmsnap.Style(unicode=False)))

    def test_cxx_in_words(self):
        source = FRAME % r"""
            #include <string>
            #include <vector>
            std::vector<int> many;
            namespace shop {
            struct Shape { virtual ~Shape() {} int id = 1; };
            struct Circle : Shape { double r = 1; static int made; };
            int Circle::made = 2;
            Circle circle;
            namespace { int hidden = 3; }
            enum class Level : unsigned char { low, high = 200 };
            Level level = Level::low;
            template <typename T> struct Box { T value; static T last; };
            template <typename T> T Box<T>::last;
            Box<long> box;
            int &ref = hidden;
            }
            struct V { int v = 1; };
            struct D : virtual V { int d = 4; } vd;
            std::string name = "abc";
            namespace { __attribute__((noinline)) void hidden_one(int) { static int n = 1; n++; } }
            struct Maker { void operator()(int) const; } maker;
            void Maker::operator()(int) const { static int m = 1; m++; }
            struct Printer { void write(int) const; } printer;
            void Printer::write(int) const { static int p = 1; p++; }
            static void change()
            {
                using namespace shop;
                static int calls = 1;
                hidden_one(0); maker(1); printer.write(2);
                many.push_back(1);
                circle.id = 7; circle.r = 2.5; Circle::made++; hidden = 9; level = Level::high; box.value = 5;
                Box<long>::last = 6; vd.d = 5; vd.v = 2; name = "changed"; calls++; (void)ref;
            }"""
        version = subprocess.run(["c++", "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout if shutil.which("c++") else ""
        # Of what is defined in another object clang tells no type, unless it is asked to: std::string is bytes then.
        path = self.build(source, "c++", "cc", ("-g", "-fstandalone-debug") if "clang" in version else ("-g",))
        diff, _ = self.changes(path)
        found = self.words(diff, path)
        found = {name.replace(r"\x20", " ").replace("[abi:cxx11]", ""): words[:2] for name, words in found.items()}
        for name, before, after in (("shop::Circle::made", "2", "3"), ("shop::circle.Shape::id", "1", "7"),
                                    ("shop::circle.r", "1", "2.5"), ("shop::(anonymous namespace)::hidden", "3", "9"),
                                    ("shop::level", "low", "high"), ("shop::box.value", "0", "5"),
                                    ("shop::Box<long>::last", "0", "6"), ("vd.d", "4", "5"), ("vd+12", "01", "02"),
                                    ("name._M_string_length", "3", "7"), ("change::calls", "1", "2"),
                                    ("(anonymous namespace)::hidden_one::n", "1", "2"), ("Maker::operator()::m", "1", "2"),
                                    ("Printer::write::p", "1", "2"),
                                    ("name._M_local_buf", '"abc"', '"changed"') if "name._M_local_buf" in found else
                                    ("vd.d", "4", "5")):
            self.assertEqual(found.get(name), [before, after], (name, found))
        self.assertIn("many._M_impl._M_start", found, "bases of the library's own are not named")

    def test_rust_in_words(self):
        source = r"""
            use std::io::BufRead;
            mod shop {
                #[derive(Clone, Copy)] pub enum State { Idle, Busy(u32), Done { code: i8 } }
                pub static mut COUNT: i32 = 5;
                pub static mut STATE: State = State::Idle;
                pub static mut OTHER: State = State::Busy(1);
                pub static mut SOME: Option<u8> = Some(1);
                pub static mut PAIR: (u8, u16) = (1, 2);
            }
            fn main() {
                println!("ready");
                let mut line = String::new();
                std::io::stdin().lock().read_line(&mut line).unwrap();
                unsafe {
                    shop::COUNT = 8; shop::STATE = shop::State::Busy(3); shop::OTHER = shop::State::Busy(2);
                    shop::SOME = None; shop::PAIR.1 = 9;
                }
                println!("done");
                std::io::stdin().lock().read_line(&mut line).unwrap();
                unsafe {
                    let state = shop::STATE;
                    if let shop::State::Done { code } = state { println!("{}", code + shop::COUNT as i8); }
                    if line.len() > 100 { shop::STATE = shop::State::Done { code: 1 }; shop::STATE = shop::State::Idle; }
                }
            }"""
        path = self.build(source, "rustc", "rs")
        diff, _ = self.changes(path)
        found = {re.sub(r"^program::", "", name): words[:2] for name, words in self.words(diff, path).items()}
        for name, before, after in (("shop::COUNT", "5", "8"), ("shop::STATE", "Idle", "Busy"),
                                    ("shop::OTHER.Busy.__0", "1", "2"), ("shop::SOME", "Some", "None"),
                                    ("shop::PAIR.__1", "2", "9")):
            self.assertEqual(found.get(name), [before, after], (name, found))

    def test_blocks_of_malloc(self):
        source = FRAME % """
            #include <stdlib.h>
            static char *pool;
            static int counter = 1;
            static __attribute__((constructor)) void make(void) { pool = memset(malloc(100), 1, 100); }
            static void change(void) { counter++; memset(pool + 40, 7, 8); pool[99] = 9; }"""
        diff, *_ = self.changes(self.build(source))
        found = {block.size: (changed, block.is_free) for block, changed in diff.blocks}
        self.assertEqual(found.get(104), (9, False), diff.text())
        self.assertGreaterEqual(diff.unnamed, 9)
        self.assertRegex(diff.text(), r"(?m)^heap block of 104 bytes at 0x[0-9a-f]+0  9 bytes changed$")
        self.assertIn("counter", [change.name for change in diff])

    SMALL = FRAME % """
        int counter = 5;
        short two[2];
        struct { int a, b; } pair;
        static void change(void) { counter = 8; two[1] = 3; pair.b = 1; }"""

    def test_an_enumeration_that_has_a_unit_of_its_own(self):
        # Where it is used twice there may be an entry for it, in which is nothing but the number of that unit.
        source = FRAME % """
            enum color { RED, GREEN };
            struct inner { enum color first; double d; enum color color; };
            struct outer { struct inner in; enum color all[2]; } outer;
            enum color alone;
            static void change(void) { outer.in.color = outer.all[1] = alone = GREEN; }"""
        path = self.build(source, options=("-g", "-fdebug-types-section"))
        diff, _ = self.changes(path)
        found = self.words(diff, path)
        self.assertEqual({name: found.get(name) for name in ("outer.in.color", "outer.all[1]", "alone")},
                         dict.fromkeys(("outer.in.color", "outer.all[1]", "alone"), ["RED", "GREEN", "color"]))

    def test_without_types_there_are_symbols_and_bytes(self):
        path = self.build(self.SMALL, options=())
        diff, _ = self.changes(path)
        found = self.words(diff, path)
        self.assertEqual(found["counter"], [r"05\x2000\x2000\x2000", r"08\x2000\x2000\x2000"])
        self.assertEqual(found["two"], [r"00\x2000\x2000\x2000", r"00\x2000\x2003\x2000"])
        self.assertTrue(all(one.type is None for one in diff if one.object == path))

    def test_a_debug_file_of_its_own_is_found(self):
        if not shutil.which("objcopy") or not shutil.which("strip"):
            skip(self, "binutils are not installed")
        path = self.build(self.SMALL)
        debug = path + ".debug"
        for command in (["objcopy", "--only-keep-debug", path, debug], ["strip", path],
                        ["objcopy", f"--add-gnu-debuglink={debug}", path]):
            subprocess.run(command, check=True, cwd=self.folder)
        diff, _ = self.changes(path)
        self.assertEqual(self.words(diff, path)["counter"], ["5", "8", "int"])
        # Then it is gone, and so are the names.
        diff, _ = self.changes(path, before=lambda: os.unlink(debug))
        self.assertNotIn("counter", self.words(diff, path))

    def test_compressed_debug_information_is_read(self):
        for how in ("zlib", "zlib-gnu", "zstd"):
            with self.subTest(how):
                path = self.build(self.SMALL)
                done = subprocess.run(["objcopy", f"--compress-debug-sections={how}", path], stderr=subprocess.PIPE,
                                      cwd=self.folder) if shutil.which("objcopy") else None
                if done is None or done.returncode:
                    skip(self, f"debug information compressed with {how}: this objcopy cannot")
                try:
                    ctypes.CDLL("libzstd.so.1")
                except OSError:
                    skip(self, "zstd: there is no libzstd")
                diff, _ = self.changes(path)
                self.assertEqual(self.words(diff, path)["counter"], ["5", "8", "int"])

    def test_what_was_first_written_was_what_the_file_has(self):
        # Of a static program no page of .data is written to before main().
        source = FRAME % """
            int first[4096] = { 1, 2, 3 }, last[4096] = { 7 };
            static void change(void) { first[2000] = 8; last[0] = 9; }"""
        path = self.build(source, options=("-g", "-static"))
        diff, _ = self.changes(path)
        found = self.words(diff, path)
        self.assertEqual((found.get("first[2000]"), found.get("last[0]")), (["0", "8", "int"], ["7", "9", "int"]))

    def test_nothing_that_did_not_change_is_named(self):
        path = self.build(FRAME % "int a = 1, b; char pad[9000]; static void change(void) { b = a; b = 0; }")
        diff, _ = self.changes(path)
        self.assertEqual(self.of_program(diff, path), {})

    def test_without_contents_the_error_says_how_to_get_them(self):
        me = vmsnap.capture(os.getpid(), freeze=False)
        with self.assertRaisesRegex(vmsnap.VmsnapError, "--contents"):
            vmsnap.ValueDiff(me, me)
        kept = vmsnap.capture(os.getpid(), freeze=False, contents="hashes")
        with self.assertRaisesRegex(vmsnap.VmsnapError, "--contents"):
            vmsnap.ValueDiff(kept, kept)

    def test_of_another_program_nothing_is_said(self):
        path = self.build(self.SMALL)
        _, one = self.changes(path)
        me = vmsnap.capture(os.getpid(), freeze=False, contents="private")
        with self.assertRaisesRegex(vmsnap.VmsnapError, "nothing to do with each other"):
            vmsnap.ValueDiff(one, me)
        with self.assertRaisesRegex(vmsnap.VmsnapError, "names of another snapshot"):
            vmsnap.ValueDiff(one, one, vmsnap.Names(me))


if __name__ == "__main__":
    main()
