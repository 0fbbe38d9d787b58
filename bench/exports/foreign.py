"""Formats of other programs: each has a part of a record's content, and adds nothing to it.

    openmetrics(found)              # bytes, gauges stamped with the time of the measurement
    emissions_csv(found)            # CodeCarbon's columns, over the blocks that count

A field that a record cannot fill stays empty: a reader there could not tell a guess from a reading. Units are
those of the other program (Wh, kWh, kg), converted here and nowhere else.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import yaml

from bench.compare.record_row import flat
from bench.compare.record_set import StoredRecord
from bench.core.domain import DeviceKind, of_device
from bench.core.energy import gross_over
from bench.core.quantities import J_PER_KWH, J_PER_WH
from bench.core.record import Record
from bench.errors import UsageError
from bench.exports.csv_cells import safe
from bench.exports.plain_text import json_text, plain
from bench.stats.figures import counting

GAUGES = {
    "energy_per_unit_joules": ("energy_per_unit_j", "Gross joules per unit of output."),
    "energy_per_unit_low_joules": ("energy_per_unit_low_j", "Lower end of its 95 % interval over blocks."),
    "energy_per_unit_high_joules": ("energy_per_unit_high_j", "Upper end of its 95 % interval over blocks."),
    "net_energy_per_unit_joules": ("net_energy_per_unit_j", "Joules per unit of output above idle."),
    "time_per_unit_seconds": ("time_per_unit_s", "Seconds per unit of output."),
    "power_watts": ("power_w", "Mean power while working."),
    "carbon_per_unit_grams": ("carbon_per_unit_g", "Grams of CO2e per unit of output."),
}
"""OpenMetrics families: the column behind each and its help."""
LABELS = ("label", "hash", "unit", "weights", "machine", "card", "scope", "kind", "record")


def openmetrics(found: Sequence[StoredRecord]) -> bytes:
    """Gauges, a sample a record, stamped with the time of the measurement."""
    rows = [flat(each) for each in found]
    lines = []
    for name, (column, about) in GAUGES.items():
        family = f"joulebench_{name}"
        unit = name.rpartition("_")[2]
        lines += [f"# TYPE {family} gauge", f"# UNIT {family} {unit}", f"# HELP {family} {about}"]
        for row in rows:
            if (value := row[column]) is not None:
                labels = ",".join(f'{label}="{_escaped(str(row[label]))}"' for label in LABELS)
                stamp = _epoch_s(str(row["created"]))
                lines.append(f"{family}{{{labels}}} {value!r}{'' if stamp is None else f' {stamp}'}")
    return ("\n".join([*lines, "# EOF"]) + "\n").encode()


def _escaped(text: str) -> str:
    return plain(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _epoch_s(created: str) -> int | None:
    try:
        return int(datetime.fromisoformat(created).astimezone(UTC).timestamp())
    except ValueError:
        return None


def smaller_is_better(found: Sequence[StoredRecord]) -> bytes:
    """`customSmallerIsBetter`: joules and seconds per unit."""
    return _benchmark(found, {"energy_per_unit_j": "J/{unit}", "time_per_unit_s": "s/{unit}"})


def bigger_is_better(found: Sequence[StoredRecord]) -> bytes:
    """`customBiggerIsBetter`: units a second."""
    return _benchmark(found, {"units_per_second": "{unit}/s"})


def _benchmark(found: Sequence[StoredRecord], columns: dict[str, str]) -> bytes:
    entries = []
    for each in found:
        row = flat(each)
        for column, unit in columns.items():
            if (value := row[column]) is None:
                continue
            entry: dict[str, Any] = {
                "name": f"{row['label']} on {row['machine']}: {unit.format(unit=row['unit'])}",
                "unit": unit.format(unit=row["unit"]),
                "value": value,
                "extra": f"scope {row['scope']}, {row['kind']}, {row['weights']} weights, {row['created']}",
            }
            low, high = row["energy_per_unit_low_j"], row["energy_per_unit_high_j"]
            if column == "energy_per_unit_j" and isinstance(low, float) and isinstance(high, float):
                entry["range"] = f"± {(high - low) / 2:.4g}"
            entries.append(entry)
    return (json_text(entries, indent=2) + "\n").encode()


def model_card(found: Sequence[StoredRecord]) -> bytes:
    """The block for a model card's metadata. It is of one record: a card has one such block."""
    if len(found) != 1:
        raise UsageError(
            f"A model card contains one figure, and these are {len(found)} records.", "Name one file."
        )
    record, row = found[0].record, flat(found[0])
    if row["weights"] == "random":
        raise UsageError(
            "Random weights are not a published model, so they have no model card.",
            "Name a record of published weights.",
        )
    if row["carbon_per_unit_g"] is None:
        reason = record.figures.absent.get("carbon_per_unit_g", "the record lacks it")
        raise UsageError(f"The CO2e figure is absent: {reason}.")
    carbon = record.carbon
    block = {
        "emissions": row["carbon_per_unit_g"],
        "source": f"joulebench: inference, not training; grams per {row['unit']}, scope {row['scope']}, "
        f"{row['kind']}; grid: {carbon.source if carbon else 'not known'}",
        "geographical_location": carbon.country if carbon else None,
        "hardware_used": row["machine"],
    }
    return str(yaml.safe_dump({"co2_eq_emissions": block}, sort_keys=False, allow_unicode=True)).encode()


def wh_per_1000(found: Sequence[StoredRecord]) -> bytes:
    """Wh of the metered GPUs per 1,000 items, as AI Energy Score counts queries; scope `gpu` only."""
    columns = ("model", "task", "gpu_energy_wh_per_1000", "dtype", "batch", "weights", "machine", "created")
    rows = []
    for each in found:
        row = flat(each)
        energy_j = row["energy_per_item_j"] if row["scope"] == "gpu" else None
        if isinstance(energy_j, float):
            extra = {
                "task": f"{row['engine']}_generation",
                "gpu_energy_wh_per_1000": energy_j * 1000 / J_PER_WH,
                "model": row["hub_id"] or row["model"],
            }
            rows.append({name: (row | extra)[name] for name in columns})
    if not rows:
        raise UsageError("None of these records has a figure at scope gpu, which AI Energy Score is about.")
    return _csv(columns, rows)


def emissions_csv(found: Sequence[StoredRecord]) -> bytes:
    """CodeCarbon's columns over the blocks that count. kWh and kg; what is not known stays empty."""
    rows = [dict(_emissions(each)) for each in found]
    return _csv(EMISSIONS, rows)


EMISSIONS = (
    "timestamp",
    "project_name",
    "run_id",
    "experiment_id",
    "duration",
    "emissions",
    "emissions_rate",
    "cpu_power",
    "gpu_power",
    "ram_power",
    "cpu_energy",
    "gpu_energy",
    "ram_energy",
    "energy_consumed",
    "water_consumed",
    "country_name",
    "country_iso_code",
    "region",
    "cloud_provider",
    "cloud_region",
    "os",
    "python_version",
    "codecarbon_version",
    "cpu_count",
    "cpu_model",
    "gpu_count",
    "gpu_model",
    "longitude",
    "latitude",
    "ram_total_size",
    "tracking_mode",
    "cpu_utilization_percent",
    "gpu_utilization_percent",
    "ram_utilization_percent",
    "ram_used_gb",
    "on_cloud",
    "pue",
    "wue",
)
"""The columns of CodeCarbon 3.3."""
PARTS: dict[str, DeviceKind] = {
    "gpu": "gpu",
    "cpu": "cpu",
    "ram": "memory",
}


def _emissions(found: StoredRecord) -> Iterator[tuple[str, Any]]:
    record, blocks = found.record, counting(found.record.blocks)
    yield "timestamp", record.created.removesuffix("Z")
    yield "project_name", record.label
    yield "run_id", found.digest
    duration_s = sum(block.work_s for block in blocks)
    yield "duration", duration_s
    parts = {part: _joules(record, device) for part, device in PARTS.items()}
    known = {part: joules for part, joules in parts.items() if joules is not None}
    for part, joules in known.items():
        yield f"{part}_energy", joules / J_PER_KWH
        yield f"{part}_power", joules / duration_s
    energy_kwh = sum(known.values()) / J_PER_KWH
    grid = record.carbon.intensity_g_per_kwh if record.carbon else None
    if known:
        yield "energy_consumed", energy_kwh
        if grid is not None:
            yield "emissions", energy_kwh * grid / 1000
            yield "emissions_rate", energy_kwh * grid / 1000 / duration_s
    yield "country_iso_code", record.carbon.country if record.carbon else None
    machine = record.machine
    yield "os", machine.os
    if machine.cpu is not None:
        yield "cpu_model", machine.cpu.model
        yield "cpu_count", machine.cpu.logical_cores
    if cards := machine.metered_gpus:  # others are not in the energy
        yield "gpu_count", len(cards)
        yield "gpu_model", ", ".join(str(gpu.name) for gpu in cards)
    if machine.memory_bytes is not None:
        yield "ram_total_size", machine.memory_bytes / 2**30
    yield "python_version", record.provenance.libraries.get("python")
    yield "codecarbon_version", record.provenance.libraries.get("codecarbon")
    yield "tracking_mode", "machine"
    yield "pue", 1


def _joules(record: Record, device: DeviceKind) -> float | None:
    """Gross joules of a part over all blocks that count; `None` where one has no reading, or no such part."""
    windows = [block.energy for block in counting(record.blocks)]
    names = dict.fromkeys(name for window in windows for name in window)
    return gross_over(windows, of_device(names, device))


def _csv(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: safe(value) for name, value in row.items()} for row in rows)
    return out.getvalue().encode()
