"""A ClickHouse of the test's own: one server on loopback, in a temporary folder."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

CONFIG = """<yandex>
<logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/errors</errorlog></logger>
<tcp_port>{port}</tcp_port><listen_host>127.0.0.1</listen_host><path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>
<users_config>{folder}/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>67108864</mark_cache_size>
</yandex>
"""
USERS = """<yandex><profiles><default><max_memory_usage>1000000000</max_memory_usage></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
</default></users><quotas><default></default></quotas></yandex>
"""


def why_not():
    missing = [name for name in ("clickhouse-server", "clickhouse-client") if not shutil.which(name)]
    return f"{' and '.join(missing)} not installed (Debian: {' '.join(missing)})" if missing else None


class ClickHouse:
    """Use it with `with`."""

    def __enter__(self):
        self.folder, self.process = tempfile.mkdtemp(prefix="vmsnap-clickhouse-"), None
        try:
            with socket.socket() as one:
                one.bind(("127.0.0.1", 0))
                self.port = one.getsockname()[1]
            for name, text in (("config.xml", CONFIG.format(folder=self.folder, port=self.port)), ("users.xml", USERS)):
                with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            for name in ("data", "tmp"):
                os.mkdir(os.path.join(self.folder, name))
            with open(os.path.join(self.folder, "out"), "wb") as out:
                self.process = subprocess.Popen(["clickhouse-server", f"--config-file={self.folder}/config.xml"], stdout=out, stderr=out,
                                                stdin=subprocess.DEVNULL, start_new_session=True)
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait(self):
        end = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, "ClickHouse does not start"
                time.sleep(0.1)

    def __exit__(self, *_):
        if self.process:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, *words, text=b""):
        done = subprocess.run(["clickhouse-client", "--host", "127.0.0.1", "--port", str(self.port), *words], input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
