"""A record as one flat row: what every table of records is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.compare.cards_apart import card_names, cards_of
from bench.compare.identity import card
from bench.compare.record_set import StoredRecord
from bench.core.figures import Estimate, ScopedFigure
from bench.core.record import Record
from bench.footprint.excluded_models import is_toy
from bench.stats import token_figures, uncertainty
from bench.store.own_names import without_own_names

Value = str | float | int | bool | None

COLUMNS: dict[str, tuple[type, Callable[[StoredRecord], Any]]] = {
    "record": (str, lambda found: found.digest),
    "file": (str, lambda found: without_own_names(found.where)),
    "created": (str, lambda found: found.record.created),
    "run_id": (str, lambda found: found.record.run_id),
    "status": (str, lambda found: found.record.status),
    "verdict": (str, lambda found: found.record.verdict),
    "reasons": (str, lambda found: "; ".join(found.record.reasons)),
    "label": (str, lambda found: found.record.label),
    "hash": (str, lambda found: found.record.case.hash),
    "model": (str, lambda found: found.record.case.model),
    "engine": (str, lambda found: found.record.case.engine),
    "unit": (str, lambda found: found.record.case.unit),
    "weights": (str, lambda found: found.record.case.weights.kind),
    "hub_id": (str, lambda found: found.record.case.weights.hub_id),
    "revision": (str, lambda found: found.record.case.weights.revision),
    "toy": (bool, lambda found: is_toy(found.record)),
    "dtype": (str, lambda found: found.record.case.dtype),
    "batch": (int, lambda found: found.record.case.batch),
    "machine": (str, lambda found: found.record.machine.name),
    "card": (str, lambda found: card(found.record)),
    "cards": (int, lambda found: len(found.record.machine.metered)),
    "card_names": (str, lambda found: card_names(found.record)),
    "card_indices": (str, lambda found: cards_of(found.record).removeprefix("GPU ") or None),
    "replicas": (int, lambda found: _replicas(found.record)),
    "side_by_side": (int, lambda found: found.record.side_by_side.cases if found.record.side_by_side else 0),
    "neighbours": (int, lambda found: _of_neighbours(found.record, "cards")),
    "neighbours_power_w": (float, lambda found: _value(_of_neighbours(found.record, "power_w"))),
    "nodes": (str, lambda found: " ".join(found.record.machine.nodes) or None),
    "roles": (str, lambda found: " ".join(sorted(set(found.record.machine.roles.values()))) or None),
    "driver": (str, lambda found: found.record.machine.driver),
    "scope": (str, lambda found: found.record.figures.headline_scope),
    "kind": (str, lambda found: _kind(found.record)),
    "quick": (bool, lambda found: found.record.ended.quick if found.record.ended else None),
    "blocks": (int, lambda found: _value(found.record.headline(), "n")),
    "energy_per_unit_j": (float, lambda found: _value(found.record.headline())),
    "energy_per_unit_low_j": (float, lambda found: _value(found.record.headline(), "low")),
    "energy_per_unit_high_j": (float, lambda found: _value(found.record.headline(), "high")),
    "energy_per_unit_absolute_low_j": (float, lambda found: _absolute(found.record, "low")),
    "energy_per_unit_absolute_high_j": (float, lambda found: _absolute(found.record, "high")),
    "net_energy_per_unit_j": (float, lambda found: _value(_net(found.record))),
    "energy_per_item_j": (float, lambda found: _scoped(found.record, "energy_per_item_j")),
    "energy_per_token_j": (float, lambda found: _per_output_token(found.record)),
    "energy_per_input_token_j": (float, lambda found: _of_tokens(found.record, "per_input_token_j")),
    "energy_per_total_token_j": (float, lambda found: _of_tokens(found.record, "per_total_token_j")),
    "output_tokens_per_j": (float, lambda found: _of_tokens(found.record, "output_tokens_per_j")),
    "power_w": (float, lambda found: _scoped(found.record, "power_w")),
    "carbon_per_unit_g": (float, lambda found: _scoped(found.record, "carbon_per_unit_g")),
    "time_per_unit_s": (float, lambda found: _value(found.record.figures.time_per_unit_s)),
    "units_per_second": (float, lambda found: _value(found.record.figures.units_per_second)),
    "grid_g_per_kwh": (
        float,
        lambda found: found.record.carbon.intensity_g_per_kwh if found.record.carbon else None,
    ),
    "commit": (str, lambda found: found.record.provenance.commit),
    "joulebench": (str, lambda found: found.record.provenance.libraries.get("joulebench")),
    "torch": (str, lambda found: found.record.provenance.libraries.get("torch")),
}
"""Each column's type and how it is read. `low` and `high` are the 95 % interval of blocks; `absolute`: see
docs/uncertainty.md. `side_by_side` is the number of other cases of its run that were measured meanwhile."""
NO_FIGURES = ("grid_g_per_kwh",)
"""Numbers that a record contains whether or not it has figures."""


def flat(stored: StoredRecord) -> dict[str, Value]:
    """The row of a record; `None` where something is not known, and for figures of one that is not valid."""
    row: dict[str, Value] = {}
    valid = stored.record.status == "ok"
    for name, (kind, read) in COLUMNS.items():
        value = read(stored) if valid or kind is not float or name in NO_FIGURES else None
        row[name] = None if value is None else kind(value)
    return row


def headline(record: Record, figure: str) -> ScopedFigure | None:
    """One of the figures at the headline's scope."""
    scope = record.figures.headline_scope
    figure_at_scope: ScopedFigure | None = getattr(record.figures, figure).get(scope) if scope else None
    return figure_at_scope


def _replicas(record: Record) -> int | None:
    """Copies of the model at work at once; `None` of a server, whose copies are its own."""
    return (record.case.replicas or 1) if record.case.workload is None else None


def _of_neighbours(record: Record, fact: str) -> Any:
    return getattr(record.figures.neighbours, fact, None)


def _scoped(record: Record, figure: str) -> float | None:
    scoped = headline(record, figure)
    return scoped.gross.value if scoped and scoped.gross else None


def _per_output_token(record: Record) -> float | None:
    found = token_figures.per_output_token(record).get(record.figures.headline_scope or "")
    return found.gross.value if found and found.gross else None


def _of_tokens(record: Record, figure: str) -> float | None:
    tokens, scope = token_figures.of(record), record.figures.headline_scope
    found: ScopedFigure | None = getattr(tokens, figure).get(scope) if tokens and scope else None
    return found.gross.value if found and found.gross else None


def _net(record: Record) -> Estimate | None:
    scoped = headline(record, "energy_per_unit_j")
    return scoped.net if scoped else None


def _kind(record: Record) -> str | None:
    scoped = headline(record, "energy_per_unit_j")
    return scoped.kind if scoped else None


def _value(estimate: Estimate | None, field: str = "value") -> float | None:
    value: float | None = getattr(estimate, field) if estimate else None
    return value


def _absolute(record: Record, edge: str) -> float | None:
    budget = (record.figures.uncertainty or uncertainty.of(record)).gross
    value: float | None = getattr(budget.absolute, edge) if budget and budget.absolute else None
    return value
