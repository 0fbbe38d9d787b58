"""Write many records, and time the verbs that choose among them, as a person types them: whole commands.

    python -m scripts.scale                        # 1,000 / 10,000 / 100,000 records
    python -m scripts.scale 1000 --cases 200       # another population

Status 1: a target of the largest population is missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from scripts.scale.population import Population, write

SQL = "SELECT model, machine, avg(energy_per_unit_j) FROM records GROUP BY ALL ORDER BY ALL"
TARGETS = {"first": 60.0, "compare": 2.0, "rank": 2.0, "query": 2.0}
TARGET_MB = 600.0


class Took(NamedTuple):
    """What one command took, its child processes included."""

    seconds: float
    cpu_s: float
    peak_mb: float


def main() -> int:
    """Print a line a population."""
    parser = argparse.ArgumentParser(prog="scripts/bench-scale", description=__doc__)
    parser.add_argument("records", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--machines", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="Where to write for the time. [default: /tmp]")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}; {given.cases} cases on {given.machines} machines")
    columns = ["records", "MB", "first index", "compare", "compare --json", "rank", "query", "peak RSS MB"]
    print("seconds (of processor): " + " | ".join(columns))
    missed = False
    for records in given.records:
        with tempfile.TemporaryDirectory(prefix="bench-scale-", dir=given.folder) as kept:
            took = one(Path(kept), Population(records, given.cases, given.machines))
        missed = any(took[name].seconds > limit for name, limit in TARGETS.items())
        missed |= max(each.peak_mb for each in took.values()) > TARGET_MB
    return int(missed)


def one(folder: Path, population: Population) -> dict[str, Took]:
    """All commands over one population."""
    results = folder / "results"
    files = write(results, population)
    size_mb = sum(path.stat().st_size for path in results.rglob("*.json")) / 1e6
    time.sleep(2.5)  # files so young are not trusted
    sides = [str(results / "before"), str(results / "after"), "--results", str(results)]
    took = {"first": timed("query", SQL, "--csv", "--results", str(results))}
    took["compare"] = timed("compare", *sides)
    took["json"] = timed("compare", *sides, "--json")
    took["rank"] = timed("compare", "--across-hardware", str(results), "--results", str(results))
    took["query"] = timed("query", SQL, "--csv", "--results", str(results))
    seconds = [f"{each.seconds:.2f} ({each.cpu_s:.2f})" for each in took.values()]
    peak_mb = max(each.peak_mb for each in took.values())
    print(" | ".join([f"{files:,}", f"{size_mb:,.0f}", *seconds, f"{peak_mb:.0f}"]), flush=True)
    return took


def timed(*arguments: str) -> Took:
    """Run one command in a process of its own and watch it."""
    start, before = time.monotonic(), _cpu_s()
    with subprocess.Popen([sys.executable, "-m", "bench", *arguments], stdout=subprocess.DEVNULL) as child:
        peak_mb = 0.0
        while child.poll() is None:
            peak_mb = max(peak_mb, _resident_mb(child.pid))
            time.sleep(0.02)
    if child.returncode not in (0, 1, 3):
        raise SystemExit(f"bench {arguments[0]} ended with status {child.returncode}.")
    return Took(time.monotonic() - start, _cpu_s() - before, peak_mb)


def _cpu_s() -> float:
    """Seconds of processor that children of this process, and theirs, have taken so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resident_mb(pid: int) -> float:
    try:
        parent = psutil.Process(pid)
        return sum(each.memory_info().rss for each in (parent, *parent.children(recursive=True))) / 1e6
    except psutil.Error:
        return 0.0


if __name__ == "__main__":
    sys.exit(main())
