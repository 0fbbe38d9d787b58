"""Cases side by side on cards of unlike power: each has the joules of its own card, as it has alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench.core.record import Record
from bench.core.side_by_side import HOST_SHARED
from tests.standin import StandIn, uuid_of
from tests.support.main_job.metered import IDLE_W
from tests.support.main_job.running import Done, environment, finish, run, start
from tests.support.processes import wait_until

BUSY_W = {0: 210.0, 1: 330.0, 2: 270.0}
LIMITS = ["--weights", "random", "--block-seconds", "2", "--max-seconds", "5", "--target", "95%"]
CASES = ["tiny-bloom", "--sweep", "batch=1,2,4", "--yes", *LIMITS]
ON_TWO = [*CASES, "--parallel", "--gpus", "0,1"]


@pytest.fixture
def three_cards(standin_library: Path, tmp_path: Path) -> Iterator[StandIn]:
    standin = StandIn(standin_library, tmp_path / "three.control", gpu_count=3)
    for gpu in range(3):
        standin.load(gpu, standin.now_ns(), IDLE_W)
    yield standin
    standin.close()


def variables(standin: StandIn, fault: str | None = None) -> dict[str, str]:
    return environment(standin.environment(), cards=BUSY_W, pretend=True, fault=fault)


def card_of(record: Record) -> int:
    (uuid,) = record.machine.metered
    return next(gpu for gpu in BUSY_W if uuid_of(gpu) == uuid)


def by_batch(done: Done) -> dict[int, Record]:
    return {record.case.batch: record for record in done.records}


def has_the_joules_of_its_card(record: Record, standin: StandIn) -> None:
    gpu = card_of(record)
    domain = f"gpu:{uuid_of(gpu)}"
    blocks = [block for block in record.blocks if not block.warmup]
    assert len(blocks) >= 5
    true_j = [
        standin.true_energy_j(gpu, block.start_ns, block.end_ns) - IDLE_W * block.domain_rest_s(domain)
        for block in blocks
    ]
    for block, joules in zip(blocks, true_j, strict=True):
        assert block.valid, block.reasons
        # In a window this short a rest is known to a tick only, which is 2.5 % of it.
        assert block.joules("gpu").gross_j == pytest.approx(joules, rel=0.03)
    metered_j = sum(float(block.joules("gpu").gross_j or 0.0) for block in blocks)
    assert metered_j == pytest.approx(sum(true_j), rel=0.01)


def names_those_that_overlapped(record: Record, every: list[Record]) -> None:
    """Each case whose blocks overlap its blocks is named with its card, and none of another time."""
    assert record.side_by_side is not None
    beside = {case.label: case for case in record.side_by_side.beside or ()}
    assert record.side_by_side.cases == len(beside)
    measured = [block for block in record.blocks if not block.warmup]
    for other in every:
        if other is record:
            continue
        met = (
            other.blocks[0].start_ns < measured[-1].end_ns and measured[0].start_ns < other.blocks[-1].end_ns
        )
        if met:
            assert beside[other.label].cards == tuple(other.machine.metered)
        if card_of(other) == card_of(record):
            assert other.label not in beside, "on one card they take turns"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_joules_side_by_side_are_those_of_each_card_as_alone(three_cards: StandIn, tmp_path: Path) -> None:
    beside = run(ON_TWO, tmp_path / "beside", variables(three_cards))
    assert beside.status == 0, beside.err
    assert "3 cases, up to about 30 s beside loading, side by side." in beside.err
    records = by_batch(beside)
    assert sorted(records) == [1, 2, 4]
    assert {card_of(record) for record in records.values()} == {0, 1}
    assert len({record.run_id for record in records.values()}) == 1
    for record in records.values():
        has_the_joules_of_its_card(record, three_cards)
        assert set(record.figures.energy_per_unit_j) == {"gpu"}
        assert {name for block in record.blocks for name in block.energy} == {
            f"gpu:{uuid_of(card_of(record))}"
        }
        assert HOST_SHARED in record.absent.values(), "what is shared is of none of them"
        assert all(block.codecarbon is None or block.codecarbon.cpu_j is None for block in record.blocks)
        assert record.side_by_side is not None
        assert record.side_by_side.cards == (uuid_of(1 - card_of(record)),)
        names_those_that_overlapped(record, list(records.values()))
        idle = record.figures.neighbours
        assert idle is not None
        siblings = len({card for case in record.side_by_side.beside or () for card in case.cards})
        assert (idle.cards, idle.busy, idle.of_other_cases) == (2 - siblings, 0, siblings)
        assert idle.power_w is not None
        assert idle.power_w.value == pytest.approx(idle.cards * IDLE_W, rel=0.02), "no sibling's card"
    overlap = min(records[1].blocks[-1].end_ns, records[2].blocks[-1].end_ns) - max(
        records[1].blocks[0].start_ns, records[2].blocks[0].start_ns
    )
    assert overlap > 0, "two of them were measured at the same time"
    figures = [record.figures.neighbours for record in records.values()]
    assert any(idle and idle.of_other_cases for idle in figures), "some case met another at work"
    gpu = card_of(records[1])
    alone = by_batch(run([*CASES, "--gpus", str(gpu)], tmp_path / "alone", variables(three_cards)))
    for batch, record in records.items():
        if card_of(record) != gpu:
            continue
        one, other = alone[batch].figures.power_w["gpu"].gross, record.figures.power_w["gpu"].gross
        assert one is not None
        assert other is not None
        ratio = other.value / one.value
        print(f"batch {batch}: alone {one.value:.2f} W, side by side {other.value:.2f} W, ratio {ratio:.4f}")
        assert ratio == pytest.approx(1.0, abs=0.015)
        assert alone[batch].side_by_side is None
        assert set(alone[batch].figures.energy_per_unit_j) == {"gpu", "host"}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_fault_of_one_case_leaves_the_others_whole_and_resumes(
    three_cards: StandIn, tmp_path: Path
) -> None:
    asked = [*ON_TWO, "--expect-gpu", "H200:2"]
    refused = run([*ON_TWO, "--expect-gpu", "H200:3"], tmp_path / "results", variables(three_cards))
    assert refused.status == 2
    assert "H200:3" in refused.err
    done = run(asked, tmp_path / "results", variables(three_cards, "crash:2"))
    assert done.status == 1, done.err
    records = by_batch(done)
    assert records[2].failure is not None
    assert records[2].failure.stage == "killed"
    for batch in (1, 4):
        assert records[batch].status == "ok"
        has_the_joules_of_its_card(records[batch], three_cards)
    again = run(asked, tmp_path / "results", variables(three_cards))
    assert again.status == 0, again.err
    assert "2 of 3 cases were measured already" in again.err
    whole = [record for record in again.records if record.status == "ok"]
    assert sorted(record.case.batch for record in whole) == [1, 2, 4]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupt_ends_all_cases_and_a_kill_leaves_no_process(
    three_cards: StandIn, tmp_path: Path, sent: signal.Signals
) -> None:
    results = tmp_path / "results"
    process = start(ON_TWO, results, variables(three_cards))
    assert wait_until(lambda: len(list(results.glob("*/.partial/*.json"))) == 2, 120)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 4, "two cases, a recorder and a worker each"
    os.kill(process.pid, sent)
    done = finish(process, results)
    assert wait_until(lambda: not any(each.is_running() and each.status() != "zombie" for each in family), 30)
    if sent == signal.SIGKILL:
        return
    assert done.status == 130, done.err
    assert "Traceback" not in done.err
    records = by_batch(done)
    assert sorted(records) == [1, 2], "the third was not begun"
    assert all(record.ended is not None and record.ended.by == "interrupt" for record in records.values())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_process_of_a_case_costs_that_case_alone(three_cards: StandIn, tmp_path: Path) -> None:
    results = tmp_path / "results"
    process = start(ON_TWO, results, variables(three_cards))
    assert wait_until(lambda: len(list(results.glob("*/.partial/*.json"))) == 2, 120)
    of_cases = [
        child for child in psutil.Process(process.pid).children() if "spawn_main" in " ".join(child.cmdline())
    ]
    assert len(of_cases) == 2
    of_cases[0].suspend()  # so that it cannot have ended before it is killed
    other = run(["tiny-bloom", *LIMITS, "--gpus", "1"], tmp_path / "other", variables(three_cards))
    assert other.status == 2
    assert f"is measuring on {uuid_of(1)}" in other.err
    of_cases[0].kill()
    done = finish(process, results)
    assert done.status == 1, done.err
    assert "was not measured: its process ended with status -9" in done.err
    assert "Not measured: tiny-bloom" in done.err, "also at the end"
    assert sorted(record.status for record in done.records) == ["failed", "ok", "ok"]
