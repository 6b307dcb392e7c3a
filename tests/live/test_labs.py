"""The lessons of docs/labs: each holds what it claims and prints what it shows, as root and as nobody."""

import os
import re
import shutil
import subprocess
import sys
import unittest

import documents
import support
from documents import SOURCE
from support import become, each_user, skip, world

sys.path.insert(0, os.path.join(SOURCE, "docs", "labs", "runner"))

import lab  # noqa: E402
import lab_claims  # noqa: E402

# What script/lab is made of.
PARTS = ("script/lab", "script/lib.sh", "docs/labs", "tests/live/documents.py",
         "tests/live/kernel.py")


def lesson(number):
    with open(lab.pages()[number], encoding="utf-8") as file:
        return file.read()


class Pages(unittest.TestCase):
    def test_each_claim_is_checked_and_each_check_is_claimed(self):
        claimed = [step.text for number in lab.pages() for step in lab.parse(lesson(number)) if step.kind == "claim"]
        self.assertEqual(sorted(claimed), sorted(lab_claims.CLAIMS))
        self.assertEqual(sum(lesson(number).count("**Claim:**") for number in lab.pages()), len(claimed))

    def test_each_has_questions_commands_and_claims(self):
        for number in lab.pages():
            steps = lab.parse(lesson(number))
            self.assertGreater(lesson(number).count("**Question.**"), 1, number)
            for kind in ("console", "claim"):
                self.assertGreater(sum(step.kind == kind for step in steps), 2, f"{number}: {kind}")
            for step in steps:
                self.assertLessEqual(set(step.needs), set(lab.NEEDS), number)

    def test_links_lead_somewhere_and_all_are_listed(self):
        with open(os.path.join(lab.LABS, "README.md"), encoding="utf-8") as file:
            texts = [file.read()]
        self.assertEqual(set(re.findall(r"\((\d[\w-]+\.md)\)", texts[0])),
                         {os.path.basename(path) for path in lab.pages().values()})
        for text in texts + [lesson(number) for number in lab.pages()]:
            for link in re.findall(r"\]\(([^)#]+)\)", text):
                self.assertTrue(link.startswith("https://") or os.path.exists(os.path.join(lab.LABS, link)), link)

    def test_a_kernel_that_knows_soft_dirty_pages_prints_the_same_lesson(self):
        for shown, printed in (("1 present", "1 present soft_dirty"), ("1 present zero", "1 present soft_dirty, zero"),
                               ("1 present exclusive", "1 present exclusive, soft_dirty")):
            self.assertTrue(documents.matches([shown], [printed]), printed)
        self.assertFalse(documents.matches(["1 present exclusive"], ["1 present soft_dirty"]))

    def test_what_is_not_so_is_seen(self):
        tried = lab.Lab(lab.pages()[1], True)
        self.addCleanup(tried.end)
        tried.console(lab.Step("console", "$ echo one; echo 12 two\none\n34 two\n"))
        self.assertEqual(tried.failed, 0)
        tried.console(lab.Step("console", "$ echo one\ntwo\n"))
        tried.claim(lab.Step("claim", "x"), {"x": lambda _: lab_claims.equal(1, 2, "one")})
        self.assertEqual((tried.failed, tried.held), (2, 0))


class Lessons(unittest.TestCase):
    def setUp(self):
        if not shutil.which(os.environ.get("CC", "cc")):
            skip(self, "no C compiler")

    def parts(self):
        """The source, where every user can read it."""
        root = os.path.join(world().folder, "source")
        for part in PARTS:
            source, path = os.path.join(SOURCE, part), os.path.join(root, part)
            if not os.path.exists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, path)
        return root

    def run_lesson(self, number, user, command):
        home = world().home(user)
        done = subprocess.run([os.path.join(self.parts(), "script", "lab"), str(number), "--check"], cwd=home,
                              env={**world().env, "VMSNAP": command, "TMPDIR": home, "LC_ALL": "C.UTF-8"},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=300 * support.SLOWNESS, **become(user))
        self.assertEqual(os.listdir(home), [], "left behind")
        return done.returncode, done.stdout.decode(errors="replace")

    def go_through(self, number, user):
        status, said = self.run_lesson(number, user, world().vmsnap)
        if status == 77:
            reasons = re.findall(r"(?m)(?:^SKIP|cannot be tried here): (.*)", said)
            skip(self, f"lesson {number}: {reasons[-1]}")
        self.assertEqual(status, 0, said)
        self.assertRegex(said, r"\n  \.\.\. holds\n")

    def test_a_command_that_tells_something_else_is_found_out(self):
        liar = os.path.join(world().folder, "liar")
        with open(liar, "w", encoding="utf-8") as file:
            file.write(f"""#!/bin/sh\n{world().vmsnap} "$@" | sed 's/"exclusive"/"file"/'\n""")
        os.chmod(liar, 0o755)
        status, said = self.run_lesson(2, support.me(), liar)
        self.assertEqual(status, 1, said)
        self.assertIn("... DOES NOT HOLD", said)


def add_lessons():
    """A test for each page, so that one that cannot be had leaves the others."""
    for number in lab.pages():
        def test(self, user, number=number):
            self.go_through(number, user)
        setattr(Lessons, f"test_lesson_{number}_holds", each_user(support.unmoved(test)))


add_lessons()

if __name__ == "__main__":
    support.main()
