"""`footprint record`, `people`, `reproduce`, `published` as typed: text, JSON, mistakes, what they load."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.core.record import Record
from bench.footprint.caveats import LEFT_OUT
from bench.footprint.grid import choose
from bench.store import results
from tests.cli.conftest import Typed, words, words_of
from tests.cli.loading import loaded_by
from tests.support.factory import CPU, GPU, RAM, block, case, energy, record

VIEWS = (
    ("footprint", "people", "--all"),
    ("footprint", "reproduce", "tomlinson2024"),
    ("footprint", "published", "--all", "--modality", "text"),
)


def keep(folder: Path, *records: Record) -> None:
    """Records in the current folder's results."""
    (folder / "results" / "machine").mkdir(parents=True)
    for number, each in enumerate(records):
        (folder / "results" / "machine" / f"{number}.json").write_text(results.to_json(each))


def with_host() -> Record:
    """A record whose host is estimated beside its card."""
    each = {GPU: energy(300.0), RAM: energy(5.0, kind="estimated")}
    return record(blocks=[block(energies=each)] * 5)


@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
def test_every_view_says_what_it_leaves_out(view: tuple[str, ...], typed: Typed) -> None:
    done = typed(*view)
    assert (done.status, done.err) == (0, "")
    for sentence in LEFT_OUT:
        assert sentence in words(done)
    machine = json.loads(typed(*view, "--json").out)
    assert machine["left_out"] == list(LEFT_OUT)


@pytest.mark.parametrize("view", VIEWS, ids=" ".join)
def test_no_view_loads_what_is_slow(view: tuple[str, ...]) -> None:
    _, modules = loaded_by(*view)
    assert not modules & {"torch", "transformers", "diffusers", "codecarbon", "pandas", "pynvml"}


HOST = ("--grid", "600", "--pue", "1.5", "--price", "0.2", "--water", "us")
MADE = ("--device", "h100", "--lifetime", "4", "--utilisation", "0.5")


def test_footprint_shows_every_step_with_its_factor(typed: Typed, stored: Callable[[Record], Path]) -> None:
    text = words(typed("footprint", "record", stored(with_host()), *HOST, *MADE))
    for step in (
        "Wh × PUE: --pue 1.5",
        "--grid 600 g CO2e/kWh",
        "embodied.h100 164 kg CO2e, --lifetime 4 yr, --utilisation 0.5",
        "SCI per page",
        "water at power stations",
        "price of the electricity",
        "nvidia-pcf2025 (derived)",
    ):
        assert step in text, step


def test_footprint_json_by_hand(typed: Typed, stored: Callable[[Record], Path]) -> None:
    """305 J × 1.5; 30 s of a card at 164 kg over 4 years, half used; 0.55 and 3.142 L/kWh; 0.2 USD/kWh."""
    done = typed("footprint", "record", stored(with_host()), *HOST, *MADE, "--json")
    cards, host = json.loads(done.out)["footprints"]
    result = {name: chain["result"]["value"] for name, chain in host["chains"].items()}
    energy_kwh = 305 / 3.6e6
    made_g = 164e3 / (4 * 8760 * 0.5) * 30 / 3600
    assert result["electricity"] == pytest.approx(energy_kwh * 1.5 * 600)
    assert result["SCI"] == pytest.approx(energy_kwh * 1.5 * 600 + made_g)
    assert result["life cycle"] == pytest.approx(result["SCI"])
    assert result["water"] == pytest.approx(energy_kwh * (0.55 + 1.5 * 3.142))
    assert result["money"] == pytest.approx(energy_kwh * 1.5 * 0.2)
    assert (cards["scope"], set(cards["chains"])) == ("gpu", {"electricity", "SCI", "money"})


def test_footprint_names_the_grid_with_its_year(typed: Typed, stored: Callable[[Record], Path]) -> None:
    found = choose("FRA")
    assert f"grid of France {found.year}, " in words(
        typed("footprint", "record", stored(with_host()), "--grid", "FRA")
    )


def test_a_board_of_eight_cards_is_charged_by_the_eighth(
    typed: Typed, stored: Callable[[Record], Path]
) -> None:
    """An H100 alone is an eighth of the board."""
    path = stored(with_host())
    board = ("--device", "hgx-h100", *MADE[2:])
    card, eighth = (
        json.loads(typed("footprint", "record", path, *made, "--json").out)["footprints"][1]["chains"][
            "life cycle"
        ]
        for made in (MADE, board)
    )
    assert eighth["result"] == card["result"]


def test_footprint_computes_nothing_that_is_not_stated(
    typed: Typed, stored: Callable[[Record], Path]
) -> None:
    done = typed("footprint", "record", stored(with_host()), "--json")
    assert [set(each["chains"]) for each in json.loads(done.out)["footprints"]] == [{"electricity"}] * 2


def test_footprint_says_what_the_cards_alone_cannot_give(
    typed: Typed, stored: Callable[[Record], Path]
) -> None:
    path = stored(with_host())
    cards, host = json.loads(typed("footprint", "record", path, *HOST, *MADE, "--json").out)["footprints"]
    assert set(cards["not_computed"]) == {"facility", "water", "life cycle"}
    assert host["not_computed"] == {}
    assert {each["chains"]["SCI"]["scope"] for each in (cards, host)} == {"sci"}
    text = words(typed("footprint", "record", path, *HOST, *MADE))
    assert "Training: no share of it is in a record's footprint" in text
    assert "water: not computed: needs scope host or wall; scope gpu leaves the host out" in text
    [cards, _] = json.loads(typed("footprint", "record", path, "--json").out)["footprints"]
    assert cards["not_computed"] == {}


def test_footprint_of_a_record_without_joules_says_so(typed: Typed, stored: Callable[[Record], Path]) -> None:
    failed = record(status="failed", blocks=[], failure={"stage": "load", "message": "no such revision"})
    assert "have no joules per unit" in typed("footprint", "record", stored(failed)).out


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--device", "h100"), "Add --lifetime YEARS and --utilisation SHARE"),
        (("--device", "h200", *MADE[2:]), "Known: a100, a100-parametric, h100, "),
        (("--pue", "1.2", "--water", "azur"), "Known: "),
        ((*MADE[:4], "--utilisation", "1.5"), "It must be between 0.001 and 1"),
        (("--price", "-1"), "It must be between 0 and 100 USD/kWh"),
        (("--water", "azure"), "Add --pue NUMBER"),
        (("--lifetime", "4"), "--lifetime changes nothing without --device"),
        (("--utilisation", "0.5"), "--utilisation changes nothing without --device"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_footprint_refuses_what_cannot_be(
    more: tuple[str, ...], says: str, typed: Typed, stored: Callable[[Record], Path]
) -> None:
    done = typed("footprint", "record", stored(with_host()), *more)
    assert (done.status, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "facts",
    [
        {"blocks": [block(energies={CPU: energy(300.0), RAM: energy(5.0, kind="estimated")})] * 5},
        {"blocks": with_host().blocks, "machine": {"name": "a machine", "device": "cpu"}},
    ],
    ids=["no card", "a card that only stood by"],
)
def test_no_card_is_charged_to_work_of_a_cpu(
    facts: dict[str, Any], typed: Typed, stored: Callable[[Record], Path]
) -> None:
    done = typed("footprint", "record", stored(record(**facts)), *MADE)
    assert (done.status, done.out) == (2, "")
    assert "no card's making can be charged to it. Leave out --device." in words_of(done.err)


def test_humans_shows_each_method_under_its_name(typed: Typed) -> None:
    done = typed("footprint", "people", "--all", "--unit", "page")
    lines = done.out.splitlines()
    for method in ("top-down", "work-hours", "equipment", "bottom-up", "metabolic"):
        assert [line for line in lines if line.startswith(f"{method}: ")], method
    assert "15 t CO2e/yr" in done.out
    assert "384.4 g CO2e/kWh" in done.out
    assert "https://doi.org/10.1038/s41598-024-54271-x" in done.out


def test_humans_json_has_unit_scope_source_and_inputs(typed: Typed) -> None:
    found = json.loads(typed("footprint", "people", "--region", "India", "--json").out)["baselines"]
    assert found
    for row in found:
        assert row["region"] == "India"
        assert row["result"]["unit"] == "g CO2e"
        assert row["scope"] == "person"
        assert row["source"]["citation"]
        assert all(each["source"]["citation"] for each in row["inputs"].values())


def test_minutes_are_also_given_by_the_second_of_models(typed: Typed) -> None:
    text = words(typed("footprint", "people", "--all", "--unit", "audio_second"))
    assert "music_minute US 6,800 (4,600 to 6,800) g CO2e 114 (77 to 114) audio_second" in text
    assert "No baseline voice: No source counts the hours of a person who answers aloud" in text
    found = json.loads(typed("footprint", "people", "--unit", "heard_second", "--json").out)
    assert found["no_baseline"] == {}
    first = found["baselines"][0]["per_model_unit"]
    assert (first["unit"], first["work"]) == ("heard_second", "transcribing")
    assert first["result"]["value"] == pytest.approx(15e6 / 8760 * 4 / 3600)
    page = json.loads(typed("footprint", "people", "--unit", "page", "--json").out)["baselines"][0]
    assert page["per_model_unit"] is None
    assert "model's unit" not in typed("footprint", "people", "--all", "--unit", "page").out


def of_sound(**more: Any) -> Record:
    """300 J for each second of music."""
    music = case(
        model="musicgen-small", engine="audio", unit="audio_second", options={"seconds": 10.0}, **more
    )
    return record(case=music, label="musicgen-small")


def test_a_record_of_sound_stands_beside_a_composer(typed: Typed, stored: Callable[[Record], Path]) -> None:
    """300 J × 600 g/kWh are 0.05 g; four hours of a life in the US are 114.2 g a second."""
    path = stored(of_sound())
    text = words(typed("footprint", "record", path, "--grid", "600"))
    assert "People: one audio_second by a person, beside musicgen-small" in text
    assert "top-down US person, composing 114 (77 to 114)" in text
    [row] = json.loads(typed("footprint", "record", path, "--grid", "600", "--json").out)["footprints"]
    assert row["no_people"] is None
    people = {each["baseline"]["id"]: each for each in row["people"]}
    assert people["practice.music.us"]["person_per_model"]["value"] == pytest.approx(
        15e6 / 8760 * 4 / 60 / 0.05
    )
    assert people["practice.music.us"]["per"] == "audio_second"


def test_each_scope_of_a_record_has_its_ratio(typed: Typed, stored: Callable[[Record], Path]) -> None:
    text = words(typed("footprint", "record", stored(with_host()), "--grid", "600"))
    assert text.count("People: one page by a person") == 1
    assert "× at scope gpu × at scope host" in text
    assert "Methods in Wh count a body" in text


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (of_sound(toy=True), "none: a toy model"),
        (record(status="invalid", reasons=["foreign"]), "none: invalid: foreign"),
        (
            record(case=case(engine="voice", unit="audio_second", options={})),
            "none: No source counts the hours of a person who answers aloud",
        ),
    ],
    ids=["toy", "invalid", "voice"],
)
def test_who_stands_beside_no_person_and_why(
    kept: Record, says: str, typed: Typed, stored: Callable[[Record], Path]
) -> None:
    path = stored(kept)
    assert says in words(typed("footprint", "record", path))
    [row] = json.loads(typed("footprint", "record", path, "--json").out)["footprints"]
    assert row["people"] == []
    assert row["no_people"] in says.removeprefix("none: ") or says.removeprefix("none: ") in row["no_people"]


def test_a_model_that_emits_nothing_has_no_ratio_to_people(
    typed: Typed, stored: Callable[[Record], Path]
) -> None:
    path = stored(of_sound())
    assert "no ratio: the model emits nothing" in words(typed("footprint", "record", path, "--grid", "0"))
    [row] = json.loads(typed("footprint", "record", path, "--grid", "0", "--json").out)["footprints"]
    assert {each["person_per_model"] for each in row["people"]} == {None}


def test_reproduce_shows_every_ratio_with_its_verdict(typed: Typed) -> None:
    done = typed("footprint", "reproduce", "tomlinson2024")
    text = words(done)
    for ratio in ("1,060.9 1,100 1,100 agrees", "1,513.2 1,500 1,500 agrees", "1,434.0 1,400 1,400 agrees"):
        assert ratio in text
    assert "642.2 640 1,100 does not" in text
    assert "pages: 130 to 1,500 times" in text
    assert "images: 310 to 2,900 times" in text
    for ratio in ("2,466.0 2,500 2,500 consistent", "365.3 370 370 consistent"):
        assert ratio in text
    rows = json.loads(typed("footprint", "reproduce", "tomlinson2024", "--json").out)["ratios"]
    fitted = [row["fitted"] for row in rows if row["verdict"] == "consistent"]
    assert fitted == ["3.2 h was fitted to these ratios"] * 4
    assert "Two readings give the second" in text
    assert "has no record of a page or an image" in text
    assert "python -m bench run paper" in text


def test_reproduce_puts_measured_joules_beside_the_paper(typed: Typed, tmp_path: Path) -> None:
    random = {"kind": "random", "architecture": "bloom-560m"}
    keep(
        tmp_path,
        record(label="one"),
        record(case=case(weights=random), label="two"),
        record(status="invalid"),
    )
    unasked = words(typed("footprint", "reproduce", "tomlinson2024", "--grid", "600"))
    assert "left out: " in unasked
    assert "--shapes shows them" in unasked
    done = typed("footprint", "reproduce", "tomlinson2024", "--grid", "600", "--shapes")
    text = words(done)
    assert "one page measured 300 (" in text
    assert "95 %, absolute" in text
    assert re.search(r"two \(a shape\) page measured, random (weights )?300 \(", text), "cells wrap"
    assert "random weights: the joules of the shape" in text
    assert "--grid, 600 g CO2e/kWh, stated by you (stated)" in text
    assert "2.json: invalid" in text
    lines = json.loads(typed("footprint", "reproduce", "tomlinson2024", "--grid", "600", "--json").out)[
        "measured"
    ]["lines"]
    [mine] = [line for line in lines if line["name"] == "one"]
    assert (mine["scope"], mine["kind"], mine["weights"]) == ("gpu", "measured", "hub")
    assert mine["carbon"]["result"]["value"] == pytest.approx(0.05)
    assert mine["carbon"]["steps"][-1]["factors"][0]["value"] == 600


def test_a_grid_that_emits_nothing_gives_no_ratio(typed: Typed, tmp_path: Path) -> None:
    keep(tmp_path, record(label="one"))
    assert "no ratio: the model emits nothing" in words(
        typed("footprint", "reproduce", "tomlinson2024", "--grid", "0")
    )
    lines = json.loads(typed("footprint", "reproduce", "tomlinson2024", "--grid", "0", "--json").out)[
        "measured"
    ]["lines"]
    [mine] = [line for line in lines if line["name"] == "one"]
    assert mine["person_per_model"] is None
    assert mine["no_ratio"] == "no ratio: the model emits nothing"


def test_reproduce_with_pue_shows_the_facility(typed: Typed, tmp_path: Path) -> None:
    keep(tmp_path, with_host())
    text = words(typed("footprint", "reproduce", "tomlinson2024", "--pue", "1.54"))
    assert "scope facility: with the data centre's overhead" in text
    assert "PUE 1.54 (stated by you), applied once" in text


def test_a_source_without_a_date_shows_when_and_where_it_was_read(typed: Typed) -> None:
    text = words(typed("footprint", "people", "--all", "--unit", "video_minute"))
    assert "ticker.tv (1 to 4 h) (undated, read 2026-11). the pages named" in text


def test_published_groups_by_scope_and_names_what_is_not_published(typed: Typed, tmp_path: Path) -> None:
    keep(tmp_path, record(label="one"))
    done = typed("footprint", "published", "--all", "--modality", "text")
    scopes = [line.split()[1].rstrip(":") for line in done.out.splitlines() if line.startswith("scope ")]
    assert list(dict.fromkeys(scopes)) == ["gpu", "host", "facility", "lifecycle", "training", "unknown"]
    assert sorted(scopes, key=scopes.index) == scopes, "what is of one scope stands together"
    assert "one measured 300 (" in words(done)
    assert "No published figure" in done.out
    assert "tomlinson2024.chatgpt.page " in done.out
    assert "GPT-5.4" in done.out
    found = json.loads(typed("footprint", "published", "--scope", "facility", "--json").out)
    assert {row["scope"] for row in found["published"]} == {"facility"}
    assert all(row["source"]["citation"] for row in found["published"])
    assert found["measured"] == []


def test_published_figures_of_one_unit_are_given_in_it(typed: Typed, tmp_path: Path) -> None:
    keep(tmp_path, of_sound(), record(label="a page"))
    text = words(typed("footprint", "published", "--all", "--unit", "audio_second"))
    assert "J/audio_second" in text
    assert re.search(r"AudioLDM2 published 747 J clip_10s 74\.7 1x A40, steps 100", text)
    assert "musicgen-small measured 300" in text
    assert "a page measured" not in text
    found = json.loads(typed("footprint", "published", "--unit", "audio_second", "--json").out)
    assert found["unit"] == "audio_second"
    each = {row["id"]: row["joules_each"]["value"] for row in found["published"]}
    assert each["passoni2025.tango-2"] == pytest.approx(354.6)
    assert {row["unit"] for row in found["measured"]} == {"audio_second"}
    none = words(typed("footprint", "published", "--all", "--unit", "heard_second"))
    assert "No figure per heard_second is published" in none


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("footprint", "published", "--unit", "audio_secnd"), 'Did you mean "audio_second"?'),
        (("footprint", "people", "--unit", "pgae"), 'Did you mean "page"?'),
        (("footprint", "people", "--region", "Indai"), 'Did you mean "India"?'),
        (("footprint", "people", "--method", "bottomup"), 'Did you mean "bottom-up"?'),
        (
            ("footprint", "reproduce", "tomlinson2024", "--results", "nowhere"),
            "nowhere: this folder does not exist.",
        ),
        (("footprint", "reproduce", "tomlinson"), 'Did you mean "tomlinson2024"?'),
        (("footprint", "reproduce", "tomlinson2024", "--grid", "Germny"), 'Did you mean "Germany"?'),
        (("footprint", "reproduce", "tomlinson2024", "--grid", "nan"), "is not a finite number"),
        (
            ("footprint", "reproduce", "tomlinson2024", "--grid", "-5"),
            "It must be between 0 and 2000 g CO2e/kWh",
        ),
        (("footprint", "reproduce", "tomlinson2024", "--pue", "0.9"), "It must be between 1 and 3"),
        (("footprint", "reproduce", "tomlinson2024", "--pue", "inf"), "is not a finite number"),
        (("footprint", "published", "--modality", "imge"), 'Did you mean "image"?'),
        (("footprint", "published", "--scope", "gpus"), 'Did you mean "gpu"?'),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_mistake_is_one_sentence_with_the_nearest_choice(
    arguments: tuple[str, ...], says: str, typed: Typed
) -> None:
    done = typed(*arguments)
    assert (done.status, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("hostile", ["[red]x[/red]", "\x1b[31m\u202e"])
def test_text_of_a_record_is_shown_as_it_is(hostile: str, typed: Typed, tmp_path: Path) -> None:
    keep(tmp_path, record(label=hostile, machine={"name": hostile}))
    for view in (
        ("footprint", "reproduce", "tomlinson2024"),
        ("footprint", "published"),
    ):
        done = typed(*view)
        assert done.status == 0
        assert "\x1b" not in done.out
        assert "\u202e" not in done.out
        assert hostile in done.out or not hostile.isprintable()
