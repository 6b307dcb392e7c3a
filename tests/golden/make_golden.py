"""Writes the golden files of this folder, expected.json and README.md.

    python3 make_golden.py [FOLDER]

The same bytes come out every time, but for the few files with deflated sections:
their bytes depend on the version of zlib, what they hold does not.
"""

import json
import os
import sys

import cases
import bad
import broken
import deltas
import good
import vmsfile

HERE = os.path.dirname(os.path.abspath(__file__))
ABOUT = """# Golden files

Made by `make_golden.py` from `good.py`, `bad.py` and `broken.py`; run it after a
change there and commit what it wrote. `expected.json` says the same as the table
below to programs: `snapshots` has for each the `error` with which it does not load,
or its `model`, an index into the list of what snapshots hold; `damage` is the first
thing that keeps others from being found; a top-level `error` means that the file
does not open. `large` marks what a reader may refuse as too large. An `offset` counts
bytes from the start of the file.

The bytes are the same every time, but for deflated sections: they depend on the
version of zlib, what they hold does not.

| file | what it is | what a reader says |
|---|---|---|
"""


def all_cases():
    return good.cases() + good.not_ours() + bad.cases() + broken.cases() + deltas.cases()


def outcome(error):
    return {"error": error.kind, "offset": error.offset}


def expected(case, models):
    """What a reader must say; adds what the snapshots hold to `models`."""
    if case.error:
        return dict(outcome(case.error), what=case.what)
    snapshots = []
    for snapshot in case.snapshots:
        if isinstance(snapshot, cases.Error):
            snapshots.append(outcome(snapshot))
            continue
        model = vmsfile.printable(snapshot)
        if model not in models:
            models.append(model)
        snapshots.append({"model": models.index(model)})
    entry = {"what": case.what, "snapshots": snapshots, "damage": outcome(case.damage) if case.damage else None}
    if case.large:
        entry["large"] = True
    return entry


def said(error):
    return "%s at %d" % (error.kind.replace("_", " "), error.offset)


def verdict(case):
    if case.error:
        return said(case.error)
    errors = [(number, snapshot) for number, snapshot in enumerate(case.snapshots, 1)
              if isinstance(snapshot, cases.Error)]
    count = len(case.snapshots)
    words = ["1 snapshot" if count == 1 else "%d snapshots" % count]
    words += ["number %d is %s" % (number, said(error)) for number, error in errors]
    if case.damage:
        words.append("then " + said(case.damage))
    return "; ".join(words)


def files():
    """{name: bytes} of everything that belongs into this folder."""
    made = {}
    table = ABOUT
    for case in all_cases():
        if case.name in made:
            raise ValueError("two files are named " + case.name)
        made[case.name] = case.data
        table += "| `%s` | %s | %s |\n" % (case.name, case.what, verdict(case))
    models = []
    entries = {case.name: expected(case, models) for case in all_cases()}
    everything = {"files": entries, "models": models}
    made["README.md"] = table.encode()
    made["expected.json"] = (json.dumps(everything, indent=1, sort_keys=True) + "\n").encode()
    return made


def main(argv):
    folder = argv[1] if len(argv) > 1 else HERE
    made = files()
    for name in os.listdir(folder):
        if name.endswith(".vms") and name not in made:
            os.unlink(os.path.join(folder, name))
    for name, data in made.items():
        with open(os.path.join(folder, name), "wb") as stream:
            stream.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
