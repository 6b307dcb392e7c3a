"""Gathers the seeds of the fuzz targets: golden files, text of the kernel, and ELF files.

    python3 seeds.py FOLDER        (makes FOLDER/file, FOLDER/maps, ...)

The text lies in seeds/; what is on the machine that fuzzes does not matter.
"""

import os
import shutil
import sys

import core_seeds
import elf_seeds
import frames_seeds

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "reader"), os.path.join(HERE, "..", "golden")]
from hanging import hanging  # noqa: E402

GOLDEN = os.path.join(HERE, "..", "golden")
LARGEST = 16384  # a fuzzer changes small inputs faster


def golden():
    for name in sorted(os.listdir(GOLDEN)):
        path = os.path.join(GOLDEN, name)
        if name.endswith(".vms") and os.path.getsize(path) <= LARGEST:
            yield path


def texts(kind):
    folder = os.path.join(HERE, "seeds")
    for name in sorted(os.listdir(folder)):
        if name.split("-")[0] == kind:
            yield os.path.join(folder, name)


def gather(folder, paths):
    os.makedirs(folder, exist_ok=True)
    wanted = {os.path.basename(path): path for path in paths}
    for name in os.listdir(folder):
        if name not in wanted:
            os.unlink(os.path.join(folder, name))
    for name, path in wanted.items():
        shutil.copyfile(path, os.path.join(folder, name))


def add(folder, seeds):
    for name, data in seeds:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


def make(folder, seeds):
    os.makedirs(folder, exist_ok=True)
    wanted = dict(seeds)
    for name in os.listdir(folder):
        if name not in wanted:
            os.unlink(os.path.join(folder, name))
    add(folder, wanted.items())


def main(argv):
    if len(argv) != 2:
        sys.exit(__doc__)
    files = list(golden())
    for target in ("file", "print", "views", "append"):
        gather(os.path.join(argv[1], target), files)
        add(os.path.join(argv[1], target), [("hanging", hanging(14, 4, 2))])
    for target in ("maps", "smaps", "status", "export"):
        gather(os.path.join(argv[1], target), list(texts(target)))
    make(os.path.join(argv[1], "elf"), elf_seeds.seeds())
    make(os.path.join(argv[1], "core"), core_seeds.seeds())
    make(os.path.join(argv[1], "frames"), frames_seeds.seeds())


if __name__ == "__main__":
    main(sys.argv)
