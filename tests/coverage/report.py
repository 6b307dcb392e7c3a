"""Tells which lines the tests ran, and holds the rest against the list of what is known
not to run, with its reasons, in docs/reliability.md.  Started by script/coverage."""

import argparse
import collections
import os
import re
import sys

import gcov

FOLDERS = ["core", "formats"]
WANTED = 90.0
MARKS = "<!-- begin: what no test runs; script/coverage reads this -->", "<!-- end -->"
NO_REASON = "**No reason given yet.**"
FILE = re.compile(r"^- `([^`]+)`: (.*)$")
ENTRY = re.compile(r"`([^`]+)` (\d+)")


class Listed:
    """The list between the marks: below each reason, files, their functions, and how many
    lines of each may be missing."""

    def __init__(self, page):
        self.page = page
        with open(page, encoding="utf-8") as file:
            text = file.read()
        before, mark, rest = text.partition(MARKS[0])
        between, end, after = rest.partition(MARKS[1])
        if not mark or not end:
            sys.exit(f"{page}: expected the lines {MARKS}")
        self.around = before, after
        self.lines = between.strip("\n").split("\n")
        self.allowed = collections.Counter()
        self.unreasoned = set()
        reason = ""
        for line in self.lines:
            found = FILE.match(line)
            if line.startswith("**"):
                reason = line
            for name, count in ENTRY.findall(found[2]) if found else []:
                self.allowed[found[1], name] += int(count)
                if reason.startswith(NO_REASON):
                    self.unreasoned.add((found[1], name))

    def add(self, missing):
        """Puts {(path, name): lines} below the heading of what has no reason."""
        lines = list(self.lines)
        if not any(line.startswith(NO_REASON) for line in lines):
            lines += ["", NO_REASON]
        by_path = collections.defaultdict(list)
        for (path, name), count in sorted(missing.items()):
            by_path[path].append(f"`{name}` {count}")
        at = next(i for i, line in enumerate(lines) if line.startswith(NO_REASON)) + 1
        lines[at:at] = ["", *(f"- `{path}`: {', '.join(names)}" for path, names in by_path.items())]
        before, after = self.around
        with open(self.page, "w", encoding="utf-8") as file:
            file.write(before + MARKS[0] + "\n\n" + "\n".join(lines).strip("\n") + "\n\n" + MARKS[1] + after)


def percent(lines, missed):
    return 100.0 * (lines - missed) / lines if lines else 100.0


def print_table(functions):
    sums = collections.defaultdict(lambda: [0, 0])
    for function in functions:
        for name in (function.path, function.path.split(os.sep)[0], "all"):
            sums[name][0] += function.lines
            sums[name][1] += len(function.missed)
    files = sorted(name for name in sums if os.sep in name)
    print(f"{'file':44} {'lines':>6} {'run':>6} {'missed':>7}")
    for name in [*files, *FOLDERS, "all"]:
        lines, missed = sums[name]
        print(f"{name:44} {lines:6} {percent(lines, missed):5.1f}% {missed:7}")
    return percent(*sums["all"])


def source_line(source, path, number):
    try:
        with open(os.path.join(source, path), encoding="utf-8") as file:
            return file.read().split("\n")[number - 1].strip()
    except (OSError, IndexError):
        return ""


def surplus(functions, allowed):
    """{(path, name): [functions' missed lines]} of what misses more than is listed."""
    found = collections.defaultdict(list)
    for function in functions:
        found[function.path, function.name] += function.missed
    return {key: missed for key, missed in found.items() if len(missed) > allowed[key]}


def tell(source, functions, listed):
    """Prints what does not fit the list; whether anything does not."""
    more = surplus(functions, listed.allowed)
    for (path, name), missed in sorted(more.items()):
        print(f"\n{path}: {name}: {len(missed)} lines do not run, {listed.allowed[path, name]} are listed:")
        for number in missed:
            print(f"  {number:5} {source_line(source, path, number)}")
    known = {(function.path, function.name) for function in functions}
    gone = sorted(key for key in listed.allowed if key not in known)
    for path, name in gone:
        print(f"\n{path}: {name}: is listed, and there is no such function")
    for path, name in sorted(listed.unreasoned):
        print(f"\n{path}: {name}: is listed without a reason")
    runs = sorted(key for key in listed.allowed if key in known
                  and sum(len(f.missed) for f in functions if (f.path, f.name) == key) < listed.allowed[key])
    if runs:
        print(f"\nMore of {len(runs)} functions runs here than the list says (it depends on the machine and on luck):")
        print("  " + ", ".join(name for _, name in runs))
    return bool(more or gone or listed.unreasoned)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--page", required=True)
    parser.add_argument("--gcov", default="gcov")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    functions = gcov.read(options.source, options.build, FOLDERS, options.gcov)
    if not functions:
        sys.exit("nothing was counted; run script/coverage first")
    total = print_table(functions)
    if options.update:
        listed = Listed(options.page)
        more = {key: len(missed) - listed.allowed[key] for key, missed in surplus(functions, listed.allowed).items()}
        if more:
            listed.add(more)
    wrong = tell(options.source, functions, Listed(options.page))
    if total < WANTED:
        print(f"\n{total:.1f} % of the lines run, {WANTED:.0f} % are wanted")
    print(f"\n{total:.1f} % of the lines of core and formats run in the tests"
          + ("; the list in docs/reliability.md is not right" if wrong else ", the rest is listed with its reason"))
    return 1 if wrong or total < WANTED else 0


if __name__ == "__main__":
    sys.exit(main())
