"""Page faults as they happen, in Python: of a program that knows what it wrote."""

import ctypes
import platform
import unittest

from module import PAGE, Target, main, skip, vmsnap


def watch(test, pid, **how):
    try:
        return vmsnap.FaultWatch([pid], **how)
    except vmsnap.VmsnapError as error:
        if error.code in (vmsnap.Rc.ERR_PERMISSION, vmsnap.Rc.ERR_NOT_FOUND):
            skip(test, f"page faults cannot be watched: {error}")
        raise


class Watching(unittest.TestCase):
    def look(self, **how):
        target = Target(self, "blame", "flood", 1)
        with watch(self, target.pid, **how) as faults:
            before = vmsnap.capture(target.pid)
            target.tell("go")
            faults.read()
            after = vmsnap.capture(target.pid)
            faults.stop()
            taken = faults.take()
            taken = taken.named([before, after], vmsnap.Names(after), faults)
            blame = vmsnap.Blame([before], [after], taken, faults)
        return target, taken, blame

    def test_each_page_is_blamed_on_its_function(self):
        target, taken, blame = self.look(frames=1)
        start, end = target.ranges["flooded"]
        pages = {}
        for row in blame:
            pages.update({page: row for page in range(row.start, row.end, PAGE) if start <= page < end})
        self.assertEqual(len(pages), (end - start) // PAGE)
        self.assertEqual({row.became for row in pages.values()}, {"new"})
        for page, row in pages.items():
            (fault,) = row.faults or (None,)
            if fault is None and taken.faults.lost:
                continue
            self.assertEqual((fault.pid, fault.address // PAGE * PAGE), (target.pid, page))
            self.assertEqual(taken.faults.code(fault.ip, fault.pid).function, "write_store")
            self.assertEqual(taken.faults.code(fault.ip, fault.pid).file.rsplit("/", 1)[-1], "blame.c")
        # Where neither the processor's word is to be had (tracefs) nor instructions are decoded, nobody knows who wrote.
        told = "write_store" if platform.machine() == "x86_64" else r"write_store|\(one of several\)"
        self.assertRegex(blame.text(), told)
        self.assertIn('"schema": "vmsnap.blame/1"', blame.text(by="stack", style=vmsnap.JSON))
        target.end()

    def test_call_chains(self):
        target, taken, _ = self.look()
        stacks = [fault.stack for fault in taken.faults if fault.stack and fault.pid == target.pid]
        self.assertTrue(stacks)
        self.assertTrue(all(fault.stack[0] == fault.ip for fault in taken.faults if fault.stack))
        target.end()

    def test_each_snapshot_has_those_since_the_one_before(self):
        target, shares = Target(self, "blame", "flood", 1), vmsnap.FaultShares()
        with watch(self, target.pid, children=False) as faults:
            faults.add(target.pid)  # twice is once
            before, after = vmsnap.capture(target.pid), None
            shares.add(faults.take())
            shares.give([before])
            target.tell("go")
            after = vmsnap.capture(target.pid)
            shares.add(faults.take())
            shares.give([after])
        self.assertIsNone(before.faults)
        self.assertEqual(after.faults.begin, before.info.monotonic)
        self.assertGreaterEqual(len(after.faults) + (after.faults.lost or 0), 1)
        self.assertTrue(all(before.info.monotonic < fault.time <= after.info.monotonic for fault in after.faults))
        target.end()

    def test_whoever_begins_to_watch_can_change_their_mind(self):
        from vmsnap import _header, _lib
        target, asked, handle = Target(self, "blame", "flood", 1), [], ctypes.c_void_p()
        watch(self, target.pid).close()
        options = _lib.struct(_header.FaultWatchOptions)
        kind = type(options.cancelled)
        options.cancelled = kind(lambda _: asked.append(1) or True)
        with self.assertRaises(vmsnap.VmsnapError) as caught:
            _lib.lib().vmsnap_fault_watch_open((ctypes.c_int * 1)(target.pid), 1, ctypes.byref(options),
                                               ctypes.byref(handle))
        self.assertEqual((caught.exception.code, asked, handle.value), (vmsnap.Rc.ERR_CANCELLED, [1], None))
        target.end()

    def test_words_that_mean_nothing(self):
        with self.assertRaises(vmsnap.VmsnapError):
            vmsnap.FaultWatch([2 ** 22 - 1])
        with self.assertRaises(vmsnap.VmsnapError):
            vmsnap.FaultWatch([1], frames=1000)


if __name__ == "__main__":
    main()
