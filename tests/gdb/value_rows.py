"""What `vmsnap wrote` tells, as rows."""

import json


def rows_of(values):
    return {row["name"]: row for row in values}


def wrote(gdb, command):
    said = gdb(f"vmsnap wrote --json {command}")
    found = json.loads(said[said.index('{\n "schema"'):])
    gdb.test.assertEqual(found["schema"], "vmsnap.wrote/1")
    return found["values"]
