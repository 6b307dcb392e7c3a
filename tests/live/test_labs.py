"""The lessons of docs/labs: each holds what it claims and prints what it shows, as root and as nobody."""

import os
import re
import shutil
import subprocess
import sys
import unittest

import support
from documents import SOURCE
from support import become, each_user, skip, world

sys.path.insert(0, os.path.join(SOURCE, "script"))

import lab  # noqa: E402
import lab_claims  # noqa: E402

# What script/lab is made of.
PARTS = ("script/lab", "script/lab.py", "script/lab_claims.py", "script/lib.sh", "docs/labs", "tests/live/documents.py",
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
        self.assertEqual(set(re.findall(r"\((\d[\w-]+\.md)\)", texts[0])), {os.path.basename(p) for p in lab.pages().values()})
        for text in texts + [lesson(number) for number in lab.pages()]:
            for link in re.findall(r"\]\(([^)#]+)\)", text):
                self.assertTrue(link.startswith("https://") or os.path.exists(os.path.join(lab.LABS, link)), link)

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

    def go_through(self, number, user):
        # A place where that user can read it, too.
        root = os.path.join(world().folder, "source")
        for part in PARTS:
            path = os.path.join(root, part)
            if not os.path.exists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                (shutil.copytree if os.path.isdir(os.path.join(SOURCE, part)) else shutil.copy)(os.path.join(SOURCE, part), path)
        home = world().home(user)
        done = subprocess.run([os.path.join(root, "script", "lab"), str(number), "--check"], cwd=home, **become(user),
                              env={**world().env, "VMSNAP": world().vmsnap, "TMPDIR": home, "LC_ALL": "C.UTF-8"},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=300 * support.SLOWNESS)
        said = done.stdout.decode(errors="replace")
        if done.returncode == 77:
            skip(self, f"lesson {number}: " + re.findall(r"SKIP: (.*)|cannot be tried here: (.*)", said)[-1][0])
        self.assertEqual(done.returncode, 0, said)
        self.assertRegex(said, r"\n  \.\.\. holds\n")
        self.assertEqual(os.listdir(home), [], "left behind")


def add_lessons():
    """A test for each page, so that one that cannot be had leaves the others."""
    for number in lab.pages():
        def test(self, user, number=number):
            self.go_through(number, user)
        setattr(Lessons, f"test_lesson_{number}_holds", each_user(support.unmoved(test)))


add_lessons()

if __name__ == "__main__":
    support.main()
