"""`footprint scenario --record`: what a CPU or a whole run brings, and the lines that the docs show."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.core.record import Record
from bench.store import results
from tests.cli.conftest import Typed
from tests.support.factory import CPU, RAM, block, case, energy, record
from tests.support.processes import ROOT
from tests.support.reported import toy

FEW = ("--draws", "2000")
RUN = "20261122t022401-3fa9c1"
DRAWING = {"unit": "image", "engine": "image", "options": {"width": 512, "height": 512, "steps": 20}}
SHOWN = re.compile(
    r"(?:python -m|scripts/)\s?bench "
    r"(?P<line>footprint scenario [^`\n#|]*--record latest(?! --drafts)[^`\n#|]*)"
)


def of_cpu(joules: float = 300.0, **more: Any) -> Record:
    """A record of a laptop without a card: processor and memory, both estimated, 30 s a page."""
    each = {CPU: energy(joules, kind="estimated"), RAM: energy(5.0, kind="estimated")}
    return record(**({"blocks": [block(energies=each, tokens=340)] * 5} | more))


Kept = Callable[..., None]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A function that stores records of one run, each a minute after the one before."""

    def save(*records: Record) -> None:
        folder = tmp_path / "results" / "machine"
        folder.mkdir(parents=True)
        for number, each in enumerate(records):
            dated = each.model_copy(update={"run_id": RUN, "created": f"2026-11-22T02:{number:02d}:00Z"})
            (folder / f"{number}.json").write_text(results.to_json(dated))

    return save


def test_a_record_without_a_card_leaves_the_making_of_cards_out_with_a_note(typed: Typed, kept: Kept) -> None:
    kept(of_cpu())
    done = typed(
        "footprint", "scenario", "collaboration", "--record", "latest", "--scope", "host", "--json", *FEW
    )
    assert done.status == 0, done.err
    assert "Making of the devices is not counted: collaboration states that of cards" in done.err
    found = json.loads(done.out)
    assert "embodied" in found["not_counted"]
    assert found["inputs"]["model.energy"]["value"] == pytest.approx(305.0)
    assert "model.host" not in found["inputs"], "processor and memory are in the joules already"
    assert found["grams"]["embodied_g"]["value"] == 0
    assert any(note.startswith("Making of the devices is not counted") for note in found["left_out"])


def test_the_making_of_a_device_of_ones_own_is_counted_beside_a_cpu(typed: Typed, kept: Kept) -> None:
    """305 J at 30 W are 10.2 s of four years, of a computer of 200 kg."""
    kept(of_cpu())
    own = ("embodied.made=200", "embodied.lifetime=4", "embodied.utilisation=1", "embodied.power=30")
    sets = [word for each in own for word in ("--set", each)]
    done = typed("footprint", "scenario", "collaboration", "--record", "latest", *sets, "--json", *FEW)
    assert (done.status, done.err) == (0, "")
    expected = 200_000 * (305 / 30 / 3600) / (4 * 8760)
    assert json.loads(done.out)["grams"]["embodied_g"]["value"] == pytest.approx(expected)


def test_of_several_records_the_newest_of_the_unit_is_taken(typed: Typed, kept: Kept) -> None:
    drawn = of_cpu(9000.0, case=case(model="sdxl", **DRAWING), label="sdxl")
    kept(of_cpu(200.0, case=case(batch=4)), of_cpu(300.0, label="the newer page"), drawn, toy())
    done = typed("footprint", "scenario", "collaboration", "--record", "latest", "--json", *FEW)
    assert done.status == 0, done.err
    assert "latest: 4 records; taken is the newest of a page: the newer page" in done.err
    assert json.loads(done.out)["inputs"]["model.energy"]["value"] == pytest.approx(305.0)
    done = typed("footprint", "scenario", "collaboration-image", "--record", "latest", "--json", *FEW)
    assert json.loads(done.out)["inputs"]["model.energy"]["value"] == pytest.approx(9005.0)


def test_toys_alone_are_one_short_sentence_with_two_ways_out(typed: Typed, kept: Kept) -> None:
    kept(toy(), toy(12.0, batch=4))
    done = typed("footprint", "scenario", "critics", "--record", "latest")
    assert (done.status, done.out) == (2, "")
    text = " ".join(done.err.split())
    assert "latest: 2 of 2 records are of toy models." in text
    assert "bench footprint people` compares without a record" in text
    assert "bench run bloom-560m" in text
    assert "results/machine" not in text


def test_no_record_of_the_unit_names_the_units_there(typed: Typed, kept: Kept) -> None:
    kept(of_cpu(), of_cpu(250.0, case=case(batch=4)))
    done = typed("footprint", "scenario", "critics-image", "--record", "latest")
    assert (done.status, done.out) == (2, "")
    assert "none of 2 records has joules per image" in done.err
    assert "Units there: page." in done.err


def lines() -> list[str]:
    """Comparisons of the newest run with a person, as README and docs show them."""
    pages = (ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").rglob("*.md")))
    texts = (page.read_text(encoding="utf-8") for page in pages if page.name not in ("log.md",))
    return sorted({match["line"].strip() for text in texts for match in SHOWN.finditer(text)})


@pytest.mark.parametrize("line", lines())
@pytest.mark.parametrize("weights", ["hub", "random"])
def test_the_lines_of_the_docs_work_with_a_laptops_records(
    line: str, weights: str, typed: Typed, kept: Kept
) -> None:
    own = case(weights=dict(case()["weights"], kind=weights))
    drawn = of_cpu(9000.0, case=case(model="sdxl", **DRAWING))
    kept(toy(), of_cpu(case=own), drawn)
    done = typed(*shlex.split(line), *FEW)
    assert done.status == 0, done.err
    assert "by a person alone emits" in done.out


def test_the_docs_show_such_lines() -> None:
    assert any("--scope host" in line for line in lines())
    assert "scenario critics --record latest" in " ".join(lines())


def test_joules_of_a_wide_interval_stay_above_0(typed: Typed, kept: Kept) -> None:
    """A processor's estimate is ±56 %: normal draws would go below 0 J, lognormal ones keep the median."""
    kept(of_cpu())
    done = typed("footprint", "scenario", "collaboration", "--record", "latest", "--json", *FEW)
    found = json.loads(done.out)["inputs"]["model.energy"]
    assert found["distribution"] == "lognormal"
    assert 0 < found["low"] < found["value"] < found["high"]
    assert found["low"] * found["high"] == pytest.approx(found["value"] ** 2)
