"""The parts are the suite's own cases, each short enough; probes and cross-checks tell what is so."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.catalog import loading
from bench.catalog.cases import Overrides, plan
from bench.core.record import Record
from bench.errors import UsageError
from bench.store import results
from scripts.evidence import findings, packing, page, plans, rehearsal, state, tables, wheels
from scripts.evidence.crosscheck import PAIRINGS, checks
from scripts.evidence.parts import CALL_MINUTES, RESULTS, START_UP_S, SUITE, arguments, parts
from tests.cli.conftest import Typed, typed  # noqa: F401 - a fixture
from tests.standin import StandIn
from tests.support.factory import block, case, record
from tests.support.metering import MS
from tests.support.processes import ROOT

CATALOGUE = loading.load(ROOT / "models.yaml")
PARTS = parts(CATALOGUE, memory_gb=85.0)
"""On a card of 80 GiB."""


def test_every_part_that_is_done_fits_into_one_call() -> None:
    for part in PARTS:
        fits = part.seconds + START_UP_S <= 60 * CALL_MINUTES
        assert fits == ("--minutes" not in str(part.left_out)), part.name
    assert len({part.name for part in PARTS}) == len(PARTS)
    too_long = [part.name for part in PARTS if "--minutes" in str(part.left_out)]
    assert all(mode in name for name in too_long for mode in ["compile-mode"])
    assert any("max-autotune" in name for name in too_long)


def test_a_part_left_out_is_done_in_the_call_or_on_the_card_that_it_names() -> None:
    for part in PARTS:
        if found := re.search(r"--minutes (\d+)", str(part.left_out)):
            longer = parts(CATALOGUE, memory_gb=85.0, minutes=float(found[1]))
            assert part.name in {each.name for each in longer if each.left_out is None}
    left_out = {part.name: part.left_out for part in PARTS if part.left_out}
    assert "of memory, and the card has 85" in str(left_out["flux.2-dev-round-1"])
    assert "flux.2-dev-round-1" not in {p.name for p in parts(CATALOGUE, memory_gb=150.0) if p.left_out}


def test_what_a_probe_or_verb_prints_is_named_after_its_part() -> None:
    """Logs and answers are brought home by that name."""
    assert {Path(part.keep).stem for part in PARTS if part.keep} == {part.name for part in PARTS if part.keep}


def test_what_a_rehearsal_adds_belongs_to_a_part() -> None:
    """An argument for a verb that no part has any more leaves its part on a card that is not there."""
    verbs = {part.verb for part in PARTS}
    assert verbs >= rehearsal.SHORT.keys()
    assert verbs >= rehearsal.MODULES.keys()


def documented() -> dict[str, tuple[str, int]]:
    """The plans in docs/gpu-evidence.md: what it says of the parts, and the minutes."""
    text = (ROOT / "docs" / "gpu-evidence.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (\d+) min \|$", text, flags=re.MULTILINE)
    return {name: (words, int(minutes)) for name, words, minutes in rows}


@pytest.mark.parametrize("name", plans.PLANS)
def test_a_plan_takes_the_minutes_that_the_documentation_says(name: str) -> None:
    chosen = plans.chosen(PARTS, name, ())
    seconds = sum(part.seconds for part in chosen if part.left_out is None)
    words, minutes = documented()[name]
    assert minutes == math.ceil(seconds / 60)
    named = len(words.split("; ")) + (name != "first") - words.endswith("all that is left")
    assert named == len(plans.PLANS[name]), "access and the parts in words"


def test_plans_for_a_borrowed_machine_have_only_parts_that_fit_one_call_and_the_card() -> None:
    for name in plans.PLANS:
        chosen = {part.name: part for part in plans.chosen(PARTS, name, ())}
        assert {chosen[part].left_out for part in plans.PLANS[name]} == {None}
        assert next(iter(chosen.values())).vital
    half_hour = sum(part.seconds for name in ("first", "half-hour") for part in plans.chosen(PARTS, name, ()))
    assert half_hour < 30 * 60


def test_every_part_comes_once_and_what_is_borrowed_for_minutes_comes_first() -> None:
    everything = [part.name for part in plans.chosen(PARTS, None, ())]
    assert sorted(everything) == sorted(part.name for part in PARTS)
    in_order = [part.name for name in plans.PLANS for part in plans.chosen(PARTS, name, ())]
    assert everything == list(dict.fromkeys(in_order))


def test_parts_are_chosen_by_name_after_the_one_that_all_rest_on() -> None:
    assert [part.name for part in plans.chosen(PARTS, None, ("aa", "sensor"))] == ["access", "aa", "sensor"]
    with pytest.raises(UsageError, match="sensors: unknown part"):
        plans.chosen(PARTS, None, ("sensors",))
    with pytest.raises(UsageError, match="--plan and --parts exclude each other"):
        plans.chosen(PARTS, "first", ("sensor",))


def test_a_part_measures_the_very_case_of_the_suite(typed: Typed) -> None:  # noqa: F811
    suite = typed(
        "run", SUITE, "--models", ROOT / "models.yaml", "--device", "cpu", "--dry-run"
    ).out.splitlines()
    small = [item for item in plan(CATALOGUE, [SUITE], Overrides()) if item.case.model.memory_gb < 2.5]
    assert {item.case.model.unit for item in small} == {"page", "image"}
    for item in small:
        done = typed(
            "run", *arguments(item), "--models", ROOT / "models.yaml", "--device", "cpu", "--dry-run"
        )
        assert done.out.strip() in suite, done.err


def images(joules: float, **options: object) -> Record:
    asked = {"steps": 28, "width": 1024, "height": 1024, "guidance": 4.5, "scheduler": None} | options
    weights = case()["weights"] | {"kind": "random", "architecture": "sd3.5-medium"}
    of = case(model="sd3.5-medium", engine="image", unit="image", options=asked, weights=weights)
    spread = (-0.01, 0.0, 0.01, 0.0, 0.002)
    return record(case=of, blocks=[block(10 * joules * (1 + each), units=10.0, items=10) for each in spread])


def test_a_figure_like_the_published_one_is_within_its_bounds() -> None:
    (check,) = checks([images(1581.0)])
    assert check.ratio == pytest.approx(1.0, abs=0.01)
    assert check.within is True
    (far,) = checks([images(400.0)])
    assert far.within is False
    (unlike,) = checks([images(1581.0, steps=10)])
    assert (unlike.ratio, unlike.why) == (None, "no ratio: steps 10 here, 28.0 there")


def test_each_pairing_is_a_case_of_the_suite() -> None:
    cases = {(item.case.name, item.case.batch) for item in plan(CATALOGUE, [SUITE], Overrides())}
    assert {(each.model, each.batch) for each in PAIRINGS} <= cases


def test_the_page_shows_records_of_a_gpu_and_what_was_found_beside_them(tmp_path: Path) -> None:
    assert "No record of a GPU is in results/ yet" in page.page(tmp_path)
    folder = tmp_path / "a-card"
    (folder / findings.FOLDER).mkdir(parents=True)
    made = images(1581.0)
    (folder / "image.json").write_text(results.to_json(made), encoding="utf-8")
    repeat = findings._repeat([made, images(1600.0)])
    assert repeat.apart == pytest.approx(19 / 1581, rel=0.01)
    assert repeat.cv == pytest.approx(0.0076, rel=0.1)
    found = findings.Findings(
        created="2026-01-01T00:00:00Z",
        card="GPU-1",
        card_name="a card",
        machine="a-card",
        calibrations=[],
        access=None,
        attention=None,
        sensor=None,
        beside=None,
        cost=None,
        repeats=[repeat],
        itself=[],
        checks=list(checks([made])),
        absent={"sensor": "not done yet"},
    )
    path = folder / findings.FOLDER / "gpu-1.json"
    path.write_text(findings.to_json(found), encoding="utf-8")
    text = page.page(tmp_path)
    for said in ("random weights, true architecture", "| 1580 |", "Against published figures of an H100"):
        assert said in text
    assert "sensor: not done yet" in text
    assert "US person" in text
    assert tables.REHEARSED not in text


def test_the_committed_page_is_what_the_committed_records_give() -> None:
    written = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert written == page.page(ROOT / "results"), "run scripts/gpu-evidence page"


def test_every_wheel_has_a_tested_version_and_nothing_is_missing_here() -> None:
    assert len(list(wheels.pinned())) == len(wheels.CARRIED)
    assert wheels.unmet() == []


def test_what_is_missing_or_too_old_is_named_except_what_only_readers_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = wheels._installed
    there = {"pydantic": "1.10.0", "diffusers": None}
    monkeypatch.setattr(wheels, "_installed", lambda name: there.get(name, real(name)))
    missing = wheels.unmet()
    assert {re.split(r"[^a-z]", text)[0] for text in missing} == {"diffusers", "pydantic"}
    assert "(not installed)" in missing[0]
    assert all("(installed: 1.10.0)" in text for text in missing[1:])


def test_a_probe_prints_one_document_whatever_a_library_prints(standin: StandIn) -> None:
    program = (
        "import ctypes, sys\n"
        "from scripts.evidence import probing\n"
        "def noisy(drivers, gpu):\n"
        "    print('python'); ctypes.CDLL(None).puts(b'c code')\n"
        "    return {'uuid': gpu.uuid}\n"
        "probing.print_json(noisy, '0')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | standin.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"uuid"}
    assert "c code" in done.stderr


CARDS = ("GPU-11111111", "GPU-22222222")
SENSOR = {
    "name": "a card",
    "steady": [{"level": "idle", "counter_w": None, "reason": "the counter moved too seldom"}],
    "phases": {"range": None, "verdict": "not known: the load moved no counter"},
    "scopes": {"counter_j": 12.5, "power_average_w": {"gpu": 70.0, "module": "Not Supported"}},
    "call_ms": {"median": 0.02, "p99": 0.1, "looks": 900},
}


def two_cards(work: Path) -> Path:
    """A folder of work in which two cards have measured round 1 of a case, and the second round 2 too."""
    folder = work / RESULTS / "a-machine"
    folder.mkdir(parents=True)
    cards = {}
    for card, joules in zip(CARDS, (1000.0, 2000.0), strict=True):
        done = {}
        for number in (1, 2) if card == CARDS[1] else (1,):
            name = f"{card}-{number}.json"
            (folder / name).write_text(results.to_json(images(joules + number)), encoding="utf-8")
            done[f"sdxl-round-{number}"] = state.Try(
                status="done", tries=1, began="2026-01-01T00:00:00Z", records=[f"a-machine/{name}"]
            )
        kept = state.folder_of(work, card)
        kept.mkdir(parents=True)
        (kept / "sensor.json").write_text(json.dumps(SENSOR | {"uuid": card}), encoding="utf-8")
        cards[card] = state.CardState(name="a card", parts=done)
    state.save(work, state.State.model_validate({"schema": state.SCHEMA, "cards": cards}))
    return work


def test_records_of_two_cards_are_never_a_repeat(tmp_path: Path) -> None:
    first, second = findings.gather(two_cards(tmp_path))
    assert [found.sensor and found.sensor.uuid for found in (first, second)] == list(CARDS)
    assert [len(each.repeats[0].joules) for each in (first, second)] == [1, 2]
    assert first.repeats[0].apart is None
    assert second.repeats[0].apart == pytest.approx(1 / 2001)


@pytest.mark.parametrize("damage", ["", "{", "[1]", "noise before\n{}", "\xff", '{"steady": []}'])
def test_one_damaged_file_costs_one_finding(tmp_path: Path, damage: str) -> None:
    work = two_cards(tmp_path)
    (state.folder_of(work, CARDS[0]) / "sensor.json").write_bytes(damage.encode("latin-1"))
    (work / RESULTS / "a-machine" / f"{CARDS[1]}-1.json").write_text(damage, encoding="utf-8")
    first, second = findings.gather(work)
    assert first.sensor is None
    assert "do the part anew" in first.absent["sensor"]
    assert len(first.repeats) == 1
    assert second.sensor is not None
    assert second.sensor.uuid == CARDS[1]
    assert len(second.repeats[0].joules) == 1
    assert second.absent["sdxl-round-1"]


def test_findings_of_every_card_are_merged_beside_their_machine(tmp_path: Path) -> None:
    archives = packing.pack(two_cards(tmp_path / "there"), tmp_path / "out")
    copied = packing.merge(archives, tmp_path / "here", tmp_path / "results")
    written = sorted(path.name for path in copied if path.parent.name == findings.FOLDER)
    assert written == ["gpu-11111111.json", "gpu-22222222.json"]
    assert findings.load(tmp_path / "results/a-machine/evidence/gpu-22222222.json").card == CARDS[1]


@pytest.mark.slow
def test_a_sensor_that_sees_a_quarter_of_the_time_is_told_by_loads_at_eight_phases(
    standin: StandIn, tmp_path: Path
) -> None:
    gpu = standin.gpu(0)
    standin.load(0, standin.now_ns(), 70.0)
    gpu.seen_share, gpu.counter_part_time, gpu.tick_ns = 0.25, True, 100 * MS
    command = [
        sys.executable,
        "-m",
        "scripts.evidence.rehearsed",
        "sensor",
        "--seconds",
        "0.5",
        "--gpus",
        "0",
    ]
    done = subprocess.run(
        [*command, "--results", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | standin.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["phases"]["verdict"] == "sees part of the time"
    steady = {each["level"]: each["apart"] for each in found["steady"]}
    assert steady == pytest.approx({"idle": 0, "middle": 0, "high": 0}, abs=0.05)
    assert found["scopes"]["power_instant_w"]["module"] == "Not Supported"
