"""One comparison whose right answer is known, and what became of it.

trial = compared("planted", "10 % more watts", base, head, ["--fail-on", "energy:5%"])
trial.status, trial.verdict
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.processes import ROOT


@dataclass(frozen=True)
class Trial:
    """One case of one comparison. `rows` are verdicts by metric, `keys` what unlike records differ in."""

    part: str
    what: str
    status: int
    """Exit status of the whole `bench compare`."""
    verdict: str
    rows: dict[str, str | None]
    keys: tuple[str, ...] = ()
    ratio: float | None = None
    """Joules of B over A."""
    sentences: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing was called better or worse."""
        return {self.verdict, *self.rows.values()} <= {"same", "unclear", None}


def compared(part: str, what: str, a: Path, b: Path, options: list[str] | None = None) -> list[Trial]:
    """Results of `bench compare A B`, one trial per case. Raises RuntimeError where it does not compare."""
    command = [sys.executable, "-m", "bench", "compare", f"a={a}", f"b={b}", "--json", *(options or [])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(f"{part}, {what}: compare ended with {done.returncode}: {done.stderr}")
    found = json.loads(done.stdout)
    sentences = tuple(each["sentence"] for each in found["judgements"])
    return [_trial(part, what, done.returncode, each, sentences) for each in found["comparisons"]]


def _trial(part: str, what: str, status: int, found: dict[str, Any], sentences: tuple[str, ...]) -> Trial:
    rows = {row["metric"]: row for row in found["rows"]}
    energy = rows.get("energy", {}).get("ratio")
    return Trial(
        part=part,
        what=f"{what}: {found['label']}" if part.startswith("real") else what,
        status=status,
        verdict=found["verdict"],
        rows={name: row["verdict"] for name, row in rows.items()},
        keys=tuple(each["key"] for each in found["differences"]),
        ratio=energy["value"] if energy else None,
        sentences=sentences,
    )


def run(arguments: list[str], results: Path, *, module: str = "bench", **variables: str) -> None:
    """A whole `bench run` into a folder. Raises RuntimeError where it makes no record to compare."""
    command = [sys.executable, "-m", module, "run", *arguments, "--results", str(results)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | variables
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: an interval wider than asked for is for `compare` to judge
        raise RuntimeError(f"run ended with {done.returncode}: {done.stderr}")
