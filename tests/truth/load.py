"""Fills servers and keeps them busy: load.py FOLDER, in which each has a folder with a socket."""

import os
import random
import socket
import subprocess
import sys
import time


def ask(path, request):
    """What the server answers to one request, as far as it comes at once; b"" if there is none."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(path)
            connection.sendall(request)
            return connection.recv(65536)
    except OSError:
        return b""


def redis(chance, keys):
    lines = []
    for _ in range(keys):
        key, value = str(chance.randrange(150000)), "v" * chance.randrange(100, 900)
        lines.append(f"*3\r\n$3\r\nSET\r\n${len(key)}\r\n{key}\r\n${len(value)}\r\n{value}\r\n")
    return "".join(lines).encode()


def memcached(chance, keys):
    value = "v" * 800
    return "".join(f"set {chance.randrange(100000)} 0 0 {len(value)} noreply\r\n{value}\r\n"
                   for _ in range(keys)).encode() + b"version\r\n"


def psql(folder, text):
    subprocess.run(["psql", "-q", "-h", os.path.join(folder, "postgres"), "-U", "truth", "-d", "postgres", "-c", text],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def main():
    folder, chance = sys.argv[1], random.Random(1)
    where = {name: os.path.join(folder, name, "socket") for name in os.listdir(folder)}
    if os.path.isdir(os.path.join(folder, "postgres")):
        psql(folder, "create table t as select n, repeat('x', 500) as text from generate_series(1, 100000) n")
    for _ in range(100):
        ask(where.get("redis", ""), redis(chance, 1500))
        ask(where.get("memcached", ""), memcached(chance, 1500))
    print("ready", flush=True)
    while True:
        ask(where.get("redis", ""), redis(chance, 200))
        ask(where.get("memcached", ""), memcached(chance, 200))
        for name in ("lighttpd", "nginx", "haproxy", "node", "prefork"):
            for _ in range(5):
                ask(where.get(name, ""), b"GET / HTTP/1.0\r\n\r\n")
        if os.path.isdir(os.path.join(folder, "postgres")):
            psql(folder, f"update t set text = text where n % 1000 = {chance.randrange(1000)}; select count(*) from t")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
