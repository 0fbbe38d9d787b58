"""Roles of a server over nodes in `show` and in the report: joules per unit and shares of the sum."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.core.record import Record
from bench.footprint.grid import choose
from bench.meters.nodes.serving_nodes import FAILED, LOST, UNMETERED
from bench.store import results
from bench.view import terminal
from bench.view.content import Section, Table, Timeline, every_part
from bench.view.record import sections
from bench.view.report import cases, phase_shares
from bench.view.report.report_data import Settings, gather
from bench.view.served import CODES
from tests.support.reported import source

HISTORY = Path(__file__).parents[1] / "store" / "history"


@pytest.fixture
def record() -> Record:
    return results.read(HISTORY / "1-nodes.json")


def lines(record: Record) -> list[str]:
    """The lines of `show`, with single blanks."""
    wide = terminal.lines(sections(record), terminal.Room(180, 180, False))
    return [" ".join(line.split()) for line in wide]


def lost(record: Record) -> Record:
    """The record as it is where the node `decode` has no joules."""
    served = record.figures.served
    assert served is not None
    for scopes in (
        served.per_node_j["decode"],
        served.per_role_j["decode"],
        record.figures.energy_per_unit_j,
    ):
        scopes["gpu"] = scopes["gpu"].model_copy(update={"gross": None, "net": None})
    return record


def of_roles(record: Record) -> Section | None:
    return phase_shares.section(gather([source([record])], Settings(choose("400"))))


def test_show_has_each_role_with_its_share_of_the_sum(record: Record) -> None:
    shown = lines(record)
    assert "J per page gross 95 % net % of the sum" in shown
    assert "role decode, gpu 120 ± 4 ±3.3 % 96 ± 4 40.0" in shown
    assert "role prefill, gpu 180 ± 6 ±3.3 % 144 ± 6 60.0" in shown


def test_without_a_sum_there_is_no_share(record: Record) -> None:
    shown = lines(lost(record))
    assert "role decode, gpu — — — —" in shown
    assert "role prefill, gpu 180 ± 6 ±3.3 % 144 ± 6 —" in shown


def test_the_report_draws_the_shares_of_roles_and_has_their_joules(record: Record) -> None:
    section = of_roles(record)
    assert section is not None
    (shares,) = [
        part for part in every_part([section]) if isinstance(part, Table) and part.id == "shares-roles-table"
    ]
    assert [column.name for column in shares.columns] == ["case", "machine", "prefill, %", "decode, %"]
    (row,) = shares.rows
    assert list(row.cells[2:]) == pytest.approx([60.0, 40.0])
    data = gather([source([record])], Settings(choose("400")))
    captions = {table.caption for table in cases.details(data.found[0], Timeline("none")).tables}
    assert "Roles and nodes of the server" in captions


def test_the_report_draws_no_shares_where_a_node_was_lost(record: Record) -> None:
    section = of_roles(lost(record))
    parts = every_part([section]) if section else []
    assert "shares-roles-table" not in [part.id for part in parts if isinstance(part, Table)]


def test_reason_codes_of_nodes_have_their_meaning(record: Record) -> None:
    windows = [block for block in record.blocks if block.observed.served and not block.warmup]
    for block, code in zip(windows, (LOST, FAILED, UNMETERED), strict=False):
        assert block.observed.served is not None
        block.observed.served.reason_codes = [code]
    text = " ".join(lines(record))
    for code in (LOST, FAILED, UNMETERED):
        assert f"{code} in 1 of {len(windows)} windows: {CODES[code]}." in text
