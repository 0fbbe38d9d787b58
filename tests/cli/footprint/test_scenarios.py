"""`footprint scenario`, `cost`, `projection` as they are typed: text, JSON, mistakes, what they load."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.core.record import Record
from bench.footprint.caveats import COSTS_LEAVE_OUT, PROJECTIONS_LEAVE_OUT, SCENARIOS_LEAVE_OUT
from bench.footprint.scenarios.files import bundled
from tests.cli.conftest import Typed, words
from tests.cli.loading import loaded_by
from tests.support.elsewhere import SCENARIO
from tests.support.factory import GPU, RAM, block, energy, record

LLAMA = "mlenergy3.chat.H100.meta-llama__Llama-3.1-8B-Instruct"
SD35 = "mlenergy3.H100.stabilityai__stable-diffusion-3.5-large"
FEW = ("--draws", "2000")
VIEWS = {
    ("footprint", "scenario", "--all", "critics", *FEW): SCENARIOS_LEAVE_OUT,
    ("footprint", "cost"): COSTS_LEAVE_OUT,
    ("footprint", "projection", LLAMA): PROJECTIONS_LEAVE_OUT,
}


def tokens() -> Record:
    """A record of pages of 340 tokens."""
    return record(blocks=[block(joules, tokens=340) for joules in (290.0, 295.0, 300.0, 305.0, 310.0)])


@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
def test_every_view_says_what_it_leaves_out(view: tuple[str, ...], typed: Typed) -> None:
    done = typed(*view)
    assert (done.status, done.err) == (0, "")
    for sentence in VIEWS[view]:
        assert sentence in words(done)
    machine = json.loads(typed(*view, "--json").out)
    assert set(VIEWS[view]) <= set(machine["left_out"])


@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
def test_no_view_loads_what_is_slow(view: tuple[str, ...]) -> None:
    status, modules = loaded_by(*view)
    assert status == 0
    assert not modules & {"torch", "transformers", "diffusers", "codecarbon", "pandas", "pynvml", "scipy"}


def test_the_help_names_every_bundled_scenario(typed: Typed) -> None:
    text = words(typed("footprint", "scenario", "--help"))
    assert all(name in text for name in bundled())


def test_the_papers_scenario_gives_the_papers_ratio(typed: Typed) -> None:
    done = typed("footprint", "scenario", "--all", "tomlinson2024", *FEW)
    assert "model alone 1,510" in words(done)
    assert "Scope of the model's energy: host" in done.out
    machine = json.loads(typed("footprint", "scenario", "tomlinson2024", "--json", *FEW).out)
    assert machine["person_over"]["model"]["value"] == pytest.approx(1513.2, abs=0.1)
    assert machine["tornado"]["bars"][0]["key"] == "person.work"


def test_every_input_shows_its_value_unit_spread_and_source(typed: Typed) -> None:
    machine = json.loads(typed("footprint", "scenario", "critics", "--json", *FEW).out)
    text = words(typed("footprint", "scenario", "--all", "critics", *FEW))
    for key, each in machine["inputs"].items():
        assert key in text
        assert each["unit"]
        assert each["source"]
        assert each["evidence"] != "memory"
        assert each["low"] <= each["high"]
    assert machine["not_counted"] == ["idle", "batch", "upbringing"]
    assert "Not counted: idle, batch, upbringing." in text


def test_the_first_line_says_what_decides(typed: Typed) -> None:
    first = " ".join(typed("footprint", "scenario", "critics", *FEW).out.split())
    assert first.startswith(
        "The laptop decides: the person alone emits less than the person with the model in"
    )
    assert (
        json.loads(typed("footprint", "scenario", "critics", "--json", *FEW).out)["decides"]["turns"] is True
    )
    chosen = typed("footprint", "scenario", "critics", "--set", "computer=none", *FEW)
    assert "decides" not in chosen.out
    assert json.loads(typed("footprint", "scenario", "tomlinson2024", "--json", *FEW).out)["decides"] is None


def test_a_seed_repeats_what_it_gave(typed: Typed) -> None:
    one, again, other = (
        json.loads(typed("footprint", "scenario", "critics", "--json", *FEW, "--seed", seed).out)
        for seed in ("1", "1", "2")
    )
    assert one == again
    assert one["person_over"]["model"]["median"] != other["person_over"]["model"]["median"]


def test_a_scenario_of_ones_own_with_a_record_in_it(
    typed: Typed, stored: Callable[[Record], Path], tmp_path: Path
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(SCENARIO, encoding="utf-8")
    done = typed(
        "footprint",
        "scenario",
        mine,
        "--record",
        stored(tokens()),
        "--set",
        "model.host=1.5",
        "--json",
        *FEW,
    )
    assert (done.status, done.err) == (0, "")
    machine = json.loads(done.out)
    assert machine["scope"] == "gpu"
    assert machine["inputs"]["model.energy"]["value"] == pytest.approx(300.0)
    assert machine["person_over"]["model"]["value"] == pytest.approx(
        1200 / (2 * 300 * 1.5 * 1.5 / 3.6e6 * 400)
    )
    assert machine["person_over"]["model"]["low"] < machine["person_over"]["model"]["value"]
    assert machine["inputs"]["model.host"]["source"] == "stated by you"


def test_a_break_even_below_0_is_shown_as_ahead_already(typed: Typed) -> None:
    """In some draws of the critics' scenario no minute of editing is left; -366 of them would say nothing."""
    text = words(typed("footprint", "scenario", "--all", "critics", *FEW))
    line = text.partition("editing.edit person with the model ")[2].partition("min/page")[0]
    assert "ahead already to" in line
    assert "-" not in line


def test_what_is_infinite_is_null_for_a_machine(typed: Typed) -> None:
    done = typed(
        "footprint",
        "scenario",
        "tomlinson2024",
        "--set",
        "model.grid=0",
        "--set",
        "training=none",
        "--json",
        *FEW,
    )
    assert (done.status, done.err) == (0, "")
    assert json.loads(done.out)["person_over"]["model"]["value"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("footprint", "scenario", "critcs"), 'Unknown scenario "critcs". Did you mean "critics"?'),
        (("footprint", "scenario", "critics", "--set", "model.promts=3"), 'Did you mean "model.prompts"?'),
        (("footprint", "scenario", "critics", "--set", "model.grid=Frnace"), 'Did you mean "France"?'),
        (("footprint", "scenario", "critics", "--draws", "10"), "--draws"),
        (("footprint", "scenario", "critics", "--scope", "gpu"), "--record"),
        (("footprint", "scenario", "critics", "--record", "none.json"), "none.json: no such file or folder."),
        (
            ("footprint", "scenario"),
            "NAME|FILE",
        ),
        (("footprint", "cost", "none.json"), "none.json: no such file or folder."),
        (("footprint", "cost", "--price", "-1"), "It must be between 0 and 100 USD/kWh."),
        (("footprint", "cost", "--price", "price.usa.industral"), 'Did you mean "price.usa.industrial"?'),
        (("footprint", "cost", "--pue", "0.3"), "It must be between 1 and 3."),
        (("footprint", "cost", "--scope", "gpu"), "no record is named"),
        (("footprint", "cost", LLAMA, "--scope", "gpu"), "no record is named"),
        (
            ("footprint", "cost", LLAMA, "--pue", "1.3"),
            "--pue changes nothing: no figure here is of scope host or wall.",
        ),
        (("footprint", "projection", LLAMA, "--scope", "gpu"), "no record is named"),
        (("footprint", "projection", LLAMA, "--images-per-week", "1e9"), "--images-per-week changes nothing"),
        (("footprint", "projection", LLAMA, "--utilisation", "0.5"), "--utilisation changes nothing"),
        (
            ("footprint", "projection", SD35, "--images-per-week", "1e9", "--tokens-per-week", "1e9"),
            "--tokens-per-week changes nothing: no case here is of tokens.",
        ),
        (
            ("footprint", "projection"),
            "RECORD|ID",
        ),
        (("footprint", "projection", SD35), "State --images-per-week NUMBER."),
        (("footprint", "projection", LLAMA, "--tokens-per-week", "-3"), "It must be between"),
        (("footprint", "projection", LLAMA, "--idle-share", "idle.blom"), 'Did you mean "idle.bloom"?'),
        (("footprint", "projection", LLAMA, "--grid", "Frnace"), 'Did you mean "France"?'),
    ],
    ids=lambda found: " ".join(found) if isinstance(found, tuple) else "",
)
def test_a_mistake_is_one_sentence_and_status_2(arguments: tuple[str, ...], says: str, typed: Typed) -> None:
    done = typed(*arguments)
    assert (done.status, done.out) == (2, "")
    assert says in done.err
    assert len([line for line in done.err.splitlines() if line.startswith("Error: ")]) == 1


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (("--host", "1.4"), "no case here is of scope gpu"),
        (("--utilisation", "0.5"), "cards are counted at scope gpu alone"),
        (("--card-power", "700"), "cards are counted at scope gpu alone"),
    ],
    ids=lambda found: found[0] if isinstance(found, tuple) else "",
)
def test_a_projection_refuses_what_changes_nothing_at_scope_host(
    option: tuple[str, ...], why: str, typed: Typed, stored: Callable[[Record], Path]
) -> None:
    each = {GPU: energy(300.0), RAM: energy(5.0, kind="estimated")}
    path = stored(record(blocks=[block(energies=each, tokens=340)] * 5))
    assert typed("footprint", "projection", path, "--scope", "host").status == 0
    done = typed("footprint", "projection", path, "--scope", "host", *option)
    assert (done.status, done.out) == (2, "")
    assert f"{option[0]} changes nothing: {why}" in " ".join(done.err.split())


def test_a_projection_leaves_no_name_out(typed: Typed, stored: Callable[[Record], Path]) -> None:
    pages = stored(record())
    done = typed("footprint", "projection", LLAMA, pages)
    assert (done.status, done.out) == (2, "")
    assert "no joules per token or image." in done.err


def test_a_record_of_another_scope_is_refused(typed: Typed, stored: Callable[[Record], Path]) -> None:
    done = typed("footprint", "scenario", "--all", "critics", "--record", stored(tokens()), "--scope", "host")
    assert done.status == 2
    assert "no joules per page at scope `host`. Known: gpu." in done.err


def test_cost_sets_electricity_beside_list_prices(typed: Typed, stored: Callable[[Record], Path]) -> None:
    """A token of 300/340 J: 0.245 kWh a million, 0.0245 USD at 10 cents, 5.84 % of 0.42 USD."""
    path = stored(tokens())
    machine = json.loads(typed("footprint", "cost", path, "--price", "0.1", "--json").out)
    rows = {
        each["per"]: each["cost"]["result"]["value"]
        for each in machine["electricity"]
        if each["kind"] == "measured"
    }
    assert rows["million tokens"] == pytest.approx(1e6 * 300 / 340 / 3.6e6 * 0.1)
    assert rows["page"] == pytest.approx(300 / 3.6e6 * 0.1)
    text = words(typed("footprint", "cost", path, "--price", "0.1"))
    assert "5.8 (" in text
    assert "DeepSeek-V3.2 input 0.28" in text
    assert "DeepSeek-V3.2 output 0.42" in text
    assert "GPT-5.4 output 15" in text


def test_cost_alone_shows_what_is_published_and_its_price(typed: Typed) -> None:
    text = words(typed("footprint", "cost"))
    assert "price.usa.commercial 2025, 0.129 (0.127 to 0.131) USD/kWh, eia-commercial (secondary)" in text
    assert "deepseek-ai/DeepSeek-V3.1 published" in text


def test_project_names_every_assumption(typed: Typed) -> None:
    done = typed("footprint", "projection", LLAMA, "--capacity", "80..100", "--card-power", "700")
    text = words(done)
    assert "Assumptions" in done.out.splitlines()
    for name in (
        "service.aggregator.tokens",
        "host.gemini",
        "idle.gemini",
        "pue.industry.2025",
        "utilisation.wu",
    ):
        assert name in text
    assert "90 (80 to 100) GW" in text
    assert "MWh/yr" in text
    assert "t CO2e/yr" in text
    assert " cards " in text


def test_project_json_by_hand(typed: Typed, stored: Callable[[Record], Path]) -> None:
    """A record knows the power of its card, so cards are counted without being told."""
    done = typed(
        "footprint",
        "projection",
        stored(tokens()),
        "--tokens-per-week",
        "6.048e11",
        "--utilisation",
        "0.5",
        "--json",
    )
    deployment = json.loads(done.out)["deployments"][0]
    assert deployment["kind"] == "measured"
    busy_w = 300 / 340 * 1e6
    assert deployment["cards"]["result"]["value"] == pytest.approx(busy_w / (10.0 * 0.5))
    assert deployment["power"]["result"]["value"] == pytest.approx(busy_w * 1.43 / (1 - 0.091) * 1.54 / 1e6)


def test_images_have_a_volume_of_their_own(typed: Typed) -> None:
    deployment = json.loads(typed("footprint", "projection", SD35, "--images-per-week", "1e9", "--json").out)[
        "deployments"
    ][0]
    assert deployment["per"] == "image"
    assert "cards" not in deployment
    assert "cards: not counted" in typed("footprint", "projection", SD35, "--images-per-week", "1e9").out
