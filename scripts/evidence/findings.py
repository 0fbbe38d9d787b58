"""Findings of the parts, as one document (`findings.json`) and as tables.

    for of_card in gather(Path(".evidence")):
        print(markdown(of_card))

Each card's findings are its own: records of two cards are never a repeat. A part that has not been done, or
whose file is damaged or of another shape, is absent with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from bench.core.calibration import Calibration
from bench.core.figures import Estimate
from bench.core.record import Record
from bench.errors import RecordError
from bench.machine import provenance
from bench.stats import uncertainty
from bench.store import results as store
from scripts.evidence import state as states
from scripts.evidence.answers import Access, Attention, Beside, Cost, Sensor, StrictModel
from scripts.evidence.crosscheck import Check, checks
from scripts.evidence.parts import RESULTS, ROUNDS
from scripts.evidence.state import CardState, first_reason

SCHEMA = "joulebench/findings/3"
FOLDER, FILE = "evidence", "findings.json"
Shape = TypeVar("Shape", bound=StrictModel)


class Repeat(StrictModel):
    """One case in every round: joules per unit, spread of its blocks, and how far apart the rounds are."""

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


class AgainstItself(StrictModel):
    """A case against itself in turns: a ratio whose interval misses 1 is a false verdict."""

    case: str
    ratio: Estimate
    false_verdict: bool


class Findings(StrictModel):
    """All findings of one card."""

    schema_name: Literal["joulebench/findings/3"] = Field("joulebench/findings/3", alias="schema")
    created: str
    card: str
    """The UUID; several in use at once are joined by `+`."""
    card_name: str
    machine: str | None
    """Its folder below `results/`; `null` as long as no record was made."""
    rehearsed: bool = False
    calibrations: list[Calibration]
    access: Access | None
    attention: Attention | None
    sensor: Sensor | None
    beside: Beside | None
    cost: Cost | None
    repeats: list[Repeat]
    itself: list[AgainstItself]
    checks: list[Check]
    absent: dict[str, str]


def gather(work: Path) -> list[Findings]:
    """The findings in a folder of work, by card. Raises RecordError where its state is damaged."""
    state = states.load(work)
    return [_of_card(work, key, card, rehearsed=state.rehearsed) for key, card in state.cards.items()]


def of(work: Path, card: str) -> Findings | None:
    """The findings of one card; `None` where nothing was begun on it."""
    return next((findings for findings in gather(work) if findings.card == card), None)


def _of_card(work: Path, key: str, card: CardState, *, rehearsed: bool) -> Findings:
    absent: dict[str, str] = {}
    records = _Records(card, work / RESULTS, absent)
    rounds = [records.of_round(number) for number in range(1, ROUNDS + 1)]
    newest = {**rounds[0], **rounds[-1]}
    answers = _Answers(card, states.folder_of(work, key), absent)
    calibrations = _calibrations(work / RESULTS, key, absent)
    sides = records.of_pair()
    if not calibrations and "calibrate" not in absent:
        absent["calibrate"] = _why(card, "calibrate")
    if not sides and "aa" not in absent:
        absent["aa"] = _why(card, "aa")
    return Findings(
        created=provenance.now_utc(),
        card=key,
        card_name=card.name,
        machine=records.machine(),
        rehearsed=rehearsed,
        calibrations=calibrations,
        access=answers.of("access", Access),
        attention=answers.of("attention", Attention),
        sensor=answers.of("sensor", Sensor),
        beside=answers.of("beside", Beside),
        cost=answers.of("cost", Cost),
        repeats=[_repeat([cases[name] for cases in rounds if name in cases]) for name in newest],
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
        raise RecordError(f"{path}: not findings of gpu-evidence: {first_reason(error)}.") from error


def to_json(findings: Findings) -> str:
    """Findings as text."""
    return json.dumps(findings.model_dump(mode="json", by_alias=True), indent=2, allow_nan=False) + "\n"


class _Answers:
    """What a card's probes printed; one not done, damaged or of another shape is in `absent`."""

    def __init__(self, card: CardState, folder: Path, absent: dict[str, str]) -> None:
        self._card, self._folder, self._absent = card, folder, absent

    def of(self, name: str, shape: type[Shape]) -> Shape | None:
        """The answer of one part in its shape."""
        path = self._folder / f"{name}.json"
        try:
            return shape.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            self._absent[name] = _why(self._card, name)
        except ValueError as error:
            self._absent[name] = f"{path.name} is damaged: {first_reason(error)}; do the part anew"
        except OSError as error:
            self._absent[name] = f"{path.name} cannot be read: {error.strerror}"
        return None


class _Records:
    """The records of one card's parts; a damaged one is left out, with the reason in `absent`."""

    def __init__(self, card: CardState, results: Path, absent: dict[str, str]) -> None:
        self._card, self._results, self._absent = card, results, absent

    def of_round(self, number: int) -> dict[str, Record]:
        """The records with a figure of one round, by the hash of their case."""
        records = {}
        for name in self._card.parts:
            if name.endswith(f"-round-{number}"):
                for record in self._with_figures(name):
                    records[record.case.hash] = record
        return records

    def of_pair(self) -> list[AgainstItself]:
        """The case that was measured against itself."""
        pairs = []
        for record in self._with_figures("aa"):
            ratio = record.pair.ratio if record.pair and record.pair.side == "A" else None
            if ratio is not None and ratio.low is not None and ratio.high is not None:
                missed = not ratio.low <= 1 <= ratio.high
                pairs.append(AgainstItself(case=record.label, ratio=ratio, false_verdict=missed))
        return pairs

    def machine(self) -> str | None:
        """The folder below `results/` with this card's records."""
        names = [name for tried in self._card.parts.values() for name in tried.records]
        return Path(names[0]).parts[0] if names else None

    def _with_figures(self, part: str) -> Iterator[Record]:
        tried = self._card.parts.get(part)
        for name in tried.records if tried else ():
            try:
                record = store.read(self._results / name)
            except RecordError as error:
                self._absent[part] = str(error)
                continue
            if record.status == "ok" and record.headline() is not None:
                yield record


def _repeat(records: Sequence[Record]) -> Repeat:
    headlines = [record.headline() for record in records]
    figures = [headline for headline in headlines if headline is not None]
    joules = [figure.value for figure in figures]
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
        unit=str(records[0].case.unit),
        joules=joules,
        half_widths=[figure.relative_half_width for figure in figures],
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
            values.append(sum(joule for joule in joules if joule is not None) / block.units)
    return stdev(values) / fmean(values) if len(values) > 1 else None


def _calibrations(results: Path, key: str, absent: dict[str, str]) -> list[Calibration]:
    calibrations = []
    for path in sorted(results.glob("*/calibration/*.json")):
        try:
            calibration = Calibration.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            absent["calibrate"] = f"{path.name} is damaged: {str(error).splitlines()[0]}"
            continue
        if calibration.uuid in key.split("+"):
            calibrations.append(calibration)
    return calibrations


def _why(card: CardState, name: str) -> str:
    tried = card.parts.get(name)
    return f"{tried.status}: {tried.last_output}".rstrip(": ") if tried else "not done yet"
