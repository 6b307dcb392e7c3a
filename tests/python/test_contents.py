"""What pages hold, and the blocks of malloc's in it, of a process that says what it has."""

import os
import subprocess
import sys
import unittest

from module import main, skip

import vmsnap

PAGE = os.sysconf("SC_PAGESIZE")

# Allocates as it is told, prints the addresses, and waits; then writes, and waits again.
ALLOCATES = """
import ctypes, sys, threading
libc = ctypes.CDLL(None)
for name in ("malloc", "calloc"):
    getattr(libc, name).restype = ctypes.c_void_p
if not hasattr(libc, "gnu_get_libc_version"):
    print("other"); sys.exit()
def block(size):
    address = libc.malloc(ctypes.c_size_t(size))
    ctypes.memset(ctypes.c_void_p(address), 1, size)
    return address
small, large, gone = block(1000), block(3 << 20), block(5000)
after = block(16)
libc.free(ctypes.c_void_p(gone))
of_thread = []
def work():
    of_thread.append(block(300))
    sys.stdin.readline()
thread = threading.Thread(target=work)
thread.start()
while not of_thread: pass
print(small, large, gone, of_thread[0], flush=True)
thread.join()
ctypes.memset(ctypes.c_void_p(small + 10), 2, 3)
ctypes.memset(ctypes.c_void_p(large + 100000), 2, 3)
print("written", flush=True)
sys.stdin.readline()
"""


class Process:
    def __init__(self, test):
        self.process = subprocess.Popen([sys.executable, "-c", ALLOCATES], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        test.addCleanup(self.end)
        self.pid = self.process.pid
        self.line = self.process.stdout.readline().split()
        if self.line == ["other"]:
            skip(test, "blocks of malloc's: this C library is not GNU's")

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Contents(unittest.TestCase):
    def setUp(self):
        self.target = Process(self)
        self.small, self.large, self.gone, self.of_thread = map(int, self.target.line)
        self.store = vmsnap.Store()

    def capture(self, **how):
        try:
            return vmsnap.capture(self.target.pid, store=self.store, **how)
        except vmsnap.VmsnapError as error:
            if error.code == vmsnap.Rc.ERR_PERMISSION:
                skip(self, "to look into another process: this user may not")
            raise

    def test_bytes_are_what_the_program_wrote(self):
        taken = self.capture(contents="private")
        self.assertEqual(taken.contents, "bytes")
        self.assertEqual(taken.read(self.small, 1000), b"\1" * 1000)
        self.assertEqual(taken.read(self.large, 3 << 20), b"\1" * (3 << 20))
        self.assertTrue(any(start <= self.small < end for start, end in taken.contents_ranges()))
        self.assertGreater(self.store.memory(), PAGE)

    def test_what_is_not_kept_is_not_known(self):
        for how, kind in (("none", "none"), ("hashes", "hashes")):
            taken = self.capture(contents=how)
            self.assertEqual(taken.contents, kind)
            self.assertEqual(taken.read(self.small, 10), b"")
        limited = self.capture(contents="private", contents_limit=PAGE)
        self.assertEqual(limited.contents, "none")
        self.assertGreater(limited.info.contents_left_out, 3 << 20)
        with self.assertRaises(vmsnap.VmsnapError):
            self.capture(contents="everything")

    def test_pages_that_were_written_to_differ(self):
        before = self.capture(contents="private")
        self.assertEqual(self.target.go_on(), "written")
        after = self.capture(contents="private")
        differ = [(start, end) for start, end, differs in before.contents_compare(after) if differs]
        for address in (self.small + 10, self.large + 100000):
            self.assertTrue(any(start <= address < end for start, end in differ), hex(address))
        page = self.large // PAGE * PAGE + (1 << 20)
        self.assertFalse(any(start <= page < end for start, end in differ), "nobody wrote there")
        self.assertEqual(after.read(self.small, 14), b"\1" * 10 + b"\2" * 3 + b"\1")
        self.assertEqual(before.read(self.small, 14), b"\1" * 14, "it stays as it was")

    def test_blocks_of_malloc_are_found_by_any_address_in_them(self):
        taken = self.capture(contents="private")
        asked = sorted([self.small, self.small + 999, self.large, self.large + (2 << 20), self.of_thread + 50])
        found = dict(zip(asked, taken.heap_blocks(asked)))
        around = next(mapping for mapping in taken.mappings if mapping.start <= self.large < mapping.end)
        joined = around.end - around.start > (3 << 20) + 2 * PAGE
        for address, size in ((self.small, 1000), (self.small + 999, 1000), (self.large, 3 << 20),
                              (self.large + (2 << 20), 3 << 20), (self.of_thread + 50, 300)):
            block = found[address]
            # Of one mapping that the kernel made of malloc's and of what lay beside it nothing shows which is which.
            if block is None and joined and around.start <= address < around.end:
                continue
            self.assertIsNotNone(block, hex(address))
            self.assertIn(block.address, (self.small, self.large, self.of_thread))
            self.assertLessEqual(size, block.size)
            self.assertLess(block.size, size + 2 * PAGE, "malloc rounds up, and no more than to pages")
            self.assertFalse(block.is_free)

    def test_other_memory_is_no_block(self):
        taken = self.capture(contents="private")
        stack = next(mapping for mapping in taken.mappings if mapping.name == "[stack]")
        self.assertEqual(taken.heap_blocks([self.small - 8, stack.end - 100]), [None, None])
        with self.assertRaises(vmsnap.VmsnapError):
            taken.heap_blocks([self.large, self.small] if self.large > self.small else [self.small, self.large])
        self.assertEqual(self.capture(contents="hashes").heap_blocks([self.small]), [None], "of hashes nothing is known")


if __name__ == "__main__":
    main()
