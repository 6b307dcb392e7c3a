"""vmsnap report: what its page says of two instants, and of a fork, is what the command line says; and the page is made
of what its sources are."""

import glob
import hashlib
import itertools
import json
import os
import re
import resource
import stat
import subprocess
import tempfile
import unittest

import json_inputs
import vmsreport

VMSNAP = os.environ.get("VMSNAP", "vmsnap")
SOURCES = os.path.join(os.environ["VMSNAP_SOURCE"], "formats", "report_html")


def run(*words, status=(0,)):
    result = subprocess.run([VMSNAP, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode in status, (words, result.stderr)
    return result


def told(*words):
    return json.loads(run(*words, "--json", "--no-names", status=(0, 1)).stdout)


def rearranged():
    """Five snapshots of a process whose memory moves there and back while it is copied, and in whose place other memory
    is put and taken away."""
    heap, there, place, page = json_inputs.HEAP, json_inputs.HEAP + (64 << 12), json_inputs.STATES, 4096
    file = dict(name=b"/tmp/data", device=(8, 1), inode=5)

    def at(seconds, heap, frames, *others):
        return json_inputs.snapshot(
            identity=dict(json_inputs.PROCESS, known=json_inputs.EVERYTHING, faults=50, taken=10**18 + seconds * 10**9,
                          monotonic=(1 + seconds) * 10**9, page_moves=1),
            vmas=[json_inputs.vma(heap, heap + 8 * page, "rw-p"), *(each for each, _ in others)],
            runs=[*(json_inputs.run(heap + i * page, 1, "exclusive present", pfn=frame) for i, frame in enumerate(frames)),
                  *(json_inputs.run(each["start"] if isinstance(each, dict) else place, 2, flags, pfn=frame)
                    for each, (flags, frame) in others)])

    private, mapped = json_inputs.vma(place, place + 4 * page, "rw-p"), json_inputs.vma(place, place + 4 * page, "rw-p", **file)
    first, later = (0x7001, 0x7103, 0x7207, 0x7309), (0x7001, 0x7103, 0x7207, 0x7309, 0x740b)
    return [at(0, heap, first, (private, ("present", 0x900))),
            at(1, there, first, (private, ("exclusive present", 0x910))),
            at(2, there, later, (mapped, ("file present", 0x920))),
            at(3, heap, later, (mapped, ("exclusive present", 0x930))),
            at(4, heap, first[:3])]


def written_to():
    """Three snapshots of a process whose writes are tracked: of pages that stay in their frames, of one that is copied,
    and of one that is new."""
    heap, page = json_inputs.HEAP, 4096

    def at(seconds, frames, *pages):
        since = dict(written=1, written_since=1 + seconds) if seconds else {}
        made = json_inputs.snapshot(
            identity=dict(json_inputs.PROCESS, taken=10**18 + seconds, monotonic=2 + seconds, **since),
            vmas=[json_inputs.vma(heap, heap + 8 * page, "rw-p")],
            runs=[json_inputs.run(heap + i * page, 1, flags, pfn=frame) for i, (flags, frame) in enumerate(frames)])
        return dict(made, written=[{"start": heap + i * page, "end": heap + (i + 1) * page, "written": 1} for i in pages])

    own, shared = [("exclusive present", 0x7000 + 2 * i) for i in range(4)], [("present", 0x8000)]
    copied = [("exclusive present", 0x9000)]
    return [at(0, own + shared), at(1, own + copied, 1, 2, 4), at(2, own + copied + [("exclusive present", 0x9100)], 2, 3, 5)]


def touched_by_a_debugger():
    """A parent and its child, of right after their fork and of two instants later, into which a debugger wrote meanwhile: into
    pages that were copied, one that was not, one that is new and one that nothing happened to."""
    heap, page = json_inputs.HEAP, 4096

    def of(pid, ppid, seconds, frames, touched):
        names = [json_inputs.name(heap + i * page + 8, 1, "touched", b"breakpoint %d" % i) for i in touched]
        runs = [json_inputs.run(heap + i * page, 1, "present", pfn=frame) for i, frame in enumerate(frames) if frame]
        made = json_inputs.snapshot(dict(json_inputs.PROCESS, pid=pid, tgid=pid, ppid=ppid, known=json_inputs.EVERYTHING, taken=10**18 + seconds * 10**9, monotonic=(1 + seconds) * 10**9,
                                         faults=50, page_moves=70, boottime=(1 + seconds) * 10**9, start_time=50 + pid - 4242, label=b"s%d" % seconds),
                                    vmas=[json_inputs.vma(heap, heap + 16 * page, "rw-p")], runs=runs)
        return dict(made, names=names)

    fork = [0x100 + 2 * i for i in range(8)]
    later, last = [*fork[:2], 0x502, 0x504, *fork[4:], 0x600], [*fork[:1], 0x702, 0x502, 0x504, 0x706, *fork[5:], 0x600, 0x602]
    return [of(4242, 1, 0, fork, ()), of(4243, 4242, 0, fork, ()), of(4242, 1, 1, later, (2, 6)), of(4243, 4242, 1, [0x900, *fork[1:]], (0,)),
            of(4242, 1, 2, last, (2, 4, 6, 9)), of(4243, 4242, 2, [0x900, 0x902, *fork[2:]], (0,))]


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="vmsnap-report-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.paths = json_inputs.write(cls.folder)
        cls.paths["elsewhere"] = os.path.join(cls.folder, "elsewhere.vms")
        with open(cls.paths["elsewhere"], "wb") as file:
            file.write(json_inputs.file_of(*json_inputs.tree([4244], 2, boot_id=b"another"))[0])

    def page(self, *files, options=()):
        out = os.path.join(self.folder, "page.html")
        run("report", *files, "-o", out, *options)
        with open(out, encoding="utf-8") as file:
            return file.read()

    def check(self, *files):
        report = vmsreport.Report(self.page(*files))
        name = files[0]
        for process in range(len(report.head["processes"])):
            there = [instant for instant in range(len(report.instants)) if (instant, process) in report.numbers]
            for a, b in itertools.combinations(there, 2):
                theirs = told("map", *(f"{name}@{report.numbers[instant, process]}" for instant in (a, b)))["totals"]
                ours = report.differences(process, a, b)
                for kind in ("copied", "new", "gone"):
                    self.assertEqual(ours.get(kind, 0) * report.head["page_size"], theirs[kind] or 0, (process, a, b, kind))
                # What was written in the steps between, two snapshots alone need not know.
                same = self.assertEqual if there.index(b) == there.index(a) + 1 else self.assertGreaterEqual
                same(ours.get("written", 0) * report.head["page_size"], theirs["written"] or 0, (process, a, b))
        for fork in report.forks():
            for instant, values in enumerate(fork.values):
                if (instant, fork.process) not in report.numbers or (instant, fork.child) not in report.numbers:
                    continue
                ours = [0] * (len(report.head["verdicts"]) + 1)
                for value in values.values():
                    ours[value] += 1
                base = f"{name}@{report.numbers[fork.base, fork.process]}"
                theirs = told("cow", *(f"{name}@{report.numbers[instant, each]}" for each in (fork.process, fork.child)), "--base", base)
                marks = report.inferred(fork).values[instant]
                for bit, key in (1, "inferred"), (2, "touched_by_debugger"):
                    self.assertEqual(sum(mark & bit != 0 for mark in marks.values()), sum(row["pages"] for row in theirs["ranges"] if row[key]), (instant, fork.child, key))
                for (verdict, _), count in zip(report.head["verdicts"], ours[1:]):
                    if instant != fork.base:
                        self.assertEqual(count, theirs["totals"][verdict], (instant, verdict))
        return report

    def series(self, *keys):
        """These in one file."""
        path = os.path.join(self.folder, "series.vms")
        with open(path, "wb") as out:
            for key in keys or ("tree", "later"):
                with open(self.paths[key], "rb") as file:
                    out.write(file.read())
        return path

    def test_agrees(self):
        report = self.check(self.series())
        self.assertGreater(len(report.instants), 1)
        self.assertTrue(report.forks())

    def test_agrees_where_mappings_move(self):
        self.check(self.series("a", "b"))

    def test_agrees_where_memory_moves_and_is_replaced(self):
        path = os.path.join(self.folder, "rearranged.vms")
        with open(path, "wb") as file:
            file.write(json_inputs.file_of(*rearranged())[0])
        report = self.check(path)
        rows = report.head["processes"][0]["changes"]
        self.assertEqual({(rows[i], rows[i + 4]) for i in range(0, len(rows), 5)}, {(1, 0), (2, 1), (3, 0)})

    def test_agrees_with_what_was_tracked(self):
        path = os.path.join(self.folder, "written.vms")
        with open(path, "wb") as file:
            file.write(json_inputs.file_of(*written_to())[0])
        report = self.check(path)
        self.assertEqual(report.differences(0, 0, 2), {"private": 1, "written": 3, "copied": 1, "new": 1})

    def test_agrees_without_frames(self):
        """Then verdicts are inferred, and said to be."""
        path = os.path.join(self.folder, "hidden.vms")
        with open(path, "wb") as file:
            file.write(json_inputs.file_of(*(each for seconds in (0, 1) for each in json_inputs.tree([4243, 4244], seconds, known=["exclusive"])))[0])
        report = self.check(path)
        self.assertTrue(any(values for fork in report.forks() for values in report.inferred(fork).values))

    def test_agrees_on_what_a_debugger_touched(self):
        path = os.path.join(self.folder, "touched.vms")
        with open(path, "wb") as file:
            file.write(json_inputs.file_of(*touched_by_a_debugger())[0])
        report, page = self.check(path), json_inputs.HEAP // 4096
        self.assertEqual([sorted(each - page for each in values) for values in report.track("touched", 0).values], [[], [2, 6], [2, 4, 6, 9]])
        self.assertEqual([sorted(each - page for each in values) for values in report.track("touched", 1).values], [[], [0], [0]])
        [fork] = report.forks()
        self.assertEqual({each - page for each, mark in report.inferred(fork).values[2].items() if mark & 2}, {0, 2, 4, 6, 9})
        # Instant, process, number; what the kernel moved: nothing since the first.
        self.assertEqual(report.head["places"], [each for k in range(3) for process in (0, 1) for each in (k, process, 2 * k + process + 1, 2, 0)])

    def test_first_to_last_of_a_file(self):
        series = self.series()
        whole, part = vmsreport.Report(self.page(series)), vmsreport.Report(self.page(f"{series}@2..4"))
        self.assertEqual(sorted(part.numbers.values()), [2, 3, 4])
        self.assertGreater(len(whole.numbers), 3)

    def test_kinds_of_pages(self):
        """Huge ones, those that KSM merged (as the kernel's table says), guards and markers are told apart."""
        heap, page, ksm = json_inputs.HEAP, 4096, 1 << 21
        flags = ("present", "present", "exclusive present", "huge exclusive present", "guard", "uffd_wp", "present")
        runs = [json_inputs.run(heap + i * page, 1, each, **(dict(pfn=0x7000 + 2 * i) if "present" in each else {})) for i, each in enumerate(flags)]
        made = json_inputs.snapshot(dict(json_inputs.PROCESS, known=json_inputs.EVERYTHING + ["exclusive_huge"]),
                                    vmas=[json_inputs.vma(heap, heap + 8 * page, "rw-p")], runs=runs)
        made["kpage"] = {"flags": [[heap, heap + page, 0], [heap + page, heap + 3 * page, ksm]]}
        path = os.path.join(self.folder, "kinds.vms")
        with open(path, "wb") as file:
            file.write(json_inputs.file_of(made)[0])
        report = vmsreport.Report(self.page(path))
        values = report.track("states", 0).values[0]
        self.assertEqual([report.head["states"][values.get(heap // page + i, 0)] for i in range(7)],
                         ["shared", "shared, merged (KSM)", "private", "private, huge", "guard", "marker", "shared"])

    def test_pages_that_nobody_could_read(self):
        """As the public header has them: they look swapped, and may not be."""
        heap, page = json_inputs.HEAP, 4096
        made = json_inputs.snapshot(dict(json_inputs.PROCESS, known=json_inputs.EVERYTHING, source=2),
                                    vmas=[json_inputs.vma(heap, heap + 8 * page, "rw-p")],
                                    runs=[json_inputs.run(heap, 1, "exclusive present", pfn=0x7000), json_inputs.run(heap + page, 3, "swapped huge zero", swap=(0, 0)),
                                          json_inputs.run(heap + 5 * page, 1, "swapped", swap=(0, 5))])
        path = os.path.join(self.folder, "unread.vms")
        with open(path, "wb") as file:
            file.write(json_inputs.file_of(made)[0])
        report = vmsreport.Report(self.page(path))
        values = report.track("states", 0).values[0]
        self.assertEqual([report.head["states"][values.get(heap // page + i, 0)] for i in range(6)],
                         ["private", "unread", "unread", "unread", "not resident", "swapped"])
        self.assertEqual(report.classes[ord(report.head["rules"]["quiet"][values[heap // page + 1]]) - 65], "unread")
        told = json.loads(run("map", path, "--json").stdout)
        self.assertEqual({key: size for key, size in told["totals"].items() if size},
                         {"private": page, "unread": 3 * page, "swapped": page})
        self.assertEqual(told["rows"][0]["cells"].strip(), "p???.s..")
        [step] = json.loads(run("series", path, "--json").stdout)["snapshots"]
        self.assertIsNone(step["resident"])
        self.assertIn(" 4.00K+", run("series", path).stdout)

    def test_several_files_are_one_series(self):
        both = vmsreport.Report(self.page(self.paths["later"], self.paths["tree"]))
        one = vmsreport.Report(self.page(self.series()))
        self.assertEqual([each.values for each in both.tracks], [each.values for each in one.tracks])

    def test_file_is_private_and_replaces_its_own_kind_only(self):
        out = os.path.join(self.folder, "out.html")
        run("report", self.series(), "-o", out)
        self.assertEqual(stat.S_IMODE(os.stat(out).st_mode), 0o600)
        run("report", self.series(), "-o", out)
        other = os.path.join(self.folder, "other.html")
        with open(other, "w", encoding="utf-8") as file:
            file.write("<!doctype html>\nmine\n")
        result = run("report", self.series(), "-o", other, status=(2,))
        self.assertIn("was left alone", result.stderr)
        with open(other, encoding="utf-8") as file:
            self.assertEqual(file.read(), "<!doctype html>\nmine\n")

    def test_range(self):
        series = self.series()
        whole, part = (vmsreport.Report(self.page(series, options=options)) for options in ((), ("--range", "0-1000000000")))
        for a, b in zip(whole.tracks, part.tracks):
            self.assertEqual([page for page in a.pages if page < 0x1000000], b.pages)

    def test_refuses(self):
        self.assertIn("is a process", run("report", str(os.getpid()), status=(2,)).stderr)
        self.assertIn("two machines", run("report", self.series(), self.paths["elsewhere"], "-o", os.path.join(self.folder, "x.html"), status=(2,)).stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "x.html")))

    def test_page_that_cannot_be_written_leaves_the_old_one(self):
        """No file may get longer than this here."""
        folder = tempfile.TemporaryDirectory(prefix="vmsnap-full-", dir=self.folder)
        self.addCleanup(folder.cleanup)
        out = os.path.join(folder.name, "page.html")

        def write():
            return subprocess.run([VMSNAP, "report", self.series(), "-o", out], stderr=subprocess.PIPE, text=True, check=False,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)))

        self.assertEqual(write().returncode, 2)
        self.assertEqual(os.listdir(folder.name), [])
        run("report", self.series(), "-o", out)
        with open(out, "rb") as file:
            before = file.read()
        result = write()
        self.assertEqual(result.returncode, 2)
        self.assertIn("File too large", result.stderr)
        self.assertEqual(os.listdir(folder.name), ["page.html"])
        with open(out, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_places_to_write_to(self):
        series = self.series()
        self.assertTrue(run("report", series, "-o", "-").stdout.startswith("<!doctype html>"))
        self.assertEqual(run("report", series, "-o", "/dev/null").stderr, "")
        run("report", series, "-o", self.folder, status=(2,))
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([VMSNAP, "report", series, "-o", "-"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("No space left", result.stderr)

    def test_golden_files(self):
        """Each becomes a page, or is refused and leaves none."""
        out = os.path.join(self.folder, "golden.html")
        for path in sorted(glob.glob(os.path.join(json_inputs.GOLDEN, "*.vms"))):
            with self.subTest(path):
                status = run("report", path, "-o", out, status=(0, 2)).returncode
                self.assertEqual(os.path.exists(out), not status)
                if not status:
                    os.unlink(out)

    def test_nothing_of_the_target_is_markup(self):
        page = self.page(self.series())
        shell = re.sub(r"<(script|style|noscript)\b.*?</\1>", "", page, flags=re.S)
        self.assertNotIn("<script", shell)
        plain = re.search(r"<noscript>(.*?)</noscript>", page, re.S)[1]
        self.assertLessEqual(set(re.findall(r"<(/?\w+)", plain)), {"p", "/p", "table", "/table", "tr", "/tr", "th", "/th", "td", "/td"})

    def test_bundle_is_of_its_sources(self):
        digest = hashlib.sha256()
        names = ["page.html", "style.css"] + sorted(f"js/{name}" for name in os.listdir(os.path.join(SOURCES, "js")))
        for name in names:
            with open(os.path.join(SOURCES, name), "rb") as file:
                digest.update(name.encode() + b"\n" + file.read())
        with open(os.path.join(SOURCES, "bundle.html"), encoding="utf-8") as file:
            self.assertIn(f"<!-- of {digest.hexdigest()} -->", file.read(), "run script/report-bundle")


if __name__ == "__main__":
    unittest.main()
