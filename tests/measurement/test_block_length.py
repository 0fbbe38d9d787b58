"""What a block's length is chosen from: what it costs once, and what its sensor sees."""

from __future__ import annotations

import pytest

from bench.core.block import Block
from bench.core.calibration import Calibration
from bench.measurement import block_length
from bench.measurement.block_length import LengthEvidence
from tests.store.calibrations import counter, known
from tests.support.factory import GPU, block, energy

IDLE_W = {GPU: 60.0}


def warm_up(tick_s: float | None = 0.1, source: str = "counter", edge_u_j: float | None = None) -> Block:
    """A round of 5 s at 300 W; with `edge_u_j`, a block of as long."""
    card = energy(1500.0).model_copy(update={"source": source, "edge_u_j": edge_u_j})
    seen = {"gpus": {"GPU-1": {"counter_tick_s": tick_s}}}
    return block(seconds=5.0, energies={GPU: card}, observed=seen).model_copy(
        update={"warmup": edge_u_j is None}
    )


def chosen(
    seen: Block, between_s: float = 0.8, target: float = 0.02, cards: tuple[Calibration | None, ...] = (None,)
) -> tuple[float, str]:
    """The length, and what demanded it."""
    length = block_length.choose(LengthEvidence(seen, between_s, IDLE_W), target, cards, None)
    assert not length.asked
    first = max(length.demands_s, key=lambda name: length.demands_s[name])
    return round(length.seconds, 3), first


def test_a_card_rests_for_a_twelfth_of_the_time_at_the_usual_target() -> None:
    assert chosen(warm_up()) == (10.0, "rest")
    assert chosen(warm_up(), target=0.05) == (5.0, "least")
    assert chosen(warm_up(), between_s=1.2, target=0.05) == (6.0, "rest")


def test_a_slow_counter_and_edges_beside_a_narrow_target_ask_for_longer_blocks() -> None:
    assert chosen(warm_up(tick_s=0.5), between_s=0.4) == (10.0, "ticks")
    seconds, first = chosen(warm_up(), between_s=0.1, target=0.002)
    assert first == "edges"
    assert 12.0 < seconds <= 30.0
    assert chosen(warm_up(tick_s=0.5), between_s=4.0)[0] == 30.0, "and none is longer than that"


def test_what_a_block_states_of_its_edges_replaces_what_was_expected() -> None:
    asked_s = 0.3 / (0.25 * 0.02)
    length = block_length.choose(LengthEvidence(warm_up(edge_u_j=90.0), 0.8, IDLE_W), 0.02, (), None)
    assert length.demands_s["edges"] == pytest.approx(asked_s)
    stated = block_length.choose(LengthEvidence(warm_up(edge_u_j=1.5), 0.8, IDLE_W), 0.02, (), None)
    assert stated.demands_s["edges"] == pytest.approx(1.0)


def test_a_sensor_that_sees_part_of_the_time_costs_longer_blocks_and_that_is_said() -> None:
    part, whole = known(counter=counter(0.25)), known(counter=counter(1.0))
    assert chosen(warm_up(), cards=(part, None)) == (30.0, block_length.SENSOR)
    assert chosen(warm_up(), cards=(whole,)) == (10.0, "rest")
    slow = known(counter=counter(0.25).model_copy(update={"tick_s": 0.2}))
    length = block_length.choose(LengthEvidence(warm_up(), 0.8, IDLE_W), 0.02, (slow,), None)
    assert length.seconds == pytest.approx(60.0)
    said = block_length.sensor_cost(length)
    assert said is not None
    assert "blocks last 60 s" in said
    assert "10 s would do" in said
    without = block_length.choose(LengthEvidence(warm_up(), 0.8, IDLE_W), 0.02, (whole,), None)
    assert block_length.sensor_cost(without) is None


def test_power_read_without_a_counter_comes_late_so_blocks_are_long() -> None:
    source = "power-integration-instant"
    assert chosen(warm_up(None, source)) == (30.0, "no energy counter")


def test_without_a_card_only_rests_and_the_least_length_count() -> None:
    host = block(seconds=5.0, energies={"cpu-estimate": energy(100.0)}, observed={"gpus": {}})
    length = block_length.choose(LengthEvidence(host, 0.1, {}), 0.02, (), None)
    assert (length.seconds, set(length.demands_s)) == (5.0, {"least", "rest"})


def test_a_length_that_was_asked_for_is_taken_as_it_is() -> None:
    part = known(counter=counter(0.25))
    length = block_length.choose(LengthEvidence(warm_up(), 0.8, IDLE_W), 0.02, (part,), 0.4)
    assert (length.seconds, length.asked, length.demands_s) == (0.4, True, {})
    assert block_length.sensor_cost(length) is None
