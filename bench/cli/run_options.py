"""The options of `bench run`, typed once: what they ask of the cases, of the machine, and of the output.

asked = RunOptions.of(given)          # what click parsed, by parameter
asked.overrides().work.batch
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.catalog import served_loads
from bench.catalog.cases import Overrides
from bench.catalog.models import Measure, Work
from bench.cli import modality_flags
from bench.cli.options import PartOfCases, WeightsChoice
from bench.core.modality import Attention
from bench.core.near_names import unknown
from bench.core.sweep import Order

QUICK = {
    "quick": True,
    "target": 0.05,
    "warmup_max_seconds": 30.0,
    "cool_down_max_seconds": 30.0,
    "max_seconds": 90.0,
}
"""Settings of --quick, which other options override."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What was asked for; `None` leaves a setting to the model and the catalogue."""

    results: Path = Path("results")
    gpus: str | None = None
    device: Literal["auto", "cuda", "cpu"] = "auto"

    weights: WeightsChoice | None = None
    batch: int | None = None
    replicas: int | None = None
    dtype: str | None = None
    seed: int | None = None
    attention: str | None = None
    compiled: bool | None = None
    workload: str | None = None
    of_modality: Mapping[str, Any] = field(default_factory=dict)
    """Keys of a case by the options that modalities define."""

    target: float | None = None
    max_seconds: float | None = None
    block_seconds: float | None = None
    idle_seconds: float | None = None
    restarts: int | None = None
    quick: bool = False

    axes: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    order: Order | None = None
    order_seed: int = 0
    yes: bool = False
    again: bool | None = None
    part: PartOfCases = field(default_factory=PartOfCases)
    pair: tuple[str, str] | None = None

    fleet: str | None = None
    every_node: bool = False
    endpoint: str | None = None
    nodes: tuple[str, ...] = ()
    allow_remote_code: tuple[str, ...] = ()
    expected_gpus: str | None = None
    save_outputs: bool = False
    dry_run: bool = False
    notes: bool = False
    debug: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> RunOptions:
        """The options by the names of click's parameters; each has a field here or is of a modality."""
        of_modality = modality_flags.keys_set(given)
        rest = {name: value for name, value in given.items() if name not in modality_flags.names()}
        return cls(of_modality=of_modality, **rest)

    def overrides(self) -> Overrides:
        """The keys of cases that are set for all of them. Raises UsageError for an unknown kernel."""
        work = {
            "dtype": self.dtype,
            "batch": self.batch,
            "replicas": self.replicas,
            "seed": self.seed,
            "attention": _attention(self.attention),
            "compile": self.compiled,
        }
        loads = served_loads.keys_of(self.workload) if self.workload else {}
        of_modality = {key: value for key, value in self.of_modality.items() if value is not None}
        kind, folder = self.weights or (None, None)
        return Overrides(
            work=Work.model_validate(work | loads | of_modality),
            measure=self._measure(),
            weights=kind,
            weights_path=folder,
            attached=self.endpoint is not None,
        )

    def _measure(self) -> Measure:
        limits = {
            "target": self.target,
            "max_seconds": self.max_seconds,
            "block_seconds": self.block_seconds,
            "idle_seconds": self.idle_seconds,
            "restarts": self.restarts,
        }
        asked = {key: value for key, value in limits.items() if value is not None}
        return Measure.model_validate(QUICK | asked if self.quick else asked)


def _attention(name: str | None) -> str | None:
    known = Attention.__args__  # type: ignore[attr-defined]
    if name is not None and name not in known:
        raise unknown("attention kernel", name, known)
    return name
