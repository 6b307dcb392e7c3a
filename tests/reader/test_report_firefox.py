"""The page of vmsnap report in Firefox: it draws, and nothing is complained of.  Only when asked for (VMSNAP_FIREFOX=1):
what it says is tested in one browser (test_report_browser.py), and this one begins slowly."""

import os
import subprocess
import tempfile
import unittest

import firefox
import json_inputs
import test_report
import test_report_browser

VMSNAP = os.environ.get("VMSNAP", "vmsnap")


@unittest.skipUnless(os.environ.get("VMSNAP_FIREFOX"), "only when asked for: VMSNAP_FIREFOX=1")
@unittest.skipUnless(firefox.browser(), "Firefox is not on this machine")
class FirefoxTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vmsnap-page-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.browser = firefox.Firefox()
        self.addCleanup(self.browser.close)

    def walk(self, *snapshots):
        series, page = os.path.join(self.folder, "series.vms"), os.path.join(self.folder, "page.html")
        with open(series, "wb") as file:
            file.write(json_inputs.file_of(*snapshots)[0])
        subprocess.run([VMSNAP, "report", series, "-o", page], check=True, stderr=subprocess.DEVNULL)
        self.assertEqual(self.browser.open(page), "1")
        self.assertTrue(self.browser.evaluate("document.querySelector('#summary h1').textContent"))
        for key in "12345nt[]":
            self.browser.key(key)
        self.browser.evaluate(test_report_browser.WALK)
        self.assertGreater(self.browser.evaluate("vmsnapPage.map.lastFrame + 1"), 1)
        self.assertEqual(self.browser.complaints(), [])

    def test_walks(self):
        self.walk(*json_inputs.tree([4243, 4244]), *json_inputs.tree([4244, 4245], 1))
        self.walk(*test_report.rearranged())
        self.walk(*test_report.written_to())


if __name__ == "__main__":
    unittest.main()
