"""Which modules a command imports, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

LOADED = """
import sys
from bench.cli import invoke
status = invoke(sys.argv[1:])
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(status)
"""


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    """The exit status of a fresh process, and the top-level modules it had imported at its end."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}
