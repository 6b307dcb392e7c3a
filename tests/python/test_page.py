"""vmsnap.save_page(): a page of snapshots that a program holds."""

import os
import sys
import tempfile
import unittest

from module import SOURCE, main, vmsnap

sys.path.insert(0, os.path.join(SOURCE, "tests", "reader"))
import vmsreport  # noqa: E402

GOLDEN = os.path.join(SOURCE, "tests", "golden")


class PageTest(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="vmsnap-page-")
        self.addCleanup(made.cleanup)
        self.folder = made.name

    def saved(self, **options):
        path = os.path.join(self.folder, "page.html")
        vmsnap.save_page(path, vmsnap.load(os.path.join(GOLDEN, "good-small.vms")), **options)
        with open(path, encoding="utf-8") as file:
            return vmsreport.Report(file.read())

    def test_has_what_the_snapshot_has(self):
        snapshot = vmsnap.load(os.path.join(GOLDEN, "good-small.vms"))[0]
        report = self.saved(title="small")
        pages = [run.start // 4096 + i for run in snapshot.runs() for i in range((run.end - run.start) // 4096)]
        self.assertEqual(report.track("states", 0).pages, pages)
        self.assertEqual(report.head["strings"][report.head["title"]], "small")

    def test_strips(self):
        self.assertTrue(self.saved().head["known"]["frames"])
        report = self.saved(strip=("pfns", "host"))
        self.assertFalse(report.head["known"]["frames"])
        self.assertEqual(report.head["strings"][report.head["host"]], "")

    def test_is_saved_once(self):
        page = vmsnap.Page()
        path = os.path.join(self.folder, "page.html")
        with self.assertRaisesRegex(vmsnap.VmsnapError, "nothing to show"):
            page.save(path)
        self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    main()
