"""The program gets its signals: all of them, once, in order and with their contents, whatever
vmsnap does in between.  What gdb itself loses it loses without the plugin, too."""

import unittest

from gdb_session import SECONDS, Gdb, main, wait_for

# gdb would stop at each of them.
PASSED = "SIGUSR1 SIGCHLD SIG34 SIG35"


class Counted(unittest.TestCase):
    def look(self, *args, plugin=True, settings=(), before=(), at_stop=(), stop="", stops=0):
        """Runs it to its end: what it says is missing and what wrong.  before: commands; at_stop:
        those at each of so many stops, at the place stop."""
        gdb = Gdb(self, "gdb_signals", *args, plugin=plugin)
        gdb(f"handle {PASSED} nostop noprint pass")
        for line in settings:
            gdb(f"set {line}")
        gdb("break finished")
        if stop:
            gdb(f"break {stop}")
        if plugin:
            for line in before:
                gdb(line)
        seen = 0
        gdb("run")
        while (place := self.place(gdb)) != "finished":
            seen += place == "step"
            for line in at_stop if plugin else ():
                gdb(line)
            gdb("continue")
        self.assertGreaterEqual(seen, stops)
        for queue in range(2):
            self.assertGreater(gdb.number(f"queues[{queue}].came"), 20)
        return gdb, (gdb.number("missing"), gdb.number("wrong"))

    def place(self, gdb):
        """Where it stands.  gdb stops at the end of a child that it has kept, too."""
        if gdb.value("gdb.selected_thread() is None"):
            gdb("inferior 1")
        return gdb.value("frame_names()[0]")

    def nothing_is_lost(self, *args, **options):
        """Gives the gdb that still stands at the end."""
        gdb, found = self.look(*args, **options)
        if found != (0, 0):
            _, alone = self.look(*args, plugin=False, **options)
            for ours, theirs in zip(found, alone):
                self.assertLessEqual(ours, theirs, f"missing and wrong: {found}, {alone} without the plugin")
        return gdb

    def running(self, *args, before=()):
        """One that runs while gdb takes commands."""
        gdb = Gdb(self, "gdb_signals", *args)
        gdb(f"handle {PASSED} nostop noprint pass")
        gdb("set non-stop on")
        gdb("break finished")
        for line in before:
            gdb(line)
        gdb("run &")
        self.assertTrue(wait_for(lambda: gdb.value("gdb.selected_thread() is not None")))
        return gdb

    def wait_for_the_end(self, gdb, meanwhile="echo"):
        def stands():
            gdb(meanwhile)
            return gdb.value("gdb.selected_thread().is_stopped()")
        self.assertTrue(wait_for(stands, SECONDS))
        self.assertEqual(self.place(gdb), "finished")
        self.assertEqual((gdb.number("missing"), gdb.number("wrong")), (0, 0))

    def taken(self, gdb):
        return len(gdb.names())


class AtStops(Counted):
    def test_take(self):
        gdb = self.nothing_is_lost(400, stop="step if round % 10 == 5", stops=40, at_stop=("vmsnap take",))
        self.assertEqual(self.taken(gdb), 40)
        self.assertIn("exited normally", gdb("continue"))

    def test_auto_stop(self):
        gdb = self.nothing_is_lost(400, stop="step if round % 10 == 5", stops=40, before=("vmsnap auto stop",))
        self.assertEqual(self.taken(gdb), 41)

    def test_auto_break(self):
        gdb = self.nothing_is_lost(150, before=("set vmsnap limit 1000", "vmsnap auto break step"))
        self.assertEqual(self.taken(gdb), 150)

    def test_auto_break_in_non_stop_mode(self):
        gdb = self.nothing_is_lost(150, settings=("non-stop on",),
                                   before=("set vmsnap limit 1000", "vmsnap auto break step"))
        self.assertEqual(self.taken(gdb), 150)


    def test_take_while_it_runs(self):
        gdb = self.running(1000)
        for _ in range(40):
            gdb("vmsnap take")
        self.wait_for_the_end(gdb)
        self.assertEqual(self.taken(gdb), 40)


class Forks(Counted):
    FORKS = 6

    def pairs(self, *args, settings=(), before=("vmsnap auto fork",), **options):
        gdb = self.nothing_is_lost(300, self.FORKS, *args, settings=settings, before=before, **options)
        self.assertEqual(self.taken(gdb), 2 * self.FORKS)
        self.assertEqual(gdb.number("children_came"), self.FORKS)
        return gdb

    def test_children_let_go(self):
        self.assertIn("exited normally", self.pairs()("continue"))

    def test_vfork(self):
        self.pairs("vfork")

    def test_children_kept_by_gdb(self):
        self.pairs(settings=("detach-on-fork off", "schedule-multiple on"))

    def test_children_held_until_they_are_released(self):
        gdb = self.running(300, self.FORKS, before=("vmsnap auto fork --keep-child",))
        self.wait_for_the_end(gdb, "vmsnap auto release")
        self.assertEqual(gdb.number("children_came"), self.FORKS)

    def test_with_all_others(self):
        gdb = self.nothing_is_lost(200, self.FORKS, stop="step if round % 20 == 5", stops=10,
                                   before=("set vmsnap limit 1000", "vmsnap auto fork", "vmsnap auto stop",
                                           "vmsnap auto break step"))
        self.assertGreater(self.taken(gdb), 200)


if __name__ == "__main__":
    main()
