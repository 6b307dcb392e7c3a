"""What the tests of the module vmsnap share: the module itself, from the checkout, and
programs to look at."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(SOURCE, "python"), os.path.join(os.path.dirname(HERE), "live")]

import kernel  # noqa: E402,F401
import support  # noqa: E402
import vmsnap  # noqa: E402,F401
from kernel import PAGE  # noqa: E402,F401
from support import ROOT, Target, skip, unmoved, world  # noqa: E402,F401


def main():
    support.main()
