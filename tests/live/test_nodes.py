"""Machines with several memory nodes, where pages get other frames because somebody moves them: what
two processes share they share afterwards, and nothing was copied."""

import ctypes
import os
import unittest

import kernel
import support
from kernel import PAGE
from support import Target, ask, capture, number, pages, skip

NODES = "/sys/devices/system/node"
CALLS = {"x86_64": (256, 279), "aarch64": (238, 239)}.get(os.uname().machine)


def nodes():
    """Those that have memory."""
    found = []
    for name in sorted(os.listdir(NODES)) if os.path.isdir(NODES) else []:
        if name.startswith("node") and name[4:].isdigit():
            memory = kernel.read(f"{NODES}/{name}/meminfo").split(b"MemTotal:")[1].split()[0]
            found += [int(name[4:])] if int(memory) else []
    return found


def call(number_, *arguments):
    done = ctypes.CDLL(None, use_errno=True).syscall(number_, *arguments)
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done


def node_of(pid, addresses):
    """{address: node} of pages that are there."""
    places = (ctypes.c_void_p * len(addresses))(*addresses)
    status = (ctypes.c_int * len(addresses))()
    call(CALLS[1], pid, ctypes.c_ulong(len(addresses)), places, None, status, 0)
    return {at: node for at, node in zip(addresses, status) if node >= 0}


def migrate(pid, old, new):
    """All pages of a process from one node to another, those that others map too."""
    masks = [ctypes.c_ulong(1 << node) for node in (old, new)]
    call(CALLS[0], pid, ctypes.c_ulong(64), ctypes.byref(masks[0]), ctypes.byref(masks[1]))


class Nodes(unittest.TestCase):
    def setUp(self):
        self.nodes = nodes()
        if len(self.nodes) < 2:
            skip(self, "this machine has one memory node")
        if not CALLS:
            skip(self, f"no numbers of system calls for {os.uname().machine}")
        support.need_frames(self)

    def fork_and_migrate(self):
        """Snapshots of a tree before and after its shared pages went to another node."""
        self.target = Target(self, "pages", "forked")
        self.start, self.end = self.target.ranges["forked"]
        self.before = capture(self, self.target.pid, "--tree", name="before")
        here = list(range(self.start, self.start + 48 * PAGE, PAGE))
        was = node_of(self.target.pid, here)
        node = was[self.start]
        other = next(number_ for number_ in self.nodes if number_ != node)
        migrate(self.target.pid, node, other)
        now = node_of(self.target.pid, here)
        self.moved = {at for at in here if was[at] != now[at]}
        if len(self.moved) < 40:
            skip(self, f"the kernel moved {len(self.moved)} of {len(here)} pages to the other node only")
        self.after = capture(self, self.target.pid, "--tree", name="after")

    def test_what_was_moved_is_still_shared(self):
        self.fork_and_migrate()
        parent, child = (pages(self, f"{self.after}@{n}", f"{self.start:x}-{self.end:x}") for n in (1, 2))
        truth = kernel.entries(self.target.pid, [(self.start, self.end)])
        self.assertEqual({at: page[1] for at, page in parent.items()},
                         {at: entry & kernel.FRAME for at, entry in truth.items() if entry & kernel.PRESENT})
        old = pages(self, f"{self.before}@1", f"{self.start:x}-{self.end:x}")
        self.assertTrue(all(old[at][1] != parent[at][1] for at in self.moved), "they have other frames")
        told = {}
        answer = ask(self, "cow", f"{self.after}@1", f"{self.after}@2", "--base", f"{self.before}@1")
        for line in answer["ranges"]:
            for index in range(line["pages"]):
                told[number(line["start"]) + index * PAGE] = (line["verdict"], line["inferred"])
        for index in range(48):
            at = self.start + index * PAGE
            if 8 <= index < 16:  # the child wrote these before all snapshots
                self.assertIn(told[at][0], ("copied", "copied_by_child"), index)
            elif 32 <= index < 36:
                self.assertIn(told[at][0], ("dropped_by_child", "only_in_parent"), index)
            else:
                self.assertEqual(told[at][0], "shared", index)
                self.assertEqual(parent[at][1], child[at][1])

    def test_the_node_of_each_page_is_told(self):
        """capture --kpage, of pages on both: some were moved to the other one."""
        target = Target(self, "pages", "forked")
        start, end = target.ranges["forked"]
        here = list(range(start, start + 48 * PAGE, PAGE))
        for target_node in self.nodes:
            for node in self.nodes:
                if node != target_node:
                    migrate(target.pid, node, target_node)
            truth = node_of(target.pid, here)
            path = capture(self, target.pid, "--kpage")
            told = {}
            for each in ask(self, "pages", path, f"{start:x}-{end:x}")["runs"]:
                for index in range(each["pages"]):
                    told[number(each["start"]) + index * PAGE] = each.get("node")
            self.assertEqual({at: told[at] for at in truth}, truth)
            groups = ask(self, "show", path, "--by", "node", "--range", f"{start:x}-{end:x}")["groups"]
            self.assertEqual({each["node"]: each["resident"] // PAGE for each in groups if each["node"] is not None},
                             {node: list(told.values()).count(node) for node in set(told.values()) - {None}})

    def test_a_page_with_another_frame_is_no_page_that_moved_in_memory(self):
        self.fork_and_migrate()
        answer = ask(self, "diff", f"{self.before}@1", f"{self.after}@1", status=(0, 1))
        self.assertEqual(answer["vmas"], [])
        changed = {number(line["start"]) + index * PAGE for line in answer["pages"] for index in range(line["pages"])
                   if line["change"] == "pfn_changed"}
        self.assertLessEqual(self.moved, changed)


if __name__ == "__main__":
    support.main()
