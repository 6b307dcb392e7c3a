"""Completion in the shells themselves: zsh and fish offer what the help has, and what bash offers."""

import os
import re
import shutil
import subprocess

import support
from command_line import COMMANDS, Case, command
from support import skip, world

# What zsh would offer.  Its widgets work at a terminal only: so, a zsh in a terminal of its own.  compadd is asked
# what it would add, and adds nothing.
ZSH_INNER = r"""
stty -echo
PROMPT=
autoload -Uz compinit
compinit -u -D
source ./_vmsnap
bindkey '^I' complete-word
leave() { exit; }
comppostfuncs=(leave)
compadd() {
	local -a hits
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return $?; fi
	builtin compadd -A hits "$@"
	(( $#hits )) || return 1
	print -rl -- $IPREFIX$^hits >>./offered
}
"""
ZSH_OUTER = r"""
zmodload zsh/zpty || exit 77
zpty inner zsh -f -i
zpty -w inner 'source ./inner'
zpty -w -n inner "$1"$'\t'
while zpty -r inner line; do :; done
cat offered 2>/dev/null
rm -f offered
"""


class Shells:
    """What is asked of each shell, in a folder with its script."""

    def setUp(self):
        super().setUp()
        if not shutil.which(self.shell):
            skip(self, f"{self.shell} is not installed")
        script = subprocess.run([world().vmsnap, "--completion", self.shell], env=world().env, cwd=self.folder,
                                stdout=subprocess.PIPE, check=True).stdout
        with open(self.path(self.file), "wb") as file:
            file.write(script)
        self.env = {**world().env, "HOME": self.folder, "XDG_CONFIG_HOME": self.folder, "XDG_DATA_HOME": self.folder,
                    "TERM": "xterm"}

    def test_commands(self):
        self.assertEqual(self.complete("vmsnap ca"), {"capture"})
        self.assertEqual(self.complete("vmsnap pag"), {"page", "pages"})
        self.assertEqual(set(COMMANDS) - self.complete("vmsnap "), set())
        self.assertEqual(self.complete("vmsnap help cop"), {"copy"})

    def test_each_option_of_the_help_and_no_other(self):
        for name in COMMANDS:
            text = command("help", name).stdout.decode()
            helped = set(re.findall(r"(?m)^ .{4}  ?(--[a-z-]+)", text))
            self.assertGreater(len(helped), 3)
            offered = {word.split("=")[0] for word in self.complete(f"vmsnap {name} --")}
            self.assertEqual(offered, helped, name)

    def test_values(self):
        self.assertEqual(self.complete("vmsnap export --format sq"), {"sqlite"})
        self.assertEqual(self.complete("vmsnap group --by na"), {"name"})
        self.assertIn("START,SIZE", self.complete("vmsnap show -o START,SI"))
        self.assertIn("+BUILDID", self.complete("vmsnap show -o +BUI"))
        self.assertIn("pfns,cmdline", self.complete("vmsnap copy --strip pfns,cm"))
        self.assertEqual({word.split("=")[-1] for word in self.complete("vmsnap capture --contents=")},
                         {"private", "all"})

    def test_files_and_processes(self):
        open(self.path("somewhere.vms"), "w").close()
        os.mkdir(self.path("someplace"))
        self.assertIn("somewhere.vms", self.complete("vmsnap show somew"))
        self.assertIn("somewhere.vms", self.complete("vmsnap capture --output somew"))
        self.assertIn("someplace", {word.rstrip("/") for word in self.complete("vmsnap cow --sysroot some")})
        self.assertIn(str(os.getpid()), self.complete("vmsnap capture "))

    def test_no_option_of_another_command(self):
        self.assertNotIn("--append", self.complete("vmsnap show --a"))


class Zsh(Shells, Case):
    shell, file = "zsh", "_vmsnap"

    def complete(self, line):
        with open(self.path("inner"), "w", encoding="utf-8") as file:
            file.write(ZSH_INNER)
        done = subprocess.run(["zsh", "-f", "-c", ZSH_OUTER, "zsh", line], env=self.env, cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        if done.returncode == 77:
            skip(self, "this zsh has no zpty")
        self.assertEqual(done.stderr, b"")
        return set(done.stdout.decode().split())


class Fish(Shells, Case):
    shell, file = "fish", "vmsnap.fish"

    def complete(self, line):
        script = "source vmsnap.fish; complete -C (string join ' ' -- $argv)"
        done = subprocess.run(["fish", "--no-config", "-c", script, *line.split(" ")], env=self.env, cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120 * support.SLOWNESS)
        self.assertEqual(done.stderr, b"")
        return {row.split("\t")[0] for row in done.stdout.decode().splitlines()}


if __name__ == "__main__":
    support.main()
