"""A terminal that is played: the command has it as its own, and a test says what it answers and when."""

import array
import errno
import fcntl
import os
import pty
import select
import signal
import struct
import termios

from support import SLOWNESS, world

QUESTION = b"\x1b]11;?\x1b\\\x1b[c"
ATTRIBUTES = b"\x1b[?62;22c"  # what every terminal says of itself
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TERM": "xterm", "COLORTERM": "truecolor"}
FORGOTTEN = ("COLORFGBG", "NO_COLOR", "TMUX", "STY", "INSIDE_EMACS", "SSH_CONNECTION", "SSH_TTY", "COLUMNS")


def osc(color, end=b"\x1b\\"):
    return b"\x1b]11;" + color + end


class PlayedTerminal:
    """One terminal, on which one command runs in front."""

    def __init__(self, test, rows=24, columns=80):
        self.test = test
        self.master, self.slave = pty.openpty()
        os.set_blocking(self.master, False)
        test.addCleanup(os.close, self.master)
        test.addCleanup(os.close, self.slave)
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        self.pid, self.leader, self.status = None, None, None
        test.addCleanup(self._end)

    # ---- what the user does -----------------------------------------------------------------

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text)

    # ---- the command ------------------------------------------------------------------------

    def start(self, *argv, env=None, stdin=None, stdout=None, stderr=None, in_front=True):
        """As a shell starts a job: in a group of its own, by the session's leader, who is told if it stops."""
        environment = {key: value for key, value in world().env.items() if key not in FORGOTTEN}
        environment.update(ENVIRONMENT)
        environment.update(env or {})
        words = [os.fsencode(world().vmsnap), *(os.fsencode(str(word)) for word in argv)]
        self.news, news = os.pipe()
        orders, self.orders = os.pipe()
        self.leader = os.fork()
        if not self.leader:
            try:
                self._lead(news, orders, words, environment, (stdin, stdout, stderr), in_front)
            finally:
                os._exit(125)
        os.close(news)
        os.close(orders)
        self.pid = int(self._news_line())
        return self

    def _lead(self, news, orders, words, environment, descriptors, in_front):
        os.setsid()
        os.close(self.orders)
        os.close(self.news)
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        for number in (signal.SIGHUP, signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        job = os.fork()
        if not job:
            try:
                self._become(words, environment, descriptors, in_front)
            finally:
                os._exit(125)
        try:
            os.setpgid(job, job)
        except OSError:
            pass  # it has done so itself, and is on
        os.write(news, b"%d\n" % job)
        while True:
            _, status = os.waitpid(job, os.WUNTRACED)
            os.write(news, b"%d\n" % status)
            if not os.WIFSTOPPED(status):
                os._exit(0)
            os.tcsetpgrp(self.slave, os.getpgrp())
            os.read(orders, 1)
            os.tcsetpgrp(self.slave, job)
            os.kill(job, signal.SIGCONT)

    def _become(self, words, environment, descriptors, in_front):
        os.setpgid(0, 0)
        if in_front:
            os.tcsetpgrp(self.slave, os.getpgrp())
        for number, descriptor in enumerate(descriptors):
            os.dup2(self.slave if descriptor is None else descriptor, number)
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN,
                       signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.closerange(3, 256)
        os.execve(words[0], words, environment)

    def kill(self, number):
        os.kill(self.pid, number)

    def go_on(self):
        """As `fg` does."""
        os.write(self.orders, b"c")

    def _end(self):
        if self.pid and self.status is None:
            for number in (signal.SIGKILL, signal.SIGCONT):
                try:
                    os.kill(self.pid, number)
                except ProcessLookupError:
                    pass
        if self.leader:
            try:
                os.write(self.orders, b"c")
            except BrokenPipeError:
                pass
            os.waitpid(self.leader, 0)
            os.close(self.orders)
            os.close(self.news)

    def _news_line(self):
        line = b""
        while not line.endswith(b"\n"):
            piece = os.read(self.news, 1)
            if not piece:
                raise AssertionError("the terminal's leader ended")
            line += piece
        return line.decode()

    # ---- what is seen -----------------------------------------------------------------------

    def _read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            piece = os.read(self.master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            piece = b""
        self.output += piece
        return bool(piece)

    def _state(self):
        """The wait status of the command, if it ended or stopped and that was not told yet, else None."""
        if not select.select([self.news], [], [], 0)[0]:
            return None
        return int(self._news_line())

    def read_until(self, wanted, since=0):
        """Reads until it was written, once more than before `since`.  Returns where it ends."""
        for _ in range(600 * SLOWNESS):
            at = self.output.find(wanted, since)
            if at >= 0:
                return at + len(wanted)
            if not self._read(0.1) and self.ended():
                break
        raise AssertionError(f"{wanted!r} was not written: {self.output[since:]!r}")

    def ended(self):
        if self.status is None:
            status = self._state()
            if status is not None and not os.WIFSTOPPED(status):
                self.status = os.waitstatus_to_exitcode(status)
                while self._read(0):
                    pass
        return self.status is not None

    def finish(self):
        """Reads to the end; the exit status, negative if by a signal."""
        quiet = 0
        while quiet < 600 * SLOWNESS:
            if self.ended():
                return self.status
            quiet = 0 if self._read(0.1) else quiet + 1
        raise AssertionError(f"it does not end: {self.output[-400:]!r}")

    def wait_stopped(self):
        for _ in range(600 * SLOWNESS):
            status = self._state()
            if status is not None:
                self.test.assertTrue(os.WIFSTOPPED(status), status)
                while self._read(0.5):
                    pass  # what it wrote before that is on its way
                return os.WSTOPSIG(status)
            self._read(0.1)
        raise AssertionError("it does not stop")

    def waiting(self):
        """What was typed and nobody has read."""
        raw = termios.tcgetattr(self.slave)
        raw[3] &= ~(termios.ICANON | termios.ECHO)
        raw[6][termios.VMIN] = raw[6][termios.VTIME] = 0
        before = termios.tcgetattr(self.slave)
        termios.tcsetattr(self.slave, termios.TCSANOW, raw)
        count = array.array("i", [0])
        fcntl.ioctl(self.slave, termios.FIONREAD, count)
        text = os.read(self.slave, 4096) if count[0] else b""
        termios.tcsetattr(self.slave, termios.TCSANOW, before)
        return text

    def check_as_before(self):
        """Its settings are what they were."""
        self.test.assertEqual(termios.tcgetattr(self.slave), self.before)
