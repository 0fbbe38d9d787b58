"""Document of `footprint record --json`: chains of every row of a record, and people who make the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.core.quantities import Grams, Range
from bench.core.record import Record
from bench.footprint.assess import AssessedRow
from bench.footprint.caveats import FOOTPRINTS_LEAVE_OUT
from bench.footprint.humans import HumanPerUnit, people_of
from bench.view.beside_people import why_absent
from bench.view.documents.sourced import chain_json, quantity_json, row_json
from bench.view.documents.spans import span_json


def document(found: Sequence[AssessedRow]) -> dict[str, Any]:
    """All rows, and what none of them counts."""
    return {"footprints": list(map(_row, found)), "left_out": FOOTPRINTS_LEAVE_OUT}


def _row(found: AssessedRow) -> dict[str, Any]:
    row, chains, absent = found
    return {
        "label": row.record.label,
        "status": row.record.status,
        "unit": row.unit,
        "scope": row.scope,
        "kind": row.kind,
        "weights": row.weights,
        "interval": row.interval,
        "conditions": row.conditions,
        "chains": {name: chain_json(chain) for name, chain in chains.items()},
        "not_computed": absent,
        **_people(row.record, chains["electricity"].result),
    }


def _people(record: Record, grams: Grams) -> dict[str, Any]:
    """The people of one row, and the reason where there are none."""
    reason = why_absent(record)
    people = [] if reason else [_person(each, each.ratio(grams)) for each in people_of(record.case.engine)]
    return {"people": people, "no_people": reason}


def _person(each: HumanPerUnit, ratio: Range | None) -> dict[str, Any]:
    return {
        "baseline": row_json(each.human.baseline),
        "method": each.human.baseline.method,
        "work": each.work.work,
        "per": each.work.model_unit,
        "takes": quantity_json(each.result),
        "evidence": each.human.evidence,
        "person_per_model": None if ratio is None else span_json(ratio),
    }
