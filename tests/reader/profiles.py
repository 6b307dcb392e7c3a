"""Profiles for pprof: read by the definition of profile.proto alone, and by protoc and Go's own pprof, where these are."""

import gzip
import os
import re
import shutil
import subprocess
import tempfile


def fields(message):
    """[(field, value)] of one protobuf message: numbers, and bytes for all that has a length."""
    made, at = [], 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            value |= (message[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if message[at - 1] < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            made.append((key >> 3, varint()))
            continue
        assert key & 7 == 2, key
        length = varint()
        assert at + length <= len(message)
        made.append((key >> 3, message[at : at + length]))
        at += length
    return made


def packed(message):
    numbers, value, shift = [], 0, 0
    for byte in message:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    assert not shift
    return numbers


class Profile:
    """profile.proto, read by its definition alone."""

    def __init__(self, data):
        top = fields(gzip.decompress(data))
        self.strings = [value.decode("utf-8") for field, value in top if field == 6]
        self.types = [tuple(self.strings[dict(fields(value))[part]] for part in (1, 2)) for field, value in top if field == 1]
        self.mappings, self.functions, self.locations = ({dict(fields(value))[1]: dict(fields(value)) for field, value in top
                                                          if field == number} for number in (3, 5, 4))
        self.samples = [fields(value) for field, value in top if field == 2]
        self.comments = [self.strings[number] for field, value in top if field == 13 for number in packed(value)]
        self.numbers = {field: value for field, value in top if isinstance(value, int)}
        self.shown = self.strings[self.numbers[14]]

    def totals(self):
        """Of each type, all samples together."""
        return dict(zip((name for name, _ in self.types), map(sum, zip(*(values for _, values in self.rows())))))

    def text(self, number):
        return self.strings[number]

    def rows(self):
        """[(frames from the outermost on, values)], each frame (function, file, line)."""
        made = []
        for sample in self.samples:
            stack = []
            for number in packed(dict(sample)[1]):
                line = dict(fields(self.locations[number][4]))
                function = self.functions[line[1]]
                stack.append((self.text(function[2]), self.text(function.get(4, 0)), line.get(2, 0)))
            made.append((tuple(stack[::-1]), tuple(packed(dict(sample)[2]))))
        return sorted(made)

    def code(self):
        """Those of page faults."""
        return [(stack, values[:3]) for stack, values in self.rows() if any(values[:3])]

    def memory(self):
        """{(process, what it is, which): values}"""
        return {tuple(function for function, _, _ in stack): values[3:] for stack, values in self.rows() if not any(values[:3])}


def pprof(path):
    """[(values, process)] and {(start, end): (name, build ID)} of mappings, as Go's own pprof reads them; None: it is not there."""
    if not shutil.which("go"):
        return None
    with tempfile.TemporaryDirectory(prefix="vmsnap-pprof-") as home:
        done = subprocess.run(["go", "tool", "pprof", "-raw", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              env=dict(os.environ, HOME=home, PPROF_TMPDIR=home, GOFLAGS="", GOTOOLCHAIN="local"))
    if done.returncode and b"no such tool" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    types = text.split("Samples:\n", 1)[1].split("\n", 1)[0].replace("[dflt]", "").split()
    samples = [tuple(map(int, row.split())) for row in re.findall(r"(?m)^ +([0-9 ]+): [0-9 ]+$", text.split("\nLocations", 1)[0])]
    mappings = {(int(start, 16), int(end, 16)): rest.rsplit(" [FN]", 1)[0].strip() for start, end, rest in
                re.findall(r"(?m)^[0-9]+: 0x([0-9a-f]+)/0x([0-9a-f]+)/0x[0-9a-f]+ (.*)$", text.split("\nMappings", 1)[1])}
    return types, samples, mappings


def protoc(path):
    """(samples' values, strings) as Google's own program reads them, which says what is not in the definition, too; None: it is not there."""
    if not shutil.which("protoc"):
        return None
    here = os.path.dirname(os.path.abspath(__file__))
    with gzip.open(path) as file:
        done = subprocess.run(["protoc", f"--proto_path={here}", "--decode=perftools.profiles.Profile", os.path.join(here, "profile.proto")],
                              input=file.read(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    text = done.stdout.decode()
    unknown = re.findall(r"(?m)^ *[0-9]+(?::| {).*$", text)
    assert not unknown, unknown
    samples = [tuple(map(int, re.findall(r"(?m)^  value: ([0-9]+)$", one))) for one in re.findall(r"(?ms)^sample {$(.*?)^}$", text)]
    strings = [re.sub(r"\\([0-7]{3}|.)", lambda found: chr(int(found.group(1), 8)) if len(found.group(1)) == 3 else {"n": "\n", "t": "\t", "r": "\r"}.get(
        found.group(1), found.group(1)), one) for one in re.findall(r'(?m)^string_table: "(.*)"$', text)]
    return samples, strings


def check_protoc(path, profile):
    """Whether protoc is there; what it reads is what we do."""
    told = protoc(path)
    if told is not None:
        assert told == ([tuple(packed(dict(one)[2])) for one in profile.samples], profile.strings), told
    return told is not None
