"""What may be stopped where Yama restricts ptrace (kernel.yama.ptrace_scope), and that it is said of
what may not.  Whatever the machine's setting is, it stays; script/kernels runs this with each of them."""

import unittest

import kernel
import support
from kernel import PAGE
from support import NOBODY, OTHERS, Target, ask, capture, pages, skip

SCOPE = "/proc/sys/kernel/yama/ptrace_scope"


def scope():
    try:
        return int(kernel.read(SCOPE))
    except OSError:
        return None


class Yama(unittest.TestCase):
    def setUp(self):
        self.scope = scope()
        if self.scope is None:
            skip(self, "this kernel has no Yama")

    def check(self, user, target, stopped):
        """The pages are told either way, and whether they were of one moment is."""
        path = capture(self, target.pid, user=user)
        shown = ask(self, "show", path, user=user)["snapshot"]
        self.assertEqual(shown["freeze"], "full" if stopped else "none", f"ptrace_scope {self.scope}")
        start, end = target.ranges["anonymous"]
        truth = {at for at, entry in kernel.entries(target.pid, [(start, end)]).items() if entry & kernel.PRESENT}
        told = pages(self, path, f"{start:x}-{end:x}", user=user)
        self.assertEqual({at for at, page in told.items() if page[0] == "present"}, truth)
        self.assertEqual(len(truth), 64 + 64 + 43)

    def test_a_process_of_the_same_user_that_is_not_ones_child(self):
        for user in [NOBODY] if OTHERS else [] if support.ROOT else [support.me()]:
            target = Target(self, "pages", "anonymous", user=user)
            self.check(user, target, self.scope == 0)
            target.end()

    def test_a_process_that_lets_everybody_trace_it(self):
        """PR_SET_PTRACER is for scope 1 only."""
        user = NOBODY if OTHERS else support.me()
        target = Target(self, "cow_demo", user=user)
        path = capture(self, target.pid, user=user)
        stopped = ask(self, "show", path, user=user)["snapshot"]["freeze"] == "full"
        self.assertEqual(stopped, self.scope < 2 or (self.scope == 2 and kernel.capable(kernel.SYS_PTRACE) and user == 0))

    def test_root_may_until_nobody_may(self):
        if not (support.ROOT and kernel.capable(kernel.SYS_PTRACE)):
            skip(self, "processes that CAP_SYS_PTRACE lets one trace: this user has not got it")
        for owner in [0, NOBODY] if OTHERS else [0]:
            target = Target(self, "pages", "anonymous", user=owner)
            self.check(0, target, self.scope < 3)
            target.end()

    def test_a_tree_is_told_as_one_process_is(self):
        user = NOBODY if OTHERS else support.me()
        if user == 0:
            skip(self, "an ordinary user: root here may not become one")
        target = Target(self, "pages", "forked", user=user)
        path = capture(self, target.pid, "--tree", user=user)
        for index in (1, 2):
            shown = ask(self, "show", f"{path}@{index}", user=user)["snapshot"]
            self.assertEqual(shown["freeze"] == "full", self.scope == 0, shown)
        start, end = target.ranges["forked"]
        self.assertEqual(len(pages(self, f"{path}@1", f"{start:x}-{end:x}", user=user)), 48)
        self.assertEqual(end - start, 64 * PAGE)


if __name__ == "__main__":
    support.main()
