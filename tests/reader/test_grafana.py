"""contrib/grafana: dashboards whose queries are run: SQL in SQLite, which has the same tables and views, and in ClickHouse where
that is; PromQL in Prometheus where that is, and everywhere its names against what is exported."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import clickhouse
import json_inputs
from json_inputs import PROCESS, file_of
from test_export import SOURCE, ExportTest, run
from test_export_events import FAULTS
from test_export_events import process as watched

DASHBOARDS = {kind: os.path.join(SOURCE, "contrib", "grafana", f"vmsnap-{kind}.json") for kind in ("clickhouse", "openmetrics")}
TABLES = ("object", "run", "vma", "group_share", "cow", "event", "fault_watch", "snapshot")
# Units of Grafana's that are used here.
UNITS = {"bytes", "s", "none", "percent", "percentunit"}


def skip(test, why):
    print(f"SKIP: {why}", flush=True)
    test.skipTest(why)


def load(kind):
    with open(DASHBOARDS[kind], encoding="utf-8") as file:
        return json.load(file)


def rare():
    """What panels look for: a hooked process among ten, a large one, another library, a next build that maps more, swap."""
    at, snapshots = 0x700000000000, []
    for pid in range(100, 110):
        odd = pid == 107
        heap = 40 if odd else 4
        library = {"name": b"/usr/lib/libz.so.1" + (b" (deleted)" if pid == 103 else b""), "device": (8, 1),
                   "inode": 77, "build_id": ("bb" if pid == 103 else "aa") * 8}
        vmas = [json_inputs.vma(at, at + 0x4000, "r-xp", **library), json_inputs.vma(at + 0x10000, at + 0x10000 + heap * 4096, "rw-p")]
        runs = [json_inputs.run(at, 3, "present file", pfn=0x100),
                json_inputs.run(at + 0x3000, 1, "present exclusive" if odd else "present file", pfn=0x500 + pid),
                json_inputs.run(at + 0x10000, heap, "present exclusive", pfn=0x9000 + 64 * pid)]
        if pid > 105:
            vmas.append(json_inputs.vma(at + 0x100000, at + 0x101000, "r-xp", b"/usr/lib/libnew.so.1", device=(8, 1), inode=78))
        identity = dict(PROCESS, pid=pid, tgid=pid, start_time=pid, taken=PROCESS["taken"] + (pid > 105) * 10**9,
                        exe_build_id=("22" if pid > 105 else "11") * 20)
        snapshots.append(json_inputs.snapshot(identity=identity, vmas=vmas, runs=runs, status=json_inputs.STATUS + b"VmSwap:\t4 kB\n"))
    return snapshots


class Dashboards(ExportTest):
    def test_they_are_what_grafana_reads(self):
        for kind, source in (("clickhouse", "grafana-clickhouse-datasource"), ("openmetrics", "prometheus")):
            board = load(kind)
            self.assertGreaterEqual(board["schemaVersion"], 39)
            self.assertEqual(board["uid"], f"vmsnap-{kind}")
            variables = {one["name"]: one for one in board["templating"]["list"]}
            self.assertEqual((variables["datasource"]["type"], variables["datasource"]["query"]), ("datasource", source))
            ids = [panel["id"] for panel in board["panels"]]
            self.assertEqual(len(ids), len(set(ids)))
            taken = set()
            for panel in board["panels"]:
                self.check_panel(panel, source)
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(cells & taken, f"{panel['title']} lies over another")
                self.assertLessEqual(at["x"] + at["w"], 24)
                taken |= cells

    def check_panel(self, panel, source):
        named = {"type": source, "uid": "${datasource}"}
        self.assertTrue(panel["title"] and panel["targets"])
        for one in (panel, *panel["targets"]):
            self.assertEqual(one["datasource"], named, panel["title"])
        units = [panel["fieldConfig"]["defaults"]["unit"]]
        units += [each["value"] for override in panel["fieldConfig"]["overrides"] for each in override["properties"] if each["id"] == "unit"]
        self.assertLessEqual(set(units), UNITS, panel["title"])


class Sql(ExportTest):
    """Columns that are sizes are shown as such; each panel shows something."""

    def files(self):
        path = os.path.join(self.folder, "rare.vms")
        with open(path, "wb") as file:
            file.write(file_of(*rare())[0])
        events = os.path.join(self.folder, "events.vms")
        with open(events, "wb") as file:
            file.write(file_of(watched(1000), watched(9000, FAULTS))[0])
        return [path, events, self.paths["forks"], self.paths["grows"], self.paths["b"]]

    def half_known(self):
        path = os.path.join(self.folder, "half.vms")
        with open(path, "wb") as file:
            file.write(file_of(*json_inputs.half_known())[0])
        return path

    @staticmethod
    def queries():
        """[(title, panel or None, query)], and of variables, which come first."""
        board = load("clickhouse")
        found = [(one["name"], None, one["query"]) for one in board["templating"]["list"] if one["type"] == "query"]
        return found + [(panel["title"], panel, target["rawSql"]) for panel in board["panels"] for target in panel["targets"]]

    def filled(self, query, values):
        begin, end = PROCESS["taken"] // 10**6 - 3600000, PROCESS["taken"] // 10**6 + 3600000
        query = query.replace("${__from}", str(begin)).replace("${__to}", str(end))
        for name, chosen in values.items():
            quoted = ",".join("'" + one.replace("'", "''") + "'" for one in chosen)
            query = query.replace(f"${{{name}:singlequote}}", quoted)
        self.assertNotIn("$", query)
        return query

    def check(self, ask):
        values = {}
        for title, panel, query in self.queries():
            columns, rows = ask(self.filled(query, values))
            self.assertTrue(rows, f"{title}: nothing is shown")
            if panel is None:
                values[title] = [str(row[0]) for row in rows]
                continue
            if panel["type"] == "timeseries":
                self.assertEqual((columns[0], columns[-1], len(columns)), ("time", "value", 3), title)
            else:
                told = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
                self.assertLessEqual(told, set(columns), title)
                sizes = {name for name in columns if re.search(r"resident|swapped|grown|bytes|huge|anonymous|mean_of", name)}
                self.assertLessEqual(sizes, told, title)

    def test_in_sqlite(self):
        path = self.database("--runs", *self.files(), name="grafana.db")
        with sqlite3.connect(path) as database:
            database.create_function("toDateTime", 1, lambda seconds: time.strftime("%F %T", time.gmtime(seconds)))
            database.create_function("intDiv", 2, lambda a, b: None if a is None else a // b)
            database.execute("CREATE TEMPORARY VIEW snapshot_once AS SELECT * FROM snapshot")

            def ask(query):
                done = database.execute(query)
                return [column[0] for column in done.description], done.fetchall()

            self.check(ask)

    def test_in_clickhouse(self):
        if clickhouse.why_not():
            skip(self, clickhouse.why_not())
        with clickhouse.ClickHouse() as server:
            server.client("--multiquery", text=run("--schema", "clickhouse").stdout)

            def load_of(*files):
                for name in TABLES:
                    text = run("--format", "tsv", "--schema", "clickhouse", "--runs", "--table", name, *files).stdout
                    server.client("--query", f"INSERT INTO {name} FORMAT TabSeparatedWithNames", text=text)

            def ask(query):
                head, *rows = server.client("--query", query + "\nFORMAT TabSeparatedWithNames").decode().splitlines()
                return head.split("\t"), [row.split("\t") for row in rows]

            load_of(*self.files())
            self.check(ask)
            load_of(self.half_known())
            asked = "SELECT processes, swapped, resident FROM service_swap WHERE service = 'half'"
            self.assertEqual(ask(asked)[1], [["2", "\\N", "8192"]])
            [panel] = [query for title, panel, query in self.queries() if panel and "vm_swap" in query]
            rows = ask(self.filled(panel, {"host": ["example"], "service": ["half"]}))[1]
            self.assertEqual([row[-1] for row in rows], ["\\N"])


class Prometheus(ExportTest):
    def metrics(self):
        path = os.path.join(self.folder, "services.vms")
        with open(path, "wb") as file:
            file.write(file_of(*rare())[0])
        return run("--format", "openmetrics", path).stdout.decode()

    @staticmethod
    def expressions():
        return [(panel["title"], target["expr"]) for panel in load("openmetrics")["panels"] for target in panel["targets"]]

    def test_each_name_and_label_is_one_that_is_exported(self):
        samples = re.findall(r"(?m)^(\w+)\{(\w+)=", self.metrics())
        names, labels = {name for name, _ in samples}, {label for _, label in samples}
        # What Prometheus adds by itself.
        labels |= {"instance", "job"}
        used = set()
        for title, expression in self.expressions():
            bare = re.sub(r'"[^"]*"', '""', expression)
            asked = set(re.findall(r"vmsnap_\w+", bare))
            self.assertTrue(asked, title)
            self.assertLessEqual(asked, names, title)
            self.assertLessEqual(set(re.findall(r"(\w+)=~", bare)), labels, title)
            self.assertLessEqual({label.strip() for group in re.findall(r"by \(([^)]*)\)", bare) for label in group.split(",")}, labels, title)
            used |= asked
        self.assertEqual(names - used, set(), "all are shown somewhere")
        for one in load("openmetrics")["templating"]["list"][1:]:
            self.assertLessEqual(set(re.findall(r"vmsnap_\w+", one["definition"])), names)

    def stored(self, folder):
        """What Prometheus would have taken twice, a minute apart: as it reads OpenMetrics, which is stricter than a scrape."""
        lines, end = self.metrics().splitlines(), int(time.time())
        times = [line if line.startswith("#") else f"{line} {end - 60}\n{line} {end}" for line in lines]
        path = os.path.join(folder, "metrics")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(times) + "\n")
        done = subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", path, os.path.join(folder, "data")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return end

    def test_a_prometheus_reads_and_answers_it(self):
        if not shutil.which("prometheus") or not shutil.which("promtool"):
            skip(self, "prometheus is not installed (Debian: prometheus)")
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        with tempfile.TemporaryDirectory(prefix="vmsnap-prometheus-") as folder:
            when = self.stored(folder)
            config = os.path.join(folder, "prometheus.yml")
            with open(config, "w", encoding="utf-8") as file:
                file.write("scrape_configs: []\n")
            with open(os.path.join(folder, "log"), "wb") as log:
                server = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                                           f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            try:
                self.ask_all(port, server, when)
            finally:
                server.kill()
                server.wait()

    @staticmethod
    def ask(port, expression, when):
        words = urllib.parse.urlencode({"query": expression, "time": when})
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{words}", timeout=60) as answer:
            return json.load(answer)["data"]["result"]

    def ask_all(self, port, server, when):
        end = time.monotonic() + 120
        while True:
            try:
                self.ask(port, "1", when)
                break
            except OSError:
                pass
            self.assertIsNone(server.poll(), "Prometheus does not start")
            self.assertLess(time.monotonic(), end, "Prometheus does not answer")
            time.sleep(0.2)
        for title, expression in self.expressions():
            found = self.ask(port, expression.replace("$instance", ".*").replace("$service", ".*"), when)
            self.assertTrue(found, f"{title}: nothing is shown")


if __name__ == "__main__":
    unittest.main()
