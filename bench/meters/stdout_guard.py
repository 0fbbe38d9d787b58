"""Keep standard output for results: what libraries print there goes to standard error.

with stdout_to_stderr():
    import amdsmi                 # prints a notice where AMD's driver is missing

A document that a program reads (`--json`) must be alone there. The guard works on the file descriptor, so
that it works for C code and for child processes too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STDOUT, STDERR = 1, 2


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send everything written to standard output inside to standard error."""
    sys.stdout.flush()
    with contextlib.redirect_stdout(sys.stderr), _descriptor_redirected():
        yield


@contextmanager
def _descriptor_redirected() -> Iterator[None]:
    try:
        saved = os.dup(STDOUT)
    except OSError:  # it is closed: nothing can be written to it
        yield
        return
    try:
        os.dup2(STDERR, STDOUT)
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # what C code has buffered belongs to the inside
        os.dup2(saved, STDOUT)
        os.close(saved)
