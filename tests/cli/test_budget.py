"""`show --budget`: where a headline's uncertainty comes from, for a person and for a machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.core.budget import Uncertainty
from bench.core.record import Record
from bench.stats import uncertainty
from bench.store import results
from tests.cli.conftest import Done, Typed
from tests.store import calibrations as calibrated
from tests.support.factory import GPU, RAM, block, energy, record

Stored = Callable[[Record], Path]

CONTROLS = "\x1b[31m\x1b]0;title\x07\r\x00\x9b31m\u202e[red]"


def sample(name: str = "NVIDIA A100-SXM4-80GB", unit: str = "page", **more: Any) -> Record:
    """A record of a run on a card with part-time sensor."""
    seen = {"gpus": {GPU[4:]: {"counter_ticks": 300, "temperature_c": None}}}
    each = [block(value, observed=seen, rest_s=1e-6) for value in (290.0, 295.0, 300.0, 305.0, 310.0)]
    made = record(blocks=each, machine={"name": "m", "gpus": [{"uuid": GPU[4:], "name": name}]}, **more)
    return made.model_copy(update={"case": made.case.model_copy(update={"unit": unit})})


def row(done: Done, name: str) -> list[str]:
    """The first line that begins with a name, without it."""
    lines = [line for line in done.out.splitlines() if line.startswith(f"{name} ")]
    return lines[0].removeprefix(name).split()


def test_every_input_is_shown_with_what_it_does_to_the_figure(typed: Typed, stored: Stored) -> None:
    done = typed("show", stored(sample()), "--budget")
    assert (done.status, done.err) == (0, "")
    assert "Gross J per page, scope gpu: 300.0" in done.out
    assert "Net J per page, scope gpu: 240.0" in done.out
    assert row(done, "run to run") == ["A", "t", "3.54", "J", "1.00", "3.54", "1.18", "4", "sa"]
    gain = ["B", "normal", "5.07", "%", "300", "15.2", "5.07", "10", "a"]
    assert row(done, "sensor gain") == gain
    assert row(done, "temperature") == ["A", "rectangular", *["—"] * 6]
    assert row(done, "part-time sensor *")[:3] == ["B", "normal", "0.408"]
    assert row(done, "absolute")[:4] == ["300", "265", "335", "±12"]
    assert "lag-1 autocorrelation of 5 blocks: +0.40, limit ±0.89 (fewer than 8 blocks)" in done.out
    assert "Yang et al. 2023" in " ".join(done.out.split())
    assert "Not in the results: the temperature was not seen in every block." in " ".join(done.out.split())


@pytest.mark.parametrize("columns", [80, 100])
def test_a_budget_fits_its_terminal(columns: int, on_terminal: Typed, stored: Stored) -> None:
    each = {GPU: energy(200.0, 100.0), RAM: energy(5.0, 1.0, kind="estimated")}
    hosted = record(blocks=[block(energies={RAM: each[RAM]})] * 5)
    for made in (sample(), sample("an unusually long name of a card " * 9), hosted):
        done = on_terminal("show", stored(made), "--budget", columns=columns)
        assert max(map(len, re.sub(r"\x1b\[\d*m", "", done.out).splitlines())) <= columns


def test_json_is_the_budget_alone(typed: Typed, stored: Stored) -> None:
    made = sample()
    done = typed("show", stored(made), "--budget", "--json")
    assert (done.status, done.err) == (0, "")
    assert set(json.loads(done.out)) == {"scope", "gross", "net", "absent"}
    assert Uncertainty.model_validate_json(done.out) == uncertainty.of(made)


def test_the_budget_that_a_record_holds_is_the_one_shown(typed: Typed, stored: Stored) -> None:
    older = typed("show", stored(sample()), "--budget").out
    made = sample()
    made.figures.uncertainty = uncertainty.of(made)
    assert typed("show", stored(made), "--budget").out == older
    assert made.figures.uncertainty.gross is not None
    kept = made.figures.uncertainty.gross.model_copy(update={"value": 123.456})
    made.figures.uncertainty = made.figures.uncertainty.model_copy(update={"gross": kept})
    assert "scope gpu: 123.5" in typed("show", stored(made), "--budget").out


def test_a_calibrated_cards_correction_is_in_sight(typed: Typed, stored: Stored) -> None:
    path = stored(calibrated.sample(calibrated.known(line=calibrated.line())))
    done = typed("show", path, "--budget")
    assert (done.status, done.err) == (0, "")
    assert row(done, "same card, like power")[0] == "9,000"
    assert row(done, "absolute")[0] == "8,570"
    assert (
        "corrected in absolute alone: -4.76%, -429 J per page, because the card was calibrated"
        in " ".join(done.out.split())
    )
    note = "absolute, other machines, corrected by the card's calibration: bloom-560m 8,570 J/page ±1.8 %"
    assert note in " ".join(typed("show", path).out.split())


def test_a_record_without_figures_says_why_it_has_no_budget(typed: Typed, stored: Stored) -> None:
    failure = {"stage": "load", "message": "no such revision"}
    done = typed("show", stored(record(status="failed", blocks=[], failure=failure)), "--budget")
    assert (done.status, done.err) == (0, "")
    assert "No budget for gross J per page: no valid block with counted units." in done.out
    assert "\nu:" not in done.out


def test_one_block_has_a_table_and_no_result(typed: Typed, stored: Stored) -> None:
    done = typed("show", stored(record(blocks=[block()])), "--budget")
    assert row(done, "same card, like power") == ["—"] * 6
    assert "No result for absolute: run to run: one block has no spread." in done.out


@pytest.mark.parametrize("place", ["name", "unit"])
def test_text_of_a_record_cannot_steer_the_terminal(place: str, on_terminal: Typed, stored: Stored) -> None:
    calm = on_terminal("show", stored(sample(**{place: "x"})), "--budget")
    done = on_terminal("show", stored(sample(**{place: f"x{CONTROLS}"})), "--budget")
    assert (done.status, done.err) == (0, "")
    assert done.out.count("\x1b") == calm.out.count("\x1b")
    assert not {"\x07", "\r", "\x00", "\x9b", "\u202e"} & set(done.out)
    assert "[red]" in done.out


ODD: list[tuple[tuple[str | int, ...], Any]] = [
    (("blocks", 1, "end_ns"), 0),
    (("blocks", 1, "units"), 5e-324),
    (("blocks", 1, "energy"), {}),
    (("blocks", 1, "energy", GPU, "gross_j"), 1e308),
    (("blocks", 1, "observed"), {"gpus": 3}),
    (("idle", GPU, "after"), 1e308),
    (("idle",), {}),
    (("machine",), {"gpus": {"a": 1}}),
    (("figures", "energy_per_unit_j", "gpu", "domains"), {"gpu:gone": "measured"}),
    (("figures", "energy_per_unit_j", "gpu", "domains"), {}),
]


@pytest.mark.parametrize(("path", "value"), ODD)
@pytest.mark.parametrize("options", [(), ("--budget",), ("--budget", "--json")])
def test_odd_values_are_shown_or_refused(
    path: tuple[str | int, ...], value: Any, options: tuple[str, ...], typed: Typed, tmp_path: Path
) -> None:
    plain: Any = json.loads(results.to_json(sample()))
    place = plain
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    (tmp_path / "a.json").write_text(json.dumps(plain))
    done = typed("show", tmp_path / "a.json", *options)
    assert done.status in (0, 2), done.err
    assert "fault" not in done.err


def test_the_results_table_says_what_a_gpus_figure_is_worth_elsewhere(typed: Typed, stored: Stored) -> None:
    note = "absolute, other machines: ±12 %, the card's unknown gain included"
    assert note in typed("show", stored(sample())).out
    hosted = record(blocks=[block(energies={RAM: energy(5.0, kind="estimated")})] * 5)
    for made in (hosted, record(blocks=[block()]), record(blocks=[])):
        assert "absolute, other machines" not in typed("show", stored(made)).out
