"""A mistake in models.yaml is shown with file, line, key path, what was expected, and the nearest name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.catalog.sample import SAMPLE, changed, line_of, loaded, refusal, write


class Mistake(NamedTuple):
    """One edit of the sample, the key path it must be reported at, and words the report must hold.

    The line reported must be one of the new text's, or the one that begins with `at`.
    """

    old: str
    new: str
    place: str
    says: tuple[str, ...]
    at: str | None = None


UNKNOWN_KEYS = {
    "at the top": Mistake("suites:\n", "suits:\n", "suits", ("unknown key", 'Did you mean "suites"?')),
    "in the defaults": Mistake(
        "  country: USA", "  country: USA\n  contry: USA", "defaults.contry", ('Did you mean "country"?',)
    ),
    "in an engine's defaults": Mistake(
        "    static_cache: false",
        "    static_cache: false\n    new_token: 3",
        "defaults.text.new_token",
        ("unknown key", 'Did you mean "new_tokens"?'),
    ),
    "in the measure defaults": Mistake(
        "    min_blocks: 5",
        "    min_blocks: 5\n    idle_second: 3",
        "defaults.measure.idle_second",
        ('Did you mean "idle_seconds"?',),
    ),
    "in a model": Mistake(
        "    hub_id: Qwen/Qwen3-8B",
        "    hub_id: Qwen/Qwen3-8B\n    licenses: x",
        "models.hub-writer.licenses",
        ("unknown key", 'Did you mean "licence"?'),
    ),
    "in a model's defaults": Mistake(
        "steps: 4,", "step: 4,", "models.painter.defaults.step", ('Did you mean "steps"?',)
    ),
    "in a suite": Mistake(
        "    weights: random", "    weigths: random", "suites.made-up.weigths", ('Did you mean "weights"?',)
    ),
    "in a suite's axes": Mistake(
        "    weights: random",
        "    sweep: {bacth: [1, 2]}",
        "suites.made-up.sweep.bacth",
        ("unknown key", 'Did you mean "batch"?'),
    ),
    "in a suite's exclusions": Mistake(
        "    weights: random",
        "    exclude: [{bacth: 2}]",
        "suites.made-up.exclude[0].bacth",
        ("unknown key", 'Did you mean "batch"?'),
    ),
    "in a case": Mistake(
        "{model: writer, batch: 8}",
        "{model: writer, bach: 8}",
        "suites.short.cases[1].bach",
        ("unknown key", 'Did you mean "batch"?'),
    ),
    "in a suite's measure": Mistake(
        "{max_seconds: 20}",
        "{max_second: 20}",
        "suites.short.measure.max_second",
        ('Did you mean "max_seconds"?',),
    ),
    "near nothing": Mistake(
        "    weights: random",
        "    zzz: random",
        "suites.made-up.zzz",
        ("Known: cases, doc, exclude, measure, order, order_seed, place, sweep, weights.",),
    ),
}

WRONG_VALUES = {
    "misspelt dtype": Mistake(
        "    dtype: bfloat16\n    batch: 1",
        "    dtype: bf16\n    batch: 1",
        "defaults.text.dtype",
        ("'bf16'", "one of bfloat16, float16, float32", 'Did you mean "bfloat16"?'),
    ),
    "misspelt engine": Mistake(
        "engine: image", "engine: imag", "models.painter.engine", ("text, image", 'Did you mean "image"?')
    ),
    "misspelt unit": Mistake("unit: image", "unit: Image", "models.painter.unit", ('Did you mean "image"?',)),
    "misspelt weights": Mistake(
        "weights: random", "weights: ramdom", "suites.made-up.weights", ('Did you mean "random"?',)
    ),
    "another schema": Mistake("schema: 1", "schema: 2", "schema", ("found 2", "1")),
    "batch as text": Mistake(
        "batch: 8", 'batch: "8"', "suites.short.cases[1].batch", ("found '8'", "expected a whole number")
    ),
    "batch of none": Mistake("batch: 8", "batch: 0", "suites.short.cases[1].batch", ("found 0", "greater")),
    "batch below none": Mistake("batch: 8", "batch: -8", "suites.short.cases[1].batch", ("-8", "greater")),
    "half a step": Mistake(
        "steps: 4", "steps: 1.5", "models.painter.defaults.steps", ("found 1.5", "expected a whole number")
    ),
    "steps as truth": Mistake(
        "steps: 4", "steps: true", "models.painter.defaults.steps", ("True", "expected a whole number")
    ),
    "odd width": Mistake("width: 64", "width: 65", "models.painter.defaults.width", ("65", "multiple of 8")),
    "huge width": Mistake("width: 64", "width: 80000", "models.painter.defaults.width", ("80000", "8192")),
    "gated maybe": Mistake(
        "    gated: false\n    parameters_b: 0.559",
        "    gated: maybe\n    parameters_b: 0.559",
        "models.writer.gated",
        ("'maybe'", "expected true or false"),
    ),
    "number as text": Mistake(
        "memory_gb: 1.1", 'memory_gb: "1.1"', "models.writer.memory_gb", ("'1.1'", "expected a number")
    ),
    "text as number": Mistake(
        "family: Qwen", "family: 3", "models.hub-writer.family", ("found 3", "put it in quotes")
    ),
    "text as date": Mistake(
        "family: Qwen", "family: 2024-01-31", "models.hub-writer.family", ("put it in quotes",)
    ),
    "not a number": Mistake(
        "guidance: 7.5", "guidance: .nan", "models.painter.defaults.guidance", ("nan", "finite number")
    ),
    "without end": Mistake(
        "guidance: 7.5", "guidance: .inf", "models.painter.defaults.guidance", ("inf", "finite number")
    ),
    "overflow": Mistake(
        "guidance: 7.5", "guidance: 1.0e+999", "models.painter.defaults.guidance", ("finite number",)
    ),
    "forty-digit number": Mistake(
        "batch: 8", f"batch: {'9' * 40}", "suites.short.cases[1].batch", ("too large a number",)
    ),
    "too many digits": Mistake(
        "batch: 8", f"batch: {'9' * 5000}", "suites.short.cases[1].batch", ("'99999", "...")
    ),
    "hexadecimal giant": Mistake(
        "guidance: 7.5", f"guidance: 0x{'f' * 5000}", "models.painter.defaults.guidance", ("too large",)
    ),
    "no date": Mistake(
        "batch: 8", "batch: 2024-13-45", "suites.short.cases[1].batch", ("'2024-13-45'", "not a value")
    ),
    "half a character": Mistake(
        "family: Qwen", 'family: "\\ud800"', "models.hub-writer.family", ("not a value YAML can read",)
    ),
    "target of all": Mistake("target: 0.02", "target: 1", "defaults.measure.target", ("less than 1",)),
    "too few blocks": Mistake("min_blocks: 5", "min_blocks: 4", "defaults.measure.min_blocks", ("4", "5")),
    "country in words": Mistake("country: USA", "country: Germany", "defaults.country", ("'Germany'",)),
    "short revision": Mistake(
        "revision: main", "revision: abc123", "models.hub-writer.revision", ("abc123",)
    ),
    "branch as revision": Mistake("revision: main", "revision: dev", "models.hub-writer.revision", ("main",)),
    "list for a mapping": Mistake(
        "defaults: {new_tokens: 200}",
        "defaults: [200]",
        "models.writer.defaults",
        ("[200]", "expected keys with their values"),
    ),
    "text for a case": Mistake(
        "- {model: painter}", "- painter", "suites.short.cases[2]", ("'painter'", "expected keys")
    ),
    "nothing for a model": Mistake(
        "models:\n", "models:\n  empty:\n", "models.empty", ("None", "expected keys with their values")
    ),
    "no cases": Mistake(
        "    cases:\n      - model: writer\n        new_tokens: 16\n",
        "    cases: []\n",
        "suites.made-up.cases",
        ("at least one value",),
    ),
}

MISSING_KEYS = {
    "schema": Mistake("schema: 1\n", "", "schema", ("this key is missing",), "defaults:"),
    "country": Mistake("  country: USA\n", "", "defaults.country", ("this key is missing",), "defaults:"),
    "default batch": Mistake("    batch: 1\n", "", "defaults.text.batch", ("missing",), "  text:"),
    "default dtype that is empty": Mistake(
        "    dtype: bfloat16\n    batch: 2",
        "    dtype:\n    batch: 2",
        "defaults.image.dtype",
        ("this key is missing",),
    ),
    "default target": Mistake(
        "    target: 0.02\n", "", "defaults.measure.target", ("missing",), "  measure:"
    ),
    "licence": Mistake(
        "    licence: apache-2.0\n", "", "models.hub-writer.licence", ("missing",), "  hub-writer:"
    ),
    "doc": Mistake("    doc: Random weights.\n", "", "suites.made-up.doc", ("missing",), "  made-up:"),
    "model of a case": Mistake("{model: painter}", "{batch: 2}", "suites.short.cases[2].model", ("missing",)),
}

POINTING_NOWHERE = {
    "unknown model in a suite": Mistake(
        "{model: painter}",
        "{model: paintr}",
        "suites.short.cases[2].model",
        ('unknown model "paintr"', 'Did you mean "painter"?'),
    ),
    "unknown architecture": Mistake(
        "architecture: bloom-560m",
        "architecture: bloom-560",
        "models.writer.architecture",
        ('unknown architecture "bloom-560"', 'Did you mean "bloom-560m"?'),
    ),
    "architecture outside its folder": Mistake(
        "architecture: bloom-560m",
        "architecture: ../../x",
        "models.writer.architecture",
        ("unknown architecture",),
    ),
    "text model with steps": Mistake(
        "{model: writer, batch: 8}",
        "{model: writer, steps: 8}",
        "suites.short.cases[1].steps",
        ("`steps` means nothing to a text model",),
    ),
    "image model with new_tokens": Mistake(
        "{model: painter}",
        "{model: painter, new_tokens: 8}",
        "suites.short.cases[2].new_tokens",
        ("`new_tokens` means nothing to an image model",),
    ),
    "image defaults with a cache": Mistake(
        "steps: 4,",
        "steps: 4, static_cache: true,",
        "models.painter.defaults.static_cache",
        ("means nothing",),
    ),
    "text defaults with a size": Mistake(
        "    new_tokens: 340", "    new_tokens: 340\n    width: 64", "defaults.text.width", ("means nothing",)
    ),
    "text model that makes images": Mistake(
        "    unit: page\n    family: Qwen",
        "    unit: image\n    family: Qwen",
        "models.hub-writer.unit",
        ("a text model does not make images",),
    ),
    "neither hub nor architecture": Mistake(
        "    architecture: tiny-stable-diffusion\n",
        "",
        "models.painter",
        ("needs a hub_id, an architecture, or both",),
        "  painter:",
    ),
    "hub without a revision": Mistake(
        "    revision: main\n", "", "models.hub-writer", ("a hub_id needs a revision",), "  hub-writer:"
    ),
    "random weights of an unknown shape": Mistake(
        "      - model: writer",
        "      - model: hub-writer",
        "suites.made-up.cases[0]",
        ("`hub-writer` has no architecture",),
    ),
    "hub weights of a model without any": Mistake(
        "{model: painter}",
        "{model: painter, weights: hub}",
        "suites.short.cases[2].weights",
        ("`painter` has no weights on a hub",),
    ),
    "suite named like a model": Mistake(
        "  made-up:\n", "  painter:\n", "suites.painter", ("a model is called `painter` too",)
    ),
}

NAMES = {
    "path separator": "a/b",
    "way up": "../a",
    "upper case": "Bloom",
    "space": "a b",
    "empty": "",
    "hidden": ".a",
    "too long": "a" * 65,
    "line break": "bloom\\n",
    "escape": "a\\e[31mb",
    "not ASCII": "modèle",
}


def expect(folder: Path, mistake: Mistake) -> None:
    """The first line of the refusal names file, line and key path; all of it holds the expected words."""
    text = changed(mistake.old, mistake.new)
    path = write(folder, text)
    lines = refusal(path).splitlines()
    found = [line for line in lines if f": {mistake.place}: " in line]
    assert found, lines
    assert all(words in found[0] for words in mistake.says), found[0]
    first = line_of(f"\n{mistake.at}", text) + 1 if mistake.at else line_of(mistake.old, SAMPLE)
    lines_of_edit = range(first, first + 1 + (0 if mistake.at else mistake.new.count("\n")))
    file, line, *_ = found[0].split(":")
    assert (file, int(line) in lines_of_edit) == (str(path), True), found[0]


@pytest.mark.parametrize("mistake", UNKNOWN_KEYS.values(), ids=UNKNOWN_KEYS)
def test_an_unknown_key_is_refused_with_the_nearest_one(mistake: Mistake, tmp_path: Path) -> None:
    expect(tmp_path, mistake)


@pytest.mark.parametrize("mistake", WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_a_wrong_value_is_refused_with_what_was_expected(mistake: Mistake, tmp_path: Path) -> None:
    expect(tmp_path, mistake)


@pytest.mark.parametrize("mistake", MISSING_KEYS.values(), ids=MISSING_KEYS)
def test_a_missing_key_is_named(mistake: Mistake, tmp_path: Path) -> None:
    expect(tmp_path, mistake)


@pytest.mark.parametrize("mistake", POINTING_NOWHERE.values(), ids=POINTING_NOWHERE)
def test_an_entry_that_makes_no_sense_is_refused(mistake: Mistake, tmp_path: Path) -> None:
    expect(tmp_path, mistake)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_that_cannot_be_part_of_a_file_name_is_refused(name: str, tmp_path: Path) -> None:
    for old, kind in (("  hub-writer:", "models"), ("  made-up:", "suites")):
        key = f'"{name}":'
        text = changed(old, f"  {key}")
        path = write(tmp_path, text)
        message = refusal(path)
        assert message.startswith(f"{path}:{line_of(key, text)}: {kind}.")
        assert "a name is small letters, digits" in message


def test_every_mistake_is_listed_not_only_the_first(tmp_path: Path) -> None:
    text = changed("batch: 8", "batch: none", changed("steps: 4", "steps: 0", changed("USA", "U")))
    message = refusal(write(tmp_path, text)).splitlines()
    assert len(message) == 3
    assert ["country" in message[0], "steps" in message[1], "batch" in message[2]] == [True] * 3


def test_the_nearest_key_is_looked_for_in_the_right_mapping_whatever_the_names(tmp_path: Path) -> None:
    """A model may be called like a key of a model; its keys are still those of a model."""
    text = changed("  hub-writer:\n    engine: text", "  defaults:\n    engin: text")
    message = refusal(write(tmp_path, text))
    assert 'models.defaults.engin: unknown key. Did you mean "engine"?' in message


def test_the_nearest_name_is_found_whatever_its_case(tmp_path: Path) -> None:
    text = changed("{model: painter}", "{model: PAINTER}")
    assert 'Did you mean "painter"?' in refusal(write(tmp_path, text))


def test_a_message_stays_short_and_printable_whatever_stood_in_the_file(tmp_path: Path) -> None:
    hostile = '"\\e]0;title\\a\\u202e' + "x" * 20_000 + '"'
    text = changed("country: USA", f"country: {hostile}")
    message = refusal(write(tmp_path, changed("engine: image", f"engine: {hostile}", text)))
    assert len(message.splitlines()) == 2
    assert all(len(line) < 400 and line.isprintable() for line in message.splitlines())


def test_a_whole_number_is_taken_where_a_fraction_may_stand(tmp_path: Path) -> None:
    kept = loaded(tmp_path, changed("guidance: 7.5", "guidance: 7"))
    assert repr(kept.models["painter"].defaults.keys_set()["guidance"]) == "7.0"


def test_the_sample_itself_is_without_mistakes(tmp_path: Path) -> None:
    kept = loaded(tmp_path)
    assert list(kept.models) == ["writer", "hub-writer", "painter"]
    assert list(kept.suites) == ["short", "made-up"]
