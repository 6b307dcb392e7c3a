"""ClickHouse, for script/fleet and script/fleet-measure: servers of this machine as shards with replicas, with a ZooKeeper, and
today's version, which the npm package chdb has inside."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VMSNAP = os.environ.get("VMSNAP") or os.path.join(ROOT, "build", "release", "vmsnap")
CONTRIB = os.path.join(ROOT, "contrib", "clickhouse")
ZOOKEEPER = "/usr/share/java/zookeeper.jar"
TABLES = ("object", "run", "vma", "group_share", "cow", "event", "fault_watch", "snapshot")
# Columns in which all engines say the same; order is none.
QUESTIONS = {
    "growth": "host, pid, comm, name, first_resident, last_resident, grown",
    "frame_holder": "first_pfn, last_pfn, host, taken_ns, pid, comm, pages, flags",
    "group_memory": "host, taken_ns, service, processes, rss, pss, uss, private_with_others",
    "privatised_text": "host, pid, comm, taken_ns, name, private_bytes",
    "thp_coverage": "exe, processes, anonymous, huge",
    "service_swap": "host, service, processes, swapped, resident",
    "build_difference": "name, build_id, hosts, processes",
    "fork_minute": "host, parent_pid, comm, minute, children, by_parent, by_child, by_both_or_unknown",
    "outlier": "host, pid, comm, exe, resident, processes",
    "new_mapping": "exe, build_before, build_after, name, perms",
}
SERVER = """<yandex>
<logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/errors</errorlog></logger>
<tcp_port>{tcp}</tcp_port><interserver_http_port>{inter}</interserver_http_port><interserver_http_host>127.0.0.1</interserver_http_host>
<listen_host>127.0.0.1</listen_host><path>{data}/</path><tmp_path>{folder}/tmp/</tmp_path>
<users_config>{folder}/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>67108864</mark_cache_size><max_concurrent_queries>20</max_concurrent_queries>
<compression><case><min_part_size>0</min_part_size><min_part_size_ratio>0</min_part_size_ratio><method>zstd</method></case></compression>
<remote_servers><vmsnap>{shards}</vmsnap></remote_servers>
<zookeeper><node><host>127.0.0.1</host><port>{zookeeper}</port></node><session_timeout_ms>6000</session_timeout_ms></zookeeper>
<macros><shard>{shard}</shard><replica>{replica}</replica></macros>
</yandex>
"""
# By which today's version ends when a shard hangs; 18.16 does not (contrib/clickhouse/ask).
TODAY_LIMITS = ("max_execution_time = 5, receive_timeout = 2, send_timeout = 2, connect_timeout_with_failover_ms = 1000, "
                "connections_with_failover_max_tries = 1, skip_unavailable_shards = 0, use_hedged_requests = 0")
SHARD = "<shard><internal_replication>true</internal_replication>{}</shard>"
REPLICA = "<replica><host>127.0.0.1</host><port>{}</port></replica>"
USERS = """<yandex><profiles><default><max_memory_usage>{memory}</max_memory_usage></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
</default></users><quotas><default></default></quotas></yandex>
"""


def missing():
    """Why there can be no servers: nothing if they can."""
    paths = os.environ.get("PATH", "").split(":") + ["/usr/sbin"]
    needed = [name for name in ("clickhouse-server", "clickhouse-client", "java")
              if not any(os.access(os.path.join(path, name), os.X_OK) for path in paths)]
    return needed + ([] if os.path.exists(ZOOKEEPER) else ["zookeeper"])


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(what, ready, seconds=60):
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            sys.exit(f"{what}: not ready after {seconds} s")
        time.sleep(0.2)


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def cell_of(cell):
    """What a cell of tab-separated text is, in bytes; no name is none."""
    meaning = {b"t": b"\t", b"n": b"\n", b"r": b"\r", b"0": b"\0", b"b": b"\b", b"f": b"\f"}
    told = re.sub(rb"\\(.)", lambda found: meaning.get(found.group(1), found.group(1)), cell, flags=re.DOTALL)
    return None if cell == b"\\N" else told or None


def cells_of(text):
    return sorted((tuple(map(cell_of, line.split(b"\t"))) for line in text.split(b"\n")[:-1]), key=repr)


class Server:
    """A program of somebody else's, which is stopped, killed and started again."""

    def __init__(self, name, command, port, folder):
        self.name, self.command, self.port, self.folder = name, command, port, folder
        self.process = None

    def start(self):
        log = open(os.path.join(self.folder, self.name + ".out"), "ab")  # noqa: SIM115
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        log.close()
        wait_for(self.name, lambda: listens(self.port))

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self):
        if self.process:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


class Node(Server):
    """A ClickHouse server: a replica of a shard."""

    def __init__(self, name, folder, port, shard, replica, data=None):
        self.place = os.path.join(folder, name)
        self.data = data or os.path.join(self.place, "data")
        self.shard, self.replica = shard, replica
        for part in (self.data, os.path.join(self.place, "tmp")):
            os.makedirs(part, exist_ok=True)
        super().__init__(name, ["clickhouse-server", f"--config-file={self.place}/config.xml"], port, folder)

    def configure(self, shards, zookeeper, memory):
        words = {"folder": self.place, "data": self.data, "tcp": self.port, "inter": free_port(), "zookeeper": zookeeper, "shard": self.shard + 1,
                 "replica": self.replica, "shards": shards, "memory": memory}
        for name, text in (("config.xml", SERVER), ("users.xml", USERS)):
            with open(os.path.join(self.place, name), "w", encoding="utf-8") as file:
                file.write(text.format(**words))

    def client(self, *words):
        return ["clickhouse-client", "--host", "127.0.0.1", "--port", str(self.port), *words]


class Fleet:
    """replicas: how many each shard has, as in (2, 1); places: in which folder a server has its data, if not in its own."""

    def __init__(self, folder, replicas, memory=2_000_000_000, places=None):
        self.folder = folder
        self.zookeeper_port = free_port()
        self.zookeeper = Server("zookeeper", self.zookeeper_command(), self.zookeeper_port, folder)
        self.shards = [[Node(f"shard{shard}{replica}", folder, free_port(), shard, replica, (places or {}).get(f"shard{shard}{replica}"))
                        for replica in "abc"[:count]]
                       for shard, count in enumerate(replicas)]
        self.nodes = [node for shard in self.shards for node in shard]
        cluster = "".join(SHARD.format("".join(REPLICA.format(node.port) for node in shard)) for shard in self.shards)
        for node in self.nodes:
            node.configure(cluster, self.zookeeper_port, memory)

    def zookeeper_command(self):
        home = os.path.join(self.folder, "zookeeper")
        os.makedirs(home)
        path = os.path.join(self.folder, "zoo.cfg")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"tickTime=1000\ndataDir={home}\nclientPort={self.zookeeper_port}\nclientPortAddress=127.0.0.1\n"
                       "admin.enableServer=false\n")
        jars = ":".join(os.path.join("/usr/share/java", name) for name in sorted(os.listdir("/usr/share/java"))
                        if name.endswith(".jar"))
        return ["java", "-Xmx256m", "-cp", jars, "org.apache.zookeeper.server.quorum.QuorumPeerMain", path]

    def start(self):
        for server in (self.zookeeper, *self.nodes):
            server.start()
        made = subprocess.run([os.path.join(CONTRIB, "schema")], env=dict(os.environ, VMSNAP=VMSNAP), stdout=subprocess.PIPE,
                              check=True)
        for node in self.nodes:
            subprocess.run(node.client("--multiquery"), input=made.stdout, check=True, timeout=120)

    def stop(self):
        for server in (*self.nodes, self.zookeeper):
            server.kill()

    def ask(self, query, node=None, check=True, limit=60):
        node = node or self.nodes[0]
        done = subprocess.run([os.path.join(CONTRIB, "ask"), query, "--host", "127.0.0.1", "--port", str(node.port)],
                              env=dict(os.environ, LIMIT=str(limit)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if check and done.returncode:
            sys.exit(f"{query}: {done.stderr.decode()}")
        return done

    def rows(self, query, node=None):
        return cells_of(self.ask(query + " FORMAT TabSeparated", node).stdout)

    def number(self, query, node=None):
        return int(self.rows(query, node)[0][0])


CHDB = """
const { Session } = require("chdb"), fs = require("fs"), [folder, sql] = process.argv.slice(1);
new Session(folder).query(fs.readFileSync(sql, "utf8"), "TabSeparated");
"""


def get_chdb(folder):
    """Whether it is in this folder now."""
    if not shutil.which("node"):
        return False
    there = os.path.join(folder, "node_modules", "chdb")
    if not os.path.isdir(there) and shutil.which("npm"):
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--prefix", folder, "chdb"], check=False)
    return os.path.isdir(there)


class Chdb:
    """One server of today's version, without being a server."""

    def __init__(self, packages, folder):
        self.packages, self.folder = packages, os.path.join(folder, "chdb")
        os.makedirs(self.folder)
        made = "".join(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
                       for command in ([VMSNAP, "export", "--schema", "clickhouse"], [os.path.join(CONTRIB, "newer")]))
        self.run("CREATE DATABASE a; USE a;\n" + made)

    def run(self, sql, check=True):
        path = os.path.join(self.folder, "query.sql")
        with open(path, "w", encoding="utf-8") as file:
            file.write(sql)
        return subprocess.run(["node", "-e", CHDB, os.path.join(self.folder, "data"), path], cwd=self.packages,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=check)

    def load_texts(self, texts):
        """{table: path}: all at once, as to start the engine takes seconds."""
        self.run("USE a;" + "".join(f"INSERT INTO {table} FROM INFILE '{path}' FORMAT TabSeparatedWithNames;"
                                    for table, path in texts.items()))

    def load_text(self, table, path):
        self.load_texts({table: path})

    def load(self, path, host, *options):
        texts = {table: os.path.join(self.folder, table + ".tsv") for table in TABLES if table != "run" or "--runs" in options}
        for table, text in texts.items():
            subprocess.run([VMSNAP, "export", "--format", "tsv", "--schema", "clickhouse", *options, "--table", table, "--host",
                            host, "-o", text, path], check=True)
        self.load_texts(texts)
        for text in texts.values():
            os.unlink(text)

    def rows(self, query):
        """Through a file: what node.js has in hand is text, not bytes."""
        path = os.path.join(self.folder, "answer")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.run(f"USE a;\n{query} INTO OUTFILE '{path}' FORMAT TabSeparated")
        with open(path, "rb") as file:
            return cells_of(file.read())
