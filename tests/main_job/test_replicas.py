"""Replicas of a model on cards of unlike power: joules of exactly their cards, neighbours apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import psutil
import pytest

from bench.compare.rederived import differences, rederived
from bench.core.record import Record
from bench.store import traces
from tests.standin import StandIn, uuid_of
from tests.support.main_job.metered import IDLE_W, PACE_VARIABLE
from tests.support.main_job.running import Done, environment, run

BUSY_W = {0: 210.0, 1: 260.0, 2: 310.0, 3: 360.0}
NEIGHBOUR_W = {4: 45.0, 5: 70.0}
BLOCK_S = 3
ONE_TICK_J = sum(0.1 * (watts - IDLE_W) * 1.05 for watts in BUSY_W.values())
"""What counters that move every 100 ms can miss of one block that begins and ends at idle power."""
LIMITS = ["--block-seconds", str(BLOCK_S), "--max-seconds", "5", "--target", "95%"]


@pytest.fixture
def six_cards(standin_library: Path, tmp_path: Path) -> Iterator[StandIn]:
    standin = StandIn(standin_library, tmp_path / "six.control", gpu_count=6)
    for gpu in range(6):
        standin.load(gpu, standin.now_ns(), NEIGHBOUR_W.get(gpu, IDLE_W))
    standin.gpu(5).utilisation_percent = 30
    yield standin
    standin.close()


def measured(
    standin: StandIn,
    folder: Path,
    replicas: int,
    cards: str,
    fault: str | None = None,
    *,
    resume: bool = False,
) -> tuple[Record, Done]:
    variables = environment(standin.environment(), cards=BUSY_W, pretend=True, fault=fault)
    asked = ["tiny-bloom", "--weights", "random", "--replicas", str(replicas), "--gpus", cards]
    asked += ["--resume"] if resume else []
    done = run([*asked, *LIMITS], folder / "results", variables)
    (record,) = done.records
    return record, done


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize(("replicas", "cards"), [(4, "0,1,2,3"), (2, "3,0,2,1")])
def test_joules_are_those_of_all_replicas_and_of_their_cards_alone(
    six_cards: StandIn, tmp_path: Path, replicas: int, cards: str
) -> None:
    record, done = measured(six_cards, tmp_path, replicas, cards)
    assert done.status == 0, done.err
    assert record.case.replicas == replicas
    assert f" {replicas} replicas" in record.label
    assert sorted(record.machine.metered) == [uuid_of(gpu) for gpu in range(4)]
    blocks = [block for block in record.blocks if not block.warmup]
    assert len(blocks) >= 5
    truths = []
    for block in blocks:
        assert block.valid, block.reasons
        assert sorted(name for name in block.energy if name.startswith("gpu:")) == [
            f"gpu:{uuid_of(gpu)}" for gpu in range(4)
        ]
        true_j = sum(
            six_cards.true_energy_j(gpu, block.start_ns, block.end_ns)
            - IDLE_W * block.domain_rest_s(f"gpu:{uuid_of(gpu)}")
            for gpu in range(4)
        )
        assert block.joules("gpu").gross_j == pytest.approx(true_j, abs=ONE_TICK_J)
        assert block.units
        truths.append(true_j / block.units)
        seen = block.observed.replicas
        assert seen is not None
        assert len(seen.items) == replicas
        assert all(count >= BLOCK_S / 0.2 for count in seen.items), "each of them fills the window"
        assert sum(seen.items) == block.items == block.batches
        assert block.tokens == 48 * block.items
        assert seen.uneven_share is not None
        assert 0.0 <= seen.uneven_share < 0.5
        assert sorted(block.rests_of) == sorted(f"gpu:{uuid_of(gpu)}" for gpu in range(4))
        assert all(block.rests_of.values()), "each replica shifts its work against its cards' sensors"
        assert 0.0 < block.rest_s < 0.1 * block.duration_s
    headline = record.headline()
    assert headline is not None
    print(f"{record.label}: {headline.value:.3f} J, truth {fmean(truths):.3f} J")
    assert headline.value == pytest.approx(fmean(truths), rel=0.01)
    work_w = sum(BUSY_W.values())
    power = record.figures.power_w["gpu"].gross
    assert power is not None
    assert power.value == pytest.approx(work_w, rel=0.1), "all of them work at once"
    assert record.absent["phases"] == "the phases of replicas overlap, so the counters cannot tell them apart"
    shown_apart(record, work_w)
    (path,) = sorted(done.results.glob("*/*.json"))
    trace = traces.read(path, record)
    assert trace is not None
    derived = rederived(record, trace)
    assert list(differences(record, derived)) == [], "its samples say the same"
    assert derived.windows >= 4 * 4, "of nearly all blocks and cards, with the rests of each replica"


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_card_that_waits_for_a_slower_replica_keeps_its_own_joules(
    six_cards: StandIn, tmp_path: Path
) -> None:
    """Its second rest ends shortly before its work does, and ticks of the wait are not compared with it."""
    variables = environment(six_cards.environment(), cards=BUSY_W, pretend=True) | {PACE_VARIABLE: "1:0.6"}
    asked = ["tiny-bloom", "--weights", "random", "--replicas", "2", "--gpus", "0,1"]
    limits = ["--block-seconds", "2.2", "--max-seconds", "5", "--target", "95%"]
    done = run([*asked, *limits], tmp_path / "results", variables)
    (record,) = done.records
    blocks = [block for block in record.blocks if not block.warmup]
    assert len(blocks) >= 5, done.err
    waits_s = [(block.end_ns - block.work_ends_of[f"gpu:{uuid_of(0)}"]) / 1e9 for block in blocks]
    assert fmean(waits_s) > 0.1, "the first card waits"
    for gpu in (0, 1):
        domain = f"gpu:{uuid_of(gpu)}"
        metered_j = [float(block.energy[domain].gross_j or 0.0) for block in blocks]
        true_j = [
            six_cards.true_energy_j(gpu, block.start_ns, block.end_ns) - IDLE_W * block.domain_rest_s(domain)
            for block in blocks
        ]
        errors = [seen / truth - 1 for seen, truth in zip(metered_j, true_j, strict=True)]
        print(f"card {gpu}: {[round(100 * error, 2) for error in errors]} %")
        assert sum(metered_j) == pytest.approx(sum(true_j), rel=0.01)
    assert any("replicas uneven" in reason for reason in record.reasons)


def shown_apart(record: Record, work_w: float) -> None:
    """The two other cards are a figure of their own, one of them at work."""
    found = record.figures.neighbours
    assert found is not None
    assert (found.cards, found.busy) == (2, 1)
    assert found.power_w is not None
    assert found.power_w.value == pytest.approx(sum(NEIGHBOUR_W.values()), rel=0.01)
    assert found.power_w.value < work_w
    seen = record.blocks[-1].observed.neighbours
    assert sorted(seen) == [uuid_of(4), uuid_of(5)]
    assert seen[uuid_of(5)].utilisation_percent == 30


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_three_replicas_of_four_cards_leave_one_idle_and_are_resumed(
    six_cards: StandIn, tmp_path: Path
) -> None:
    record, done = measured(six_cards, tmp_path, 3, "0,1,2,3", resume=True)
    assert done.status == 0, done.err
    assert sorted(record.machine.metered) == [uuid_of(gpu) for gpu in range(3)]
    assert record.start is not None
    assert sorted(record.start.temperature_c) == [uuid_of(gpu) for gpu in range(3)]
    found = record.figures.neighbours
    assert found is not None
    assert (found.cards, found.busy) == (3, 1)
    assert found.power_w is not None
    assert found.power_w.value == pytest.approx(IDLE_W + sum(NEIGHBOUR_W.values()), rel=0.01)
    power = record.figures.power_w["gpu"].gross
    assert power is not None
    assert power.value == pytest.approx(sum(BUSY_W[gpu] for gpu in range(3)), rel=0.1)
    _, again = measured(six_cards, tmp_path, 3, "0,1,2,3", resume=True)
    assert "1 of 1 cases were measured already and are skipped" in again.err


def test_a_replica_that_is_killed_ends_the_case_and_is_named(six_cards: StandIn, tmp_path: Path) -> None:
    record, done = measured(six_cards, tmp_path, 2, "0,1", fault="kill-at:3")
    assert done.status == 1
    assert record.failure is not None
    assert record.failure.stage == "killed"
    assert record.failure.message.startswith(("Replica 1 of 2: ", "Replica 2 of 2: "))
    left = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if str(tmp_path) in " ".join(process.info["cmdline"] or [])
    ]
    assert left == [], "no worker outlives the case"
