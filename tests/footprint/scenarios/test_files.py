"""Scenario files: what is bundled, what a mistake reads like, and what the command line may change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.core.quantities import Joules
from bench.core.record import Record
from bench.errors import CatalogError, UsageError
from bench.footprint import reference
from bench.footprint.measured import MeasuredRow, row_of
from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.files import bundled, find
from bench.footprint.scenarios.inputs import figure
from bench.footprint.scenarios.model import footprint
from bench.footprint.scenarios.simulation import SimulationReport
from bench.store import results
from tests.footprint.scenarios.helpers import BATCH, EDITING, EMBODIED, TRAINING, WHOLE, draft, scenario
from tests.support.elsewhere import SCENARIO
from tests.support.factory import GPU, RAM, block, case, energy, record


@pytest.mark.parametrize("name", bundled())
def test_every_input_of_a_bundled_scenario_has_a_source_and_none_is_remembered(name: str) -> None:
    found = find(name)
    for key, entry in found.entries.items():
        stated = [end for end in (entry.value, entry.low, entry.high) if end is not None]
        for row in (figure(end) for end in stated if isinstance(end, str)):
            assert row.evidence in ("primary", "secondary", "derived"), key
        if not all(isinstance(end, str) for end in stated):
            assert entry.source in reference.sources() or entry.source == "assumed here", key
    assert build(found).leaves_out


def test_five_are_bundled_and_differ_in_what_they_ask() -> None:
    found = {name: build(find(name)) for name in bundled()}
    assert {name: each.method for name, each in found.items()} == {
        "tomlinson2024": "top-down",
        "critics": "equipment",
        "collaboration": "top-down",
        "critics-image": "equipment",
        "collaboration-image": "top-down",
    }
    reports = {name: SimulationReport.of(each, 5000, 0) for name, each in found.items()}
    assert reports["tomlinson2024"].ratios["model"].low > 1000
    assert reports["critics"].ratios["together"].low < 1 < reports["critics"].ratios["together"].high
    assert 1 < reports["collaboration"].ratios["together"].median < 5
    for name in ("critics-image", "collaboration-image"):
        assert found[name].unit == "image"
        assert reports[name].ratios["together"].median > 1


@pytest.mark.parametrize("name", ["critics", "collaboration"])
def test_the_twin_of_an_image_asks_what_its_page_asks(name: str) -> None:
    """The same parts on both sides; training alone has no figure for an image model."""
    page, image = (find(each) for each in (name, f"{name}-image"))
    asked = {
        key for key in page.entries if not key.startswith(("training", "idle")) and key != "model.answers"
    }
    assert asked == {key for key in image.entries if not key.startswith("idle")}
    for part in ("person.power", "person.footprint", "computer.made", "computer.hours", "embodied.lifetime"):
        assert page.entries.get(part) == image.entries.get(part), part
    assert any("Training" in sentence for sentence in image.about.leaves_out)


MISTAKES: list[tuple[str, Callable[[str], str], str]] = [
    (
        "a typo in a key",
        lambda text: text.replace("prompts:", "promts:"),
        'mine.yaml:11: model.promts: unknown key. Did you mean "prompts"?',
    ),
    (
        "a typo in a part",
        lambda text: text.replace("model:", "modle:"),
        'mine.yaml:7: modle: unknown key. Did you mean "model"?',
    ),
    (
        "a typo in an entry",
        lambda text: text.replace("{value: 2,", "{vale: 2,"),
        'model.prompts.vale: unknown key. Did you mean "value"?',
    ),
    (
        "another unit of output",
        lambda text: text.replace("unit: page\n", "unit: pages\n"),
        "mine.yaml:2: unit: found 'pages', expected one of page, image. Did you mean \"page\"?",
    ),
    (
        "no unit",
        lambda text: text.replace(", unit: prompts/page", ""),
        "mine.yaml:11: model.prompts: The number has no unit",
    ),
    (
        "a foreign unit",
        lambda text: text.replace("unit: h/page", "unit: kWh"),
        "mine.yaml:6: person.work: It is in kWh, and h/page or min/page or words/h belongs here",
    ),
    (
        "no source",
        lambda text: text.replace("h/yr, source: a table", "h/yr"),
        "mine.yaml:5: person.hours: A number needs a `source`",
    ),
    (
        "no scope",
        lambda text: text.replace("scope: host, ", ""),
        "mine.yaml:8: model.energy states no `scope`",
    ),
    (
        "an unknown scope",
        lambda text: text.replace("scope: host", "scope: hots"),
        'one of gpu, host, wall, facility, unknown belongs here. Did you mean "host"?',
    ),
    (
        "cards alone",
        lambda text: text.replace("scope: host", "scope: gpu"),
        "energy of scope `gpu` needs `model.host`",
    ),
    (
        "PUE twice",
        lambda text: text.replace("scope: host", "scope: facility"),
        "mine.yaml:10: energy of scope `facility` may include `model.pue` already",
    ),
    (
        "no PUE",
        lambda text: text.replace("  pue: {value: 1.5, unit: '1', source: a table}\n", ""),
        "energy of scope `host` needs `model.pue`",
    ),
    (
        "energy of another thing",
        lambda text: text.replace("J/page", "J/token"),
        "its energy is that of one token: `model.answers` is missing",
    ),
    (
        "no energy",
        lambda text: text.replace("unit: J/page", "unit: g/page"),
        "g/page is not an energy of one answer. Use J/page or Wh/query",
    ),
    (
        "a negative factor",
        lambda text: text.replace("value: 400", "value: -400"),
        "mine.yaml:9: model.grid: -400 g CO2e/kWh cannot be",
    ),
    (
        "an absurd factor",
        lambda text: text.replace("value: 1.5", "value: 15"),
        "mine.yaml:10: model.pue: 15 cannot be (overhead of the data centre). It must be between 1 and 3.",
    ),
    (
        "a range alone",
        lambda text: text.replace("{value: 2,", "{value: 2, low: 1, high: 3,"),
        "mine.yaml:11: model.prompts: The range has no distribution",
    ),
    (
        "an unknown distribution",
        lambda text: text.replace("{value: 2,", "{value: 2, low: 1, high: 3, distribution: lognorml,"),
        'triangular, normal, lognormal. Did you mean "lognormal"?',
    ),
    (
        "a draw beyond what can be",
        lambda text: text.replace("{value: 1.5,", "{low: 1.0, high: 2.0, distribution: normal,"),
        "It must be between 1 and 3.",
    ),
    (
        "an unknown figure",
        lambda text: text.replace("{value: 8760, unit: h/yr, source: a table}", "hours.yaer"),
        'Unknown bundled figure "hours.yaer". Did you mean "hours.year"?',
    ),
    (
        "a figure of another unit",
        lambda text: text.replace("{value: 8760, unit: h/yr, source: a table}", "pue.google"),
        "person.hours: pue.google is a range",
    ),
    (
        "half a part",
        lambda text: text + TRAINING.replace("  days: {value: 30, unit: days, source: a table}\n", ""),
        "`training` is counted whole: `training.days` is missing",
    ),
    (
        "two methods",
        lambda text: text.replace("  work:", "  power: {value: 45, unit: W, source: a table}\n  work:"),
        "Methods are never mixed.",
    ),
    (
        "no method",
        lambda text: text.replace("  hours: {value: 8760, unit: h/yr, source: a table}\n", ""),
        "a person is counted by person.hours and person.footprint or by",
    ),
    (
        "no time",
        lambda text: text.replace("  work: {value: 0.8, unit: h/page, source: a table}\n", ""),
        "`person.work` is missing",
    ),
    (
        "text for a number",
        lambda text: text.replace("{value: 2,", "{value: [2],"),
        "expected a number, or the id of a bundled figure",
    ),
    (
        "not finite",
        lambda text: text.replace("{value: 2,", "{value: .inf,"),
        "expected a number, or the id of a bundled figure",
    ),
    (
        "a speed of nothing",
        lambda text: text.replace("{value: 0.8, unit: h/page", "{value: 0, unit: words/h"),
        "A speed of 0 never ends.",
    ),
    ("nothing", lambda text: "", "mine.yaml:1: the file is empty"),
]


@pytest.mark.parametrize(
    ("change", "says"), [each[1:] for each in MISTAKES], ids=[each[0] for each in MISTAKES]
)
def test_a_mistake_in_a_file_is_shown_where_it_stands(
    change: Callable[[str], str], says: str, tmp_path: Path
) -> None:
    text = change(SCENARIO)
    assert text != SCENARIO
    with pytest.raises(CatalogError) as caught:
        scenario(tmp_path, text)
    assert says in str(caught.value)
    assert str(tmp_path / "mine.yaml") in str(caught.value) or str(caught.value).startswith("mine: ")


def test_every_mistake_is_listed_at_once(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as caught:
        draft(tmp_path, SCENARIO.replace("prompts:", "promts:").replace("unit: page\n", "unit: pages\n"))
    assert len([line for line in str(caught.value).splitlines() if "mine.yaml:" in line]) == 2


def test_an_unknown_scenario_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'Unknown scenario "critcs"\. Did you mean "critics"'):
        find("critcs")
    with pytest.raises(
        CatalogError, match=r"none\.yaml: no such file\. `python -m bench footprint scenario --help`"
    ):
        find(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("model.prompts", "expected KEY=VALUE"),
        ("model.promts=3", 'unknown input `model.promts`. Did you mean "model.prompts"'),
        ("trainign=none", "unknown input `trainign`. Did you mean"),
        ("model.prompts=-1", "-1 prompts/page cannot be"),
        ("model.prompts=0", "0 prompts/page cannot be (drafts asked for until one is accepted)"),
        ("model.prompts=3 J", "It is in J, and prompts/page"),
        ("model.prompts=1..5", "State its distribution, one of point, uniform"),
        ("model.prompts=1..5 evenly", "State its distribution, one of point, uniform"),
        ("model.prompts=5..1 uniform", "a low that is below a high"),
        ("person.work=500..250 words/h uniform", "a low that is below a high"),
        ("person.work=-10..400 words/h normal", "A speed of 0 never ends."),
        ("model.prompts=many", 'Unknown bundled figure "many"'),
        ("model.prompts=many a time", "neither a number with its unit nor the id"),
        ("model.grid=Frnace", 'Did you mean "France"'),
        ("model.energy=3", "Energy needs its unit and scope"),
        ("model.energy=3 Wh/page", "states no `scope`"),
        ("model.energy=altman2025.chatgpt", "may include `model.pue` already"),
        ("model.energy=tomlinson2024.chatgpt.query", "is a range"),
        ("model.energy=bloom2022.request.co2 point", "g CO2e/request is not an energy"),
        ("model.energy=bloom2022.training.dynamic point", "of scope `training`"),
        ("person.footprint=none", "Methods are never mixed"),
    ],
)
def test_a_mistake_on_the_command_line_is_shown_with_what_was_typed(
    change: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises((UsageError, CatalogError)) as caught:
        scenario(tmp_path, SCENARIO, change)
    assert says in str(caught.value)
    assert f"--set {change}" in str(caught.value) or "mine" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("tomlinson2024", (), "bloom2022.request.aligned includes the empty machine's already"),
        ("critics", (), "includes the empty machine's already"),
        (
            "tomlinson2024",
            ("model.energy=1 Wh/query facility", "model.pue=none"),
            "energy of scope `facility` may include the empty machine's already",
        ),
        (
            "tomlinson2024",
            ("model.energy=1 Wh/query unknown", "model.pue=none"),
            "energy of scope `unknown` may include the empty machine's already",
        ),
    ],
)
def test_the_empty_machine_is_not_counted_twice(name: str, changes: tuple[str, ...], says: str) -> None:
    base = find(name)
    for change in changes:
        base = base.changed(change)
    with pytest.raises(CatalogError) as caught:
        build(base.changed("idle.share=0.82"))
    assert str(caught.value).startswith("--set idle.share=0.82: ")
    assert says in str(caught.value)
    assert build(base.changed("idle.share=0.82").changed("idle=none")).absent[0] == "idle"


def test_the_empty_machine_can_be_added_to_energy_of_a_busy_one() -> None:
    change = "model.energy=1 Wh/query host"
    found = build(find("tomlinson2024").changed(change).changed("idle.share=0.82"))
    assert found.inputs["idle.share"].spread.value == 0.82


def test_a_cards_power_gives_no_time_from_a_servers_energy(tmp_path: Path) -> None:
    says = "power of scope `gpu` gives no time from energy of scope `host`"
    with pytest.raises(CatalogError, match=says):
        build(find("critics").changed("model.host=none").changed("model.energy=bloom2022.request.paper"))
    with pytest.raises(CatalogError, match=f"--set embodied.power=gpu.power: .*{says}"):
        scenario(tmp_path, SCENARIO + EMBODIED, "embodied.power=gpu.power")
    cards = ("model.energy=3600 J/page gpu", "model.host=1.3", "embodied.power=gpu.power")
    assert scenario(tmp_path, SCENARIO + EMBODIED, *cards).inputs["embodied.power"].spread.value == 400.0


def test_changes_take_the_place_of_what_a_file_states(tmp_path: Path) -> None:
    found = scenario(
        tmp_path,
        WHOLE,
        "model.prompts=1..5 uniform",
        "model.grid=FRA",
        "model.pue=pue.google triangular",
        "training=none",
        "person.work=rate.write.orbit2023",
    )
    assert found.inputs["model.prompts"].spread.kind == "uniform"
    assert found.inputs["model.grid"].spread.value < 100
    assert "France" in found.inputs["model.grid"].source
    assert found.inputs["model.pue"].spread.interval[1] < 1.11
    assert found.inputs["person.work"].spread.value == pytest.approx(250 / 371)
    assert "training" in found.absent
    assert not [key for key in found.inputs if key.startswith("training.")]


def test_a_grid_is_what_grid_options_take(tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    path.write_text("value: 44.2\nunit: g CO2e/kWh\nyear: 2024\nsource: Ember\n", encoding="utf-8")
    for typed in (str(path), "44.2", "grid.fra.2024.ecologits-mixes"):
        assert scenario(tmp_path, SCENARIO, f"model.grid={typed}").inputs["model.grid"].spread.value == 44.2


def saved(folder: Path, found: Record) -> Path:
    path = folder / "record.json"
    path.write_text(results.to_json(found), encoding="utf-8")
    return path


def row_at(path: Path, scope: str | None = None) -> MeasuredRow:
    return row_of(results.read(path), str(path), scope)


def test_a_record_brings_its_joules_with_its_own_interval(tmp_path: Path) -> None:
    """300 J a page at scope gpu; absolute interval; its batch, and 10 W (300 J in 30 s) of its one card."""
    row = row_at(saved(tmp_path, record(case=case(batch=4))))
    found = build(
        draft(tmp_path, SCENARIO + EMBODIED + BATCH)
        .changed("model.host=host.gemini")
        .measured(row, "--record x")
    )
    spread = found.inputs["model.energy"].spread
    assert found.scope == "gpu"
    assert spread.value == pytest.approx(300.0)
    assert spread.kind == "normal"
    assert spread.interval == pytest.approx((row.joules.low, row.joules.high))
    assert spread.interval[1] - spread.interval[0] > 2 * 0.05 * 300.0
    assert found.inputs["batch.measured"].spread.value == 4.0
    assert found.inputs["embodied.power"].spread.value == pytest.approx(10.0)
    assert "95 %, absolute" in found.inputs["model.energy"].source


@pytest.mark.parametrize("high_j", [1e200, 1e308])
def test_a_record_of_an_interval_beyond_all_measure_is_refused(tmp_path: Path, high_j: float) -> None:
    """A damaged one: the square of its width overflows."""
    row = replace(row_at(saved(tmp_path, record())), joules=Joules.of(300.0, 299.0, high_j))
    with pytest.raises(CatalogError, match=r"model\.energy: .* cannot be"):
        build(draft(tmp_path).changed("model.host=host.gemini").measured(row, "--record x"))


def test_a_record_of_another_scope_or_unit_is_refused(tmp_path: Path) -> None:
    alone = saved(tmp_path, record())
    with pytest.raises(UsageError, match=r"no joules per page at scope `host`\. Known: gpu"):
        row_at(alone, "host")
    with pytest.raises(CatalogError, match=r"energy of scope `gpu` needs `model\.host`"):
        build(draft(tmp_path).measured(row_at(alone), "--record x"))
    image = saved(tmp_path, record(case=case(unit="image")))
    with pytest.raises(UsageError, match="a record of images, and mine is about pages"):
        draft(tmp_path).measured(row_at(image), "--record x")
    invalid = saved(tmp_path, record(status="invalid", reasons=["throttled: 20 %"]))
    with pytest.raises(UsageError, match="invalid: throttled: 20 %"):
        row_at(invalid)


def test_a_record_of_the_host_needs_no_factor_for_it(tmp_path: Path) -> None:
    each = {GPU: energy(300.0), RAM: energy(5.0, kind="estimated")}
    path = saved(tmp_path, record(blocks=[block(energies=each)] * 5))
    base = draft(tmp_path).changed("model.host=host.gemini").measured(row_at(path, "host"), "--record x")
    assert build(base).inputs["model.energy"].spread.value == pytest.approx(305.0)
    assert "model.host" not in build(base).inputs


def test_a_record_of_the_host_brings_a_cards_share_of_its_power(tmp_path: Path) -> None:
    """305 J in 30 s around one card: the hours are those of the card whichever of the two is counted."""
    each = {GPU: energy(300.0), RAM: energy(5.0, kind="estimated")}
    path = saved(tmp_path, record(blocks=[block(energies=each)] * 5))
    base = draft(tmp_path, SCENARIO + EMBODIED)
    host = build(base.measured(row_at(path, "host"), "--record x"))
    card = build(base.changed("model.host=1").measured(row_at(path, "gpu"), "--record x"))
    assert host.inputs["embodied.power"].spread.value == pytest.approx(305.0 / 30.0)
    assert footprint(host.values()).embodied_g == pytest.approx(footprint(card.values()).embodied_g)


def test_the_editing_part_makes_the_second_side(tmp_path: Path) -> None:
    assert scenario(tmp_path, SCENARIO).sides == ("model",)
    assert scenario(tmp_path, SCENARIO + EDITING).sides == ("model", "together")


def test_the_file_that_the_documentation_shows_is_one(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    found = scenario(tmp_path, example)
    assert found.unit == "image"
    assert found.inputs["person.work"].spread.value == 3.2
    assert found.absent == ("idle", "batch", "training", "embodied", "computer", "upbringing")


OWN = """training: {total: bloom.training, per_day: chatgpt.queries, days: chatgpt.days, queries: query.words}
energy_of: bloom-176b
energy_leaves_out: ["The empty machine is in the energy."]
leaves_out: ["The desk."]
"""


def of_model(folder: Path, model: str) -> MeasuredRow:
    """300 J a page of a card, by that model."""
    return row_at(saved(folder, record(case=case(model=model), label=f"{model} bfloat16")))


def test_what_belonged_to_the_replaced_energy_goes_with_it(tmp_path: Path) -> None:
    """Training of another model and what is said of its energy go; what a record does not bring is named."""
    base = draft(tmp_path, SCENARIO + OWN).changed("model.host=host.bloom")
    own = base.without("model.host")
    assert build(own).leaves_out == ("The desk.", "The empty machine is in the energy.")
    found = build(base.measured(of_model(tmp_path, "llama"), "--record x"))
    assert not any(key.startswith("training") for key in found.inputs)
    assert "training" in found.absent
    assert found.about.endswith(
        "Here its energy is that of a record, llama bfloat16, in place of bloom-176b's."
    )
    assert found.leaves_out[0] == "The desk."
    assert any("states that of bloom-176b, which the record is not" in each for each in found.leaves_out)
    assert found.leaves_out[-1].startswith(
        "Stated for bloom-176b and where it ran, not for the record: model.host"
    )
    assert not any("empty machine" in each for each in found.leaves_out)


def test_a_record_of_the_very_model_keeps_its_training(tmp_path: Path) -> None:
    base = draft(tmp_path, SCENARIO + OWN).changed("model.host=host.bloom")
    found = build(base.measured(of_model(tmp_path, "bloom-176b"), "--record x"))
    assert "training.total" in found.inputs
    assert not any("Training" in each for each in found.leaves_out)


def test_what_is_stated_anew_is_no_other_models(tmp_path: Path) -> None:
    base = draft(tmp_path, SCENARIO + OWN).changed("model.host=host.bloom")
    found = base.measured(of_model(tmp_path, "llama"), "--record x")
    for change in (
        *(f"{key}=1" for key in ("model.host", "model.grid", "model.pue", "training.days")),
        *("training.total=9", "training.per_day=5", "training.queries=1"),
    ):
        found = found.changed(change)
    assert build(found).leaves_out == ("The desk.",)


@pytest.mark.parametrize("name", ["critics", "tomlinson2024"])
def test_a_llama_record_stands_beside_nothing_of_blooms_unnamed(tmp_path: Path, name: str) -> None:
    found = build(find(name).measured(of_model(tmp_path, "llama"), "--record x").changed("model.host=1"))
    assert "training" in found.absent
    assert not any("82 %" in each for each in found.leaves_out)
    named = next(each for each in found.leaves_out if each.startswith("Stated for bloom-176b"))
    for key, each in found.inputs.items():
        if "bloom" in each.given.lower() or "bloom" in each.source:
            assert key in named, key
    own = build(find(name).measured(of_model(tmp_path, "bloom-176b"), "--record x").changed("model.host=1"))
    assert "training" not in own.absent
