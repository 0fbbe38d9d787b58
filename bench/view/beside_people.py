"""People beside records: what a person takes for a record's unit, and how many times the model's grams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.core.quantities import Grams
from bench.core.record import Record
from bench.footprint.excluded_models import set_aside
from bench.footprint.humans import HumanPerUnit, people_of
from bench.footprint.person_vs_model import NO_RATIO
from bench.footprint.work_units import why_none
from bench.view.content import Cell, Section, columns, table
from bench.view.spans import spanned

HOW = (
    "Person / model: grams of the person over grams of the record's electricity at that scope. Each method "
    "answers a question of its own; `python -m bench footprint people` has its inputs and sources."
)
UNLIKE = "Methods in Wh count a body or a country's electricity: without a ratio to grams of a model."


def section(record: Record, grams: Mapping[str, Grams]) -> Section:
    """People who make the unit of a record, beside its grams at each scope."""
    title = f"People: one {record.case.unit} by a person, beside {record.label}"
    if reason := why_absent(record):
        return Section(title, (f"none: {reason}",))
    people = people_of(record.case.engine)
    ratios = (f"#× at scope {scope}" for scope in grams)
    heads = columns("method", "person", "#takes", "unit", *ratios, "baseline", aside=("baseline",))
    rows = (_row(each, grams) for each in people)
    return Section(title, (HOW, table(heads, rows)), tuple(_notes(people, grams)))


def why_absent(record: Record) -> str | None:
    """The reason why no person is set beside a record: toys and invalid records are compared with nothing."""
    if record.status != "ok":
        return record.why
    return set_aside(record, shapes=True) or why_none(record.case.engine)


def _row(each: HumanPerUnit, grams: Mapping[str, Grams]) -> tuple[Cell, ...]:
    baseline = each.human.baseline
    ratios = (spanned(each.ratio(model)) for model in grams.values())
    about = f"{baseline.id} ({each.human.evidence})"
    return (baseline.method, each.person, spanned(each.result.range), each.result.unit, *ratios, about)


def _notes(people: Sequence[HumanPerUnit], grams: Mapping[str, Grams]) -> list[str]:
    nothing = any(model.low <= 0 for model in grams.values())
    unlike = any(not isinstance(each.result, Grams) for each in people)
    return [f"{NO_RATIO}."] * nothing + [UNLIKE] * unlike
