"""What changed by variable in programs of C++ and Rust: members, elements and objects by their names."""

import json
import os
import re
import shutil
import subprocess
import unittest

from gdb_session import Gdb, folder, main, skip
from value_rows import rows_of, wrote

CPLUSPLUS = """
#include <string>
namespace shop {
enum class State : char { Open, Closed };
struct Base { virtual ~Base() {} int id = 1; };
struct Shared { int shared = 2; };
struct Item : Base, virtual Shared {
	static int made;
	std::string name = "ab";
	State state = State::Open;
	union { int whole; struct { short low, high; }; };
	void change() { id++; name = "longer"; state = State::Closed; whole = 0x20001; made++; }
};
int Item::made = 0;
Item item;
namespace { int hidden = 3; }
template <class T> struct Box { T value; };
Box<double> box;
int &same = hidden;
long double precise = 1.5;
int none[0];
namespace { void nobodys(int) { static int seen; seen++; } }
void work() { static int calls; calls++; nobodys(1); item.change(); hidden++; box.value = 2.5; }
}
int main()
{
	int x = 1;
	int &r = x;
	shop::work();
	r = 5;
	return x == 1;
}
"""

# Behind pointers to a base class, in arrays of such objects, and in nodes of containers.
POINTEES = """
#include <list>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>
struct Shape { virtual ~Shape() {} int id = 1; };
struct Circle : Shape { double r = 1; };
struct Plain { int n[5]; };
struct Nothing {};
struct Full : Nothing { int n; } full;
struct Hiding : Shape { double id = 2.5; } hiding;
Shape *shape = new Circle;
std::unique_ptr<Plain> owned(new Plain());
std::vector<Circle> circles(3);
std::map<int, int> stock{ { 1, 2 } };
std::list<int> numbers{ 1, 2 };
std::unordered_map<int, long> by{ { 7, 8 } };
void work()
{
	static_cast<Circle *>(shape)->r = 2;
	owned->n[3] = 4;
	circles[2].id = 5;
	stock[1] = 6;
	numbers.front() = 9;
	by[7] = 10;
	full.n = 1;
}
int main() { work(); }
"""
POINTED_TO = {r"full\.n": ("0", "1"), r"shape->r": ("1", "2"), r"owned\..*->n\[3\]": ("0", "4"), r"circles\..*\[2\]\.id": ("1", "5"),
              r"stock\..*->_M_storage\.second": ("2", "6"), r"numbers\b.*->_M_storage": ("1", "9"),
              r"by\..*->_M_storage\.second": ("8", "10")}


# Several things of one name: a class of a function and another, classes that are each one file's own.
NAMESAKES = """
#include <list>
#include <map>
#include <tuple>
#include <utility>
struct Shape { virtual ~Shape() {} int id = 1; };
Shape *theirs();
namespace { struct Circle : Shape { double r = 1; int more[4] = {}; }; }
Shape *mine = new Circle, *other = theirs();
struct Item { long both; };
std::list<Item> items{ { 1 } };
template <int... N> std::tuple<decltype(N + 0)...> of(std::integer_sequence<int, N...>);
decltype(of(std::make_integer_sequence<int, 40>())) many;
void work() {}
int main()
{
	struct Item { int a, b; };
	struct Square : Shape { long side = 1; };
	static std::list<Item> own{ { 1, 2 } };
	static std::map<int, std::list<Item>> nested{ { 1, {} } };
	nested[1].push_back({ 1, 2 });
	Shape *square = new Square;
	work();
	items.front().both = 2;
	own.front().a = 3;
	nested[1].front().b = 4;
	static_cast<Circle *>(mine)->r = 2.5;
	((float *)(other + 1))[1] = 1.5;
	static_cast<Square *>(square)->side = 5;
	work();
}
"""
OTHER_FILE = """
struct Shape { virtual ~Shape() {} int id = 1; };
namespace { struct Circle : Shape { float all[6] = {}; }; }
Shape *theirs() { return new Circle; }
"""

RUST = """
enum State { Idle, Busy(u32) }
struct Shop { state: State, orders: Vec<(u32, f64)> }
#[inline(never)]
fn work(shop: &mut Shop) { shop.orders[1].1 = 2.5; shop.state = State::Busy(3); }
fn main() {
    let mut shop = Shop { state: State::Idle, orders: vec![(1, 1.0), (2, 0.0)] };
    work(&mut shop);
    if let State::Busy(n) = shop.state { std::process::exit(n as i32); }
}
"""


class Rust(unittest.TestCase):
    def test_elements_of_a_vector_in_a_struct_that_has_an_enum(self):
        if not shutil.which("rustc"):
            skip(self, "Rust: there is no compiler for it")
        path = os.path.join(folder(self), "shop")
        with open(f"{path}.rs", "w", encoding="utf-8") as file:
            file.write(RUST)
        built = subprocess.run(["rustc", "-g", f"{path}.rs", "-o", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if built.returncode:
            skip(self, f"rustc builds nothing here: {built.stdout[:200]}")
        gdb = Gdb(self, path)
        gdb("break shop::work")
        gdb("run")
        rows = [(row["name"], row.get("old"), row.get("new")) for row in wrote(gdb, "finish") if row["kind"] == "heap"]
        self.assertEqual([row[1:] for row in rows], [("0", "2.5")], rows)
        self.assertRegex(rows[0][0], r"^shop\.orders\..*\[1\]\.__1$")


class CPlusPlus(unittest.TestCase):
    def built(self, *sources):
        compiler = shutil.which("c++") or shutil.which("g++")
        if not compiler:
            skip(self, "C++: there is no compiler for it")
        where = folder(self)
        path = os.path.join(where, "shop")
        paths = [f"{path}{index}.cc" for index in range(len(sources))]
        for name, source in zip(paths, sources):
            with open(name, "w", encoding="utf-8") as file:
                file.write(source)
        subprocess.run([compiler, "-g", "-O0", "-Wl,-z,now", *paths, "-o", path], check=True)
        return path

    def test_what_shares_its_name_with_another_is_not_told_as_that_one(self):
        gdb = Gdb(self, self.built(NAMESAKES, OTHER_FILE))
        gdb("break work")
        gdb("run")
        gdb("vmsnap take before")
        gdb("continue")
        rows = {row["name"]: (row.get("old"), row.get("new")) for row in gdb.json("vmsnap diff before now")["values"]
                if row["kind"] == "heap"}
        self.assertEqual(rows.pop("mine->r", None), ("1", "2.5"), rows)
        self.assertEqual(rows.pop("other->all[2]", None), ("0", "1.5"), rows)
        self.assertEqual(rows.pop("square->side", None), ("1", "5"), rows)
        for name in [name for name in rows if re.search(r"\b(items\b.*both|own\b.*\.a|nested\b.*\.b)$", name)]:
            rows.pop(name)
        self.assertFalse([name for name in rows if not name.startswith("heap block of ")], "untyped where it is not known")

    def test_a_member_of_a_tuple_of_many_is_soon_found(self):
        gdb = Gdb(self, self.built(NAMESAKES, OTHER_FILE))
        gdb("break work")
        gdb("run")
        gdb("vmsnap take")
        said, complaint = gdb.do("vmsnap print many._M_head_impl", seconds=60)
        if "has no member" in complaint:
            skip(self, "tuples: this is another C++ library than GNU's")
        self.assertEqual(said, "s1: many._M_head_impl = 0\n")

    def test_objects_behind_pointers_are_what_they_really_are(self):
        gdb = Gdb(self, self.built(POINTEES))
        gdb("break work")
        gdb("run")
        rows = {row["name"]: (row.get("old"), row.get("new")) for row in wrote(gdb, "finish")}
        if not any("_M_" in name for name in rows):
            skip(self, "containers: this is another C++ library than GNU's")
        self.assertEqual(len(rows), len(POINTED_TO), rows)
        for pattern, change in POINTED_TO.items():
            name = next((name for name in rows if re.fullmatch(pattern, name)), None)
            self.assertEqual(rows.get(name), change, (pattern, rows))

    def test_members_of_two_bases_and_stored_types_of_what_has_empty_ones(self):
        gdb = Gdb(self, self.built(POINTEES))
        gdb("break work")
        gdb("run")
        gdb("vmsnap take a")
        gdb("finish")
        gdb("vmsnap take b")
        said = gdb.do("vmsnap print --at b owned._M_t._M_t._M_head_impl->n[3]")
        if "has no member" in said[1]:
            skip(self, "containers: this is another C++ library than GNU's")
        self.assertEqual(said[0], "b: owned._M_t._M_t._M_head_impl->n[3] = 4\n")
        self.assertEqual(gdb("vmsnap print --at b hiding.id"), "b: hiding.id = 2.5\n", "not the base's")
        path, empty = os.path.join(folder(self), "pair.vms"), folder(self)
        gdb(f"vmsnap save --contents {path}")
        done = subprocess.run([os.environ["VMSNAP"], "diff", "--values", "--json", "--sysroot", empty, f"{path}@a", f"{path}@b"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1, done.stderr)
        rows = {row["name"] + row["path"]: (row["before"], row["after"]) for row in json.loads(done.stdout)["values"]}
        self.assertEqual(rows.get("full.n"), ("0", "1"), rows)

    def test_members_bases_templates_and_statics_by_their_names(self):
        gdb = Gdb(self, self.built(CPLUSPLUS))
        gdb("break shop::work")
        gdb("run")
        rows = {name: (row.get("old"), row.get("new")) for name, row in rows_of(
            row for row in wrote(gdb, "finish") if row["kind"] == "variable").items()}
        for name, change in {
                "shop::item.id": ("1", "2"), "shop::item.name._M_string_length": ("2", "6"),
                "shop::item.state": ("shop::State::Open", "shop::State::Closed"), "shop::Item::made": ("0", "1"),
                "shop::(anonymous namespace)::hidden": ("3", "4"), "shop::box.value": ("0", "2.5"), "shop::work::calls": ("0", "1"),
                "shop::(anonymous namespace)::nobodys::seen": ("0", "1")}.items():
            if "_M_" in name and name not in rows:
                continue  # another C++ library
            self.assertEqual(rows.get(name), change, rows)
        gdb("vmsnap take")
        self.assertEqual(gdb("vmsnap print shop::item.id + shop::same"), "s1: shop::item.id + shop::same = 6\n")
        self.assertEqual(gdb("vmsnap print (double)shop::precise + 1"), "s1: (double)shop::precise + 1 = 2.5\n")
        if gdb.number("sizeof(long double)") > 8:
            gdb.fails("vmsnap print shop::precise + 1", "long double", "cast")
        gdb.fails("vmsnap print shop::none", "no known size")
        self.assertEqual({name: row["new"] for name, row in rows_of(wrote(gdb, "next")).items()}, {"x": "5"})


if __name__ == "__main__":
    main()
