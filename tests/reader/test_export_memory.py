"""vmsnap export --format pprof and folded of snapshots without page faults: what each process has, by mapping, as the table vma
has it; also read by the pprof that comes with Go."""

import os
import unittest

import json_inputs
import vmsfile
from json_inputs import PROCESS, file_of
from profiles import Profile, check_protoc, fields, packed, pprof
from test_export import HOSTILE, ExportTest, number, run, table
from test_export_events import FAULTS
from test_export_events import process as watched

TYPES = ("resident", "exclusive", "swapped", "shared")


class Memory(ExportTest):
    def profile(self, *words):
        path = os.path.join(self.folder, "memory.pb.gz")
        run("--format", "pprof", "-o", path, *words)
        with open(path, "rb") as file:
            return Profile(file.read())

    def file(self, *models):
        path = os.path.join(self.folder, "some.vms")
        with open(path, "wb") as file:
            file.write(file_of(*models)[0])
        return path

    @staticmethod
    def values(profile):
        """{(pid, start of the mapping): {type: bytes}}"""
        names, found = [name for name, _ in profile.types], {}
        for sample in profile.samples:
            labels = [dict(fields(value)) for field, value in sample if field == 3]
            texts = {profile.text(label[1]): profile.text(label.get(2, 0)) or label.get(3) for label in labels}
            leaf = profile.locations[packed(dict(sample)[1])[0]]
            assert profile.mappings[leaf[2]][2] == leaf[3], "a location is in its mapping"
            found[texts["pid"], leaf[3]] = dict(zip(names, packed(dict(sample)[2])), unknown=texts.get("unknown"))
        return found

    def wanted(self, path, index):
        pid = vmsfile.open_file(path).load(index)["identity"]["pid"]
        found = {}
        for row in table("vma", f"{path}@{index + 1}"):
            resident, exclusive, swapped = (number(row[name]) for name in ("resident", "exclusive_bytes", "swapped"))
            unknown = [] if exclusive is not None or not resident else ["exclusive, shared"]
            unknown += [] if swapped is not None else ["swapped"]
            one = {"resident": resident, "exclusive": exclusive or 0, "swapped": swapped or 0,
                   "shared": 0 if exclusive is None else resident - exclusive, "unknown": unknown[-1] if unknown else None}
            if resident or swapped:
                found[pid, int(row["start_addr"])] = one
        return found

    def test_what_is_shown_at_first_is_there(self):
        """Code that made pages may have copied none, and an empty graph says nothing."""
        before, after = watched(1000), watched(9000, FAULTS)
        for first, shown in ((dict(before, runs=[]), "new"), (before, "resident")):
            profile = self.profile(self.file(first, after))
            self.assertEqual([name for name, sum in profile.totals().items() if sum][0], shown)
            self.assertEqual(profile.shown, shown)

    def test_each_mapping_is_as_the_table_has_it(self):
        told = 0
        for name in ("a", "b", "child", "small", "tree"):
            path = self.paths[name]
            count = len(vmsfile.open_file(path).entries)
            profile, wanted = self.profile(path), {}
            for index in range(count):
                wanted.update(self.wanted(path, index))  # of a process in it twice the later one
            self.assertEqual(self.values(profile), wanted, name)
            self.assertEqual([unit for _, unit in profile.types], ["bytes"] * len(profile.types))
            self.assertEqual({name for name, _ in profile.types}, set(TYPES))
            told += len(wanted)
        self.assertGreater(told, 20)

    def test_mappings_have_build_ids(self):
        profile, told = self.profile(self.paths["a"]), {}
        for row in vmsfile.open_file(self.paths["a"]).load(0)["vmas"]:
            told[row["start"]] = [row["end"], row["offset"], row["build_id"] or ""]
        self.assertTrue(any(build_id for _, _, build_id in told.values()))
        for mapping in profile.mappings.values():
            self.assertEqual([mapping[3], mapping.get(4, 0), profile.text(mapping.get(6, 0))], told[mapping[2]])
            self.assertEqual([mapping[field] for field in (7, 8, 9)], [1, 1, 1])

    def test_what_is_not_known_is_not_told(self):
        nothing = self.profile(self.file(json_inputs.snapshot(identity=dict(PROCESS, known=[]), vmas=[json_inputs.vma(
            0x600000000000, 0x600000001000, "rw-p")], runs=[json_inputs.run(0x600000000000, 1, "present")])))
        self.assertEqual([name for name, _ in nothing.types], ["resident", "swapped"])
        self.assertEqual(sorted(nothing.comments), ["vmsnap: what is exclusive is not known", "vmsnap: what is shared is not known"])
        at = 0x600000000000
        mixed = self.profile(self.file(*(json_inputs.snapshot(
            identity=dict(PROCESS, pid=pid, tgid=pid, known=known), vmas=[json_inputs.vma(at, at + 0x1000, "rw-p")],
            runs=[json_inputs.run(at, 1, "present" if pid == 7 else "exclusive present")]) for pid, known in ((7, []), (8, ["exclusive"])))))
        self.assertEqual(self.values(mixed), {
            (7, at): {"resident": 4096, "exclusive": 0, "swapped": 0, "shared": 0, "unknown": "exclusive, shared"},
            (8, at): {"resident": 4096, "exclusive": 4096, "swapped": 0, "shared": 0, "unknown": None}})

    def test_of_each_process_the_newest_counts(self):
        path = self.paths["grows"]
        last = len(vmsfile.open_file(path).entries)
        self.assertEqual(self.values(self.profile(path)), self.wanted(path, last - 1))
        taken = vmsfile.open_file(path).load(last - 1)["identity"]["taken"]
        self.assertEqual(self.profile(path).numbers[9], taken)

    def test_folded_lines_say_what_is_resident(self):
        for name in ("a", "tree"):
            path = self.paths[name]
            lines = run("--format", "folded", path).stdout.decode().splitlines()
            self.assertTrue(all(len(line.rsplit(" ", 1)[0].split(";")) == 3 for line in lines), lines)
            self.assertEqual(sum(int(line.rsplit(" ", 1)[1]) for line in lines),
                             sum(int(row["resident"]) for row in table("vma", path)))
        self.assertIn("cat;program;program r-xp", {line.rsplit(" ", 1)[0] for line in
                                                   run("--format", "folded", self.paths["a"]).stdout.decode().splitlines()})

    def test_no_name_gets_out_of_its_place(self):
        at, names = 0x600000000000, [name for name in HOSTILE if name]
        path = self.file(json_inputs.snapshot(
            identity=dict(PROCESS, comm=b"a;b\n1 2\xff"),
            vmas=[json_inputs.vma(at + i * 0x10000, at + i * 0x10000 + 4096, "rw-p", name, device=(8, 1), inode=i + 1)
                  for i, name in enumerate(names)],
            runs=[json_inputs.run(at + i * 0x10000, 1, "present exclusive", pfn=0x100 + i) for i in range(len(names))]))
        lines = run("--format", "folded", path).stdout.split(b"\n")
        self.assertEqual((lines.pop(), len(lines)), (b"", len(names)))
        for line in lines:
            self.assertRegex(line.decode(), r"^a\\x3bb\\x0a1 2\\xff;file;[^;\x00-\x1f]+ rw-p 4096$")
        profile = self.profile(path)
        self.assertEqual(len(self.values(profile)), len(names))
        for text in profile.strings:
            self.assertRegex(text, r"^[ -~]*$")

    def test_protoc_reads_it(self):
        for name in ("a", "tree", "blamed", "forks"):
            path = os.path.join(self.folder, name + ".pb.gz")
            run("--format", "pprof", "-o", path, self.paths[name])
            with open(path, "rb") as file:
                if not check_protoc(path, Profile(file.read())):
                    print("SKIP: protoc is not installed (Debian: protobuf-compiler)", flush=True)
                    self.skipTest("protoc is not installed (Debian: protobuf-compiler)")

    def test_pprof_reads_it(self):
        for name in ("a", "tree", "blamed"):
            path = os.path.join(self.folder, name + ".pb.gz")
            run("--format", "pprof", "-o", path, self.paths[name])
            found = pprof(path)
            if not found:
                print("SKIP: Go's pprof is not installed (Debian: golang-go)", flush=True)
                self.skipTest("Go's pprof is not installed (Debian: golang-go)")
            types, samples, mappings = found
            with open(path, "rb") as file:
                mine = Profile(file.read())
            self.assertEqual(types, [f"{name}/{unit}" for name, unit in mine.types])
            self.assertEqual(list(map(sum, zip(*samples))), list(map(sum, zip(*(packed(dict(one)[2]) for one in mine.samples)))))
            told = {}
            for mapping in mine.mappings.values():
                text = f"{mine.text(mapping.get(5, 0))} {mine.text(mapping.get(6, 0))}".strip()
                told[mapping[2], mapping[3]] = text
            self.assertEqual(mappings, told)


if __name__ == "__main__":
    unittest.main()
