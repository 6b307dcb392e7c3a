"""A headless Firefox, driven by WebDriver BiDi; nothing but Python and the browser is needed."""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time


def browser():
    """Its path, or None."""
    return next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


class WebSocket:
    """Text messages over RFC 6455, as a client."""

    def __init__(self, host, port, path, timeout):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.rest = b""
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.decode(errors="replace"))

    def more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the browser has ended")
        return data

    def take(self, count):
        while len(self.rest) < count:
            self.rest += self.more()
        out, self.rest = self.rest[:count], self.rest[count:]
        return out

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big") if len(data) < 1 << 16 else b"\xff" + len(data).to_bytes(8, "big")
        self.socket.sendall(b"\x81" + size + mask + bytes(byte ^ mask[i & 3] for i, byte in enumerate(data)))

    def receive(self):
        """One message; what is not text is passed over."""
        out = b""
        while True:
            first, size = self.take(2)
            size = int.from_bytes(self.take(2), "big") if size == 126 else int.from_bytes(self.take(8), "big") if size == 127 else size
            data = self.take(size)
            if first & 15 <= 2:
                out += data
                if first & 0x80:
                    return out.decode()

    def close(self):
        self.socket.close()


class Firefox:
    def __init__(self, timeout=60):
        self.timeout = timeout * int(os.environ.get("VMSNAP_SLOWNESS", "1"))
        self.folder = tempfile.TemporaryDirectory(prefix="vmsnap-firefox-", ignore_cleanup_errors=True)
        self.process = subprocess.Popen([browser(), "--headless", "--no-remote", "--profile", self.folder.name, "--remote-debugging-port", "0", "about:blank"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
                                        env=dict(os.environ, MOZ_HEADLESS_WIDTH="1440", MOZ_HEADLESS_HEIGHT="900", HOME=self.folder.name))
        self.events, self.number = [], 0
        for line in self.process.stderr:
            found = re.search(rb"WebDriver BiDi listening on ws://([\d.]+):(\d+)", line)
            if found:
                break
        else:
            raise RuntimeError("Firefox does not say where it listens")
        self.socket = WebSocket(found[1].decode(), int(found[2]), "/session", self.timeout)
        self.call("session.new", capabilities={})
        self.context = self.call("browsingContext.getTree")["contexts"][0]["context"]
        self.call("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self.call("browsingContext.setViewport", context=self.context, viewport={"width": 1440, "height": 900})

    def close(self):
        self.socket.close()
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stderr.close()
        self.folder.cleanup()

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            got = json.loads(self.socket.receive())
            if got.get("id") != self.number:
                self.events.append(got)
            elif got["type"] == "error":
                raise RuntimeError(f"{method}: {got}")
            else:
                return got["result"]

    def evaluate(self, script):
        """Of numbers, strings and the like."""
        got = self.call("script.evaluate", expression=script, awaitPromise=True, target={"context": self.context})
        if got["type"] != "success":
            raise RuntimeError(f"{script}: {got}")
        return got["result"].get("value")

    def open(self, path, fragment=""):
        self.events.clear()
        self.call("browsingContext.navigate", context=self.context, url=f"file://{path}{fragment}", wait="complete")
        end = time.monotonic() + self.timeout
        while not (ready := self.evaluate("document.documentElement.dataset.ready")):
            if time.monotonic() > end:
                raise TimeoutError(path)
            time.sleep(0.05)
        return ready

    def key(self, key):
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.call("input.performActions", context=self.context, actions=[{"type": "key", "id": "keys", "actions": actions}])

    def screenshot(self, path):
        data = self.call("browsingContext.captureScreenshot", context=self.context)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def complaints(self):
        """What was said on the console or failed, and what was asked for of elsewhere."""
        said = [event["params"].get("text") for event in self.events if event.get("method") == "log.entryAdded"]
        asked = [event["params"]["request"]["url"] for event in self.events if event.get("method") == "network.beforeRequestSent"]
        return said + [url for url in asked if not url.startswith(("file:", "about:", "data:"))]
