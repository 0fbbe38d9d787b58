"""Points of a sweep from its axes, its size before it begins, and the order of its cases.

for point in points(entry, suite, overrides):       # {"batch": 8, "dtype": "float16"}, ...
in_order(planned, "interleaved", 7)                 # drawn by the seed
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from bench.catalog.axes import Change, Exclusion
from bench.catalog.models import Measure, Suite, SuiteCase, Work
from bench.core import modalities
from bench.core.sweep import Order
from bench.errors import UsageError

MOST_CASES = 10_000
"""Combinations that are built at all; building one takes 0.35 ms."""
UNASKED_CASES = 100
"""Cases that a sweep may have without `--yes`: a day, at a quarter of an hour each."""
_SPANS = (("years", 365 * 86400.0), ("days", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))

Axes = Mapping[str, Sequence[Change]]
Item = TypeVar("Item")


def axes_of(suite: Suite | None, entry: SuiteCase, work: Work, line: Axes, engine: str) -> Axes:
    """The axes of one entry: those of the line, then of the entry, then of its suite.

    An axis gives way to what is said of one of its keys by something stronger: the command line, or the entry
    beside its suite. Axes that mean nothing to the modality are left out.
    """
    keys = modalities.get(engine).keys | {"dtype", "batch", "seed", "workload", "replicas"}
    own, of_suite = entry.sweep.changes(), suite.sweep.changes() if suite else {}
    taken = set(work.keys_set()) | _keys(line)
    chosen = _without(own, taken)
    chosen = _without(of_suite, taken | _keys(own) | set(entry.keys_set())) | chosen
    return {name: changes for name, changes in {**chosen, **line}.items() if _keys({name: changes}) <= keys}


def _keys(axes: Axes) -> set[str]:
    """The keys of a case that the axes set."""
    return {key for changes in axes.values() for change in changes for key in change}


def _without(axes: Axes, taken: set[str]) -> dict[str, Sequence[Change]]:
    return {name: changes for name, changes in axes.items() if not _keys({name: changes}) & taken}


def size(axes: Axes) -> int:
    """Number of combinations; 1 without axes."""
    return math.prod(len(changes) for changes in axes.values())


def points(axes: Axes) -> Iterator[Change]:
    """Every combination, the last axis fastest."""
    for changes in itertools.product(*axes.values()):
        yield {key: value for change in changes for key, value in change.items()}


def excluding(exclusions: Sequence[Exclusion], model: str, values: Mapping[str, Any]) -> list[Exclusion]:
    """The exclusions that leave a case out."""
    return [exclusion for exclusion in exclusions if exclusion.matches(model, values)]


def refuse_too_many(entries: Sequence[tuple[int, Measure]]) -> None:
    """Raise UsageError for more combinations than are built; each entry is their number, and its limits."""
    total = sum(count for count, _ in entries)
    if total > MOST_CASES:
        seconds = sum(count * longest_s(measure) for count, measure in entries)
        raise UsageError(
            f"The sweep has {total:,} cases (up to about {roughly(seconds)}), more than {MOST_CASES:,}.",
            "Give its axes fewer values, or measure model by model.",
        )


def refuse_unasked(measures: Sequence[Measure]) -> None:
    """Raise UsageError for a sweep of more cases than are begun without `--yes`."""
    if len(measures) > UNASKED_CASES:
        seconds = sum(longest_s(measure) for measure in measures)
        raise UsageError(
            f"The sweep has {len(measures):,} cases, which take up to about {roughly(seconds)} beside "
            "loading.",
            f"More than {UNASKED_CASES} need --yes; --exclude leaves some out.",
        )


def refuse_idle_exclusions(asked: Sequence[Exclusion], met: Sequence[Exclusion], *, left: int) -> None:
    """Raise UsageError for an exclusion of the command line without effect, or where no case is left."""
    idle = next((exclusion for exclusion in asked if exclusion not in met), None)
    if idle is not None:
        raise UsageError(f"--exclude {idle.text} leaves out nothing.", "See the cases with --dry-run.")
    if met and not left:
        raise UsageError("The exclusions leave out every case.", "Leave out fewer of them.")


def in_order(items: Sequence[Item], order: Order, seed: int) -> list[Item]:
    """The items as they are (`blocked`), or shuffled by Python's `random.Random(seed)` (`interleaved`)."""
    ordered = list(items)
    if order == "interleaved":
        random.Random(seed).shuffle(ordered)
    return ordered


def longest_s(measure: Measure) -> float:
    """Seconds that a case is measured for at most, beside loading: its limits added up.

    Warm-up and blocks whose items take longer come on top: how long, only a measurement shows.
    """
    looks_s = 2 * ((measure.settle_seconds or 0.0) + (measure.idle_seconds or 0.0))
    blocks_s = (measure.min_blocks or 0) * (measure.block_seconds or 0.0)
    measured_s = max(measure.max_seconds or 0.0, blocks_s)
    each_s = (measure.restarts or 1) * ((measure.warmup_max_seconds or 0.0) + measured_s)
    return looks_s + (measure.cool_down_max_seconds or 0.0) + each_s


def roughly(seconds: float) -> str:
    """`12 h`: two digits of the largest span that fits."""
    name, span_s = next((each for each in _SPANS if seconds >= each[1]), _SPANS[-1])
    return f"{float(f'{seconds / span_s:.2g}'):,g} {name}"
