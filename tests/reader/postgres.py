"""A PostgreSQL of the test's own: in a temporary folder, of a user who is nobody, heard on a socket in that folder alone."""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile


def programs():
    """Where initdb and postgres are; None: nowhere."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4].split(".")[0] or 0))
    for folder in [os.path.dirname(shutil.which("initdb") or "")] + folders[::-1]:
        if folder and all(os.access(os.path.join(folder, name), os.X_OK) for name in ("initdb", "postgres")):
            return folder
    return None


def why_not():
    """Why there can be none here; None: there can."""
    if not programs() or not shutil.which("psql"):
        return "PostgreSQL is not installed (Debian: postgresql)"
    if os.geteuid() == 0:
        try:
            done = subprocess.run(["true"], user="nobody", extra_groups=(), check=False)
        except (OSError, KeyError, subprocess.SubprocessError) as why:
            return f"PostgreSQL does not run as root, and nobody else can be had: {why}"
        return None if done.returncode == 0 else "PostgreSQL does not run as root"
    return None


class Postgres:
    """Use it with `with`."""

    def __init__(self):
        self.folder = self.process = None
        # The server does not run as root.
        self.who = {"user": "nobody", "extra_groups": ()} if os.geteuid() == 0 else {}

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="vmsnap-postgres-")
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        if self.who:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        data = os.path.join(self.folder, "data")
        subprocess.run([os.path.join(programs(), "initdb"), "-D", data, "-A", "trust", "-U", "vmsnap", "-E", "UTF8", "--locale=C",
                        "--no-sync"], cwd="/", stdout=subprocess.DEVNULL, check=True, **self.who)
        # Made with -w the program that starts it waits until it answers, or fails.
        subprocess.run([os.path.join(programs(), "pg_ctl"), "-D", data, "-w", "-t", "120", "-l", os.path.join(self.folder, "log"),
                        "-o", f"-k {self.folder} -c listen_addresses= -c fsync=off -c shared_buffers=16MB", "start"],
                       cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, **self.who)
        self.process = data

    def __exit__(self, *_):
        if self.process:
            subprocess.run([os.path.join(programs(), "pg_ctl"), "-D", self.process, "-w", "-m", "immediate", "stop"], cwd="/",
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False, **self.who)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def options(self):
        return ["--host", self.folder, "--username", "vmsnap", "--dbname", "postgres"]

    def psql(self, *words, text=b"", check=True):
        done = subprocess.run(["psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", *self.options, *words], input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert not check or done.returncode == 0, done.stderr.decode()
        return done

    def rows(self, query):
        """Cells as bytes; None is NULL.  In the words of COPY, which nothing in a cell can be mistaken for."""
        from test_export import unescaped

        lines = self.psql("-c", f"COPY ({query}) TO STDOUT").stdout.split(b"\n")[:-1]
        return [tuple(map(unescaped, line.split(b"\t"))) for line in lines]
