"""What a room may include: the compiler sees to most of it, by the folders on its path, but not to
what lies beside a header that is allowed, nor to a path that is written out."""

import os
import re
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILDER = "core/model/builder/builder.h"  # the one header of the model that formats see
ROOMS_BELOW = {  # with what those see, in turn
    "core/base": "",
    "core/model": "core/base",
    "core/proc": "core/model",
    "core/capture": "core/proc",
    "core/compare": "core/model",
    "core/names": "core/proc",
    "core/self": "core/capture",
    "formats/file": "core/base",
    "formats/text": "core/base",
    "formats/view": "core/base",
    "formats/emit": "formats/text formats/view",
    "formats/report": "formats/emit formats/file",
    "formats/export": "formats/emit formats/file",
    "formats/html": "formats/emit formats/file",
    "cli": "",
}


def sources():
    """(path below the project, text) of each source and header of the product."""
    for room in ROOMS_BELOW:
        for folder, _, files in os.walk(os.path.join(ROOT, room)):
            for name in sorted(files):
                if name.endswith((".c", ".h")):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as file:
                        yield os.path.relpath(path, ROOT), file.read()


def room_of(path):
    return next(room for room in ROOMS_BELOW if path.startswith(room + "/"))


def visible(room):
    """The rooms whose headers it may include, itself among them."""
    seen = {room}
    for below in ROOMS_BELOW[room].split():
        seen |= visible(below)
    return seen


def allowed(path, header):
    """Whether a file may include a header of the project that is not public."""
    if header == BUILDER:
        return room_of(path) in ("core/model", "core/capture", "core/self", "formats/file")
    return room_of(header) in visible(room_of(path))


class Rooms(unittest.TestCase):
    def test_what_may_be_included(self):
        self.assertTrue(allowed("formats/file/file_decode.h", BUILDER))
        self.assertTrue(allowed("core/capture/reader.c", "core/model/snapshot.h"))
        for path, header in (("formats/file/file_encode.h", "core/model/snapshot.h"),
                             ("formats/report/text_limit.c", "core/model/spare.h"),
                             ("formats/report/text_limit.c", "core/compare/compared.h"),
                             ("formats/report/print_show.c", BUILDER),
                             ("core/names/names.c", "core/capture/reader.h"),
                             ("cli/main.c", "core/base/error.h")):
            self.assertFalse(allowed(path, header), (path, header))

    def test_nothing_else_is(self):
        texts = dict(sources())
        headers = [path for path in texts if path.endswith(".h")]
        checked = 0
        for path, text in texts.items():
            for word in re.findall(r'^#\s*include "([^"]+)"', text, re.M):
                meant = [header for header in headers if os.path.basename(header) == os.path.basename(word)]
                if not meant:
                    continue  # public, or made by the build
                if "/" in word:  # past the compiler's watch
                    self.assertEqual(path, BUILDER, f"{path} includes {word} by its path")
                self.assertTrue(any(allowed(path, header) for header in meant), f"{path} includes {meant}")
                checked += 1
        self.assertGreater(checked, 300)


if __name__ == "__main__":
    unittest.main()
