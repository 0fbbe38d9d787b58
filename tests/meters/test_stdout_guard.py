"""What libraries print while a document is made stays out of it."""

from __future__ import annotations

import subprocess
import sys

from tests.support.processes import ROOT

PROGRAM = """
import ctypes, os, subprocess, sys
from bench.meters.stdout_guard import stdout_to_stderr
print("before")
with stdout_to_stderr():
    print("python")
    ctypes.CDLL(None).puts(b"c code")
    subprocess.run([sys.executable, "-c", "print('child')"])
    os.write(1, b"descriptor\\n")
print("after")
"""


def ran(program: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, **more
    )


def test_everything_printed_inside_goes_to_standard_error() -> None:
    done = ran(PROGRAM)
    assert done.stdout == "before\nafter\n"
    assert sorted(done.stderr.split("\n")) == ["", "c code", "child", "descriptor", "python"]


def test_a_closed_standard_output_is_no_error() -> None:
    closed = "import os, sys; from bench.meters.stdout_guard import stdout_to_stderr\nos.close(1)\n"
    done = ran(
        closed + "with stdout_to_stderr(): print('inside')\nprint('out', file=sys.stderr)\nos._exit(0)"
    )
    assert done.stderr == "inside\nout\n"
