"""No signal gets lost, comes twice or changes because a process is captured.

The program counts its signals (signals.c), the captures are slow on purpose (hooks.h).
VMSNAP_SIGNALS_ALL=1, as script/signals sets it: a thousand captures of each kind, which takes hours."""

import re
import unittest

import signalslib  # noqa: I001  (it says where the others lie)
import support
from signalslib import ALL, CAPTURES, Stopper, asked, drive, load, need_threads, need_tree, program, skip

# {threads: how rarely a capture is slow}: at every so-manieth thread.
EVERY = {10: 1, 300: 32, 10000: 2500}
# How nice a capture of them is to a busy machine.  At 15 one of ten thousand threads is most of a minute about its
# thirty thousand calls, each of which waits for a turn.
NICE = {10: 15, 300: 15, 10000: 5}


class Counted(unittest.TestCase):
    def look(self, threads, *options, children=0, stopper=True, busy=False):
        """Options are the driver's; what the program says afterwards must be right."""
        need_threads(self, threads)
        if children:
            need_tree(self)
            options = ("--tree", *options)
        target = program(self, "signals", threads, children)
        if busy:
            load(self)
        outside = Stopper(target.pid, threads)
        if stopper:
            outside.start()
            self.addCleanup(outside.finish)
        try:
            status, said = drive(self, target, "--every", EVERY[threads], *options, nice=NICE[threads] if busy else 0)
        finally:
            if stopper:
                outside.finish()
        self.assertIsNone(target.process.poll(), f"the program ended, and by itself it never does: {said}")
        self.judge(status, said, outside, asked(target, "report"))
        self.judge_itself(said)
        if stopper:
            self.assertGreater(outside.rounds, 0, "it was never stopped from outside")
        target.end()

    def judge(self, status, said, outside, counts):
        """All at once: what was lost says more than that a capture was wrong."""
        lost = {kind: f"{words[1]} sent, {words[2]} came" for kind, words in counts.items()
                if len(words) == 3 and kind != "wrong" and words[1] != words[2]}
        story = (said, lost, counts.get("wrong"), outside.trouble)
        self.assertEqual(counts["lost"], ["lost", "0"], story)
        self.assertNotIn("wrong", counts, story)
        self.assertNotIn("unfinished", counts, story)
        self.assertEqual(outside.trouble, "", story)
        self.assertEqual(status, 0, story)
        for kind, words in counts.items():
            if len(words) == 3:
                self.assertGreater(int(words[1]), 0, f"{kind}: there were none")

    def judge_itself(self, said):
        """Captures that meet nothing show nothing."""
        met = re.search(r"^captures (\d+)(?s:.*)^stood before (\d+) queued signals, (\d+) of timers, (\d+) standard",
                        said, re.M)
        if met and int(met[1]) >= 50:
            self.assertNotIn("0", met.groups()[1:], said)

    def long_form_only(self):
        if not ALL:
            skip(self, "ten thousand threads on a busy machine: long form only (script/signals)")

    def often(self, short):
        return ("--captures", CAPTURES if ALL else short)


class FewThreads(Counted):
    def test_idle(self):
        self.look(10, *self.often(40))

    def test_idle_tree(self):
        self.look(10, *self.often(8), children=3)

    def test_loaded(self):
        self.look(10, *self.often(5), busy=True)

    def test_loaded_tree(self):
        self.look(10, *self.often(2), children=3, busy=True)


class ManyThreads(Counted):
    def test_idle(self):
        self.look(300, *self.often(10))

    def test_idle_tree(self):
        self.look(300, *self.often(4), children=3)

    def test_loaded(self):
        self.look(300, *self.often(2), busy=True)

    def test_loaded_tree(self):
        self.look(300, *self.often(1), children=3, busy=True)


class TenThousandThreads(Counted):
    def test_idle(self):
        self.look(10000, *self.often(1))

    def test_idle_tree(self):
        self.look(10000, *self.often(1), children=3)

    def test_loaded(self):
        self.long_form_only()
        self.look(10000, *self.often(1), busy=True)

    def test_loaded_tree(self):
        self.long_form_only()
        self.look(10000, *self.often(1), children=3, busy=True)


class OtherThreads(Counted):
    """A program with a thread that waits for whatever child there is, and gets our stops."""

    def test_reaper_in_the_capturing_program(self):
        self.look(10, "--thief", *self.often(20))

    def test_reaper_in_the_capturing_program_tree(self):
        self.look(10, "--thief", *self.often(4), children=2)

    def test_reaper_in_the_capturing_program_many_threads(self):
        self.look(300, "--thief", *self.often(4))


class Killed(Counted):
    """The capturing program ends between any two calls: the kernel lets go of the target,
    and gives it the signals that it stood at."""

    def test_at_each_call(self):
        self.look(10, "--kill", 1 if ALL else 3)

    def test_at_each_call_of_a_tree(self):
        self.look(10, "--kill", 1 if ALL else 29, children=2)

    def test_at_calls_of_many_threads(self):
        self.look(300, "--kill", 7 if ALL else 211)


if __name__ == "__main__":
    support.main()
