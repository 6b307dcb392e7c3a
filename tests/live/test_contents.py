"""What pages hold: kept right, kept once, and read without a trace."""

import os
import random
import struct
import sys
import unittest

import support
from support import Target, each_user, run, world

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader")]

import vmscontents  # noqa: E402  (lies in the folder just added)
import vmsfile  # noqa: E402

PAGE = os.sysconf("SC_PAGE_SIZE")
SQUARES = bytes((5 * (i * i // 8) + i) & 0xFF for i in range(PAGE))
EXCLUSIVE, OF_FILE = 1 << 56, 1 << 61  # pagemap.rst


def filled(seed, page):
    add = (seed + 17 * page) & 0xFF
    return SQUARES.translate(bytes((byte + add) & 0xFF for byte in range(256)))


class Held:
    """What the areas of a target hold, as it was told to."""

    def __init__(self, target):
        self.target = target
        self.pages = {}
        for name, seed, pages in (("plain", 1, 32), ("shared", 2, 8), ("file", 3, 4), ("hidden", 4, 8), ("none", 5, 8),
                                  ("guarded", 6, 8), ("reads", 7, 8)):
            for page in range(pages):
                self.pages[self.address(name, page)] = bytearray(filled(seed, page))

    def address(self, name, page):
        return self.target.ranges[name][0] + page * PAGE

    def fill(self, name, seed, first, pages):
        self.target.tell(f"fill {name} {seed} {first} {pages}")
        for page in range(first, first + pages):
            self.pages[self.address(name, page)] = bytearray(filled(seed, page))

    def poke(self, name, page, offset, value):
        self.target.tell(f"poke {name} {page} {offset} {value}")
        self.pages.setdefault(self.address(name, page), bytearray(PAGE))[offset] = value

    def drop(self, name, first, pages):
        self.target.tell(f"drop {name} {first} {pages}")
        for page in range(first, first + pages):
            self.pages.pop(self.address(name, page), None)


def areas(held, *names):
    return {address for name in names for address in range(*held.target.ranges[name], PAGE)}


class Contents(unittest.TestCase):
    def setUp(self):
        self.path = os.path.join(world().home(support.me()), f"contents-{self.id().rsplit('.', 1)[-1]}.vms")
        self.addCleanup(lambda: os.path.exists(self.path) and os.unlink(self.path))

    def capture(self, target, *options, user=None, status=0):
        done = run("capture", str(target.pid), "-o", self.path, "--quiet", *options, user=user)
        self.assertEqual(done.status, status, done)
        return done

    def read(self):
        file = vmsfile.open_file(self.path)
        return file, vmscontents.Contents(file)

    def check(self, held, index, *names):
        """The file's page of each address, in the areas of these names, is what the target holds."""
        _, contents = self.read()
        places = contents.places(index)
        wanted = areas(held, *names)
        for address in sorted(wanted):
            expected = held.pages.get(address)
            found = contents.bytes(places[address]) if address in places else None
            self.assertEqual(found, bytes(expected) if expected is not None else None, hex(address))
        return places

    @each_user
    def test_every_byte_of_private_memory_is_kept(self, user):
        target = Target(self, "contents", user=user)
        held = Held(target)
        self.path = os.path.join(world().home(user), "contents-each.vms")
        self.capture(target, "--contents", user=user)
        del held.pages[held.address("guarded", 2)]
        places = self.check(held, 0, "plain", "guarded", "reads")
        _, contents = self.read()
        kept = {address for address in areas(held, "shared", "hidden", "none") if address in places}
        self.assertEqual(kept, set())
        # Of a file that is mapped to be written to, what was not written is kept as well.
        for page in range(4):
            address = held.address("file", page)
            self.assertEqual(contents.bytes(places[address]), bytes(held.pages[address]))

    def test_all_means_shared_memory_and_undumped_what_nobody_wants_in_a_core(self):
        target = Target(self, "contents")
        held = Held(target)
        self.capture(target, "--contents=all")
        self.check(held, 0, "shared", "plain")
        places = self.read()[1].places(0)
        self.assertFalse(areas(held, "hidden", "none") & set(places))
        self.capture(target, "--contents=all", "--undumped")
        self.check(held, 0, "shared", "plain", "hidden", "none")

    @each_user
    def test_of_secret_memory_nothing_is_kept(self, user):
        target = Target(self, "contents", user=user)
        if "secret" not in target.ranges:
            support.skip(self, "memory of memfd_secret(2) cannot be had here")
        self.path = os.path.join(world().home(user), "contents-secret.vms")
        for options in ((), ("--undumped",)):
            self.capture(target, "--contents=all", *options, user=user)
            places = self.read()[1].places(0)
            self.assertFalse(set(range(*target.ranges["secret"], PAGE)) & set(places), options)
            told = run("dump", self.path, f"{target.ranges['secret'][0]:x}+10", user=user)
            self.assertIn(b"?? " * 16, told.out, told)

    def test_what_is_excluded_is_not_in_the_file(self):
        target = Target(self, "contents")
        held = Held(target)
        start, end = target.ranges["plain"]
        self.capture(target, "--contents", "--exclude", f"{start + 2 * PAGE:x}-{start + 5 * PAGE:x}",
                     "--exclude", f"{start + 9 * PAGE:x}+{PAGE:x}", "--exclude", "*stack*", "--exclude", "*contents*")
        places = self.read()[1].places(0)
        missing = [page for page in range(32) if start + page * PAGE not in places]
        self.assertEqual(missing, [2, 3, 4, 9])
        file = vmsfile.open_file(self.path)
        with open(self.path, "rb") as stream:
            self.assertNotIn(bytes(held.pages[held.address("plain", 3)]), stream.read())
        for vma in file.load(0)["vmas"]:
            if b"stack" in vma["name"] or b"contents" in vma["name"]:
                self.assertFalse(set(range(vma["start"], vma["end"], PAGE)) & set(places), vma["name"])

    def test_list_tells_what_is_kept_without_reading_it(self):
        target = Target(self, "contents")
        for options in (("--contents",), ("--hash",), ()):
            self.capture(target, "--append", *options)
        _, contents = self.read()
        kept = [len(contents.places(index)) * PAGE for index in range(2)] + [0]
        told = [(entry["contents"], entry["contents_bytes"])
                for entry in support.ask(self, "list", self.path)["snapshots"]]
        self.assertEqual(told, list(zip(("bytes", "hashes", "none"), kept)))
        shown = run("list", self.path, "-b", "-n", "-r", "-o", "KEPT,CONTENTS").out.decode()
        self.assertEqual([line.split()[0] for line in shown.splitlines()][:2], [str(size) for size in kept[:2]])

    def test_of_older_files_nobody_says_what_they_keep(self):
        golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "good-contents-whole.vms")
        for entry in support.ask(self, "list", golden)["snapshots"]:
            self.assertIsNone(entry["contents"])

    def test_a_name_that_nothing_has_is_warned_of(self):
        target = Target(self, "contents")
        said = self.capture(target, "--contents", "--exclude", "heap", "--exclude", "[stack]").err
        self.assertIn("--exclude heap: no mapping has such a name", said)
        self.assertNotIn("[stack]", said)

    def test_a_series_keeps_each_page_once_and_small_changes_as_differences(self):
        target = Target(self, "contents")
        held = Held(target)
        rng = random.Random(7)
        sizes = []
        history = []
        for number in range(20):
            self.capture(target, "--contents", "--append")
            sizes.append(os.path.getsize(self.path))
            history.append({address: bytes(page) for address, page in held.pages.items()})
            for _ in range(3):
                held.poke("plain", rng.randrange(32), rng.randrange(PAGE), rng.randrange(256))
            if number == 5:
                held.fill("plain", 99, 40, 4)
            if number == 9:
                held.drop("plain", 8, 4)
            if number == 12:
                held.fill("plain", 1, 8, 4)
        self.assertEqual(run("check", self.path).status, 0)
        _, contents = self.read()
        wanted = areas(held, "plain")
        for index, pages in enumerate(history):
            places = contents.places(index)
            for address in wanted:
                found = contents.bytes(places[address]) if address in places else None
                self.assertEqual(found, pages.get(address), (index, hex(address)))
        own = [len(contents.table(index).hashes) for index in range(20)]
        links = [max(contents.table(index).links, default=0) for index in range(20)]
        self.assertLess(max(own[1:]), 16, own)  # a few pages, and those of the target's own stack and data
        self.assertEqual(max(links), 8)
        self.assertEqual({contents.table(index).depth for index in range(20)}, set(range(8)))

    def test_hashes_alone_tell_which_pages_differ_and_keep_no_byte(self):
        target = Target(self, "contents")
        held = Held(target)
        self.capture(target, "--hash")
        held.poke("plain", 3, 77, 1)
        self.capture(target, "--hash", "--append")
        _, contents = self.read()
        before, after = contents.places(0), contents.places(1)
        changed = {address for address in areas(held, "plain") if address in before and
                   contents.hash(before[address]) != contents.hash(after[address])}
        self.assertEqual(changed, {held.address("plain", 3)})
        self.assertEqual([len(contents.table(index).blocks) for index in (0, 1)], [0, 0])

    def test_values_of_hashes_are_refused_for_what_they_are(self):
        target = Target(self, "contents")
        self.capture(target, "--hash")
        self.capture(target, "--hash", "--append")
        done = run("diff", "--values", self.path)
        self.assertEqual(done.status, 2, done)
        self.assertIn("keeps only hashes of what its pages held", done.err)

    def test_values_differ_if_bytes_of_no_variable_do(self):
        target = Target(self, "contents")
        held = Held(target)
        self.capture(target, "--contents")
        self.assertEqual(run("diff", "--values", f"{self.path}@1", f"{self.path}@1").status, 0)
        held.poke("plain", 3, 77, (held.pages[held.address("plain", 3)][77] + 1) & 0xFF)
        self.capture(target, "--contents", "--append")
        done = run("diff", "--values", self.path, "--sysroot", world().home(support.me()))
        self.assertIn(b"No variable that is known changed.", done.out)
        self.assertEqual(done.status, 1, done)

    def differing(self):
        target = Target(self, "contents")
        target.tell("fork")
        pids = target.pid, int(target.lines[-1].split()[1])
        before = [(raw_pagemap(pid), memory_lines(pid)) for pid in pids]
        self.capture(target, "--contents=all")
        after = [(raw_pagemap(pid), memory_lines(pid)) for pid in pids]
        found = [line for (_, lines), (_, others) in zip(before, after) for line in set(lines) ^ set(others)]
        for (entries, _), (others, _) in zip(before, after):
            found += [(hex(at), hex(entries.get(at, 0)), hex(others.get(at, 0))) for at in set(entries) | set(others)
                      if entries.get(at) != others.get(at)]
        target.end()
        return found

    @support.unmoved
    def test_reading_leaves_page_tables_and_sizes_as_they_were(self):
        """Of a forked pair.  A thread that goes on after it stood may have its processor's number written by the
        kernel (rseq), and frames may move: not each time."""
        for _ in range(8):
            found = self.differing()
            if not found:
                return
        self.assertEqual(found, [])


def raw_pagemap(pid):
    """Entries of all pages, but for whether one of a file is mapped by others, too: they come and go."""
    found = {}
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="surrogateescape") as maps, \
            open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if start >= 1 << 47:
                continue
            pagemap.seek(start // PAGE * 8)
            entries = pagemap.read((end - start) // PAGE * 8)
            for index, entry in enumerate(struct.unpack(f"<{len(entries) // 8}Q", entries)):
                found[start + index * PAGE] = entry & ~EXCLUSIVE if entry & OF_FILE else entry
    return found


def memory_lines(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
        return [line for line in status if line.startswith(("Vm", "Rss"))]


if __name__ == "__main__":
    support.main()
