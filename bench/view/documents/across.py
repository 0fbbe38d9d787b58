"""Document of `compare --across-hardware --json`: rankings of machines, with all reference rows that fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.compare.across import AcrossMachines, RankedRow
from bench.compare.card_models import LikeCards, card_models
from bench.compare.latency_front import latency_fronts
from bench.compare.reference_rows import ReferenceRows, fitting
from bench.footprint.bundled_rows import Published
from bench.view.documents import latency_front
from bench.view.documents.spans import span_json

SCHEMA = "joulebench/across/1"
"""History: 1, the first; `references` of a board came later and is empty unless asked for, `latency_fronts`
came later and is empty where no server was asked; `card_models` of a board came later."""


def document(found: AcrossMachines, references: Sequence[Published] = ()) -> dict[str, Any]:
    """The rankings as plain values; all reference rows that fit, not the first alone."""
    return {
        "schema": SCHEMA,
        "boards": [
            {
                "label": board.label,
                "unit": board.unit,
                "scope": board.like[0],
                "kind": board.like[1],
                "standings": [_plain(one) for one in board.standings],
                "card_models": [_like_cards(each) for each in card_models(board, found.reference_model)],
                "references": [_reference(one) for one in fitting(board, references)],
            }
            for board in found.boards
        ],
        "latency_fronts": latency_front.document(latency_fronts(found.boards)),
        "left_out": list(found.left_out),
        "notes": list(found.notes),
        "problems": list(found.problems),
    }


def _plain(one: RankedRow) -> dict[str, Any]:
    return {
        "where": one.found.where,
        "machine": one.found.record.machine.name,
        "card": one.place.card,
        "driver": one.place.driver,
        "power_limits": one.place.limits,
        "energy_per_unit_j": span_json(one.energy),
        "time_per_unit_s": one.time_s,
        "rank": list(one.rank) if one.rank else None,
        "ratio_to_reference": span_json(one.ratio) if one.ratio else None,
        "front": one.front,
    }


def _like_cards(each: LikeCards) -> dict[str, Any]:
    spread = each.spread
    return {
        "card_model": each.model.name,
        "power_limits": each.model.limits,
        "machines": [row.found.record.machine.name for row in each.rows],
        "energy_per_unit_j": span_json(each.energy),
        "time_per_unit_s": each.time_s,
        "between_cards": {"sd": spread.value, "low": spread.low, "high": spread.high} if spread else None,
        "between_cards_absent": each.reason,
        "rank": list(each.rank) if each.rank else None,
        "ratio_to_reference": span_json(each.ratio) if each.ratio else None,
        "front": each.front,
    }


def _reference(one: ReferenceRows) -> dict[str, Any]:
    return {
        "row": one.row.model_dump(exclude_none=True),
        "energy_per_unit_j": span_json(one.joules),
        "unlike_conditions": list(one.unlike),
        "ratio": one.ratio,
    }
