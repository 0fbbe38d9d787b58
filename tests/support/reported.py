"""Records as a report meets them: of several machines, invalid, and written by somebody who means harm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.compare.record_set import RecordSet, StoredRecord, records_below
from bench.core.block import Block, Phase
from bench.core.record import Record
from bench.footprint.grid import choose
from bench.store import results, traces
from bench.view.content import Report
from bench.view.report import build
from bench.view.report.report_data import Settings
from tests.support.factory import CPU, GPU, RAM, block, case, energy, record

PEAK_W = 14.0
HOSTILE = (
    "</script><script>window.executed=1</script>",
    "<img src=x onerror=window.executed=1>",
    "\"'><svg onload=window.executed=1>",
    "{{ 7*7 }} ${7*7}",
    "abc\u202egnp.exe\u2066 \u200f\u0000\u2028",
    "👩‍👩‍👧 ẞ 漢字 עברית",
    "=HYPERLINK(1)",
    "m" * 1_000_000,
)
"""Names, prompts and notes that should only ever be seen."""


def seen(gpu_j: float, number: int, **more: object) -> Block:
    """A block of a card beside an estimated CPU, warm and clocked, with two phases."""
    domains = {GPU: energy(gpu_j, gpu_j - 60), CPU: energy(gpu_j / 6, gpu_j / 8, kind="estimated")}
    card = {
        "temperature_c": {"mean": 60.0 + number, "min": 55.0, "max": 70.0},
        "sm_clock_mhz": {"mean": 1700.0 - number, "min": 1600.0, "max": 1800.0},
        "throttled_share": {"thermal slowdown": 0.12} if number == 3 else {},
    }
    made = block(
        None,
        energies=domains,
        warmup=number == 0,
        observed={"gpus": {"GPU-1": card}},
        phases={
            "prefill": Phase(seconds=3.0, count=1, energy={GPU: energy(gpu_j / 10)}),
            "decode": Phase(seconds=26.0, count=1, energy={GPU: energy(gpu_j * 0.85)}),
        },
        **more,  # type: ignore[arg-type]
    )
    start_ns = made.start_ns + number * 32_000_000_000
    return made.model_copy(update={"start_ns": start_ns, "end_ns": start_ns + 30_000_000_000})


def machine(name: str) -> dict[str, object]:
    """Identity of a machine with one card."""
    card = {"name": name, "uuid": f"GPU-{name}", "power_limit_w": 400.0}
    return {
        "name": name,
        "id": name,
        "device": "cuda",
        "driver": "570.86",
        "metered": [f"GPU-{name}"],
        "gpus": [card],
    }


def measured(joules: float, name: str = "Card A", **more: object) -> Record:
    """A record with five blocks about so many joules a page."""
    blocks = [seen(joules * (1 + 0.01 * (number % 3)), number) for number in range(6)]
    return record(**({"blocks": blocks, "machine": machine(name)} | more))  # type: ignore[arg-type]


def varied() -> list[Record]:
    """Pages and images, two machines, random weights, an invalid and a failed one."""
    image = case(
        model="sdxl", unit="image", engine="image", options={"width": 1024, "height": 1024, "steps": 50}
    )
    random = case(weights=dict(case()["weights"], kind="random"))
    cpu = [
        block(energies={CPU: energy(60.0 + n, kind="estimated"), RAM: energy(9.0, kind="estimated")})
        for n in range(5)
    ]
    return [
        measured(300.0),
        measured(200.0, "Card B"),
        measured(1000.0, case=image, label="sdxl bfloat16 batch 1"),
        measured(250.0, case=random, label="bloom-560m bfloat16 batch 1 random weights"),
        record(
            blocks=cpu, label="tiny on a CPU", case=case(model="tiny"), machine={"name": "CPU", "id": "c"}
        ),
        measured(999.0, status="invalid", reasons=["too few valid blocks: 2 of 6"], label="spoilt"),
        record(
            status="failed", blocks=[], failure={"stage": "load", "message": "no such revision"}, label="lost"
        ),
    ]


def hostile() -> list[Record]:
    """Every text of a record that somebody else can write."""
    return [
        measured(
            300.0 + number,
            text,
            status="invalid" if number % 2 else "ok",
            label=text,
            case=case(model=text, options={"prompt": text, text[:50]: 1}),
            reasons=[text],
            provenance={"command": text, "note": {text[:40]: [text]}},
            outputs=["../../../../etc/passwd", text[:60]],
        )
        for number, text in enumerate(HOSTILE)
    ]


def sampled(kept: Record) -> traces.Trace:
    """A trace of such a record: 2 W at rest, in a block its mean power with a peak, warm and clocked."""
    first_ns, last_ns = kept.blocks[0].start_ns - 8_000_000_000, kept.blocks[-1].end_ns + 8_000_000_000
    t_ns = np.arange(first_ns, last_ns, 43_478_261)
    seconds = (t_ns - first_ns) / 1e9
    watts = 2.0 + 0.1 * np.sin(seconds * 7)
    clock = np.full(len(t_ns), 345.0)
    mask = np.zeros(len(t_ns))
    for number, each in enumerate(kept.blocks):
        inside = (t_ns >= each.start_ns) & (t_ns < each.end_ns)
        watts[inside] = each.energy[GPU].gross_j / each.duration_s * (1 + 0.05 * np.sin(seconds[inside] * 9))  # type: ignore[operator]
        watts[np.flatnonzero(inside)[200]] = PEAK_W
        clock[inside] = 1700.0 - number
        mask[inside] = 0x4 * (number == 3)
    slow = np.arange(len(t_ns)) % 12 == 0
    values = dict.fromkeys(traces.VALUES, np.full(len(t_ns), np.nan)) | {
        "energy_j": np.cumsum(watts) * 0.043478261,
        "power_instant_w": watts,
        "temperature_c": np.where(slow, 40.0 + 25.0 * (1 - np.exp(-seconds / 40)), np.nan),
        "sm_clock_mhz": np.where(slow, clock, np.nan),
        "memory_clock_mhz": np.where(slow, 1593.0, np.nan),
        "throttle_mask": np.where(slow, mask, np.nan),
    }
    return {GPU: traces.Samples(GPU, t_ns, values)}


def stored(folder: Path, records: Sequence[Record]) -> RecordSet:
    """Records as files, each of a card with its trace beside it."""
    for number, each in enumerate(records):
        name = f"traces/{number}.parquet"
        if each.blocks and GPU in each.blocks[0].energy:
            traces.write(folder / name, sampled(each).values())
            each = each.model_copy(update={"trace": name})
        (folder / f"{number}.json").write_text(results.to_json(each), encoding="utf-8")
    return records_below(folder)


def source(records: Sequence[Record], label: str = "results") -> RecordSet:
    """Records as if they had been read from files."""
    found = tuple(
        StoredRecord(each, f"{label}/{n}.json", f"{n + 0xA0000:016x}") for n, each in enumerate(records)
    )
    return RecordSet(label, found, (), (), Path(label))


def toy(joules: float = 11.0, **changes: object) -> Record:
    """A record of the suite `smoke`, marked as a toy."""
    weights = {"kind": "random", "hub_id": None, "architecture": "tiny-bloom"}
    marked = case(model="tiny-bloom", weights=weights, toy=True, **changes)
    return measured(joules, case=marked, label="tiny-bloom random weights float32 batch 1 64 tokens")


def report(
    records: Sequence[Record] | RecordSet, baseline: Sequence[Record] | None = None, *, shapes: bool = False
) -> Report:
    """The report of these records."""
    other = None if baseline is None else source(baseline, "before")
    now = records if isinstance(records, RecordSet) else source(records)
    return build.report([now], Settings(choose("400"), shapes=shapes), other)
