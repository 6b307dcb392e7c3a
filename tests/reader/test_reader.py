"""The second reader says of every golden file what it must, and of a spoiled
one never anything but one of its five errors."""

import hashlib
import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "golden")
sys.path[:0] = [HERE, GOLDEN]

import cases  # noqa: E402  (these lie in the folders just added)
import make_golden  # noqa: E402
import vmsbytes  # noqa: E402
import vmsfile  # noqa: E402
import vmswrite  # noqa: E402

with open(os.path.join(GOLDEN, "expected.json"), encoding="utf-8") as stream:
    EXPECTED = json.load(stream)


def golden(name):
    with open(os.path.join(GOLDEN, name), "rb") as file:
        return file.read()


def outcome(error):
    return {"error": error.kind, "offset": error.offset}


def what_is_said(data):
    """The same form as an entry of expected.json, models in full."""
    try:
        file = vmsfile.File(data)
    except vmsfile.FormatError as error:
        return outcome(error)
    snapshots = []
    for index in range(len(file.entries)):
        try:
            snapshots.append(vmsfile.printable(file.load(index)))
        except vmsfile.FormatError as error:
            snapshots.append(outcome(error))
    return {"snapshots": snapshots, "damage": outcome(file.damage) if file.damage else None}


def what_must_be_said(entry):
    entry = {key: value for key, value in entry.items() if key not in ("what", "large")}
    if "snapshots" in entry:
        models = EXPECTED["models"]
        entry["snapshots"] = [models[one["model"]] if "model" in one else one for one in entry["snapshots"]]
    return entry


class GoldenFiles(unittest.TestCase):
    maxDiff = None

    def test_reader_says_what_is_expected_of_every_golden_file(self):
        for name, entry in EXPECTED["files"].items():
            with self.subTest(name):
                self.assertEqual(what_is_said(golden(name)), what_must_be_said(entry))

    def test_every_golden_file_is_expected_and_small(self):
        names = sorted(name for name in os.listdir(GOLDEN) if name.endswith(".vms"))
        self.assertEqual(names, sorted(EXPECTED["files"]))
        for name in names:
            self.assertLess(len(golden(name)), 4096, name)

    def test_what_was_written_once_is_read_as_ever(self):
        folder = os.path.join(GOLDEN, "written")
        with open(os.path.join(folder, "said.json"), encoding="utf-8") as file:
            recorded = json.load(file)
        self.assertEqual(sorted(name for name in os.listdir(folder) if name.endswith(".vms")), sorted(recorded))
        for name, digest in recorded.items():
            said = what_is_said(golden(os.path.join("written", name)))
            self.assertIsNone(said["damage"], name)
            text = json.dumps(said["snapshots"], sort_keys=True)
            self.assertEqual(hashlib.sha256(text.encode()).hexdigest(), digest, name)

    def test_script_makes_the_files_again(self):
        for name, data in make_golden.files().items():
            with self.subTest(name):
                committed = golden(name)
                if data != committed and name.endswith(".vms") and (b"\x78\xda" in data or b"\x78\xf9" in data):
                    # Deflated: another zlib may write other bytes for the same content.
                    self.assertEqual(what_is_said(data), what_is_said(committed))
                else:
                    self.assertEqual(data, committed)

    def test_every_kind_of_error_is_among_them(self):
        kinds = set()
        for entry in EXPECTED["files"].values():
            kinds.update(one.get("error") for one in [entry, entry.get("damage") or {}] + entry.get("snapshots", []))
        self.assertEqual(kinds - {None}, {"not_snapshot", "newer", "damaged", "truncated", "too_large"})


class Spoiled(unittest.TestCase):
    """One small good file, cut anywhere and flipped anywhere."""

    def check(self, data, whole):
        """Whatever is read must be as it was; returns the first error, if any."""
        said = what_is_said(data)
        if "error" in said:
            return said["error"], said["offset"]
        first = None
        for index, snapshot in enumerate(said["snapshots"]):
            if "error" in snapshot:
                first = first or (snapshot["error"], snapshot["offset"])
            else:
                self.assertEqual(snapshot, whole["snapshots"][index])
        return first or (said["damage"] and (said["damage"]["error"], said["damage"]["offset"]))

    def test_file_cut_at_any_length_is_truncated(self):
        for name in ("good-small.vms", "good-joined.vms"):
            data = golden(name)
            whole = what_is_said(data)
            closed = [entry.end + 48 for entry in vmsfile.File(data).entries]
            # A header alone is a stream too; the file of two has one after the second snapshot.
            ends = [16] + closed + ([closed[1] + 16] if len(closed) > 1 else [])
            for length in range(len(data)):
                with self.subTest(name, length=length):
                    found = self.check(data[:length], whole)
                    if length == 0:
                        self.assertEqual(found, ("not_snapshot", 0))
                    elif length in ends:
                        self.assertIsNone(found)
                    else:
                        self.assertEqual(found[0], "truncated")
                        self.assertLess(found[1], length)

    def test_any_flipped_bit_is_noticed(self):
        for name in ("good-small.vms", "good-deflated.vms"):
            data = golden(name)
            whole = what_is_said(data)
            for bit in range(8 * len(data)):
                spoiled = bytearray(data)
                spoiled[bit // 8] ^= 1 << bit % 8
                with self.subTest(name, bit=bit):
                    found = self.check(bytes(spoiled), whole)
                    self.assertIn(found[0], ("not_snapshot",) if bit < 64 else ("damaged", "truncated"))

    def test_any_payload_byte_behind_right_checksums_is_read_or_damaged(self):
        """Checksums keep flips from the decoders: here they are made right again."""
        model = dict(cases.small(), names=cases.variables())
        for kind, payload in vmswrite.sections(model):
            for place in range(len(payload)):
                for value in {payload[place] ^ 1, payload[place] ^ 0x80, 0, 0x7F, 0xFF}:
                    spoiled = payload[:place] + bytes([value]) + payload[place + 1 :]
                    data, where = cases.file_of(model, replace={kind: spoiled})
                    said = what_is_said(data)
                    with self.subTest(kind=kind, place=place, value=value):
                        self.assertIsNone(said["damage"])
                        error = said["snapshots"][0]
                        if "error" in error:
                            # The flags of known and the page size decide how PAGE and VMAS read.
                            self.assertEqual(error["error"], "damaged")
                            self.assertIn(error["offset"], where[0].values())


class Limits(unittest.TestCase):
    def test_more_than_the_caller_allows_is_too_large(self):
        data = golden("good-deflated.vms")
        file = vmsfile.File(data, limit=300)
        with self.assertRaises(vmsfile.TooLarge) as caught:
            file.load(0)
        self.assertEqual(data[caught.exception.offset : caught.exception.offset + 4], b"VMAS")

    def test_deflated_zeros_within_the_ratio_are_read_or_too_large(self):
        stream = vmswrite.Stream()
        stream.header()
        model = dict(cases.small(), status=bytes(1 << 20))
        where = stream.snapshot(model, stream.deflated)
        self.assertLess(len(stream.data), 4096)
        self.assertEqual(vmsfile.File(stream.data).load(0), model)
        with self.assertRaises(vmsfile.TooLarge) as caught:
            vmsfile.File(stream.data, limit=1 << 19).load(0)
        self.assertEqual(caught.exception.offset, where[b"STAT"])


class Page(unittest.TestCase):
    def test_dictionary_stands_in_the_page(self):
        self.assertEqual(len(vmsbytes.dictionary()), 2941)


if __name__ == "__main__":
    unittest.main()
