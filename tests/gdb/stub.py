"""stub.py [linux] - a remote stub on its standard input and output that stands at address 0 and knows registers, and
nothing of files; "linux": it knows of files, and has none."""

import sys


def send(text):
    sys.stdout.buffer.write(b"$%b#%02x" % (text, sum(text) % 256))
    sys.stdout.buffer.flush()


def packets():
    while True:
        char = sys.stdin.buffer.read(1)
        if not char:
            return
        if char != b"$":
            continue
        packet = b""
        while (char := sys.stdin.buffer.read(1)) not in (b"#", b""):
            packet += char
        sys.stdin.buffer.read(2)
        sys.stdout.buffer.write(b"+")
        yield packet


ANSWERS = {b"?": b"S05", b"g": b"0" * 16 * 24, b"qC": b"QC2a", b"qfThreadInfo": b"m2a", b"qsThreadInfo": b"l"}


def main():
    for packet in packets():
        if packet == b"k":
            return
        if packet.startswith(b"vFile:") and "linux" in sys.argv:
            send(b"F-1,2")
        elif packet[:1] in (b"H", b"D", b"T"):
            send(b"OK")
        elif packet[:1] == b"m":
            send(b"E01")
        else:
            send(ANSWERS.get(packet, b""))


main()
