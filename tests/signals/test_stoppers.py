"""Programs that stop their own threads by signals get on after a capture: what they wait for
has come.  Whether one hangs says its progress, not a clock."""

import time
import unittest

import signalslib  # noqa: I001  (it says where the others lie)
import support
from signalslib import ALL, CAPTURES, PATIENCE, asked, drive, load, need_threads, program


class Stoppers(unittest.TestCase):
    def gets_on(self, target, what):
        """Its next rounds are done, however long that takes on this machine."""
        before = int(asked(target, "how far?")["rounds"][1])
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = asked(target, "how far?")
            if int(answer["rounds"][1]) >= before + 2:
                self.assertEqual(answer.get("wrong", ["wrong", "0"])[1], "0", "memory that was in use was freed")
                return
            time.sleep(0.02)
        self.fail(f"it hangs {what}")

    def look(self, name, threads, captures, every, busy=False, slow=()):
        need_threads(self, threads)
        target = program(self, name, threads)
        if busy:
            load(self)
        self.gets_on(target, "from the beginning")
        status, said = drive(self, target, "--captures", CAPTURES if ALL else captures, "--every", every, *slow,
                             nice=15 if busy else 0)
        self.gets_on(target, f"after it was captured: {said}")
        self.assertEqual(status, 0, said)
        target.end()


class SetXid(Stoppers):
    """setgid() of glibc."""

    def test_few_threads(self):
        self.look("setxid", 10, 30, 1)

    def test_many_threads(self):
        self.look("setxid", 300, 5, 32)

    def test_many_threads_loaded(self):
        self.look("setxid", 300, 2, 32, busy=True)

    def test_ten_thousand_threads(self):
        self.look("setxid", 10000, 1, 1000)

    def test_killed(self):
        self.look("setxid", 10, 1, 1, slow=("--kill", 1 if ALL else 3))


class Collectors(Stoppers):
    def test_boehm(self):
        self.look("collector", 10, 30, 1)

    def test_boehm_many_threads(self):
        self.look("collector", 300, 3, 32)

    def test_boehm_killed(self):
        self.look("collector", 10, 1, 1, slow=("--kill", 1 if ALL else 3))


if __name__ == "__main__":
    support.main()
