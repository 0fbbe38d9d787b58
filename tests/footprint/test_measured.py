"""Records beside people and the paper: at their own scope, with their interval, kind and conditions."""

from __future__ import annotations

import pytest

from bench.core.block import Block
from bench.errors import UsageError
from bench.footprint import tomlinson2024
from bench.footprint.excluded_models import SHAPE, TOY
from bench.footprint.measured import row_of, rows_in, rows_of
from bench.footprint.person_vs_model import Line, lines
from tests.footprint.factories import grid, pue
from tests.support.factory import GPU, RAM, block, case, energy, record


def with_memory() -> list[Block]:
    """Five blocks of 300 J of a card and 5 J that a model gives to the memory."""
    return [block(energies={GPU: energy(300.0), RAM: energy(5.0, kind="estimated")})] * 5


def line_of(found: list[Line], name: str, scope: str) -> Line:
    """The one line of that name and scope."""
    [line] = [line for line in found if line.name == name and line.scope == scope]
    return line


def test_a_record_becomes_a_row_with_its_absolute_interval() -> None:
    """300 J ± 3.3 % between blocks; across machines the card's own error widens that."""
    [row] = rows_of(record())
    assert (row.scope, row.unit, row.kind, row.weights) == ("gpu", "page", "measured", "hub")
    assert row.joules.value == pytest.approx(300.0)
    assert row.interval == "95 %, absolute"
    assert row.joules.low < 290 < 310 < row.joules.high
    assert "NVIDIA Sample" in row.conditions
    assert "new_tokens 340" in row.conditions


def test_grams_and_ratios_of_a_record_by_hand() -> None:
    """300 J = 1/12 Wh; at 600 g/kWh 0.05 g; a page of a person in the US emits 28,539 times as much."""
    found = lines(rows_of(record()), grid(600.0))
    line = line_of(found, record().label, "gpu")
    assert line.grams.result.value == pytest.approx(0.05)
    ratios = line.ratios(tomlinson2024.people())
    assert ratios["US"].value == pytest.approx(1426.94 / 0.05, rel=1e-4)
    assert ratios["India"].value == pytest.approx(180.75 / 0.05, rel=1e-4)
    assert ratios["US"].low < ratios["US"].value < ratios["US"].high


def test_pue_moves_measured_lines_to_the_facility_and_leaves_the_papers_alone() -> None:
    """5 J of memory on top of 300 J of the card: 305 J / 3600 × 600 g/kWh × 1.5; the card alone stays."""
    rows = rows_of(record(blocks=with_memory()))
    found = lines(rows, grid(600.0), pue(1.5))
    assert line_of(found, record().label, "facility").grams.result.value == pytest.approx(305 / 3600 * 0.9)
    assert line_of(found, record().label, "gpu").grams.result.value == pytest.approx(0.05)
    assert [line.name for line in found if line.kind == "published"] == [
        line.name for line in lines([], grid())
    ]


def test_an_estimated_host_is_called_mixed_and_stands_at_scope_host() -> None:
    rows = rows_of(record(blocks=with_memory()))
    assert {(row.scope, row.kind) for row in rows} == {("gpu", "measured"), ("host", "mixed")}


def test_bloom_176b_is_also_shown_with_the_papers_share_of_training() -> None:
    big = record(case=case(model="bloom-176b"), label="bloom-176b bfloat16 batch 1", blocks=with_memory())
    found = lines(rows_of(big), grid(600.0))
    line = line_of(found, "bloom-176b bfloat16 batch 1, with the paper's share of training", "lifecycle")
    assert line.grams.result.value == pytest.approx(305 / 3600 * 0.6 + 24.69e6 / 3e8 * 250 / 413)


def test_units_without_a_person_are_no_line_of_the_comparison() -> None:
    other = record(case=case(unit="audio_second"))
    assert lines(rows_of(other), grid()) == lines([], grid())


def test_what_cannot_be_used_is_left_out_with_its_reason() -> None:
    invalid = record(status="invalid", reasons=["foreign: process 77 used the GPU"])
    found = rows_in([("a.json", record()), ("b.json", invalid)])
    assert len(found.rows) == 1
    [reason] = found.left_out
    assert reason.startswith("b.json: ")
    assert "foreign: process 77" in reason


def test_toys_are_in_no_comparison_and_shapes_only_where_asked() -> None:
    """Also a toy of before the mark, which only its name tells."""
    random = dict(case()["weights"], kind="random")
    toys = [record(case=case(model="mine", toy=True)), record(case=case(model="tiny-llama", weights=random))]
    shape = record(case=case(weights=random), label="bloom-560m random weights")
    named = list(enumerate((*toys, shape, record())))
    found = rows_in((f"{number}.json", each) for number, each in named)
    assert [row.label for row in found.rows] == [record().label]
    assert [TOY in reason for reason in found.left_out] == [True, True, False]
    assert SHAPE in found.left_out[2]
    asked = rows_in(((f"{number}.json", each) for number, each in named), shapes=True)
    assert [row.label for row in asked.rows] == ["bloom-560m random weights (a shape)", record().label]
    assert all(TOY in reason for reason in asked.left_out)
    with pytest.raises(UsageError, match="a toy model"):
        row_of(toys[0], "0.json")
    assert row_of(shape, "2.json").joules.value == pytest.approx(300.0)


def test_an_absurd_pue_is_refused() -> None:
    [_, host] = rows_of(record(blocks=with_memory()))
    with pytest.raises(UsageError, match="must be between 1 and 3"):
        host.carbon(grid(), pue(0.5))
