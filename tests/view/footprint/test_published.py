"""Published figures as they are shown."""

from __future__ import annotations

from bench.footprint.bundled_rows import Published
from bench.footprint.listing import PublishedFigures
from bench.footprint.measured import MeasuredRows
from bench.footprint.reference import published
from bench.footprint.references import References
from bench.view.content import Section, Table, in_words
from bench.view.footprint.published import sections


def shown_value(row: Published) -> str:
    """The cell `value` of the one row of the first table."""
    figures = PublishedFigures([row], MeasuredRows([], []), None, None, References((), {}))
    tables = (part for each in sections(figures) if isinstance(each, Section) for part in each.parts)
    first = next(part for part in tables if isinstance(part, Table))
    [column] = [number for number, head in enumerate(first.columns) if head.name == "value"]
    return in_words(first.rows[0].cells[column])


def test_a_value_and_its_bounds_are_written_in_one_way() -> None:
    row = published()[0].model_copy(
        update={"value": 1181.0, "low": 1160.25, "high": 13600.0, "value_unit": "J"}
    )
    assert shown_value(row) == "1,181 (1,160.25 to 13,600) J"
    assert shown_value(row.model_copy(update={"low": None})) == "1,181 (— to 13,600) J"
    assert shown_value(row.model_copy(update={"low": None, "high": None})) == "1,181 J"
    assert shown_value(row.model_copy(update={"value": None})) == "— (1,160.25 to 13,600) J"
