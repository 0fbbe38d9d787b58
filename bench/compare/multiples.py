"""An item that several models make together, over what one of them makes by itself.

for multiple in multiples(record, stored):
    print(multiple.part, multiple.ratio)         # None where the part is not measured: see `command`

Both sides are joules an item at the headline's scope, of the same cards, weights, precision and batch. What a
part makes alone is its modality's `part_alone`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.core import modalities
from bench.core.modality import PartAlone
from bench.core.record import Record
from bench.core.workload import LOCAL
from bench.stats.figures import counting
from bench.stats.ratio import Ratio, ratio

SHARED_OPTIONS = ("--models", "--results", "--gpus", "--device")
"""Options of `run` that say where a case is measured and not what it does."""


@dataclass(frozen=True)
class Multiple:
    """Joules of the whole over those of one part alone; `ratio` is `None` where no record has the part."""

    part: str
    model: str
    alone: str
    """What the part makes by itself: `one answer`."""
    ratio: Ratio | None
    mean_place: float | None
    """Mean place of the part in the rankings that could be read; `None` without any."""
    command: str
    """Measures the part alone, with the catalogue, cards and folder of the whole."""
    lacking: str | None = None
    """Reason for `None` as the ratio."""


def multiples(record: Record, others: Iterable[Record]) -> list[Multiple]:
    """One for each part, the best placed first; nothing for a case of a single model."""
    asked = modalities.get(record.case.engine).part_alone if record.case.parts else None
    if asked is None:
        return []
    alone, candidates = asked(record.case.options), list(others)
    places = _mean_places(record)
    found = [
        Multiple(
            part=name,
            model=str(part["model"]),
            alone=alone.name,
            **vars(
                _over_alone(record, [each for each in candidates if _is_alone(each, record, part, alone)])
            ),
            mean_place=places.get(name),
            command=_command(record, part, alone),
        )
        for name, part in (record.case.parts or {}).items()
        if not places or name in places
    ]
    return sorted(found, key=lambda each: each.mean_place or 0.0)


def _mean_places(record: Record) -> dict[str, float]:
    """Mean place of each part over the blocks that count; empty without a ranking."""
    used = [block.observed.counts for block in counting(record.blocks)]
    read = sum(counts.get("rankings.read", 0) for counts in used)
    names = sorted({name for counts in used for name in counts if name.startswith("places.")})
    if not read:
        return {}
    return {
        name.removeprefix("places."): sum(counts.get(name, 0) for counts in used) / read for name in names
    }


def _is_alone(other: Record, record: Record, part: Mapping[str, Any], alone: PartAlone) -> bool:
    """Whether a record is of this part by itself, in the circumstances of the whole."""
    case, whole = other.case, record.case
    producer = case.workload.producer if case.workload else LOCAL
    return (
        (case.engine, case.model) == (alone.modality, part["model"])
        and (case.dtype, case.batch, case.replicas) == (whole.dtype, whole.batch, whole.replicas)
        and case.weights.identity() == part["weights"]
        and producer == part.get("producer", LOCAL)
        and all(case.options.get(key) == value for key, value in (part["options"] | alone.options).items())
        and other.machine.id == record.machine.id
        and other.machine.metered == record.machine.metered
        and other.figures.headline_scope == record.figures.headline_scope
    )


@dataclass(frozen=True)
class _OverAlone:
    ratio: Ratio | None
    lacking: str | None = None


def _over_alone(record: Record, alone: Sequence[Record]) -> _OverAlone:
    """Over the newest good record of the part; without a ratio the reason."""
    good = [other for other in alone if other.status == "ok"]
    if not alone:
        return _OverAlone(None, "is not measured")
    newest = max(good or alone, key=lambda other: other.created)
    if not good:
        return _OverAlone(None, f"has no good record ({newest.why})")
    one, whole = _joules_an_item(newest), _joules_an_item(record)
    return _OverAlone(ratio(one, whole)) if one and whole else _OverAlone(None, "has no joules to compare")


def _joules_an_item(record: Record) -> list[float]:
    scope = record.figures.headline_scope
    joules = [(block.joules(scope).gross_j, block.items) for block in counting(record.blocks)]
    return [gross_j / items for gross_j, items in joules if gross_j and items]


def _command(record: Record, part: Mapping[str, Any], alone: PartAlone) -> str:
    case = record.case
    words = ["python", "-m", "bench", "run", str(part["model"]), "--dtype", case.dtype]
    words += ["--batch", str(case.batch), "--weights", case.weights.kind]
    words += ["--replicas", str(case.replicas)] if case.replicas else []
    for key, value in alone.options.items():
        words += [f"--{key.replace('_', '-')}", str(value)]
    if part.get("producer", LOCAL) != LOCAL:
        words += ["--workload", "single", "--endpoint", "URL"]
    return shlex.join([*words, *_of_the_run(record.provenance.command or "")])


def _of_the_run(command: str) -> list[str]:
    """The options of a run's command that its parts need too: catalogue, cards and folder."""
    words = shlex.split(command)
    kept = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, _ = word.partition("=")
        if name in SHARED_OPTIONS:
            kept += [word] if equals else [word, following]
    return kept
