"""For the tests about rights: running with a few capabilities, folders of several users."""

import grp
import os
import pwd
import re
import shlex
import shutil
import subprocess
import tempfile
import time
import unittest

import documents
import kernel
import support
from support import NOBODY, VMSNAP, skip, world

SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.dirname(os.path.abspath(VMSNAP))
STRANGER = 1  # neither root nor nobody
PTRACE, ADMIN, READ = "sys_ptrace", "sys_admin", "dac_read_search"
ALL_NEEDED = (PTRACE, ADMIN, READ)


def cache():
    """What the build was configured with."""
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as file:
        return dict(re.findall(r"(?m)^([\w-]+):\w+=(.*)$", file.read()))


def as_user(user, capabilities=()):
    """The words before a command that make it run as this user, with just these."""
    some = "".join(f",+{name}" for name in capabilities)
    if user == 0:
        return ["setpriv", "--inh-caps=-all", f"--bounding-set=-all{some}"]
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", f"--bounding-set=-all{some}",
            f"--inh-caps=-all{some}", f"--ambient-caps=-all{some}"]


def somebody():
    """An ordinary user for the document's alice: with a group of the same name, as people have."""
    for user in sorted(pwd.getpwall(), key=lambda user: user.pw_uid):
        if user.pw_uid in (0, STRANGER, NOBODY):
            continue
        try:
            if grp.getgrnam(user.pw_name).gr_gid == user.pw_gid:
                return user
        except KeyError:
            pass
    return None


def ways():
    """The ways to run that SECURITY.md shows: title and commands."""
    (block,) = documents.blocks(documents.read("SECURITY.md"), "sh")
    return dict(re.fullmatch(r"(?s)# ([^\n]*)\n(.*)", part.strip()).groups() for part in block.split("\n\n"))


def replaced(commands, **names):
    """The commands with other names; each must be there."""
    for old, new in names.items():
        old = old.lstrip("_")
        commands, count = re.subn(rf"\b{re.escape(old)}\b", str(new), commands)
        if not count:
            raise AssertionError(f"no {old} in: {commands}")
    return commands


# A program named vmsnap, for PATH: first it says what it may, then it is vmsnap.
WITNESS = """#!/bin/sh
sed -n 's/^\\(Cap...\\|NoNewPrivs\\):[[:space:]]*/\\1 /p' /proc/self/status >&2
{exports}
exec {vmsnap} "$@"
"""


def witness(folder):
    """Puts it there; a service manager hands no environment on."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in world().env.items()
               if name in ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")]
    path = os.path.join(folder, "vmsnap")
    with open(path, "w", encoding="utf-8") as file:
        file.write(WITNESS.format(exports="\n".join(exports), vmsnap=shlex.quote(world().vmsnap)))
    os.chmod(path, 0o755)


# A service manager of our own: systemd is the first process of a pid namespace, sees its own
# cgroup only, has its own /dev and /run, may set nothing in /proc/sys, and starts nothing but the
# message bus that systemd-run asks for.  $COMMANDS are then run below it, and it is killed.
MANAGER = r"""
    set -e
    mount --make-rprivate /
    mkdir "$FOLDER/cgroup"
    mount -t cgroup2 cgroup2 "$FOLDER/cgroup"
    cgroup=$FOLDER/cgroup/vmsnap-test-$$
    mkdir "$cgroup"
    sh -c 'echo $$ >"$0/cgroup.procs" && exec unshare --mount --pid --fork --uts --ipc --net --cgroup \
        --kill-child sh -c "$INSIDE"' "$cgroup" &
    unshare=$!
    count=0
    while [ ! -e "$FOLDER/done" ] && [ $count -lt 900 ] && kill -0 $unshare 2>/dev/null; do
        sleep 0.1
        count=$((count + 1))
    done
    kill -KILL $unshare 2>/dev/null || true
    wait $unshare 2>/dev/null || true
    count=0
    until find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || [ $count -gt 50 ]; do
        sleep 0.1
        count=$((count + 1))
    done
    umount "$FOLDER/cgroup"
"""
INSIDE = r"""
    set -e
    mount -t proc proc /proc
    mount --bind /proc/sys /proc/sys
    mount -o remount,ro,bind /proc/sys
    mount -t tmpfs tmpfs /run
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir -p /run/units /run/dev/shm /run/dev/pts
    for device in null zero full random urandom tty; do
        touch /run/dev/$device
        mount --bind /dev/$device /run/dev/$device
    done
    ln -s /proc/self/fd /run/dev/fd
    ln -s pts/ptmx /run/dev/ptmx
    mount --rbind /run/dev /dev
    cp /lib/systemd/system/dbus.service /lib/systemd/system/dbus.socket /run/units/
    for unit in sysinit basic sockets shutdown test; do
        printf '[Unit]
DefaultDependencies=no
' >/run/units/$unit.target
    done
    printf 'Wants=dbus.socket dbus.service
' >>/run/units/test.target
    setpriv --reuid=$STRANGER --regid=$STRANGER --clear-groups sleep 600 &
    export TARGET=$!
    (
        count=0
        until busctl status org.freedesktop.systemd1 >/dev/null 2>&1 || [ $count -gt 600 ]; do
            sleep 0.1
            count=$((count + 1))
        done
        [ $count -gt 600 ] || echo up >"$FOLDER/up"
        cd "$FOLDER"
        sh -c "$COMMANDS" || true
        touch "$FOLDER/done"
    ) &
    export container=other SYSTEMD_UNIT_PATH=/run/units
    exec /lib/systemd/systemd --system --unit=test.target --log-target=null >/dev/null 2>&1
"""


def below_systemd(folder, commands):
    """Runs them; False if systemd cannot be started here.  $TARGET is a process of STRANGER's."""
    done = call("unshare", "--mount", "sh", "-c", MANAGER, timeout=300, env={
        "FOLDER": folder, "INSIDE": INSIDE, "COMMANDS": commands, "STRANGER": str(STRANGER)})
    return done if os.path.exists(os.path.join(folder, "up")) else None


def call(*argv, input=None, timeout=300, env=None, **options):
    done = subprocess.run([str(word) for word in argv], input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout * support.SLOWNESS, env={**world().env, **(env or {})}, check=False,
                          **({} if input is not None else {"stdin": subprocess.DEVNULL}), **options)
    return support.Result(done)


class Case(unittest.TestCase):
    def need_root(self, *tools):
        support.need_others(self)
        for tool in ("setpriv", *tools):
            if not shutil.which(tool):
                skip(self, f"{tool} is not installed")

    def need_all_capabilities(self, *tools):
        """All those that vmsnap uses, to hand them on; a container's root has not got them."""
        self.need_root(*tools)
        if not kernel.capable(kernel.DAC_READ_SEARCH, kernel.SYS_PTRACE, kernel.SYS_ADMIN):
            skip(self, "capabilities: this root has not got them all itself")

    def folder(self, mode=0o755, owner=None):
        """A folder that everybody can reach."""
        path = tempfile.mkdtemp(dir=world().folder)
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        if owner:
            os.chown(path, owner, owner)
        os.chmod(path, mode)
        return path

    def sleeper(self, user):
        """A process of the user that sleeps, and is dumpable: it was executed as that user."""
        process = subprocess.Popen([*as_user(user), "sleep", "600"] if user else ["sleep", "600"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.until(lambda: kernel.read(f"/proc/{process.pid}/comm") == b"sleep\n" and
                   os.stat(f"/proc/{process.pid}/environ").st_uid == user, "the process never slept")
        return process.pid

    def until(self, condition, otherwise, seconds=60):
        end = time.monotonic() + seconds * support.SLOWNESS
        while not condition():
            self.assertLess(time.monotonic(), end, otherwise)
            time.sleep(0.005)
