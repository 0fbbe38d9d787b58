"""Checks of the bundled facts; each yields one sentence per fault.

for name, check in CHECKS.items():
    print(name, list(check(facts())))

They compare facts with each other and with possible magnitudes, without a network. Comparisons with sources
are dated in docs/facts.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.catalog.loading import load
from bench.catalog.models import Model
from bench.engines.weights import architectures
from bench.footprint import reference
from bench.footprint.bundled_rows import (
    WEAKEST_FIRST,
    Baseline,
    Factor,
    FigureSource,
    OpenWeights,
    Published,
    RatioVector,
    System,
)
from bench.footprint.humans import human
from bench.footprint.scenarios.files import bundled, find
from scripts.facts.arithmetic import ids_in, worked_out
from scripts.facts.magnitudes import FACTORS, PUBLISHED_J

ROUNDING = 0.006
"""Largest relative difference between a rounded value and its computation."""
PARAMETERS_WITHIN = 0.01
MEMORY_WITHIN = 0.05
BF16_BYTES = 2


@dataclass(frozen=True)
class Facts:
    """Facts under test; tests plant faults in copies."""

    factors: Mapping[str, Factor]
    published: tuple[Published, ...]
    baselines: Mapping[str, Baseline]
    sources: Mapping[str, FigureSource]
    systems: tuple[System, ...]
    vectors: tuple[RatioVector, ...]
    models: Mapping[str, Model]


def facts() -> Facts:
    """The bundled ones."""
    rows = reference.factors() | reference.human_quantities() | reference.paper_inputs()
    catalogue = load(Path(__file__).parents[2] / "models.yaml")
    return Facts(
        rows,
        reference.published(),
        reference.baselines(),
        reference.sources(),
        reference.systems(),
        reference.ratio_vectors(),
        catalogue.models,
    )


def magnitudes(found: Facts) -> Iterator[str]:
    """Numbers outside the magnitudes of their unit: Wh for kWh, g for kg, watts for kilowatts."""
    for row in found.factors.values():
        if row.unit not in FACTORS:
            yield f"{row.id}: no magnitude is stated for {row.unit} in scripts/facts/magnitudes.py"
            continue
        least, most = FACTORS[row.unit]
        for number in (row.value, row.low, row.high):
            if number is not None and not least <= number <= most:
                yield f"{row.id}: {number:g} {row.unit} is outside {least:g} to {most:g}"
    for each in found.published:
        unit = each.unit.partition("_")[0] if each.unit not in PUBLISHED_J else each.unit
        if each.joules is None or each.scope == "training":
            continue
        if unit not in PUBLISHED_J:
            yield f"{each.id}: no magnitude is stated for a {each.unit} in scripts/facts/magnitudes.py"
            continue
        least, most = PUBLISHED_J[unit]
        if not least <= each.joules.low <= each.joules.high <= most:
            yield f"{each.id}: {each.joules.value:g} J a {each.unit} is outside {least:g} to {most:g}"


def ranges(found: Facts) -> Iterator[str]:
    """Ranges whose low, value and high are out of order."""
    rows: Iterable[Factor | Published | Baseline]
    rows = (*found.factors.values(), *found.published, *found.baselines.values())
    for row in rows:
        ends = [number for number in (row.low, row.value, row.high) if number is not None]
        if ends != sorted(ends):
            yield f"{row.id}: {row.low} ≤ {row.value} ≤ {row.high} does not hold"


def derived(found: Facts) -> Iterator[str]:
    """Derived rows without arithmetic, with another result, or with evidence above their weakest input."""
    values = {name: row.value for name, row in found.factors.items()}
    for row in found.factors.values():
        if row.computed is None:
            if row.evidence == "derived" and row.same_as is None:
                yield f"{row.id}: it is derived, and does not say from what (`computed`)"
            continue
        value = worked_out(row.computed, values)
        if abs(value / row.value - 1) > ROUNDING:
            yield f"{row.id}: {row.computed} is {value:g}, not {row.value:g}"
        weak = [name for name in ids_in(row.computed) if found.factors[name].evidence == "memory"]
        if weak and row.evidence != "memory":
            yield f"{row.id}: it rests on {weak[0]}, which is remembered"
    for each in found.baselines.values():
        worked = human(each)
        if WEAKEST_FIRST.index(each.evidence) > WEAKEST_FIRST.index(worked.evidence):
            yield f"{each.id}: {each.evidence}, and an input is {worked.evidence}"


def prints(found: Facts) -> Iterator[str]:
    """Printed values that differ from their inputs by more than 4 %, the rounding of two digits."""
    for row in found.baselines.values():
        if row.printed is not None:
            value = human(row).result.value
            if abs(value / row.printed - 1) > 0.04:
                yield f"{row.id}: its inputs give {value:g}, and {row.printed:g} is in print"


def located(found: Facts) -> Iterator[str]:
    """Sources without a date, or without an address below a site's root."""
    for key, source in found.sources.items():
        if source.year is None and source.seen is None:
            yield f"{key}: neither a year nor the month in which it was read"
        address = urlsplit(source.url or "")
        if not (address.path.strip("/") or address.query) and source.where is None:
            yield f"{key}: no address, or that of a whole site, and the place in it is missing"
    for row in (*found.factors.values(), *found.published, *found.baselines.values()):
        if row.source not in found.sources:
            yield f"{row.id}: its source {row.source} is not among the sources"


def once(found: Facts) -> Iterator[str]:
    """Facts in two rows; the second has to refer to the first (`same_as`)."""
    seen: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for row in found.factors.values():
        if row.same_as is None and row.unit != "1":
            seen[row.value, row.unit, row.source, row.region].append(row.id)
    for each in found.published:
        if each.scope == "training":
            seen[each.value, each.value_unit, each.source, None].append(each.id)
    for ids in seen.values():
        if len(ids) > 1:
            yield f"{' and '.join(ids)}: one fact twice"


def superseded(found: Facts) -> Iterator[str]:
    """Revised rows without a fitting successor, and scenarios or baselines that use one."""
    old = {row.id: row for row in found.factors.values() if row.superseded_by is not None}
    for row in old.values():
        new = found.factors.get(str(row.superseded_by))
        if new is None:
            yield f"{row.id}: unknown row {row.superseded_by}"
        elif (new.region, new.year, new.kind) != (row.region, row.year, row.kind):
            yield f"{row.id}: {new.id} is of another place, year or kind"
        elif not str(new.edition) > str(row.edition):
            yield f"{row.id}: {new.id} is not of a later edition"
    for each in found.baselines.values():
        for name in set(each.inputs.values()) & old.keys():
            yield f"{each.id}: it rests on {name}, which was revised"
    for name in bundled():
        for key, entry in find(name).entries.items():
            for end in (entry.value, entry.low, entry.high):
                if end in old:
                    yield f"scenario {name}: {key} rests on {end}, which was revised"


def grids(found: Facts) -> Iterator[str]:
    """Grid factors without a kind or basis."""
    for row in found.factors.values():
        if row.unit == "g CO2e/kWh" and None in (row.kind, row.basis):
            yield f"{row.id}: no kind, or no basis"


def shapes(found: Facts) -> Iterator[str]:
    """Models whose parameters or memory differ from the stored architecture."""
    for name, model in found.models.items():
        if model.architecture is not None and model.hub_id is not None:
            counted = sum(architectures.load(model.architecture).parameters.values()) / 1e9
            if abs(model.parameters_b / counted - 1) > PARAMETERS_WITHIN:
                yield f"{name}: {model.parameters_b} B, and its architecture has {counted:.3f} B"
        if model.hub_id is not None:
            yield from _memory(name, model.memory_gb, model.parameters_b)


def _memory(name: str, memory_gb: float, parameters_b: float) -> Iterator[str]:
    expected = parameters_b * BF16_BYTES
    if abs(memory_gb / expected - 1) > MEMORY_WITHIN:
        yield f"{name}: {memory_gb} GB, and {parameters_b} B in bf16 are {expected:.1f} GB"


def weights(found: Facts) -> Iterator[str]:
    """Open weights that differ from the catalogue, from each other, or from two bytes a parameter."""
    by_hub = {
        model.hub_id: model
        for model in found.models.values()
        if model.hub_id is not None and not model.components  # with those its numbers are of more files
    }
    first: dict[str, OpenWeights] = {}
    for each in (each for system in found.systems for each in system.open_weights):
        if first.setdefault(each.hub_id, each) != each:
            yield f"{each.hub_id}: two entries that differ"
        if (each.dtype, each.counts, each.memory) == ("bfloat16", "all", "weights"):
            yield from _memory(each.hub_id, each.memory_gb, each.parameters_b)
        if (model := by_hub.get(each.hub_id)) is None:
            continue
        theirs: dict[str, object] = {"licence": model.licence, "gated": model.gated}
        if each.counts == "all":
            theirs["parameters_b"] = model.parameters_b
        if each.dtype == "bfloat16" and each.memory == "weights":
            theirs["memory_gb"] = model.memory_gb
        for field, value in theirs.items():
            if (mine := getattr(each, field)) != value:
                yield f"{each.hub_id}: {field} is {mine} in systems.yaml, {value} in models.yaml"


CHECKS: dict[str, Callable[[Facts], Iterator[str]]] = {
    "units against magnitudes": magnitudes,
    "low ≤ value ≤ high": ranges,
    "derived rows recomputed": derived,
    "inputs against prints": prints,
    "sources with date and place": located,
    "no fact twice": once,
    "nothing rests on a revised row": superseded,
    "grid factors with kind and basis": grids,
    "models against architectures": shapes,
    "systems against models": weights,
}
"""By name, in the order in which they are shown."""
