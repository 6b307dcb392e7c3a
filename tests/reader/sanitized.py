"""A program that loads the library, where that was built with sanitizers."""

import os
import re
import subprocess


def library_environment(library):
    """Its runtime must come first."""
    environ = dict(os.environ)
    linked = subprocess.run(["ldd", library], stdout=subprocess.PIPE, universal_newlines=True).stdout
    sanitizer = re.search(r"=> (\S*lib(?:clang_rt\.)?asan\S*)", linked)
    if sanitizer:
        environ["LD_PRELOAD"] = sanitizer.group(1)
        environ["ASAN_OPTIONS"] = "detect_leaks=0:" + environ.get("ASAN_OPTIONS", "")
    return environ
