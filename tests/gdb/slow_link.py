"""slow_link PORT TO SECONDS: a link that takes so long each way.  Says "ready", takes one connection to PORT of this
machine, passes all on to the port TO, and ends with it.  What comes later waits beside what came before, not behind it."""

import queue
import socket
import sys
import threading
import time


def deliver(waiting, sink):
    while True:
        when, data = waiting.get()
        time.sleep(max(0, when - time.monotonic()))
        if not data:
            sink.shutdown(socket.SHUT_WR)
            return
        sink.sendall(data)


def carry(source, sink, delay):
    waiting = queue.Queue()
    threading.Thread(target=deliver, args=(waiting, sink), daemon=True).start()
    data = b"-"
    while data:
        try:
            data = source.recv(65536)
        except ConnectionError:
            data = b""
        waiting.put((time.monotonic() + delay, data))


def main(port, to, delay):
    with socket.create_server(("127.0.0.1", int(port))) as server:
        print("ready", flush=True)
        near, _ = server.accept()
    far = socket.create_connection(("127.0.0.1", int(to)))
    for end in (near, far):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    threads = [threading.Thread(target=carry, args=(*ends, float(delay))) for ends in ((near, far), (far, near))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main(*sys.argv[1:])
