"""vmsnap.export(): the same as the command makes of the same snapshots."""

import os
import sqlite3
import subprocess
import tempfile
import unittest

from module import SOURCE, main, vmsnap

VMSNAP = os.environ.get("VMSNAP", "vmsnap")
GOLDEN = os.path.join(SOURCE, "tests", "golden")
FILES = [os.path.join(GOLDEN, name) for name in ("good-small.vms", "good-labels.vms")]


class ExportTest(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="vmsnap-export-")
        self.addCleanup(made.cleanup)
        self.folder = made.name
        self.snapshots = [one for path in FILES for one in vmsnap.load(path)]

    def command(self, *words):
        return subprocess.run([VMSNAP, "export", *words], stdout=subprocess.PIPE, check=True).stdout

    def test_is_what_the_command_says(self):
        for table in ("snapshot", "object", "vma", "group_share", "event"):
            self.assertEqual(vmsnap.export("tsv", self.snapshots, table=table),
                             self.command("--format", "tsv", "--table", table, *FILES))
        for format_ in ("openmetrics", "folded", "pprof"):
            self.assertEqual(vmsnap.export(format_, self.snapshots), self.command("--format", format_, *FILES))
        self.assertEqual(
            vmsnap.export("tsv", self.snapshots, table="run", runs=True, headings=False, host="a", strip=("pfns",), schema="postgres"),
            self.command("--format", "tsv", "--table", "run", "--runs", "-n", "--host", "a", "--strip", "pfns", "--schema", "postgres",
                         *FILES))
        for engine in ("sqlite", "clickhouse", "postgres"):
            self.assertEqual(vmsnap.export_schema(engine).encode(), self.command("--schema", engine))

    def test_into_files(self):
        path = os.path.join(self.folder, "all.db")
        keys = set(vmsnap.export("tsv", self.snapshots, table="snapshot", headings=False).splitlines())
        for _ in range(2):
            self.assertIsNone(vmsnap.export("sqlite", self.snapshots, path))
        with sqlite3.connect(path) as database:
            self.assertEqual(database.execute("SELECT count(*) FROM snapshot").fetchone(), (len({row.split(b"\t")[0] for row in keys}),))
        path = os.path.join(self.folder, "some.prom")
        with self.assertRaises(ZeroDivisionError), vmsnap.Export("openmetrics", path) as made:
            made.add(self.snapshots[:1])
            raise ZeroDivisionError
        self.assertFalse(os.path.exists(path))
        with vmsnap.Export("openmetrics", path) as made:
            made.add(self.snapshots[:1])
        with open(path, "rb") as file:
            self.assertEqual(file.read(), vmsnap.export("openmetrics", self.snapshots[:1]))

    def test_a_group_has_what_it_knows_of_shares(self):
        group = vmsnap.Group([vmsnap.capture(os.getpid())])
        heading, row = (line.split("\t") for line in vmsnap.export("tsv", group, table="group_share").decode().splitlines())
        told, [process] = dict(zip(heading, row)), group.processes
        self.assertEqual((int(told["members"]), int(told["rss"])), (1, process.rss))
        self.assertEqual(told["pss"], "\\N" if process.pss is None else str(process.pss))

    def test_what_cannot_be(self):
        for how, says in ((("xml", []), "no format 'xml': sqlite, tsv"), (("sqlite", []), "goes to a file"),
                          (("tsv", [], None, {"table": "vmas"}), "no table"), (("tsv", [], None, {"schema": "oracle"}), "no schema"),
                          (("folded", [], None, {"strip": ("all",)}), "'all' cannot be left out"),
                          (("openmetrics", [], None, {"runs": True}), "no use for")):
            *arguments, options = how if isinstance(how[-1], dict) else (*how, {})
            with self.assertRaisesRegex(vmsnap.VmsnapError, says):
                vmsnap.export(*arguments, **options)
        with self.assertRaisesRegex(vmsnap.VmsnapError, "no schema"):
            vmsnap.export_schema("oracle")


if __name__ == "__main__":
    main()
