"""What becomes of a window: rests taken out, idle taken off, and what shows that a card is warm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.core.block import Block, CodeCarbonTask
from bench.core.energy import DomainEnergy
from bench.core.observed import GpuObserved, Observed
from bench.engines.base import OutputCheck
from bench.measurement import blocks
from bench.measurement.stopping import WarmupRound
from bench.meters.metered_window import MeteredWindow
from bench.meters.publishing_delay import DelayTracker
from bench.meters.rests import CardAtRest, RestEnergy
from bench.worker.messages import Batch, CheckedOutput
from bench.worker.producer import Produced
from tests.support.factory import CPU, GPU, block, energy
from tests.support.served.producing import case

IDLE_W = {GPU: 60.0, CPU: 20.0}


def window(resting_w: float | None, rests_j: float | None = None) -> MeteredWindow:
    energies = {
        GPU: DomainEnergy(gross_j=9000.0, source="counter-padded", kind="measured", plain_j=8990.0),
        CPU: DomainEnergy(gross_j=1500.0, source="rapl", kind="measured"),
    }
    rests = None if rests_j is None else RestEnergy(rests_j, 7.0)
    return MeteredWindow(
        0,
        30_000_000_000,
        energies,
        CodeCarbonTask(duration_s=30.0, gpu_j=None, cpu_j=None, ram_j=None, carbon_g=None),
        at_rest={} if resting_w is None else {GPU: CardAtRest(resting_w, rests, DelayTracker(0.01).stated())},
    )


def rested(
    resting_w: float | None = 110.0, idle_w: dict[str, float] | None = None, rests_j: float | None = None
) -> Block:
    energies = {
        GPU: energy(9000.0).model_copy(update={"plain_j": 8990.0, "source": "counter-padded"}),
        CPU: energy(1500.0).model_copy(update={"source": "rapl"}),
    }
    whole = block(energies=energies, rest_s=2.0)
    return blocks.without_rests(whole, window(resting_w, rests_j), IDLE_W if idle_w is None else idle_w)


def test_rests_are_taken_out_at_the_power_right_after_the_work() -> None:
    card = rested().energy[GPU]
    assert card.gross_j == pytest.approx(9000.0 - 220.0)
    assert card.plain_j == pytest.approx(8990.0 - 220.0)
    assert card.rests_j == pytest.approx(220.0)


def test_rests_that_the_counter_showed_are_taken_out_as_they_were() -> None:
    card = rested(rests_j=180.0).energy[GPU]
    assert card.gross_j == pytest.approx(9000.0 - 180.0)
    assert card.plain_j == pytest.approx(8990.0 - 180.0)
    assert (card.rests_j, card.rests_u_j) == (180.0, 7.0)
    assert rested().energy[GPU].rests_u_j is None


def test_other_domains_and_cards_without_a_curve_rest_at_their_idle_power() -> None:
    assert rested().energy[CPU].gross_j == pytest.approx(1500.0 - 40.0)
    assert rested(resting_w=None).energy[GPU].rests_j == pytest.approx(120.0)


@pytest.mark.parametrize(("resting_w", "believed_w"), [(0.0, 60.0), (-20.0, 60.0), (500.0, 300.0)])
def test_a_card_at_rest_draws_no_less_than_idle_and_no_more_than_at_work(
    resting_w: float, believed_w: float
) -> None:
    assert rested(resting_w).energy[GPU].rests_j == pytest.approx(believed_w * 2.0)


def test_a_card_that_rests_at_nothing_is_not_one_of_unknown_power() -> None:
    assert rested(0.0, {}).energy[GPU].rests_j == 0.0


def test_where_no_such_power_is_known_the_rests_stay_in_and_net_pays_for_them() -> None:
    kept = rested(resting_w=None, idle_w={})
    assert kept.energy[GPU].gross_j == 9000.0
    assert kept.energy[GPU].rests_j is None
    net = blocks.with_net(kept, IDLE_W)
    assert net.energy[GPU].net_j == pytest.approx(9000.0 - 60.0 * 30.0)


def test_net_belongs_to_the_work_without_its_rests() -> None:
    net = blocks.with_net(rested(), IDLE_W)
    assert net.energy[GPU].net_j == pytest.approx(8780.0 - 60.0 * 28.0)


def test_a_block_without_rests_is_left_as_it_is() -> None:
    whole = block()
    assert blocks.without_rests(whole, window(110.0), IDLE_W) is whole


def test_a_warm_up_round_is_as_warm_as_its_hottest_card() -> None:
    seen = {
        "a": {"temperature_c": {"mean": 50.0}, "counter_tick_s": 0.02},
        "b": {"temperature_c": {"mean": 61.0}, "counter_tick_s": 0.3},
        "c": {"temperature_c": None, "counter_tick_s": None},
    }
    found = blocks.warmup_round(block(300.0, seconds=30.0, items=3, observed={"gpus": seen}))
    assert found == WarmupRound(10.0, 100.0, 61.0, 0.01, middle_s=16.0, seconds=30.0)
    alone = blocks.warmup_round(block(None, observed={"gpus": {}}))
    assert alone == WarmupRound(30.0, None, None, 0.0, middle_s=16.0, seconds=30.0)


SECOND_NS = 1_000_000_000


def of_replicas(*lengths_s: tuple[float, ...]) -> Produced:
    """One window of replicas with batches of these lengths, one after the other."""
    batches: list[Batch] = []
    for lengths in lengths_s:
        at_ns = 0
        for length_s in lengths:
            batches.append(Batch(at_ns, at_ns := at_ns + round(length_s * SECOND_NS), 2, ()))
    end_ns = max(batch.end_ns for batch in batches)
    return Produced(0, end_ns, tuple(batches), per_replica=tuple(map(len, lengths_s)))


def built(produced: Produced) -> Block:
    seen = MeteredWindow(0, produced.end_ns, window(None).energy, None)
    checked = CheckedOutput(tuple(OutputCheck(tokens=(5, 5), words=(4, 4)) for _ in produced.batches), ())
    return blocks.build(
        case(), seen, produced, checked, {}, Observed(gpus={GPU: GpuObserved(counter_ticks=99)}), warmup=False
    )


def test_a_block_has_the_output_of_all_replicas_and_how_long_not_all_of_them_worked() -> None:
    found = built(of_replicas((2.0,) * 5, (2.0, 2.0, 2.0, 2.0, 1.0)))
    assert (found.items, found.batches, found.tokens) == (20, 10, 100)
    assert found.observed.replicas is not None
    assert found.observed.replicas.items == [10, 10]
    assert found.observed.replicas.uneven_share == pytest.approx(0.1)
    assert built(replace(of_replicas((2.0,) * 5), per_replica=())).observed.replicas is None


def test_batches_of_replicas_that_end_together_hide_no_pause_and_show_none() -> None:
    took = built(of_replicas((2.0,) * 5, (2.0,) * 5)).observed.batch_s
    assert took is not None
    assert (took.median, took.longest) == (2.0, 2.0), "not the moments between two replicas' ends"
    paused = built(of_replicas((2.0,) * 6, (2.0, 8.0, 2.0)))
    assert any(reason.startswith("paused") for reason in paused.reasons)


def test_rests_of_replicas_are_taken_out_card_by_card() -> None:
    other = "gpu:GPU-other"
    whole = block(
        energies={GPU: energy(9000.0), other: energy(6000.0)},
        rest_s=1.5,
        rests_of={GPU: [(0, 2 * SECOND_NS)], other: [(0, SECOND_NS)]},
    )
    beside = {name: CardAtRest(110.0, None, DelayTracker(0.01).stated()) for name in (GPU, other)}
    found = blocks.without_rests(whole, replace(window(None), at_rest=beside), {GPU: 60.0, other: 50.0})
    assert found.energy[GPU].gross_j == pytest.approx(9000.0 - 2 * 110.0)
    assert found.energy[other].gross_j == pytest.approx(6000.0 - 110.0)
    assert found.work_s == pytest.approx(28.5)
    net = blocks.with_net(found, {GPU: 60.0, other: 50.0}).energy
    assert net[GPU].net_j == pytest.approx(9000.0 - 220.0 - 60.0 * 28.0)
    assert net[other].net_j == pytest.approx(6000.0 - 110.0 - 50.0 * 29.0)
