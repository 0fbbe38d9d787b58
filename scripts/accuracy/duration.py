"""Duration of a typical case from loading to its record, and the coverage of its interval.

A card draws 300 W at work and 60 W idle; its counter ticks every 100 ms. The work of one block differs from
that of the next by 1 % (standard deviation), and so does each round of the warm-up. Loading takes 5 s. The
whole procedure runs: session, meters, sampler and NVML, in virtual time (`scripts.faults.machine`),
so that hundreds of cases take minutes. The truth is the mean of what blocks are drawn from.

`python -m scripts.accuracy.duration 200` prints the table of docs/validation.md; `--real` runs one case of
each row on the stand-in with the command line, in real seconds, side by side.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bench.catalog.cases import Overrides, Planned, plan
from bench.catalog.loading import load
from bench.catalog.models import Measure, Work
from bench.core.record import Record
from bench.worker.engine_spec import with_architecture
from scripts.faults.machine import BATCH_S, BUSY_W, IDLE_W, Machine
from tests.standin import StandIn, build
from tests.support.main_job import running
from tests.support.main_job.metered import WORK_VARIABLE

SHIPPED = Path(__file__).parents[2] / "models.yaml"
SPREAD, LOAD_S = 0.01, 5.0
TRUE_J = BUSY_W * BATCH_S
"""Of one item: a batch of one page."""
BEFORE_S = 30.0
"""Blocks as they were before their length was chosen."""


class Row(NamedTuple):
    """A target and a length of blocks, `None` where that is chosen."""

    target: float
    block_s: float | None

    @property
    def name(self) -> str:
        """Row of the table."""
        return f"±{self.target:.0%}, blocks {'chosen' if self.block_s is None else f'of {self.block_s:g} s'}"


class Took(NamedTuple):
    """One case: seconds from loading to its record, blocks, and whether intervals held the truth."""

    seconds: float
    blocks: int
    block_s: float
    held: bool


ROWS = [Row(target, block_s) for target in (0.02, 0.01) for block_s in (BEFORE_S, None)]


def measured_as(row: Row) -> Planned:
    """A tiny text model, measured by the shipped defaults."""
    asked = Measure(target=row.target, block_seconds=row.block_s)
    (item,) = plan(load(SHIPPED), ["tiny-bloom"], Overrides(Work(), asked, "random", None))
    return Planned(with_architecture(item.case), item.measure)


def took(row: Row, seed: int, library: Path, folder: Path) -> Took:
    """One case in virtual time."""
    drawn = random.Random(seed)
    standin = StandIn(library, folder / "standin.control")
    try:
        watts = lambda: BUSY_W * drawn.gauss(1.0, SPREAD)  # noqa: E731
        with Machine(standin, folder, measured_as(row), watts, LOAD_S) as machine:
            ending = machine.run()
    finally:
        standin.close()
    assert ending.record is not None, ending.said
    return _took(ending.record, ending.virtual_s)


def _took(record: Record, seconds: float) -> Took:
    headline = record.headline()
    assert headline is not None, record.reasons
    assert headline.low is not None
    assert headline.high is not None
    items = [block.items / (block.units or 1.0) for block in record.blocks if not block.warmup]
    true_j = TRUE_J * items[0]  # the headline is of a page of 250 words, an item has fewer
    return Took(
        seconds,
        headline.n,
        statistics.median(block.duration_s for block in record.blocks if not block.warmup),
        headline.low <= true_j <= headline.high,
    )


def cases(row: Row, number: int) -> Iterator[Took]:
    """So many cases of a row."""
    with tempfile.TemporaryDirectory(prefix="joulebench-duration-") as scratch:
        library = build(Path(scratch) / "library")
        for seed in range(number):
            folder = Path(scratch) / str(seed)
            folder.mkdir()
            yield took(row, seed, library, folder)


def line(row: Row, found: list[Took]) -> str:
    """A row of the table."""
    seconds = sorted(each.seconds for each in found)
    held = statistics.fmean(each.held for each in found)
    return (
        f"| {row.name} | {statistics.median(seconds):.0f} s | {seconds[int(0.9 * len(seconds))]:.0f} s | "
        f"{statistics.fmean(each.blocks for each in found):.1f} of {found[0].block_s:.1f} s | "
        f"{held:.1%} |"
    )


def real(row: Row, folder: Path, library: Path) -> Took:
    """One case by the command line beside a stand-in, in real seconds."""
    folder.mkdir()
    standin = StandIn(library, folder / "standin.control", gpu_count=1)
    standin.load(0, standin.now_ns(), IDLE_W)
    batches = (row.block_s or 10.0) / BATCH_S
    work = f"{BUSY_W}:{SPREAD * batches**0.5}:{BATCH_S}:1"  # each batch is drawn: blocks then differ by 1 %
    length = [] if row.block_s is None else ["--block-seconds", f"{row.block_s:g}"]
    asked = ["tiny-bloom", "--weights", "random", "--gpus", "0", "--device", "cpu", *length]
    variables = running.environment(standin.environment(), temporary=folder / "tmp") | {WORK_VARIABLE: work}
    begun = time.monotonic()
    command = running.start(
        [*asked, "--target", f"{row.target}"], folder / "results", variables, models=SHIPPED
    )
    done = running.finish(command, folder / "results", timeout_s=900)
    seconds = time.monotonic() - begun
    standin.close()
    assert done.status == 0, done.err
    return _took(done.records[0], seconds)


def main(number: int, *, in_real_seconds: bool) -> None:
    """The table, or one real case of each row."""
    if in_real_seconds:
        with tempfile.TemporaryDirectory(prefix="joulebench-duration-") as scratch:
            library = build(Path(scratch) / "library")
            with ThreadPoolExecutor(len(ROWS)) as pool:
                folders = [Path(scratch) / f"row-{at}" for at in range(len(ROWS))]
                found = list(pool.map(real, ROWS, folders, [library] * len(ROWS)))
        for row, one in zip(ROWS, found, strict=True):
            print(f"{row.name}: {one.seconds:.0f} s, {one.blocks} blocks of {one.block_s:.1f} s")
        return
    print("| | load to record, median | 90 % within | blocks | t interval covers the truth |")
    print("|---|---|---|---|---|")
    for row in ROWS:
        print(line(row, list(cases(row, number))), flush=True)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    numbers = [int(argument) for argument in arguments if argument.isdigit()]
    main(numbers[0] if numbers else 200, in_real_seconds="--real" in arguments)
