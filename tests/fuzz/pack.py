"""Packs the inputs in a folder into an archive, the same bytes for the same inputs.

    python3 pack.py FOLDER ARCHIVE        (e.g. corpus/maps.tar.gz)

An archive that holds these very inputs stays as it is, whatever compressed it.
"""

import gzip
import io
import os
import sys
import tarfile


def inputs_in(folder):
    inputs = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            inputs[name] = file.read()
    return inputs


def inputs_packed(path):
    if not os.path.exists(path):
        return None
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def pack(inputs):
    """Nothing but names, sizes and bytes: no owner, no time, the order of the names."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(inputs):
            member = tarfile.TarInfo(name)
            member.size = len(inputs[name])
            archive.addfile(member, io.BytesIO(inputs[name]))
    return gzip.compress(tar.getvalue(), compresslevel=9, mtime=0)


def main(argv):
    if len(argv) != 3:
        sys.exit(__doc__)
    folder, path = argv[1:]
    inputs = inputs_in(folder)
    if not inputs:
        sys.exit(f"{folder} holds no inputs")
    if inputs != inputs_packed(path):
        data = pack(inputs)
        with open(path, "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main(sys.argv)
