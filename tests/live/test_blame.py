"""Which code made, copied and wrote pages: as vmsnap blame says, and as a program knows it that did.

BLAME_COUNT: so many random programs, from BLAME_SEED on; script/blame sets them."""

import json
import os
import unittest

import blaming
import support
from blaming import Truth
from support import Target, each_user, skip

COUNT, SEED = int(os.environ.get("BLAME_COUNT", "4")), int(os.environ.get("BLAME_SEED", "1"))


def need_faults(test, result):
    """Whether faults may be watched is the machine's matter."""
    for reason in ("does not let page faults be watched", "cannot tell of page faults"):
        if result.status == 2 and reason in result.err:
            skip(test, "the kernel does not let page faults be watched (perf_event_open)")
    test.assertEqual(result.status, 0, result)


class RandomPrograms(unittest.TestCase):
    def look(self, seed, operations, *words, user):
        target = Target(self, "blame", seed, operations, user=user)
        result = blaming.blame(target, *words, "--json", user=user)
        need_faults(self, result)
        document, truth = json.loads(result.out), Truth(target)
        target.end()
        return document, truth, blaming.judge(document, truth)

    def check(self, seed, user):
        document, _, sums = self.look(seed, 300, user=user)
        self.assertEqual(sums["wrong"], [], f"seed {seed}")
        self.assertGreater(sums["right"], 0, f"seed {seed}")
        if "kinds" in document["watched"] and document["lost"] == 0:
            self.assertEqual(sums["untold"], [], f"seed {seed}")
            self.assertLessEqual(sums["unseen"], 0.02 * (sums["right"] + sums["several"] + sums["unseen"]), f"seed {seed}")
        return sums

    @each_user
    def test_the_right_function_or_nobody(self, user):
        total = {"right": 0, "several": 0, "unseen": 0}
        for seed in range(SEED, SEED + COUNT):
            sums = self.check(seed, user)
            total = {name: total[name] + sums[name] for name in total}
        print(f"{support.user_name(user)}: {COUNT} programs, pages blamed rightly {total['right']}, on one of several "
              f"{total['several']}, on nobody {total['unseen']}", flush=True)


if __name__ == "__main__":
    unittest.main()
