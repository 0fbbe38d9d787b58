"""What becomes of a window: rests taken out, idle taken off, and what shows that a card is warm."""

from __future__ import annotations

import pytest

from bench.core.block import Block, CodeCarbonTask
from bench.core.energy import DomainEnergy
from bench.measurement import blocks
from bench.measurement.stopping import WarmupRound
from bench.meters.metered_window import MeteredWindow
from bench.meters.publishing_delay import DelayTracker
from bench.meters.rests import CardAtRest, RestEnergy
from tests.support.factory import CPU, GPU, block, energy

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
