"""The rows of bench.py about core files: one that the kernel wrote of a program with 8 GiB, of which 577 MB are there, strewn over
it in pieces of 64 KiB."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile

PIECES, PIECE, SIZE = 8804, 16, 8 << 30  # pages
PROGRAM = f"""import mmap, signal
memory = mmap.mmap(-1, {SIZE}, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_NOHUGEPAGE)
step = {SIZE} // {PIECES} // 4096 * 4096
for at in range({PIECES}):
	memory[at * step:at * step + {PIECE} * 4096] = at.to_bytes(8, "little") * ({PIECE} * 512)
signal.raise_signal(signal.SIGSEGV)
"""


def dumped(folder):
    """The core, or None where the kernel writes none into the folder that a process is in."""
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=folder, check=False,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)))
    found = os.listdir(folder)
    return os.path.join(folder, found[0]) if found else None


def rows(bench):
    folder = tempfile.mkdtemp(prefix="vmsnap-bench-", dir=bench.options.folder)
    try:
        core = dumped(folder)
        if core is None:
            raise SystemExit("script/bench core: the kernel wrote no core file: /proc/sys/kernel/core_pattern sends it elsewhere")
        name, rounds = "a core of 8 GiB, 577 MB of them there", 3 if bench.options.quick else 7
        copy = core + "-copy"
        subprocess.run(["cp", "--sparse=always", core, copy], check=True)  # with its holes
        for words, what, limit in ((("show", core), "show", 0.2), (("pages", core), "pages", None), (("diff", core, copy), "diff with a copy", None)):
            got = [bench.run(*words) for _ in range(rounds)]
            bench.core_row(name, f"{what}, whole", min(seconds for seconds, _ in got), None, limit, "time")
            bench.core_row(name, f"{what}, most memory", max(memory for _, memory in got) * 1024, None, 64 << 20, "bytes")
    finally:
        shutil.rmtree(folder)
