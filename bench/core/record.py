"""The record, field by field.

A value that could not be had is `null` and its reason is in the `absent` mapping beside it, by
field name. Zero means a measured zero. Times ending in `_ns` are CLOCK_MONOTONIC of the machine, which starts
anew with every boot; `provenance.clock` ties it to the calendar.

History of `SCHEMA`
    joulebench/record/1   first version; since then, each optional, so that older files still load:
                          `figures.uncertainty`, `blocks.rest_s`, `blocks.energy.*.rests_j`, `start`,
                          `pair`, `ended.quick`, `correction_j` of budgets, `machine.calibration`, `run_id`,
                          `trace`, `blocks.observed.peak_memory`, `case.toy`, `blocks.energy.*.edge_u_j`,
                          `blocks.energy.*.rests_u_j`, `ended.block`,
                          `blocks.energy.*.edge_common_u_j`, `blocks.observed.counter_delay.*.scatter_s`,
                          `case.workload`, `blocks.observed.counter_delay.*.basis`,
                          `blocks.observed.heard_seconds`, `sweep`, `loading`, `case.quantization`,
                          `provenance.git.sources`, `blocks.observed.reasoning_tokens`, `figures.tokens`,
                          `blocks.observed.served`, `figures.served`, `blocks.rests_ns`,
                          `provenance.expected_gpus`, `case.weights.components`,
                          `case.parts`, `blocks.observed.counts`,
                          `blocks.observed.served.stated_running` and what else a server's metrics state,
                          `blocks.observed.served.start`, `figures.served.restarts`, `case.server`; `null` for
                          `blocks.observed.served.output_tokens`; `blocks.observed.suspended_s`;
                          `provenance.clock.sync`, `machine.nodes`, `blocks.energy.*.node`,
                          `blocks.energy.*.clock_u_j`, `figures.served.per_node_j`,
                          `figures.served.per_role_j`, `case.replicas`, `blocks.observed.replicas`,
                          `blocks.observed.neighbours`, `figures.neighbours`, `blocks.rests_of`,
                          `side_by_side`, `blocks.work_ends_of`,
                          `side_by_side.beside`, `blocks.observed.neighbours.*.used_by`,
                          `figures.neighbours.of_other_cases`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from bench.core.block import Block, Idle
from bench.core.figures import Carbon, Figures
from bench.core.loading import Loading
from bench.core.machine import Machine
from bench.core.measurement import Measurement, Status
from bench.core.observed import StartConditions
from bench.core.provenance import Provenance
from bench.core.recorded import Failure, RecordedCase, RecordedEngine, RequestedCase
from bench.core.repetition import Pair, StopInfo
from bench.core.side_by_side import SideBySide
from bench.core.sweep import SweepPoint

SCHEMA = "joulebench/record/1"


class Record(Measurement):
    """One case measured on one machine: what was asked, what was seen, what follows, how to repeat it."""

    schema_name: Literal["joulebench/record/1"] = Field("joulebench/record/1", alias="schema")
    status: Status
    reasons: list[str] = Field(default_factory=list)
    label: str
    """The case in words, `random weights` included where that is so."""
    created: str
    run_id: str | None = None
    """The same in all records of one run, also of a command that went on with it; `null` in older files."""
    case: RecordedCase
    requested: RequestedCase | None = None
    """`null` unless a smaller batch had to be taken."""
    engine: RecordedEngine | None = None
    loading: Loading | None = None
    """`null` in older files, where loading failed, and where a producer has its model elsewhere."""
    start: StartConditions | None = None
    pair: Pair | None = None
    side_by_side: SideBySide | None = None
    """`null` for a case that had the machine to itself, and in older files."""
    blocks: list[Block] = Field(default_factory=list)
    idle: dict[str, Idle] = Field(default_factory=dict)
    figures: Figures = Field(default_factory=Figures)
    carbon: Carbon | None = None
    ended: StopInfo | None = None
    failure: Failure | None = None
    machine: Machine = Field(default_factory=Machine)
    provenance: Provenance = Field(default_factory=Provenance)
    absent: dict[str, str] = Field(default_factory=dict)
    sweep: SweepPoint | None = None
    """Its place in a sweep; `null` for a case that is of none, and in older files."""
    trace: str | None = None
    """File with all samples of the meters, relative to the record; `absent` has the reason for `null`."""
    outputs: list[str] = Field(default_factory=list)
    """Files kept with --save-outputs, relative to the record."""

    @property
    def why(self) -> str:
        """The status and its reasons in words; of a failed case also what stopped it."""
        stopped = [self.failure.message] if self.failure and self.failure.message not in self.reasons else []
        return f"{self.status}: {'; '.join([*self.distinct_reasons, *stopped]) or 'no reason is given'}"

    @property
    def unit(self) -> str:
        """Unit of output."""
        return self.case.unit

    @property
    def work_name(self) -> str:
        """The model's name in the catalogue."""
        return self.case.model

    @property
    def work_key(self) -> str:
        """The case's hash."""
        return self.case.hash

    @property
    def random_weights(self) -> bool:
        """Whether the model's weights were random numbers."""
        return self.case.weights.kind == "random"

    @property
    def per_token(self) -> bool:
        """Whether joules over tokens are a figure of it: not of a chain of models."""
        return self.case.per_token

    def identity(self) -> Mapping[str, Any]:
        """The case, key by key."""
        return self.case.as_mapping()
