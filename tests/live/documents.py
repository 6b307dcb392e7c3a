"""What documents are made of, for the tests that hold them against what happens."""

import os
import re

SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def without_numbers(line):
    """The words of a line; what differs from run to run becomes '#'."""
    line = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*( [+-]\d{4})?", "#", line)
    line = re.sub(r"\b(0x)?[0-9a-f]{8,}(-[0-9a-f]{8,})?\b", "#", line)
    line = re.sub(r"(?<![\w.])[-+]?(0x[0-9a-f]+|\d+(\.\d+)?)([BKMGT%]|(?= )|\b)", "#", line)
    line = re.sub(r"(less than )?# (us|ms|s)\b", "# time", line)  # within a tick of the kernel's, on a machine that is quick
    line = re.sub(r"…\S*", "…", line)         # a path that is cut
    line = re.sub(r"(?<=\S )[▁-█ ]*[▁-█]+(?= )", "strip", line)
    line = re.sub(r"(kernel\s+).*", r"\1#", line)
    line = re.sub(r", ?(soft_dirty|huge)\??|\bsoft_dirty\??(, )?", "", line) # as the kernel has it
    return re.sub(r"\s+", " ", line).strip()


def blocks(text, kind):
    return [match[1] for match in re.finditer(rf"(?ms)^```{kind}\n(.*?)^```$", text)]


def matches(expected, got):
    """Whether the lines are the expected ones; an expected "..." stands for any lines."""
    if not expected:
        return not got
    if expected[0].strip() == "...":
        return any(matches(expected[1:], got[i:]) for i in range(len(got) + 1))
    return bool(got) and without_numbers(expected[0]) == without_numbers(got[0]) and matches(expected[1:], got[1:])


def sessions(block):
    """[(command, [lines it prints])] of a block."""
    out = []
    for line in block.split("\n")[:-1]:
        if line.startswith("$ "):
            out.append((line[2:], []))
        else:
            out[-1][1].append(line)
    return out
