"""Verbs over damaged records: each command line answers, refuses in a sentence, or is a finding."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from bench.cli.verbs import VERBS
from bench.errors import RecordError
from scripts.torture import readers, verb_lines
from scripts.torture.mutants import mutant
from scripts.torture.verb_lines import VERB_LINES, VerbFaultError
from tests.support.sample import run, save

ELSEWHERE = {
    "run", "list", "doctor", "watch", "ab", "import-trace", "calibrate", "init ci", "charts",
    "roofline peaks", "footprint people", "footprint ratings", "footprint import",
    "fleet status", "fleet slurm", "fleet ssh", "fleet meter",
}  # fmt: skip
"""Verbs that read no record that is named, and the one that draws what `report` has."""


def test_every_verb_that_reads_a_record_has_a_line() -> None:
    lined = {verb for verb in VERBS if any(f"{line} ".startswith(f"{verb} ") for line in VERB_LINES)}
    assert lined | ELSEWHERE == VERBS.keys()
    assert not lined & ELSEWHERE


def reversed_ends(figures: Any) -> None:
    for estimate in _intervals(figures):
        estimate["low"], estimate["high"] = estimate["high"], estimate["low"]


def negative(figures: Any) -> None:
    for estimate in _intervals(figures):
        estimate |= {key: -estimate[key] for key in ("value", "low", "high")}


def above_its_interval(figures: Any) -> None:
    for estimate in _intervals(figures):
        estimate["value"] = 1e300


def _intervals(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, dict) and isinstance(part.get("low"), float):
        return [part]
    items = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [found for item in items for found in _intervals(item)]


READ_FIGURES = [
    line for line in VERB_LINES if line.split()[1] in ("record", "cost", "projection", "scenario")
]


def damaged(folder: Path, change: Callable[[Any], None]) -> Path:
    path = save(folder / "damaged" / "a.json", run(300.0, random.Random(1), tokens=340))
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def refused(words: str, folder: Path, change: Callable[[Any], None]) -> str:
    """The sentence that refuses a record whose figures were changed."""
    path = damaged(folder, lambda document: change(document["figures"]))
    good = save(folder / "good" / "a.json", run(300.0, random.Random(2), tokens=340))
    status, said = verb_lines.line(words, path, good, folder)
    assert status == 2
    assert "fault in joulebench" not in said
    return said


@pytest.mark.parametrize("change", [reversed_ends, negative, above_its_interval])
@pytest.mark.parametrize("words", READ_FIGURES)
def test_an_interval_that_cannot_be_is_a_sentence(
    words: str, change: Callable[[Any], None], tmp_path: Path
) -> None:
    assert "is outside its interval" in refused(words, tmp_path, change)


@pytest.mark.parametrize("words", READ_FIGURES)
def test_a_figure_that_is_a_sum_of_nothing_is_a_sentence(words: str, tmp_path: Path) -> None:
    """Shares of a card were its joules over the number of cards."""
    said = refused(words, tmp_path, lambda figures: figures["power_w"]["gpu"].update(domains={}))
    assert "figures.power_w.gpu.domains" in said


@pytest.mark.parametrize(
    "limit", [700, 10**400, [], "700", {"a": 1}, -1e300], ids=lambda limit: str(limit)[:9]
)
@pytest.mark.parametrize(
    "words", [each for each in VERB_LINES if each.startswith(("compare --across", "roofline"))]
)
def test_a_power_limit_that_cannot_be_is_a_sentence_or_a_column(
    words: str, limit: object, tmp_path: Path
) -> None:
    def change(document: Any) -> None:
        card = {"uuid": "GPU-00000000-1111-2222-3333-444444444444", "name": "A", "power_limit_w": limit}
        document["machine"] |= {"gpus": [card], "metered": [card["uuid"]], "power_limit_w": limit}

    path = damaged(tmp_path, change)
    good = save(tmp_path / "good" / "a.json", run(300.0, random.Random(2), tokens=340))
    status, said = verb_lines.line(words, path, good, tmp_path)
    assert status in (0, 2), said
    assert "fault in joulebench" not in said
    assert "Traceback" not in said


def test_joules_below_zero_are_nobodys_footprint(tmp_path: Path) -> None:
    """The figures agree with themselves here: only the sign cannot be."""

    def change(document: Any) -> None:
        figure = document["figures"]["energy_per_unit_j"]["gpu"]["gross"]
        figure |= {"value": -300.0, "low": -310.0, "high": -290.0}
        document["figures"]["uncertainty"] = None

    path = damaged(tmp_path, change)
    status, said = verb_lines.line("footprint cost DAMAGED", path, path, tmp_path)
    assert status == 2
    assert "no joules per page" in said


def test_a_fault_of_a_verb_is_a_finding_and_a_refusal_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KeyError("a key")

    def refuse() -> None:
        raise RecordError("it is damaged")

    params: list[click.Parameter] = [click.Argument(["names"], nargs=-1, expose_value=False)]
    params.append(click.Option(["--results"], expose_value=False))
    path = damaged(tmp_path, lambda document: document.update(label="damaged"))
    for broken, expected in ((fail, VerbFaultError), (refuse, RecordError)):
        command = click.Command("show", callback=broken, params=params)
        monkeypatch.setattr("bench.cli.show.command", command)
        monkeypatch.setattr(verb_lines, "VERB_LINES", ("show DAMAGED",))
        with pytest.raises(expected):
            verb_lines.read_by_a_verb(path)


def test_verbs_answer_or_refuse_a_few_damaged_records(tmp_path: Path) -> None:
    good = readers._records(tmp_path)
    statuses: dict[int, int] = {}
    for number, words in enumerate(VERB_LINES):
        chance = random.Random(f"verbs-{number}")
        path = tmp_path / f"damaged-{number}" / "a.json"
        path.parent.mkdir()
        path.write_bytes(mutant(chance, chance.choice(good), "values"))
        status, said = verb_lines.line(words, path, tmp_path / "good" / "a.json", path.parent)
        assert "fault in joulebench" not in said, words
        assert "Traceback" not in said, words
        statuses[status] = statuses.get(status, 0) + 1
    assert statuses.keys() <= {0, 1, 2, 3}
    assert statuses[0] > 3
