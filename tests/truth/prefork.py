"""A server that forks its workers after it has loaded what they need, as many do: prefork.py SOCKET"""

import email.parser
import http.client
import json
import os
import socket
import sys
import xml.dom.minidom

KEPT = {number: {"name": f"row {number}", "values": list(range(20))} for number in range(60000)}


def work(listener):
    seen = []
    while True:
        connection, _ = listener.accept()
        with connection:
            request = connection.recv(4096)
            row = KEPT[len(request) * len(seen) % len(KEPT)]
            row["seen"] = len(seen)
            seen.append(json.dumps(row))
            del seen[:-5000]
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + seen[-1].encode())


def main():
    assert email.parser and http.client and xml.dom.minidom
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(64)
        if not all(os.fork() for _ in range(4)):
            work(listener)
        os.wait()


if __name__ == "__main__":
    main()
