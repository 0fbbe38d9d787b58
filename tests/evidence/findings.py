"""What the parts have found, as one document (`findings.json`) and as tables.

    found = gather(Path(".evidence"))
    print(markdown(found))

A part that has not been done is absent, with the reason; nothing stands in for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import RecordError
from bench.records import store, uncertainty
from bench.records.calibration import Calibration
from bench.records.schema import Estimate, Record
from bench.runner import provenance
from tests.evidence import state as states
from tests.evidence.crosscheck import Check, checks
from tests.evidence.parts import ROUNDS
from tests.evidence.state import RESULTS, State

SCHEMA = "joulebench/findings/1"
FOLDER, FILE = "evidence", "findings.json"
KEPT = ("sensor", "beside", "cost")
"""Parts whose whole answer is in the findings."""


class Part(BaseModel):
    """Finite, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Repeat(Part):
    """One case in every round: joules per unit, spread of its blocks, and how far the rounds lie apart."""

    case: str
    unit: str
    joules: list[float]
    half_widths: list[float | None]
    """Of the 95 % intervals, relative."""
    apart: float | None
    """Largest over smallest round, less 1."""
    cv: float | None
    """Standard deviation of the blocks over their mean, the largest of the rounds."""
    lag1: list[float | None]
    codecarbon_apart: float | None
    """The largest distance of a block's CodeCarbon figure from ours."""


class AgainstItself(Part):
    """A case against itself in turns: a ratio whose interval misses 1 is a false verdict."""

    case: str
    ratio: Estimate
    false_verdict: bool


class Findings(Part):
    """Everything found on one machine."""

    schema_name: Literal["joulebench/findings/1"] = Field("joulebench/findings/1", alias="schema")
    created: str
    machine: str | None
    rehearsed: bool = False
    calibrations: list[Calibration]
    sensor: dict[str, Any] | None
    beside: dict[str, Any] | None
    cost: dict[str, Any] | None
    repeats: list[Repeat]
    itself: list[AgainstItself]
    checks: list[Check]
    absent: dict[str, str]


def gather(work: Path) -> Findings:
    """What a folder of work holds. Raises RecordError where a file in it is damaged."""
    state, results = states.load(work), work / RESULTS
    rounds = [_round(state, results, number) for number in range(1, ROUNDS + 1)]
    newest = {**rounds[0], **rounds[-1]}
    kept = {name: _json(work / f"{name}.json") for name in KEPT}
    files = sorted(results.glob("*/calibration/*.json"))
    sides = _pair(state, results)
    absent = {name: _why(state, name) for name, value in kept.items() if value is None}
    absent |= {} if files else {"calibrate": _why(state, "calibrate")}
    absent |= {} if sides else {"aa": _why(state, "aa")}
    machines = [path.parent.name for path in results.glob("*/*.json")]
    return Findings(
        schema=SCHEMA,
        created=provenance.now_utc(),
        machine=machines[0] if machines else None,
        rehearsed=state.rehearsed,
        calibrations=[Calibration.model_validate_json(path.read_text(encoding="utf-8")) for path in files],
        **kept,
        repeats=[_repeat([each[key] for each in rounds if key in each]) for key in newest],
        itself=sides,
        checks=list(checks(newest.values())),
        absent=absent,
    )


def load(path: Path) -> Findings:
    """Findings from their file. Raises RecordError."""
    try:
        return Findings.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}.") from error
    except (ValidationError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise RecordError(f"{path}: no findings of gpu-evidence: {said}.") from error


def to_json(found: Findings) -> str:
    """Findings as text."""
    return json.dumps(found.model_dump(mode="json", by_alias=True), indent=2, allow_nan=False) + "\n"


def _round(state: State, results: Path, number: int) -> dict[str, Record]:
    """The valid records of one round, by the hash of their case."""
    found = {}
    for name, tried in state.parts.items():
        if name.endswith(f"-round-{number}"):
            for record in _ok(results, tried.records):
                found[str(record.case["hash"])] = record
    return found


def _ok(results: Path, names: Sequence[str]) -> Iterator[Record]:
    """Those of the records that hold a figure."""
    for name in names:
        record = store.read(results / name)
        if record.status == "ok" and record.headline() is not None:
            yield record


def _repeat(records: Sequence[Record]) -> Repeat:
    headlines = [record.headline() for record in records]
    known = [each for each in headlines if each is not None]
    joules = [each.value for each in known]
    budgets = [(record.figures.uncertainty or uncertainty.of(record)).gross for record in records]
    spreads = [spread for record in records if (spread := _cv(record)) is not None]
    apart = [
        abs(block.codecarbon.disagreement)
        for record in records
        for block in record.blocks
        if not block.warmup and block.codecarbon and block.codecarbon.disagreement is not None
    ]
    return Repeat(
        case=records[0].label,
        unit=str(records[0].case["unit"]),
        joules=joules,
        half_widths=[each.relative_half_width for each in known],
        apart=max(joules) / min(joules) - 1 if len(joules) > 1 else None,
        cv=max(spreads, default=None),
        lag1=[budget.lag1.value if budget else None for budget in budgets],
        codecarbon_apart=max(apart, default=None),
    )


def _cv(record: Record) -> float | None:
    """Spread of the valid blocks' joules per unit at the headline's domains."""
    scope = record.figures.headline_scope
    domains = record.figures.energy_per_unit_j[scope].domains if scope else {}
    values = []
    for block in record.blocks:
        joules = [block.energy[name].gross_j for name in domains if name in block.energy]
        if block.valid and not block.warmup and block.units and joules and None not in joules:
            values.append(sum(each for each in joules if each is not None) / block.units)
    return stdev(values) / fmean(values) if len(values) > 1 else None


def _pair(state: State, results: Path) -> list[AgainstItself]:
    tried = state.parts.get("aa")
    found = []
    for record in _ok(results, tried.records if tried else ()):
        ratio = record.pair.ratio if record.pair and record.pair.side == "A" else None
        if ratio is not None and ratio.low is not None and ratio.high is not None:
            missed = not ratio.low <= 1 <= ratio.high
            found.append(AgainstItself(case=record.label, ratio=ratio, false_verdict=missed))
    return found


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RecordError(
            f"{path}: not a JSON file: {error}.", "Remove it and its part's state to do it anew."
        ) from error
    return found


def _why(state: State, name: str) -> str:
    tried = state.parts.get(name)
    return f"{tried.status}: {tried.said}".rstrip(": ") if tried else "not done yet"
