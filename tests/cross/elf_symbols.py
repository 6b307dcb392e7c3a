"""What readelf says of a library, of whatever machine: where it is mapped, and what lies
where in it."""

import glob
import re
import subprocess

PAGE = 4096


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *arguments], stdout=subprocess.PIPE, check=True).stdout.decode()


def find(folder, name):
    """The first library of this name below a folder, named as if that were the root."""
    root = folder.rstrip("/")
    return sorted(glob.glob("%s/lib/*/%s" % (root, name)))[0][len(root):]


def build_id(path):
    return re.search(r"Build ID: ([0-9a-f]+)", readelf("-n", path)).group(1)


def mappings(path):
    """(start, end, permissions, offset) of what of the file is mapped, base 0."""
    found = []
    for line in readelf("-l", path).splitlines():
        match = re.match(r" +LOAD +(\w+) (\w+) \w+ (\w+) \w+ (R| )(W| )(E| ) ", line)
        if match:
            offset, address, size = (int(number, 16) for number in match.groups()[:3])
            perms = "".join(shown if given != " " else "-" for shown, given in zip("rwx", match.groups()[3:])) + "p"
            start, end = address // PAGE * PAGE, -(-(address + size) // PAGE) * PAGE
            found.append((start, end, perms, offset // PAGE * PAGE))
    return found


def symbols(path):
    """{name: address} of functions and variables; none that has its address in common."""
    found, seen = {}, {}
    for line in readelf("--dyn-syms", path).splitlines():
        fields = line.split()
        if len(fields) == 8 and fields[3] in ("FUNC", "OBJECT") and fields[6] != "UND" and int(fields[2], 0):
            address = int(fields[1], 16)
            found[fields[7].split("@")[0]] = address
            seen[address] = seen.get(address, 0) + 1
    return {name: address for name, address in found.items() if seen[address] == 1}
