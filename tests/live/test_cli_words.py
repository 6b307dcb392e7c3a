"""Words that name snapshots and addresses."""

import errno
import json
import os
import shutil
import subprocess
import tempfile
import time

import support
from command_line import Case, command, on_terminal
from support import NOBODY, Target, ask, capture, run, world


class Words(Case):
    """What stands for a snapshot."""

    def test_numbers_labels_and_the_last(self):
        path = self.series("a.vms", "first", "7", "user@host")
        self.assertEqual(self.label_of(path), "user@host")
        self.assertEqual(self.label_of(path + "@1"), "first")
        self.assertEqual(self.label_of(path + "@-1"), "user@host")
        self.assertEqual(self.label_of(path + "@-3"), "first")
        self.assertEqual(self.label_of(path + "@first"), "first")
        self.assertEqual(self.label_of(path + "@user@host"), "user@host")
        self.assertEqual(self.label_of(path + "@label:7"), "7")

    def test_what_a_file_does_not_hold_is_told(self):
        path = self.series("a.vms", "first")
        for which in ("2", "0", "-2", "nothing", "99999999999999999999"):
            self.refused("show", f"{path}@{which}", said=which)

    def test_an_existing_file_with_an_at_sign_wins(self):
        path = self.series("a.vms", "one", "two")
        other = self.path("a.vms@1")
        run("capture", self.demo().pid, "-o", other, "--label", "other")
        self.assertEqual(self.label_of(path + "@1"), "other")
        self.assertEqual(self.label_of(path + "@2"), "two")
        self.assertEqual(self.label_of(other + "@1"), "other")

    def test_a_live_process_with_and_without_prefix(self):
        target = self.demo()
        for word in (target.pid, f"pid:{target.pid}"):
            answer = json.loads(command("show", word, "--json").stdout)
            self.assertEqual(answer["snapshot"]["pid"], target.pid)

    def test_standard_input_is_a_file_too(self):
        path = self.series("a.vms", "one", "two")
        with open(path, "rb") as file:
            self.assertEqual(self.label_of("-", stdin=file), "two")
        with open(path, "rb") as file:
            result = command("show", "--json", "--", "-@1", stdin=file)
            self.assertEqual(json.loads(result.stdout)["snapshot"]["label"], "one")
        with open(path, "rb") as file:
            content = file.read()
        for words in (("-",), ("--", "-@1", "-@2"), ("-@1", "-@2"), ("-@1", "--width=40", "-@two", "--")):
            both = subprocess.run([world().vmsnap, "diff", "--json", *words], env=world().env, input=content,
                                  stdout=subprocess.PIPE, timeout=300)
            self.assertIn(both.returncode, (0, 1))
            self.assertEqual(json.loads(both.stdout)["schema"], "vmsnap.diff/1")

    def test_only_a_word_of_its_own_is_standard_input(self):
        self.refused("show", "-b@1", said="'-@'")
        self.refused("status", "-@1", "-@2", "-@1", said="'-@1' is one too many")

    def test_an_empty_file_and_a_folder_are_called_that(self):
        with tempfile.TemporaryDirectory() as folder:
            empty, recorded = os.path.join(folder, "empty.vms"), os.path.join(folder, "app")
            with open(empty, "wb"):
                pass
            for command in ("list", "show", "check"):
                self.refused(command, empty, said="not a vmsnap file: it is empty")
            self.refused("list", "-", stdin=subprocess.DEVNULL, said="it is empty")
            os.mkdir(recorded)
            self.refused("show", recorded, said=["is a folder, not a snapshot file", "there is no maps in it"])
            for name in ("maps", "pagemap"):
                with open(os.path.join(recorded, name), "wb"):
                    pass
            self.refused("show", recorded, said=["a process that was recorded", "vmsnap.recorded()"])

    def test_what_is_no_snapshot_is_refused_before_it_ends(self):
        started = time.monotonic()
        with open("/dev/zero", "rb") as endless:
            self.refused("check", "-", stdin=endless, said=["standard input", "not a vmsnap file"])
        read, write = os.pipe()
        os.write(write, b"\x89VMS\n..")
        os.write(write, b".")
        self.refused("check", "-", stdin=read, said="not a vmsnap file")
        os.close(read)
        os.close(write)
        self.assertLess(time.monotonic() - started, 60)

    def test_a_terminal_as_input_is_refused(self):
        status, text = on_terminal("show", "-")
        self.assertEqual(status, 2)
        self.assertIn(b"terminal", text)

    def test_a_process_and_a_file_of_one_name(self):
        target = self.demo()
        name = str(target.pid)
        shutil.copy(self.series("a.vms", "the file"), self.path(name))
        result = command("show", name, "--json", cwd=self.folder)
        self.assertIsNone(json.loads(result.stdout)["snapshot"]["label"])
        self.assertIn(f"./{name}", result.stderr.decode())
        self.assertEqual(self.label_of("./" + name, cwd=self.folder), "the file")

    def test_a_file_with_the_name_of_a_missing_process(self):
        gone = Target(self, "cow_demo")
        gone.end()
        name = str(gone.pid)
        shutil.copy(self.series("a.vms", "the file"), self.path(name))
        self.refused("show", name, cwd=self.folder, said=["process", f"./{name}"])
        self.assertEqual(self.label_of(name + "@1", cwd=self.folder), "the file")

    def test_what_is_nothing_says_what_was_expected(self):
        self.refused("show", "none.vms", said=["none.vms", "FILE@N", "PID"])
        self.refused("show", "none.vms@2", said=["none.vms@2", "there is no file 'none.vms'"])
        self.refused("show", "", said="FILE@N")
        self.refused("show", "pid:x", said="'pid:x'")
        self.refused("show", "pid:", said="'pid:'")
        for number in ("0", "2147483648", "99999999999999999999"):
            self.refused("show", number, said=f"'{number}'")

    def test_a_folder_and_an_empty_file_are_not_snapshots(self):
        open(self.path("empty"), "w").close()
        self.refused("show", self.folder, said=self.folder)
        self.refused("show", self.path("empty"), said="empty")

    def test_a_file_without_permission_says_so(self):
        support.need_others(self)
        path = self.series("a.vms", "x")
        os.chmod(self.folder, 0o755)
        self.refused("show", path, user=NOBODY, group=NOBODY, extra_groups=[],
                     said=[path, os.strerror(errno.EACCES)])

    def test_list_and_check_want_a_whole_file(self):
        path = self.series("a.vms", "x")
        self.refused("list", path + "@1", said="file")
        self.refused("check", str(os.getpid()), said="file")


class Addresses(Case):
    def setUp(self):
        super().setUp()
        self.target = self.demo()
        self.start, self.end = self.target.ranges["table"]
        self.file = capture(self, self.target.pid)

    def first_and_count(self, word):
        runs = ask(self, "pages", self.file, word)["runs"]
        return int(runs[0]["start"], 16), sum(run_["pages"] for run_ in runs)

    def test_hexadecimal_with_and_without_prefix(self):
        for word in (f"{self.start:x}", f"0x{self.start:x}", f"0X{self.start:X}", f"{self.start:016x}"):
            self.assertEqual(self.first_and_count(word), (self.start, 1))
            self.assertEqual(int(ask(self, "page", self.file, word)["address"], 16), self.start)

    def test_an_address_within_a_page_means_the_page(self):
        self.assertEqual(self.first_and_count(f"{self.start + 0x123:x}"), (self.start, 1))

    def test_ranges(self):
        for word, count in ((f"{self.start:x}-{self.end:x}", 16), (f"{self.start:x}+4K", 1),
                            (f"0x{self.start:x}-0x{self.start + 0x3000:x}", 3), (f"{self.start:x}+16p", 16),
                            (f"{self.start:x}+10000", 16), (f"{self.start + 0xfff:x}+2", 2),
                            (f"{self.start:x}+0x2001", 3)):
            self.assertEqual(self.first_and_count(word), (self.start, count), word)

    def test_bad_addresses_say_what_was_expected(self):
        for word in ("", "0x", "12g", "-1", "main", "11112222333344445", " 1", "+1"):
            self.refused("page", "--", self.file, word, said="hexadecimal")
        for word in ("1000-", "1000+", "1000-10x", "1000+4Q", "1000,2000", "1-2-3", "ffffffffffffffff+2",
                     "1000+99999999999999T"):
            self.refused("pages", self.file, word, said=["hexadecimal", f"'{word}'"])
        self.refused("pages", self.file, "2000-1000", said="empty")
        self.refused("pages", self.file, "2000+0", said="empty")

    def test_a_bad_address_does_not_need_the_process(self):
        self.refused("page", "2147483647", "xyz", said="'xyz' is not an address")

    def test_the_highest_address_is_one(self):
        self.assertEqual(command("page", self.file, "ffffffffffffffff").returncode, 0)
        self.assertEqual(command("pages", self.file, "ffffffffffffffff").returncode, 0)
        self.assertEqual(command("pages", self.file, "0-ffffffffffffffff").returncode, 0)

    def test_an_unmapped_address_is_no_error_and_gives_its_gap(self):
        answer = ask(self, "page", self.file, "1000")
        self.assertIs(answer["mapped"], False)
        self.assertEqual(int(answer["gap"]["start"], 16), 0)


if __name__ == "__main__":
    support.main()
