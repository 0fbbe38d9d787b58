"""The metrics that records are compared by: one table of name, unit, direction, and how each is read.

    METRICS["energy"].title(record.case.unit)      # "J/page"
    METRICS["energy"].read(record).values              # one value a block that counts

Inside: valid blocks after warm-up, at the headline's scope. Outside: other scopes, carbon (the same joules
times a grid factor, which no change of the work moves) and observations such as temperature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from bench.core.block import Block
from bench.core.energy import energy_sum
from bench.core.figures import Estimate
from bench.core.measurement import Measurement
from bench.stats.budget.evidence import LARGEST
from bench.stats.figures import counting, estimate
from bench.stats.independent import independent


@dataclass(frozen=True)
class MetricValues:
    """Values of one metric in one record: one per block, or none and the reason."""

    values: tuple[float, ...] = ()
    reason: str | None = None

    @property
    def median(self) -> float | None:
        """The middle block's value."""
        return median(self.values) if self.values else None

    @property
    def estimate(self) -> Estimate | None:
        """Mean and 95 % t interval over blocks."""
        return estimate(self.values) if self.values else None


def headline_domains(record: Measurement) -> list[str]:
    """The domains whose joules make up the headline; none where nothing was metered."""
    scope = record.figures.headline_scope
    return sorted(record.figures.energy_per_unit_j[scope].domains) if scope else []


@dataclass(frozen=True)
class Metric:
    """One thing to compare by. `better` is the direction that pleases; `None`: neither does by itself.

    `of_block` is for what each block has, given `domains` of its record; `of_record` for what a record has
    once and no chance enters.
    """

    name: str
    template: str
    unit: str
    better: Literal["lower"] | None
    about: str
    of_block: Callable[[Block, Sequence[str]], float | None] | None = None
    of_record: Callable[[Measurement], float | None] | None = None
    lacking: str = "not every block has it"
    instead: Metric | None = None
    """The metric that is compared if not both records have this one."""
    domains: Callable[[Measurement], list[str]] = headline_domains

    def title(self, unit: str) -> str:
        """Name of the metric for outputs of that unit: `J/page`."""
        return self.template.format(unit=unit)

    def both_hold(self, a: Measurement, b: Measurement) -> Metric:
        """This metric, or what is compared instead where one of the records lacks it."""
        if self.instead is None or (self.read(a).values and self.read(b).values):
            return self
        return self.instead

    def block_value(self, record: Measurement) -> Callable[[Block], float | None]:
        """Function that reads a block of this record; always `None` for a metric of whole records."""
        domains, of_block = self.domains(record), self.of_block

        def value(block: Block) -> float | None:
            if of_block is None or not counting([block]) or block.work_s <= 0:
                return None
            reading = of_block(block, domains)
            return reading if reading is not None and 1 / LARGEST < reading < LARGEST else None

        return value

    def read(self, record: Measurement) -> MetricValues:
        """This record's values: of every block or start that counts, or of the record. All, or none."""
        blocks = counting(record.blocks)
        if self.of_record is not None:
            values = [self.of_record(record)]
        else:
            values = list(map(self.block_value(record), blocks))
        positive = [each for each in values if each is not None and each > 0]
        if not values:
            return MetricValues(reason="no valid block with counted units")
        if len(positive) < len(values):
            return MetricValues(reason=self.lacking)
        return MetricValues(tuple(positive if self.of_record else independent(blocks, positive)))


def _over(joules: float | None, amount: float | None) -> float | None:
    return joules / amount if joules is not None and amount else None


def _bytes(memory: float | None) -> float | None:
    return float(memory) if memory is not None and 0 < memory < LARGEST else None


def _loaded_bytes(record: Measurement) -> float | None:
    return _bytes(record.engine.memory_bytes) if record.engine else None


def _peak_bytes(record: Measurement) -> float | None:
    """Largest peak of all blocks that count; `None` if one of them lacks it."""
    stated = [block.observed.peak_memory for block in counting(record.blocks)]
    peaks = [_bytes(peak.used_bytes) if peak else None for peak in stated]
    present = [peak for peak in peaks if peak is not None]
    return max(present, default=None) if len(present) == len(peaks) else None


_LOADED = Metric(
    "memory",
    "bytes of the model",
    "B",
    "lower",
    "memory that the loaded model takes",
    of_record=_loaded_bytes,
    lacking="the record lacks it",
)

_ALL = (
    Metric(
        "energy",
        "J/{unit}",
        "J",
        "lower",
        "gross joules per unit, the headline",
        of_block=lambda block, domains: _over(energy_sum(block.energy, domains).gross_j, block.units),
        lacking="a block lacks a reading",
    ),
    Metric(
        "net",
        "net J/{unit}",
        "J",
        "lower",
        "joules per unit above idle",
        of_block=lambda block, domains: _over(energy_sum(block.energy, domains).net_j, block.units),
        lacking="net joules are not known, or not above 0, for every block",
    ),
    Metric(
        "token",
        "J/token",
        "J",
        "lower",
        "gross joules per new token",
        of_block=lambda block, domains: _over(energy_sum(block.energy, domains).gross_j, block.tokens),
        lacking="no tokens were counted",
    ),
    Metric(
        "time",
        "s/{unit}",
        "s",
        "lower",
        "seconds per unit",
        of_block=lambda block, _: _over(block.work_s, block.units),
    ),
    Metric(
        "power",
        "W",
        "W",
        None,
        "mean power; less of it is neither better nor worse",
        of_block=lambda block, domains: _over(energy_sum(block.energy, domains).gross_j, block.work_s),
        lacking="a block lacks a reading",
    ),
    Metric(
        "memory",
        "peak bytes",
        "B",
        "lower",
        "the most memory that the work took",
        of_record=_peak_bytes,
        lacking="the record lacks it",
        instead=_LOADED,
    ),
)

METRICS = {metric.name: metric for metric in _ALL}
"""By the name that `--fail-on` takes, in the order in which they are shown."""
HEADLINE = METRICS["energy"]
