"""Records as years of nightly runs leave them: cases by machines by repeats, ten blocks each, 35 kB a file.

write(folder, Population(records=100_000))       # folder/before and folder/after, half of the repeats each
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.block import CodeCarbonTask
from bench.core.observed import GpuObserved, MeanAndRange, Observed
from bench.core.record import Record
from bench.stats import uncertainty
from bench.store import results
from tests.support.factory import block, case, energy, record
from tests.support.sample import pair

VARIANTS = 3
"""Runs of a case and machine that differ in their joules; further repeats differ in their time."""


@dataclass(frozen=True)
class Population:
    """How many records, of how many cases on how many machines; the rest is repeats."""

    records: int
    cases: int = 20
    machines: int = 10

    @property
    def repeats(self) -> int:
        """Records of each case on each machine."""
        return max(2, self.records // (self.cases * self.machines))


def write(folder: Path, population: Population) -> int:
    """Write them, and ten A/A pairs a machine in the folder itself; returns how many files there are."""
    chance, written = random.Random(11), 0
    for number in range(population.machines):
        machine = _machine(number)
        name = results.slug(machine["name"])
        for side in ("before", "after", ""):
            (folder / side / name).mkdir(parents=True)
        for twins in range(10):
            for kept in pair(300, 300, chance, machine=machine, created=_created(0, twins)):
                side = kept.pair.side if kept.pair else ""
                path = folder / name / f"twins-{twins}-{side}.json"
                path.write_text(_text(kept))
                written += 1
        for case_number in range(population.cases):
            texts = [_text(_record(case_number, machine, chance)) for _ in range(VARIANTS)]
            for repeat in range(population.repeats):
                side = "before" if repeat < population.repeats // 2 else "after"
                path = folder / side / name / f"case-{case_number}--{repeat:05}.json"
                text = texts[repeat % VARIANTS].replace("CREATED", _created(repeat, case_number))
                path.write_text(text.replace("RUN", f"{_day(repeat)}t000000-{number:06x}"))
                written += 1
    return written


def _day(repeat: int) -> str:
    return f"2{repeat // 336:03}{repeat // 28 % 12 + 1:02}{repeat % 28 + 1:02}"


def _created(repeat: int, minute: int) -> str:
    day = _day(repeat)
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{minute // 60 % 24:02}:{minute % 60:02}:00Z"


def _machine(number: int) -> dict[str, Any]:
    uuid = f"GPU-{number:08}-1111-2222-3333-444444444444"
    card = {"uuid": uuid, "name": "NVIDIA H200", "power_limit_w": 700.0, "memory_bytes": 150_000_000_000}
    name = f"NVIDIA H200 {number:08x}"
    return {"name": name, "id": f"{number:08x}", "device": "cuda", "metered": [uuid], "gpus": [card]}


def _record(number: int, machine: dict[str, Any], chance: random.Random) -> Record:
    """A run of ten blocks; how many joules depends on case and machine."""
    card = f"gpu:{machine['metered'][0]}"
    truth_j = (200 + 10 * number) * (1 + chance.gauss(0, 0.003))
    blocks = []
    for _ in range(10):
        joules = truth_j * (1 + chance.gauss(0, 0.005))
        task = CodeCarbonTask(duration_s=30.1, gpu_j=joules, cpu_j=99.0, ram_j=40.0, carbon_g=0.1)
        seen = Observed(
            gpus={
                machine["metered"][0]: GpuObserved(
                    counter_ticks=300,
                    temperature_c=MeanAndRange(mean=61.5, min=60.0, max=62.0),
                    sm_clock_mhz=MeanAndRange(mean=1980.0, min=1980.0, max=1980.0),
                    throttled_share={},
                )
            }
        )
        energies = {card: energy(joules, joules - 60), "cpu:package-0": energy(50.0, 20.0)}
        blocks.append(block(energies=energies, codecarbon=task, observed=seen))
    return record(
        blocks=blocks,
        case=case(model=f"model-{number}", seed=number),
        label=f"model-{number} bfloat16 batch 1",
        machine=machine,
        created="CREATED",
        run_id="RUN",
    )


def _text(kept: Record) -> str:
    kept.figures.uncertainty = uncertainty.of(kept)
    kept.provenance.environment = {f"VARIABLE_{number}": "x" * 60 for number in range(40)}
    return json.dumps(json.loads(results.to_json(kept)), indent=2) + "\n"
