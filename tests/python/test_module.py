"""The module in a plain Python: what it says of programs is what the kernel says."""

import array
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from module import PAGE, ROOT, SOURCE, Target, kernel, main, skip, unmoved, vmsnap, world

PRESENT = vmsnap.PageFlag.PRESENT


class Loading(unittest.TestCase):
    def python(self, *code, **env):
        return subprocess.run([sys.executable, "-B", "-c", "\n".join(code)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False,
                              env={**os.environ, "PYTHONPATH": os.path.join(SOURCE, "python"), **env}, cwd="/")

    def test_importing_it_loads_nothing_and_needs_no_gdb(self):
        done = self.python("import sys, vmsnap", "print('ctypes' in sys.modules, 'gdb' in sys.modules)",
                           "print(all(hasattr(vmsnap, name) for name in vmsnap.__all__), 'gdb' in sys.modules)")
        self.assertEqual(done.stdout, "False False\nTrue False\n")

    def test_no_file_of_it_imports_gdb(self):
        for name in os.listdir(os.path.join(SOURCE, "python", "vmsnap")):
            if name.endswith(".py"):
                with open(os.path.join(SOURCE, "python", "vmsnap", name), encoding="utf-8") as file:
                    self.assertNotRegex(file.read(), r"(?m)^\s*(import|from) (gdb|vmsnap_gdb)\b", name)

    def test_missing_and_foreign_library_are_said(self):
        for library, words in (("/nowhere/libvmsnap.so.0", "cannot load"), ("libz.so.1", "not the vmsnap library"),
                               (os.path.join(world().targets, "other_version.so"), "9.9.9")):
            done = self.python("import os, vmsnap", "try: vmsnap.capture(os.getpid())",
                               "except vmsnap.VmsnapError as error: print(error)", VMSNAP_LIB=library)
            self.assertIn(words, done.stdout)
            self.assertNotIn("Traceback", done.stdout)


class Recorded(unittest.TestCase):
    def test_folder_of_another_machine(self):
        line = b"12c00000-12c04000 rw-p 00000000 00:00 0                  [anon:x]\n"
        files = {"maps": line, "smaps": line + b"Name:  [anon:x]\nRss:  16 kB\n", "pagemap": b"",
                 "identity": b"Page-size: 16384\nHost: far away\n", "cgroup": b"0::/system.slice/app.service\n"}
        with tempfile.TemporaryDirectory() as folder:
            for name, data in files.items():
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(data)
            snapshot = vmsnap.recorded(folder, label="there", smaps=True)
        self.assertEqual((snapshot.label, snapshot.page_size), ("there", 16384))
        self.assertEqual(snapshot.smaps, [{"Name": "[anon:x]", "Rss": 16384}])
        info = snapshot.info
        self.assertEqual((info.host, info.kernel, info.boot_id, info.taken), (b"far away", b"", b"", 0))
        self.assertEqual((info.cgroup, info.unit), (b"/system.slice/app.service", b"app.service"))
        self.assertRaises(OSError, vmsnap.recorded, folder)


class Snapshots(unittest.TestCase):
    def setUp(self):
        self.target = Target(self, "pages", "anonymous")
        self.pid = self.target.pid
        self.snapshot = vmsnap.capture(self.pid, label="here", reason="a test", smaps=True)

    def test_mappings_are_those_of_maps(self):
        wanted = [(vma.start, vma.end, vma.perms, vma.offset, vma.inode, vma.name) for vma in kernel.maps(self.pid)]
        found = [(m.start, m.end, m.mode, m.offset, m.inode, os.fsencode(m.name)) for m in self.snapshot.mappings]
        self.assertEqual(found, wanted)
        first = self.snapshot.mappings[0]
        self.assertEqual(self.snapshot.mapping_at(first.end - 1), first)
        self.assertIsNone(self.snapshot.mapping_at(first.start - 1))

    def entries(self, start, end):
        entries = kernel.entries(self.pid, [(start, end)])
        return [entries.get(at, 0) for at in range(start, end, PAGE)]

    def test_all_pages_of_a_range_in_one_array(self):
        start, end = self.target.ranges["anonymous"]
        # Our two bits beyond the kernel's: the zero page and huge ones.
        mask = ~((vmsnap.PageFlag.ZERO | vmsnap.PageFlag.HUGE) << vmsnap.ENTRY_FLAGS_SHIFT)
        entries = self.snapshot.pages(start, end)
        self.assertIsInstance(entries, array.array)
        self.assertEqual([entry & mask for entry in entries], self.entries(start, end))
        mine = memoryview(bytearray(8 * len(entries) + 8))
        self.assertIs(self.snapshot.pages(start, end, into=mine), mine)
        self.assertEqual(mine[:-8].cast("Q").tolist(), entries.tolist())
        self.assertEqual(self.snapshot.pages(start + 1, start + PAGE + 1).tolist(), entries[:2].tolist())
        self.assertEqual(len(self.snapshot.pages(end, start)), 0)
        for wrong in (lambda: self.snapshot.pages(start, end, into=bytearray(8)),
                      lambda: self.snapshot.pages(0, (1 << 64) - 1), lambda: self.snapshot.pages(-1, 5)):
            self.assertRaises(vmsnap.VmsnapError, wrong)

    def test_runs_cover_the_pages_that_are_there(self):
        start, end = self.target.ranges["anonymous"]
        there = {at for run in self.snapshot.runs(start, end) for at in range(run.start, run.end, PAGE)}
        entries = self.snapshot.pages(start, end)
        self.assertEqual(there, {start + index * PAGE for index, entry in enumerate(entries) if entry})
        run = next(self.snapshot.runs(start, end))
        self.assertTrue(run.present and "present" in run.words and not run.swapped)
        self.assertEqual(self.snapshot.page_at(start + 7).start, start)
        self.assertEqual(self.snapshot.sums(start, end)["resident"], PAGE * len(there))
        self.assertEqual(self.snapshot.resident(),
                         sum(run.end - run.start for run in self.snapshot.runs() if run.present))
        if ROOT and run.pfn:
            self.assertEqual(run.pfn, entries[0] & vmsnap.ENTRY_PFN)

    def test_status_threads_and_smaps(self):
        status = kernel.status(self.pid)
        self.assertEqual(self.snapshot.status["Name"], "pages")
        self.assertEqual(self.snapshot.status["Uid"].split(), status["Uid"].decode().split())
        self.assertEqual(self.snapshot.status_number("VmData"), int(status["VmData"].split()[0]) * 1024)
        self.assertIsNone(self.snapshot.status_number("Name"))
        self.assertIsNone(self.snapshot.status_number("Nothing"))
        self.assertEqual([(thread.tid, thread.comm) for thread in self.snapshot.threads], [(self.pid, "pages")])
        wanted = [fields["Rss"] for _, _, fields in kernel.smaps(self.pid)]
        self.assertEqual([fields["Rss"] for fields in self.snapshot.smaps], wanted)
        self.assertEqual(vmsnap.capture(self.pid).smaps, [])

    def test_what_it_knows_of_itself(self):
        self.assertEqual((self.snapshot.pid, self.snapshot.label, self.snapshot.reason, self.snapshot.comm),
                         (self.pid, "here", "a test", "pages"))
        self.assertIn("'here'", repr(self.snapshot))
        self.assertIn('"schema": "vmsnap.show/1"', self.snapshot.show_text(vmsnap.JSON))
        # Its strings live as long as somebody looks at them.
        info, known = vmsnap.capture(self.pid, label="kept " * 20).info, vmsnap.capture(self.pid).info.known
        gc.collect()
        others = [vmsnap.capture(self.pid) for _ in range(5)]
        self.assertEqual((info.label, info.pid, known.pfn), (b"kept " * 20, self.pid, others[0].info.known.pfn))

    def test_a_filter_chooses_what_texts_tell(self):
        style = vmsnap.Style(raw=True, no_headings=True, columns="START,MAPPING")
        stack = next(mapping for mapping in self.snapshot.mappings if mapping.name == "[stack]")
        only = vmsnap.Filter(name="[stack]", perm="w")
        self.assertEqual(self.snapshot.show_text(style, only), f"{stack.start:x} [stack]\n")
        starts = [run.start for run in self.snapshot.runs(stack.start, stack.end)]
        rows = self.snapshot.pages_text(style, filter=only).splitlines()
        self.assertEqual([int(row.split()[0], 16) for row in rows], starts)
        self.assertIn("name [stack]", self.snapshot.map_text(filter=only))
        for wrong in ({"perm": "q"}, {"only": "red"}, {"pfn": "x"}, {"start": 2, "end": 1}):
            self.assertRaises(vmsnap.VmsnapError, vmsnap.Filter, **wrong)

    def test_errors_have_codes_and_arguments_are_checked(self):
        for wrong in (lambda: vmsnap.capture(0), lambda: vmsnap.capture("1"), lambda: vmsnap.capture(1, "a\0b"),
                      lambda: self.snapshot.page_at(1 << 64), lambda: vmsnap.save("a\0b", [self.snapshot])):
            self.assertRaises(vmsnap.VmsnapError, wrong)
        self.target.end()
        with self.assertRaises(vmsnap.VmsnapError) as caught:
            vmsnap.capture(self.pid)
        self.assertEqual(caught.exception.code, vmsnap.Rc.ERR_NO_PROCESS)


class Interrupts(unittest.TestCase):
    def test_ctrl_c_ends_the_librarys_work_and_arrives_after_it(self):
        snapshot = vmsnap.capture(Target(self, "pages", "anonymous").pid)
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        try:
            signal.raise_signal(signal.SIGINT)
            with self.assertRaises(vmsnap.VmsnapError) as caught:
                snapshot.show_text()
            self.assertEqual(caught.exception.code, vmsnap.Rc.ERR_CANCELLED)
        finally:
            with self.assertRaises(KeyboardInterrupt):
                signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))
                time.sleep(1)
        self.assertTrue(snapshot.show_text())


@unmoved
class Comparisons(unittest.TestCase):
    def setUp(self):
        self.target = Target(self, "cow_demo", "wait")
        self.base = vmsnap.capture(self.target.pid, label="base")
        self.target.tell("fork")
        self.before = vmsnap.capture_tree(self.target.pid)
        self.target.tell("write")
        self.after = vmsnap.capture_tree(self.target.pid)

    def at(self, ranges, address):
        return next(r for r in ranges if r.start <= address < r.end)

    def test_a_tree_is_all_of_it_its_root_first(self):
        self.assertEqual(len(self.after), 2)
        self.assertEqual(self.after[1].ppid, self.after[0].pid)
        self.assertEqual(self.after[0].pid, self.target.pid)

    def test_descendants_that_have_ended_are_told(self):
        target, left_out = Target(self, "processes", "zombie"), []
        found = vmsnap.capture_tree(target.pid, left_out=left_out)
        self.assertEqual([one.pid for one in found], [target.pid])
        self.assertEqual(left_out, [(int(target.lines[0].split()[1]), "zombie")])

    def test_whether_it_is_of_one_instant(self):
        self.assertIs(self.base.one_instant(), True)
        self.assertIsNone(vmsnap.capture(self.target.pid, freeze=False).one_instant())

    def test_two_runs_are_compared_mapping_by_mapping(self):
        one, other = self.before[0], self.after[0]
        aslr = vmsnap.Aslr(one, other)
        self.assertEqual([row.b.start for row in aslr if row.b], [mapping.start for mapping in other.mappings])
        self.assertEqual(aslr.total.b.size, sum(mapping.end - mapping.start for mapping in other.mappings))
        self.assertEqual(aslr.total.a.resident, sum(row.a.resident for row in aslr if row.a))
        self.assertEqual(sum(group.both for group in aslr.groups), aslr.total.both)
        self.assertEqual({row.kind for row in aslr if row.b and row.b.mapping.name == "[stack]"}, {"stack"})
        self.assertIs(aslr[0].contents, None)
        self.assertFalse(vmsnap.Aslr(one, one).any())
        self.assertEqual({row.differs for row in vmsnap.Aslr(one, one)}, {()})
        self.assertIn("vmsnap.aslr/1", aslr.text(vmsnap.JSON))
        self.assertRaises(IndexError, lambda: aslr[len(aslr)])

    def test_sets_are_compared_process_by_process(self):
        before, after = vmsnap.Set(self.before), vmsnap.Set(self.after)
        sums = after.sums()
        self.assertEqual(sums["resident"], sum(one.resident() for one in self.after))
        self.assertLessEqual(sums["distinct"] + sums["hidden"], sums["resident"])
        diff = vmsnap.SetDiff(before, after)
        self.assertEqual([(a.pid, b.pid) for a, b, _ in diff.processes], [(one.pid, one.pid) for one in self.after])
        self.assertTrue(diff.any() and not vmsnap.SetDiff(before, before).any())
        self.assertEqual(diff.totals["distinct_b"], sums["distinct"])
        self.assertIn("vmsnap.set_diff/1", diff.text(vmsnap.JSON))
        cow = vmsnap.SetCow(after, before)
        (root, nobody, _), (child, parent, totals) = cow.processes
        self.assertEqual((root.pid, nobody, child.pid, parent.pid), (self.after[0].pid, None, self.after[1].pid, root.pid))
        self.assertEqual(totals, vmsnap.cow(*self.after, self.before[0], other=self.before[1]).totals)
        self.assertIn("vmsnap.set_cow/1", cow.text(vmsnap.JSON))
        self.assertRaises(vmsnap.VmsnapError, vmsnap.Set, [self.before[0], self.after[0]])

    def test_snapshots_of_a_file_are_found_by_process(self):
        folder = tempfile.mkdtemp(prefix="vmsnap-module-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "trees.vms")
        vmsnap.save(path, self.before)
        vmsnap.save(path, self.after, append=True)
        file, child = vmsnap.open(path), self.after[1].pid
        self.assertEqual([file.find(word) for word in (f"pid:{child}", f"pid:{child}@1", "2")], [3, 1, 1])
        self.assertEqual([file.select("2..-1"), file.instant(0), file.instant(3)], [range(1, 4), range(2), range(2, 4)])

    def test_diff_tells_ranges_with_facts_mappings_and_names(self):
        diff = vmsnap.diff(self.before[1], self.after[1])
        start, _ = self.target.ranges["table"]
        row = self.at(diff.ranges, start + 4 * PAGE)
        self.assertEqual((row.start, row.end, row.pages), (start + 3 * PAGE, start + 6 * PAGE, 3))
        self.assertIn("pfn_changed" if diff.b.info.known.pfn else "became_exclusive", row.changes)
        self.assertEqual(row.names, ["table"])
        self.assertTrue(row.mapping.start <= row.start < row.mapping.end and row.mapping.mode == "rw-p")
        self.assertFalse(row.touched or row.executable)
        self.assertEqual(sum(r.pages for r in diff.ranges if row.changes[0] in r.changes), diff.totals[row.changes[0]])
        self.assertTrue(set(row.kinds) <= {"new", "gone", "copied", "written", "other"})
        self.assertEqual(bool(row.kinds), diff.b.info.known.pfn, "what another process did is of no kind")
        self.assertIsNone(row.moved_from)
        self.assertTrue(diff.any() and not vmsnap.diff(self.after[1], self.after[1]).any())
        self.assertEqual(diff.mappings, [])
        self.assertIn("became_exclusive", diff.text(names=diff.names))
        self.assertIsInstance(diff.status, dict)

    def test_ranges_are_a_sequence(self):
        ranges = vmsnap.diff(self.before[1], self.after[1]).ranges
        self.assertEqual(ranges[-1].start, list(ranges)[-1].start)
        self.assertEqual([r.start for r in ranges[:2]], [r.start for r in ranges][:2])
        self.assertRaises(IndexError, lambda: ranges[len(ranges)])
        self.assertRaises(AttributeError, lambda: ranges[0].nothing)
        self.assertIn(ranges[0].changes[0], repr(ranges[0]))

    def test_cow_tells_verdicts(self):
        cow = vmsnap.cow(*self.after, base=self.before[0], other=self.before[1])
        row = self.at(cow.ranges, self.target.ranges["global_counter"][0])
        self.assertIn("global_counter", row.names)
        if cow.child.info.known.pfn:
            moves = {snap.info.page_moves for snap in (cow.base, cow.parent, cow.child)}
            if len(moves) == 1 and 0 not in moves:
                self.assertEqual((row.verdict, row.inferred), ("copied_by_child", False))
            else:  # the kernel moved pages meanwhile, of whomever
                self.assertIn((row.verdict, row.inferred), (("copied_by_child", True), ("copied", True)))
        else:
            self.assertTrue(row.inferred)
        self.assertEqual(sum(r.pages for r in cow.ranges if r.verdict == row.verdict), cow.totals[row.verdict])
        self.assertEqual(sum(cow.totals.values()), sum(r.pages for r in cow.ranges))
        self.assertEqual(cow.warning(), "" if cow.child.info.known.pfn else "PFNs are not known")
        self.assertIn(row.verdict, cow.text(totals=True))
        self.assertIn("of the sharing is lost", cow.text())

    def test_names_of_addresses(self):
        names = vmsnap.Names(self.after[0])
        start, end = self.target.ranges["table"]
        found = names.at(start + 5)
        self.assertEqual((str(found), found.address, found.size, found.kind),
                         ("table", start, end - start, vmsnap.NameKind.OBJECT))
        self.assertTrue(found.object.endswith("cow_demo"))
        self.assertEqual([str(name) for name in names.within(start, end)], ["table"])
        self.assertIsNone(names.at(PAGE))
        with self.assertRaises(vmsnap.VmsnapError):
            names.at(-1)

    def test_what_pages_held_is_what_the_kernel_shows(self):
        start, end = self.target.ranges["table"]
        with open(f"/proc/{self.target.pid}/mem", "rb") as memory:
            memory.seek(start)
            here = memory.read(end - start)
        store = vmsnap.Store()
        taken = [vmsnap.capture(self.target.pid, contents="private", store=store) for _ in range(2)]
        self.assertEqual([each.contents for each in taken], ["bytes", "bytes"])
        self.assertEqual(taken[0].read(start, end - start), here)
        self.assertEqual(taken[1].read(start + 5, 7), here[5:12])
        self.assertTrue(any(first <= start < last for first, last in taken[0].contents_ranges()))
        self.assertEqual(taken[0].contents_hash(start), taken[1].contents_hash(start))
        self.assertTrue(0 < store.pages() * PAGE < store.memory() + PAGE)
        hashes = vmsnap.capture(self.target.pid, contents="hashes")
        self.assertEqual((hashes.contents, hashes.read(start, 8)), ("hashes", b""))
        self.assertEqual(hashes.contents_hash(start), taken[0].contents_hash(start))
        none = vmsnap.capture(self.target.pid)
        self.assertEqual((none.contents, none.read(start, 8), none.contents_hash(start)), ("none", b"", None))
        self.assertRaises(vmsnap.VmsnapError, vmsnap.capture, self.target.pid, contents="some")
        self.assertRaises(vmsnap.VmsnapError, taken[0].read, start, -1)

    def test_captured_names_come_back(self):
        mine = vmsnap.Annotation(self.target.ranges["table"][0], 8, vmsnap.AnnotationKind.LOCAL, self.target.pid, 0,
                                   "main", "mine", "long")
        snapshot = vmsnap.capture(self.target.pid)
        snapshot.annotate([mine])
        snapshot.set_label("later")
        self.assertEqual(snapshot.label, "later")
        self.assertEqual(snapshot.annotations(), [mine])
        self.assertIn("mine in main()", map(str, vmsnap.Names(snapshot).within(mine.address, mine.address + 8)))

    def test_names_that_wait_are_not_lost_when_they_cannot_be_handed_over(self):
        start = self.target.ranges["table"][0]
        good = vmsnap.Annotation(start, 8, vmsnap.AnnotationKind.LOCAL, self.target.pid, 0, "main", "mine", "long")
        snapshot = vmsnap.capture(self.target.pid)
        snapshot.annotate_later([good._replace(type="a\0b")])
        for _ in range(2):
            self.assertRaises(vmsnap.VmsnapError, lambda: snapshot.label)
        told = []
        snapshot.annotate_later([], lambda *failure: told.append(failure))
        self.assertEqual((snapshot.label, snapshot.annotations()), ("", []))
        self.assertEqual([each for each, _ in told], [snapshot])
        snapshot.annotate_later([good])
        self.assertEqual(snapshot.annotations(), [good])

    def test_comparisons_keep_what_they_were_made_from(self):
        diff = vmsnap.diff(self.before[1], self.after[1])
        del self.before, self.after
        gc.collect()
        self.assertIn("table", str([r.names for r in diff.ranges]))


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "some.vms")
        self.target = Target(self, "pages", "anonymous")
        self.taken = [vmsnap.capture(self.target.pid, label=label) for label in ("one", "two")]

    def test_saved_and_loaded_again(self):
        vmsnap.save(self.path, self.taken)
        vmsnap.save(self.path, vmsnap.capture(self.target.pid, label="three"), append=True)
        file = vmsnap.open(self.path)
        self.assertEqual([snapshot.label for snapshot in file], ["one", "two", "three"])
        self.assertEqual((len(file), file[-1].label, file.find("two"), file.damage()), (3, "three", 1, None))
        self.assertEqual((file.peek(0).label, file.peek(0).mapping_count()), ("one", 0))
        self.assertIn("three", file.list_text())
        loaded = vmsnap.load(self.path)
        start, end = self.target.ranges["anonymous"]
        self.assertEqual(loaded[1].pages(start, end), self.taken[1].pages(start, end))
        self.assertFalse(any(r.changes for r in vmsnap.diff(self.taken[0], loaded[0]).ranges))
        self.assertRaises(IndexError, lambda: file[3])
        self.assertRaises(vmsnap.VmsnapError, lambda: file.find("four"))

    def test_damaged_and_other_files_are_said(self):
        vmsnap.save(self.path, self.taken)
        with open(self.path, "r+b") as file:
            file.truncate(os.path.getsize(self.path) - 10)
        self.assertEqual(vmsnap.open(self.path).damage().code, vmsnap.Rc.ERR_TRUNCATED)
        self.assertRaises(vmsnap.VmsnapError, lambda: vmsnap.load(self.path))
        with self.assertRaises(vmsnap.VmsnapError) as caught:
            vmsnap.open(__file__)
        self.assertEqual(caught.exception.code, vmsnap.Rc.ERR_NOT_SNAPSHOT)
        self.assertRaises(vmsnap.VmsnapError, lambda: vmsnap.open("/dev/zero"))


class Now(unittest.TestCase):
    def test_a_process_as_it_is(self):
        target = Target(self, "pages", "anonymous")
        found = vmsnap.process_now(target.pid)
        self.assertEqual((found.pid, found.tgid, found.ppid, found.tracer), (target.pid, target.pid, os.getpid(), 0))
        self.assertEqual(found.state, kernel.state(target.pid))
        self.assertEqual(found.start_time, vmsnap.capture(target.pid).start_time)
        self.assertGreater(vmsnap.auxv_now(target.pid, vmsnap.AT_ENTRY), 0)
        self.assertEqual(vmsnap.auxv_now(target.pid, 123456), 0)
        start, end = target.ranges["anonymous"]
        entries = kernel.entries(target.pid, [(start, end)])
        self.assertEqual(list(vmsnap.pages_now(target.pid, start, end)),
                         [entries.get(at, 0) for at in range(start, end, PAGE)])
        page, known = vmsnap.page_now(target.pid, start)
        self.assertTrue(page.present)
        self.assertIsNone(vmsnap.page_now(target.pid, 0)[0])
        try:
            self.assertIn(target.pid, vmsnap.children_now(os.getpid()))
        except vmsnap.VmsnapError:
            skip(self, "children: a kernel without CONFIG_PROC_CHILDREN")
        brief = vmsnap.Snapshot.capture(target.pid, brief=True)
        self.assertFalse(brief.info.memory_known)
        self.assertEqual([run.start for run in brief.runs()], [run.start for run in vmsnap.capture(target.pid).runs()])
        vmsnap.put_back()
        vmsnap.put_back(everywhere=True)
        target.end()
        self.assertIsNone(vmsnap.process_now(target.pid))


if __name__ == "__main__":
    main()
