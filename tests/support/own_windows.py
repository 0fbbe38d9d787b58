"""Results of a program's own windows, as `bench.measure` and the pytest plugin store them."""

from __future__ import annotations

from pathlib import Path

from bench.core.energy_result import EnergyResult, SavedSession
from bench.core.machine import GpuFacts, Machine
from bench.core.provenance import Provenance
from bench.stats.figures import derive
from bench.store import results
from tests.support.factory import CARBON, GPU, block

UUID = GPU.removeprefix("gpu:")
MACHINE = Machine(
    name="NVIDIA Sample 1a2b3c4d",
    id="1a2b3c4d",
    driver="580.95.05",
    gpus=[GpuFacts(uuid=UUID, name="NVIDIA Sample", power_limit_w=350.0)],
    metered=[UUID],
)


def result(joules: float, name: str | None = "pipe", unit: str = "image") -> EnergyResult:
    """Five windows of about so many joules each."""
    blocks = [block(joules * factor) for factor in (0.99, 0.995, 1.0, 1.005, 1.01)]
    return EnergyResult(
        status="ok",
        reasons=[],
        name=name,
        unit=unit,
        blocks=blocks,
        idle={},
        figures=derive(blocks, CARBON),
        carbon=CARBON,
        machine=MACHINE,
        provenance=Provenance(created="2026-01-31T12:00:00Z", libraries={"torch": "2.9.0"}),
        absent={},
    )


def keep(path: Path, found: EnergyResult) -> Path:
    """The file of a result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(results.to_json(found), encoding="utf-8")
    return path


def session(path: Path, tests: dict[str, float]) -> Path:
    """The file of a session of pytest whose tests take so many joules a call."""
    saved = SavedSession(
        created="2026-01-31T12:00:00Z",
        machine=MACHINE,
        tests={name: result(joules, name, "call") for name, joules in tests.items()},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(results.to_json(saved), encoding="utf-8")
    return path
