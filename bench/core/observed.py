"""Observations during a block beside its joules: the cards, the host's load, the recorder, the output.

    block.observed.gpus["GPU-1a2b"].temperature_c.mean

Validity rules and the uncertainty budget are drawn from this. A key that an older file lacks is `None` or
empty here; keys that code does not read are kept.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bench.core.model import Number, OpenModel, SchemaModel
from bench.core.served import ServedWindow


class StartConditions(SchemaModel):
    """Temperature of the cards when the case began, and the wait for it."""

    temperature_c: dict[str, float]
    """By UUID, just before the model was loaded."""
    waited_s: float
    within_band: bool
    """Whether every card was within the band around where the run's first case began."""


class MeanAndRange(OpenModel):
    """Mean and extremes of a reading over a window."""

    mean: Number
    min: Number | None = None
    max: Number | None = None


WiderCounter = Literal["mig", "module"]
"""Reason for which a card's counter covers more than the work on it."""
COUNTER_COVERS: dict[WiderCounter, str] = {
    "mig": "the whole card, other MIG slices included",
    "module": "the whole module: GPU, CPU and memory",
}
"""What such a counter covers; blocks with it are invalid, since that is not scope gpu."""


class GpuObserved(OpenModel):
    """One card over one window, as the recorder saw it."""

    counter_tick_s: Number | None = None
    """Time between two moves of the energy counter; `null` where too few were seen."""
    counter_ticks: Number | None = None
    """Number of the counter's moves."""
    temperature_c: MeanAndRange | None = None
    temperature_drift_k: Number | None = None
    """By how much the window's last third was warmer than its middle one."""
    sm_clock_mhz: MeanAndRange | None = None
    throttled_share: dict[str, Number] | None = None
    """Share of the samples by the reason for which the card ran slower than asked."""
    counts_more: WiderCounter | None = None
    """Whether the counter covers more than the work: other MIG slices, or a module's CPU and memory."""
    integrated_instant_j: Number | None = None
    """Joules by the power reading, a check of the counter."""


class CounterDelay(OpenModel):
    """Publishing delay of a card's counter, with its standard uncertainty."""

    delay_s: Number | None = None
    u_s: Number | None = None
    scatter_s: Number | None = None
    """Of a part-time sensor: the width over which the delays of its edges scatter."""
    starts: int | None = None
    """The starts of work that it was found from; 0 for none."""
    known: bool | None = None
    basis: str | None = None
    """Method, as a short stable name; `how` describes it in words."""
    how: str | None = None


class BatchTimes(OpenModel):
    """Seconds from the end of one batch to the end of the next."""

    median: Number
    longest: Number


class PeakMemory(OpenModel):
    """The most memory that the work took; `used_bytes` is `None` with the reason where it cannot be read."""

    used_bytes: Number | None = None
    of: Literal["cuda-allocator", "process-resident"] | None = None
    reserved_bytes: Number | None = None
    reason: str | None = None


class NeighbourObserved(OpenModel):
    """A card of the machine that the work does not use, over one window; its joules are in no sum."""

    energy_j: Number | None = None
    source: str | None = None
    """As in `energy` of a block."""
    utilisation_percent: Number | None = None
    """Mean share of the time in which something ran on it; `null` where its driver does not say."""
    reason: str | None = None
    """Reason for an `energy_j` of `null`."""
    used_by: str | None = None
    """Label of another case of this run that had the card for some of the window: it was not idle then."""


class ReplicasObserved(OpenModel):
    """Replicas of a model over one window, which begins with the first and ends with the last of them."""

    items: list[int] = Field(default_factory=list)
    """Items that each made."""
    uneven_share: Number | None = None
    """Share of the window in which not all of them worked."""


class Observed(OpenModel):
    """Everything observed during one window, or right after it."""

    gpus: dict[str, GpuObserved] = Field(default_factory=dict)
    """By UUID, of the metered cards."""
    neighbours: dict[str, NeighbourObserved] = Field(default_factory=dict)
    """By UUID, of the machine's other cards."""
    replicas: ReplicasObserved | None = None
    """`null` of a single worker."""
    load_average_1m: Number | None = None
    recorder_so_far: dict[str, Number] = Field(default_factory=dict)
    """Cost of the recorder since it began."""
    longest_sample_gap_s: Number | None = None
    sample_gap_p99_s: Number | None = None
    """99th percentile of the time between two samples."""
    foreign_pids: list[int] | None = None
    """Other processes that computed on the metered cards; `null` with the reason where not listed."""
    unmetered_gpus: list[str] | None = None
    """UUIDs of cards that a program's own work is on and that are not metered."""
    other_measurement: str | None = None
    """Another measurement that held a card or the CPU of a program's window."""
    absent: dict[str, str] = Field(default_factory=dict)
    start: StartConditions | None = None
    """Of a pair: how warm the cards were when the block began."""
    batch_s: BatchTimes | None = None
    counter_delay: dict[str, CounterDelay] = Field(default_factory=dict)
    """By domain."""
    peak_memory: PeakMemory | None = None
    problems: list[str] = Field(default_factory=list)
    """Sentences about wrong output."""
    prompt_tokens: int | None = None
    reasoning_tokens: int | None = None
    """New tokens with which a model reasoned before it wrote; `null` where it does not reason."""
    heard_seconds: Number | None = None
    """Of speech that the work listened to, where its unit counts something else."""
    recorder_ended: bool | None = None
    failure: str | None = None
    """The error that a program's own work ended with."""
    served: ServedWindow | None = None
    """Of a server's load: what its client saw."""
    counts: dict[str, Number] = Field(default_factory=dict)
    """Counts of the modality's own over the block, such as the calls of a council's stages."""
    uncounted: str | None = None
    """Reason why a program's units could not be counted."""
    suspended_s: Number | None = None
    """Time that the machine was suspended since shortly before the window; `null` where it is unknown."""
