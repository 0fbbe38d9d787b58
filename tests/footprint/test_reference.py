"""The bundled figures: each with what it takes to be believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from pydantic import ValidationError

from bench.footprint import reference
from bench.footprint.bundled_rows import Baseline, Factor, Published, ReferenceRow
from bench.footprint.grid import choose
from bench.footprint.humans import select


def figures() -> Iterable[ReferenceRow]:
    """Every row that carries a figure."""
    yield from reference.factors().values()
    yield from reference.human_quantities().values()
    yield from reference.baselines().values()
    yield from reference.paper_inputs().values()
    yield from reference.published()


@pytest.mark.parametrize("row", tuple(figures()), ids=lambda row: row.id)
def test_every_figure_has_unit_scope_year_source_and_evidence(row: ReferenceRow) -> None:
    assert isinstance(row, Factor | Baseline | Published)
    assert row.unit
    assert row.scope
    assert reference.sources()[row.source].citation
    assert row.evidence in ("primary", "secondary", "derived", "memory")
    if row.year is None:
        assert row.note
        assert row.note.startswith("Undated")


def test_no_id_is_used_twice() -> None:
    again = [name for name, count in Counter(row.id for row in figures()).items() if count > 1]
    assert again == []


def test_every_source_is_used() -> None:
    named = {row.source for row in figures()}
    named |= {price.source for system in reference.systems() for price in system.prices}
    assert named == set(reference.sources())


def test_prices_and_figures_of_systems_are_there() -> None:
    ids = {row.id for row in reference.published()}
    for system in reference.systems():
        assert set(system.figures) <= ids, system.id
    prices = {price.id: price.value for system in reference.systems() for price in system.prices}
    assert (prices["price.deepseek-v3.2.input"], prices["price.deepseek-v3.2.output"]) == (0.28, 0.42)
    assert prices["price.gpt-5.4.output"] == 15.0


def test_a_published_row_without_a_value_says_why() -> None:
    empty = [row for row in reference.published() if row.value is None]
    assert empty
    assert all(row.note for row in empty)


def test_nothing_remembered_is_a_default() -> None:
    """The defaults are the grid factor and, for water, the PUE of a desk; else only the paper's own rows."""
    assert choose(None).evidence != "memory"
    assert reference.factors()["pue.desk"].evidence != "memory"
    assert not [row.id for row in reference.paper_inputs().values() if row.evidence == "memory"]
    shown = {each.baseline.id for each in select() if each.evidence == "memory"}
    assert all(name.startswith("tomlinson2024.") or name.endswith(".ghg2024") for name in shown)


def test_figures_of_a_scope_are_not_called_by_another() -> None:
    """A few whose boundary is plain."""
    scopes = {row.id: row.scope for row in reference.published()}
    assert scopes["bloom2022.request.gpu_only"] == "gpu"
    assert scopes["bloom2022.request.paper"] == "host"
    assert scopes["google2025.gemini.energy"] == "facility"
    assert scopes["tomlinson2024.chatgpt.page"] == "lifecycle"
    assert scopes["patterson2021.gpt3.training"] == "training"
    assert scopes["altman2025.chatgpt"] == "unknown"


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": None},
        {"unit": None},
        {"low": 3.0},
        {"evidence": "rumour"},
        {"value": float("inf")},
        {"colour": "green"},
    ],
    ids=str,
)
def test_a_factor_that_lacks_something_is_refused(wrong: dict[str, object]) -> None:
    whole = {"id": "a", "value": 1.0, "unit": "1", "scope": "facility", "source": "b", "evidence": "primary"}
    assert Factor.model_validate(whole).range.is_point
    with pytest.raises(ValidationError):
        Factor.model_validate(whole | wrong)


def test_a_figure_that_follows_from_something_remembered_is_of_memory() -> None:
    """The emissions of EDGAR are in print; the population that they are divided by is not."""
    remembered = [row for row in figures() if "from memory" in (row.note or "")]
    assert {row.id for row in remembered} >= {f"foot.{region}.edgar2024" for region in ("cn", "in", "eu")}
    assert {row.evidence for row in remembered} == {"memory"}
