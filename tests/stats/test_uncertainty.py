"""The budget of a headline: each input by hand, when it is there, what it enters, and why it is not known."""

from __future__ import annotations

import json
import math
from statistics import fmean
from typing import Any

import pytest

from bench.core.block import Block, Idle
from bench.core.budget import Budget, BudgetInput, Expanded
from bench.core.energy import DomainEnergy
from bench.core.record import SCHEMA, Record
from bench.stats import uncertainty
from bench.store import results
from tests.support.factory import CPU, GPU, RAM, block, energy, record

UUID = GPU.removeprefix("gpu:")
OTHER_GPU = "gpu:GPU-99999999-1111-2222-3333-444444444444"
JOULES = (290.0, 295.0, 300.0, 305.0, 310.0)
"""Mean 300, standard deviation √62.5, standard uncertainty of the mean √12.5."""
ROOT_3 = math.sqrt(3)
SAMPLED = "NVIDIA L40S"


def machine(*names: str) -> dict[str, Any]:
    """A machine with cards of these names."""
    uuids = (UUID, OTHER_GPU.removeprefix("gpu:"))
    cards = [{"uuid": uuid, "name": name} for uuid, name in zip(uuids, names, strict=False)]
    return {"name": "a machine", "gpus": cards}


def seen(ticks: object = 300, temperature_c: float | None = None) -> dict[str, Any]:
    """What the recorder saw of the card during a block."""
    spans = None if temperature_c is None else {"mean": temperature_c, "min": 0.0, "max": 99.0}
    return {"gpus": {UUID: {"counter_ticks": ticks, "temperature_c": spans}}}


def sample(*joules: float, name: str = SAMPLED, **more: Any) -> Record:
    """A record with one valid block for each figure, of 30 s and 300 ticks, one page each."""
    each = [block(value, observed=seen()) for value in joules or JOULES]
    return record(blocks=each, machine=machine(name), **more)


def gross(found: Record) -> Budget:
    """The gross budget that must be there."""
    budget = uncertainty.of(found).gross
    assert budget is not None
    return budget


def net(found: Record) -> Budget:
    """The net budget that must be there."""
    budget = uncertainty.of(found).net
    assert budget is not None
    return budget


def line(budget: Budget, name: str) -> BudgetInput:
    """One line of a budget that must be there."""
    (found,) = [line for line in budget.inputs if line.name == name]
    return found


def names(budget: Budget) -> set[str]:
    """The lines of a budget."""
    return {line.name for line in budget.inputs}


def half(found: Expanded | None) -> float:
    """Half of an interval that must be there."""
    assert found is not None
    return (found.high - found.low) / 2


# ---------------------------------------------------------------- the whole


def test_a_budget_worked_out_by_hand() -> None:
    """Ten squares on paper: type A √12.5; gain 15.21; offset 7.35/√3; half a tick of 1 J."""
    budget = gross(sample())
    spread, gain, offset, lag = math.sqrt(12.5), 15.21, 7.35 / ROOT_3, 0.5 / ROOT_3
    same = math.sqrt(12.5 + lag**2)
    assert budget.same_card is not None
    assert budget.same_card.standard_uncertainty_j == pytest.approx(same)
    assert budget.same_card.dof == pytest.approx(4 * same**4 / spread**4)
    assert budget.same_card.dof == pytest.approx(4.0535, abs=1e-4)
    assert half(budget.same_card) == pytest.approx(9.816215), "not narrower than the t interval alone"
    whole = math.sqrt(12.5 + gain**2 + offset**2 + lag**2)
    assert budget.absolute is not None
    assert budget.absolute.standard_uncertainty_j == pytest.approx(whole)
    assert budget.absolute.dof == pytest.approx(whole**4 / (12.5**2 / 4 + gain**4 / 10))
    assert budget.absolute.relative_half_width == pytest.approx(0.1170, abs=8e-4)
    assert (budget.absolute.value, budget.correction_j) == (300.0, None)
    assert (budget.value, budget.n, budget.absent) == (300.0, 5, {})


def test_each_line_is_its_uncertainty_times_its_sensitivity() -> None:
    for budget in (gross(sample()), net(sample())):
        for found in budget.inputs:
            if found.contribution_j is None:
                assert found.reason
                continue
            assert found.standard_uncertainty is not None
            assert found.sensitivity is not None
            assert found.contribution_j == pytest.approx(abs(found.standard_uncertainty * found.sensitivity))
            assert found.relative == pytest.approx(found.contribution_j / budget.value)


def test_each_result_is_the_root_of_the_squares_of_what_enters_it() -> None:
    for budget in (gross(sample(name="NVIDIA A100-SXM4-80GB")), net(sample())):
        for result in ("same_card", "absolute"):
            squares = [found.contribution_j or 0.0 for found in budget.inputs if result in found.enters]
            expanded: Expanded = getattr(budget, result)
            assert expanded.standard_uncertainty_j == pytest.approx(math.hypot(*squares))


@pytest.mark.parametrize("n", [2, 3, 5, 9])
@pytest.mark.parametrize("name", [SAMPLED, "NVIDIA A100-SXM4-80GB"])
def test_a_budget_is_never_narrower_than_the_spread_alone(n: int, name: str) -> None:
    found = sample(*(JOULES * 2)[:n], name=name)
    headline, budget = found.headline(), gross(found)
    assert headline is not None
    assert headline.relative_half_width is not None
    for result in (budget.same_card, budget.absolute):
        assert half(result) >= headline.relative_half_width * headline.value * (1 - 1e-12)


def test_the_value_is_the_headlines() -> None:
    found = sample(290.0, 301.0, 312.0)
    headline = found.headline()
    assert headline is not None
    assert gross(found).value == headline.value


def test_warm_up_and_invalid_and_uncounted_blocks_never_enter() -> None:
    good = [block(value, observed=seen()) for value in JOULES]
    bad = [
        block(9e9, warmup=True),
        block(9e9, valid=False, reasons=["another process"]),
        block(9e9, units=None),
    ]
    mixed = record(blocks=[bad[0], *good, *bad[1:]], machine=machine(SAMPLED))
    assert uncertainty.of(mixed) == uncertainty.of(sample())


def test_units_scale_joules_and_leave_relative_uncertainty_alone() -> None:
    once = gross(sample())
    each = [block(value * 4, units=4.0, items=4, observed=seen()) for value in JOULES]
    assert gross(record(blocks=each, machine=machine(SAMPLED))) == once


@pytest.mark.parametrize(("n", "factor"), [(2, 12.69), (5, 2.77)])
def test_few_blocks_have_a_wide_factor(n: int, factor: float) -> None:
    found = gross(sample(*JOULES[:n])).same_card
    assert found is not None
    assert found.coverage_factor == pytest.approx(factor, abs=0.15)


def test_one_block_has_lines_and_no_result_but_a_reason() -> None:
    budget = gross(sample(300.0))
    assert (budget.same_card, budget.absolute) == (None, None)
    assert budget.absent == dict.fromkeys(("same_card", "absolute"), "run to run: one block has no spread")
    assert line(budget, "run to run").contribution_j is None
    assert line(budget, "sensor gain").contribution_j == pytest.approx(15.21)
    assert (budget.lag1.value, budget.lag1.reason) == (None, "fewer than 3 blocks")


def test_equal_blocks_leave_what_is_no_matter_of_spread() -> None:
    budget = gross(sample(*[300.0] * 5))
    assert line(budget, "run to run").contribution_j == 0
    assert half(budget.same_card) == pytest.approx(1.959964 * 0.5 / ROOT_3)
    assert budget.same_card is not None
    assert budget.same_card.dof is None
    assert budget.lag1.reason == "all blocks are equal"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (record(blocks=[]), "no valid block with counted units"),
        (record(blocks=[block(valid=False)]), "no valid block with counted units"),
        (record(blocks=[block(energies={})]), "nothing was metered"),
        (record(blocks=[block(energies={GPU: energy(None, reason="it is lost")})]), f"{GPU}: it is lost"),
    ],
)
def test_without_a_figure_there_is_no_budget_but_a_reason(found: Record, reason: str) -> None:
    budgets = uncertainty.of(found)
    assert (budgets.gross, budgets.net) == (None, None)
    assert budgets.absent == {"gross": reason, "net": reason}


def test_without_idle_power_there_is_a_gross_budget_and_a_reason_for_net() -> None:
    found = record(blocks=[block(energies={GPU: energy(value)}) for value in JOULES])
    budgets = uncertainty.of(found)
    assert budgets.gross is not None
    assert (budgets.net, budgets.absent) == (None, {"net": "idle power is not known for every domain"})


# ---------------------------------------------------------------- run to run, lag 1


def test_run_to_run_is_the_standard_error_with_one_degree_less_than_blocks() -> None:
    found = line(gross(sample()), "run to run")
    assert (found.type, found.distribution, found.unit, found.dof) == ("A", "t", "J", 4.0)
    assert found.standard_uncertainty == pytest.approx(math.sqrt(62.5 / 5))
    assert found.enters == ["same_card", "absolute"]


def test_a_told_apart_lag_1_widens_run_to_run_from_eight_blocks_on() -> None:
    rising = [300.0 + step for step in range(12)]
    budget = gross(sample(*rising))
    assert budget.lag1.value == pytest.approx(0.75)
    assert budget.lag1.widened_by == pytest.approx(math.sqrt(1.75 / 0.25))
    assert budget.lag1.reason is None
    plain = math.sqrt(sum((value - 305.5) ** 2 for value in rising) / 11 / 12)
    found = line(budget, "run to run")
    assert found.standard_uncertainty == pytest.approx(plain * math.sqrt(7))
    assert "times 2.65" in found.source


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([300.0 + step for step in range(7)], "fewer than 8 blocks"),
        ([300.0 + step % 2 for step in range(12)], "negative: using it would narrow the interval"),
        ([300.0, 303.0, 301.0, 300.0, 302.0, 301.0, 303.0, 300.0], "not significantly different from 0"),
    ],
)
def test_any_other_lag_1_is_only_reported(values: list[float], reason: str) -> None:
    budget = gross(sample(*values))
    assert budget.lag1.value is not None
    assert (budget.lag1.widened_by, budget.lag1.reason) == (1.0, reason)
    assert budget.lag1.limit == pytest.approx(2 / math.sqrt(len(values)))


# ---------------------------------------------------------------- cards


def test_gain_and_offset_cancel_on_one_card() -> None:
    budget = gross(sample())
    gain, offset = line(budget, "sensor gain"), line(budget, "offset at other power")
    assert gain.standard_uncertainty == pytest.approx(math.hypot(0.019, 0.047), rel=1e-3)
    assert offset.standard_uncertainty == pytest.approx(0.0245 / ROOT_3)
    assert (gain.distribution, gain.dof) == ("normal", 10.0)
    assert (offset.distribution, offset.dof) == ("rectangular", None)
    for found in (gain, offset):
        assert (found.type, found.unit) == ("B", "1")
        assert (found.sensitivity, found.enters) == (300.0, ["absolute"])
        assert "2312.02741" in found.source


def test_gain_is_not_averaged_away_by_repeats() -> None:
    few, many = gross(sample(*JOULES)), gross(sample(*JOULES * 4))
    for name in ("sensor gain", "offset at other power", "counter lag, common"):
        assert line(few, name).contribution_j == pytest.approx(line(many, name).contribution_j)


def test_two_cards_are_taken_to_err_alike() -> None:
    each = {GPU: energy(200.0, 150.0), OTHER_GPU: energy(100.0, 75.0)}
    found = record(blocks=[block(energies=each)] * 5, machine=machine(SAMPLED, SAMPLED))
    assert line(gross(found), "sensor gain").contribution_j == pytest.approx(300 * 0.0507)
    assert line(net(found), "sensor gain").contribution_j == pytest.approx(225 * 0.0507)


def test_the_offset_of_net_is_that_of_gross() -> None:
    found = sample()
    assert line(net(found), "sensor gain").sensitivity == 240.0
    assert line(net(found), "offset at other power").sensitivity == 300.0


def test_half_a_tick_is_common_to_all_blocks_and_the_rest_is_in_their_spread() -> None:
    budget = gross(sample())
    common, each = line(budget, "counter lag, common"), line(budget, "counter lag, each block")
    assert common.unit == "tick"
    assert common.sensitivity == pytest.approx(1.0)
    assert common.contribution_j == pytest.approx(0.5 / ROOT_3)
    assert common.enters == ["same_card", "absolute"]
    assert not common.assumed
    assert "300 to 300 ticks" in common.source
    assert each.standard_uncertainty == pytest.approx(1 / math.sqrt(6) / math.sqrt(5))
    assert (each.distribution, each.enters) == ("triangular", [])
    assert each.reason
    assert "counts once" in each.reason


def edged(u_j: float, common_u_j: float, *joules: float, source: str = "counter-padded") -> Budget:
    """The budget of blocks that state their edges, and how much of that all blocks share."""
    told = {"source": source, "edge_u_j": u_j, "edge_common_u_j": common_u_j}
    cards = [energy(value).model_copy(update=told) for value in joules or JOULES]
    each = [block(energies={GPU: card}, observed=seen()) for card in cards]
    return gross(record(blocks=each, machine=machine(SAMPLED)))


def test_edges_that_state_their_uncertainty_take_the_place_of_half_a_tick() -> None:
    budget = edged(3.0, 0.0, *[300.0] * 5)
    found = line(budget, "edges")
    assert found.contribution_j == pytest.approx(3.0 / math.sqrt(5))
    assert found.enters == ["same_card", "absolute"]
    assert not {"counter lag, common", "counter lag, each block"} & names(budget)
    assert "edges" not in names(gross(sample()))


def test_what_edges_leave_counts_once_beside_the_spread_that_holds_it() -> None:
    """The standard error of the spread is √12.5 J: edges of 3 J over √5 are in it, of 10 J they are not."""
    assert line(edged(3.0, 0.0), "edges").contribution_j == 0.0
    assert line(edged(10.0, 0.0), "edges").contribution_j == pytest.approx(math.sqrt(20 - 12.5))


def test_what_is_not_known_of_a_counters_delay_is_common_to_all_blocks() -> None:
    for count in (1, 4):
        assert line(edged(2.0, 2.0, *JOULES * count), "edges").contribution_j == pytest.approx(2.0)


def test_a_plain_difference_keeps_its_half_tick() -> None:
    assert "counter lag, common" in names(edged(3.0, 1.0, source="counter"))


def test_fewer_ticks_weigh_more() -> None:
    each = [block(value, observed=seen(ticks)) for value, ticks in zip(JOULES, (60,) * 5, strict=True)]
    budget = gross(record(blocks=each, machine=machine(SAMPLED)))
    assert line(budget, "counter lag, common").sensitivity == pytest.approx(5.0)


@pytest.mark.parametrize("ticks", [None, 0, -3, 1e300, 10**400])
def test_unseen_ticks_are_taken_to_be_the_slowest_and_said_so(ticks: object) -> None:
    each = [block(value, observed=seen(ticks)) for value in JOULES]
    found = line(gross(record(blocks=each, machine=machine(SAMPLED))), "counter lag, common")
    assert found.assumed
    assert found.sensitivity == pytest.approx(1.0), "300 ticks of 0.1 s in 30 s"
    assert "0.1 s" in found.source


def integrated(gross_j: float, net_j: float) -> DomainEnergy:
    """Energy of a card that has no counter."""
    return DomainEnergy(gross_j=gross_j, net_j=net_j, source="power-integration", kind="measured")


def test_a_card_without_a_counter_has_no_ticks_and_a_delay() -> None:
    each = [block(energies={GPU: integrated(value, value - 60)}) for value in JOULES]
    budget = gross(record(blocks=each, machine=machine(SAMPLED)))
    assert not {"counter lag, common", "counter lag, each block"} & names(budget)
    found = line(budget, "delay of power")
    assert found.sensitivity == pytest.approx(10.0), "300 J in 30 s"
    assert found.contribution_j == pytest.approx(0.65 * 10 / ROOT_3)
    assert found.assumed
    assert "delay of power" not in names(gross(sample()))


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("NVIDIA A100-SXM4-80GB", "25%"),
        ("NVIDIA H100 80GB HBM3", "25%"),
        ("NVIDIA H200", "25%"),
        ("NVIDIA GH200 480GB", "25%"),
        ("Tesla V100-SXM2-16GB", "50%"),
    ],
)
def test_a_part_time_sensor_is_known_by_the_cards_name(name: str, share: str) -> None:
    rested = [block(value, observed=seen(), rest_s=1e-6) for value in JOULES]
    budget = gross(record(blocks=rested, machine=machine(name)))
    found = line(budget, "part-time sensor")
    assert found.standard_uncertainty == pytest.approx(0.05 / math.sqrt(30) / math.sqrt(5))
    assert found.enters == ["same_card", "absolute"]
    assert found.assumed
    assert f"{name} sees about {share}" in found.source
    assert budget.same_card is not None
    plain = gross(sample()).same_card
    assert plain is not None
    assert budget.same_card.standard_uncertainty_j > plain.standard_uncertainty_j
    assert half(budget.same_card) >= half(plain)


def test_blocks_without_a_rest_may_have_kept_step_with_the_sensor() -> None:
    """All of them, so that neither their length nor their number helps; one without it is enough."""
    for rested in (0, 4):
        each = [block(value, observed=seen(), rest_s=1e-6) for value in JOULES[:rested]]
        each += [block(value, observed=seen()) for value in JOULES[rested:]]
        found = line(gross(record(blocks=each, machine=machine("NVIDIA H100"))), "part-time sensor")
        assert found.standard_uncertainty == pytest.approx(0.45)
        assert found.assumed
        assert "work without rests may keep step with the sensor" in found.source
        assert found.enters == ["same_card", "absolute"]
    half = line(gross(sample(name="Tesla V100-SXM2-16GB")), "part-time sensor")
    assert half.standard_uncertainty == pytest.approx(0.45 / ROOT_3)


@pytest.mark.parametrize(
    "name", ["NVIDIA L40S", "NVIDIA RTX A1000", "NVIDIA GeForce RTX 4090", "NVIDIA Test"]
)
def test_other_cards_have_no_part_time_sensor_that_is_known(name: str) -> None:
    found = line(gross(sample(name=name)), "part-time sensor")
    assert (found.contribution_j, found.enters) == (None, [])
    assert found.reason == f"no such sensor is known of {name}"


@pytest.mark.parametrize("facts", [{}, {"gpus": []}, {"gpus": [{}]}, {"gpus": [{"uuid": UUID}]}])
def test_a_card_without_a_name_is_said_to_have_none(facts: dict[str, Any]) -> None:
    found = line(gross(record(machine=facts)), "part-time sensor")
    assert found.reason == "no such sensor is known of a card without a name"


def warmed(values: tuple[float, ...], degrees: tuple[float | None, ...]) -> Budget:
    """A budget whose blocks ran at these temperatures."""
    each = [block(j, observed=seen(300, c)) for j, c in zip(values, degrees, strict=True)]
    return gross(record(blocks=each, machine=machine(SAMPLED)))


def test_a_slope_over_temperature_enters_with_half_the_range() -> None:
    """5 J over 1 K, exactly: half of 4 K over √3, times 5 J/K."""
    budget = warmed(JOULES, (60.0, 61.0, 62.0, 63.0, 64.0))
    found = line(budget, "temperature")
    assert (found.type, found.unit, found.dof) == ("A", "K", 3.0)
    assert found.standard_uncertainty == pytest.approx(2 / ROOT_3)
    assert found.sensitivity == pytest.approx(5.0)
    assert found.enters == ["same_card", "absolute"]


@pytest.mark.parametrize(
    ("values", "degrees", "reason"),
    [
        (JOULES, (60.0, None, 62.0, 63.0, 64.0), "the temperature was not seen in every block"),
        (JOULES, (60.0, 60.05, 60.0, 60.0, 60.0), "the temperature stayed within 0.1 K"),
    ],
)
def test_otherwise_temperature_enters_nothing_and_says_why(
    values: tuple[float, ...], degrees: tuple[float | None, ...], reason: str
) -> None:
    found = line(warmed(values, degrees), "temperature")
    assert (found.enters, found.reason) == ([], reason)


@pytest.mark.parametrize(
    ("values", "degrees", "range_k"),
    [
        (JOULES[:3], (60.0, 61.0, 62.0), 2.0),
        (JOULES, (60.0, 64.0, 59.0, 63.0, 61.0), 5.0),
    ],
)
def test_a_drift_whose_cost_is_not_seen_enters_with_the_leakage_of_a_hot_chip(
    values: tuple[float, ...], degrees: tuple[float, ...], range_k: float
) -> None:
    """3 % over 30 K, so 0.1 % a kelvin of about 300 J."""
    found = line(warmed(values, degrees), "temperature")
    assert (found.type, found.assumed, found.reason) == ("B", True, None)
    assert found.standard_uncertainty == pytest.approx(range_k / ROOT_3)
    assert found.sensitivity == pytest.approx(fmean(values) / 1000)
    assert found.enters == ["same_card", "absolute"]


# ---------------------------------------------------------------- idle


def idle(power_w: float | None, before: float | None, after: float | None) -> dict[str, Idle]:
    """The card's idle power."""
    return {GPU: Idle(power_w=power_w, sd_w=None, before=before, after=after, kind="measured")}


def test_idle_enters_net_with_half_its_drift_for_as_long_as_a_unit_takes() -> None:
    budget = net(sample(idle=idle(2.0, 1.7, 2.3)))
    found = line(budget, "idle power")
    assert (found.unit, found.distribution, found.sensitivity) == ("W", "rectangular", -30.0)
    assert found.standard_uncertainty == pytest.approx(0.3 / ROOT_3)
    assert found.enters == ["same_card", "absolute"]
    assert not found.assumed
    assert "idle power" not in names(gross(sample()))


def test_one_look_at_idle_leaves_a_tenth_of_it_open() -> None:
    found = line(net(sample(idle=idle(2.0, 2.0, None))), "idle power")
    assert found.standard_uncertainty == pytest.approx(0.2 / ROOT_3)
    assert found.assumed
    assert "looked at only once" in found.source


@pytest.mark.parametrize("looks", [{}, idle(None, None, None)])
def test_net_joules_without_the_idle_they_are_net_of_have_no_result(looks: dict[str, Idle]) -> None:
    budget = net(sample(idle=looks))
    reason = f"idle power: the record has no idle power of {GPU}"
    assert (budget.same_card, budget.absolute) == (None, None)
    assert budget.absent == {"same_card": reason, "absolute": reason}


# ---------------------------------------------------------------- host, models, units


def hosted(cpu: Any, ram: Any) -> Record:
    """A record without a GPU: 30 J of processor and 5 J of memory a page."""
    each = {CPU: energy(30.0, 10.0, kind=cpu), RAM: energy(5.0, 1.0, kind=ram)}
    each = {name: found.model_copy(update={"source": "rapl"}) for name, found in each.items()}
    looks = {name: Idle(power_w=1.0, sd_w=None, before=0.9, after=1.1, kind="measured") for name in each}
    return record(blocks=[block(energies=each)] * 5, idle=looks)


def test_models_of_power_err_in_their_own_ways_and_cancel_on_one_machine() -> None:
    budget = gross(hosted("estimated", "estimated"))
    assert names(budget) == {"run to run", f"model of {CPU}", f"model of {RAM}", "units"}
    for name, contribution_j in ((CPU, 30 * 0.5 / ROOT_3), (RAM, 5 * 0.3 / ROOT_3)):
        found = line(budget, f"model of {name}")
        assert found.contribution_j == pytest.approx(contribution_j)
        assert (found.type, found.enters, found.assumed) == ("B", ["absolute"], True)
    assert half(budget.same_card) == 0


def test_measured_host_domains_have_the_error_of_rapl() -> None:
    budget = gross(hosted("measured", "estimated"))
    assert names(budget) == {"run to run", "gain of rapl", f"model of {RAM}", "units"}
    assert line(budget, "gain of rapl").contribution_j == pytest.approx(30 * 0.1 / ROOT_3)


def test_the_drifts_of_all_domains_add_up() -> None:
    found = line(net(hosted("measured", "estimated")), "idle power")
    assert found.standard_uncertainty == pytest.approx(0.2 / ROOT_3)


def test_the_headlines_scope_alone_counts() -> None:
    each = {GPU: energy(200.0, 100.0), RAM: energy(5.0, 1.0, kind="estimated")}
    budgets = uncertainty.of(record(blocks=[block(energies=each)] * 5))
    assert budgets.scope == "gpu"
    assert budgets.gross is not None
    assert budgets.gross.value == 200.0
    assert f"model of {RAM}" not in names(budgets.gross)


def test_counted_units_are_exact() -> None:
    found = line(gross(sample()), "units")
    assert (found.distribution, found.contribution_j, found.assumed) == ("exact", 0.0, False)


def test_an_assumed_number_of_tokens_a_word_enters_nothing_and_is_said() -> None:
    each = [block(value, words_kind="assumed", observed=seen()) for value in JOULES]
    budget = gross(record(blocks=each, machine=machine(SAMPLED)))
    found = line(budget, "units")
    assert (found.contribution_j, found.enters, found.assumed) == (None, [], True)
    assert found.reason
    assert half(budget.absolute) == half(gross(sample()).absolute)


# ---------------------------------------------------------------- as stored


def test_a_budget_is_kept_in_a_record_and_comes_back() -> None:
    found = sample()
    found.figures.uncertainty = uncertainty.of(found)
    again = Record.model_validate_json(results.to_json(found))
    assert again == found
    stored = json.loads(results.to_json(found))["figures"]["uncertainty"]
    assert set(stored["gross"]["same_card"]) >= {"value", "low", "high", "coverage_factor", "dof"}
    assert set(stored) == {"scope", "gross", "net", "absent"}


def test_a_record_from_before_budgets_still_loads_and_gets_one() -> None:
    found = sample()
    plain = json.loads(results.to_json(found))
    assert plain["schema"] == SCHEMA
    del plain["figures"]["uncertainty"]
    assert uncertainty.of(Record.model_validate(plain)) == uncertainty.of(found)


ODD_OBSERVED: list[Any] = [
    {},
    {"gpus": {"another": {"counter_ticks": 300}}},
    {"gpus": {UUID: {"temperature_c": None, "counter_ticks": 10**400}}},
    {"gpus": {UUID: {"counter_ticks": 0}}},
]


@pytest.mark.parametrize("odd", ODD_OBSERVED)
def test_odd_observations_are_taken_as_none(odd: Any) -> None:
    budget = gross(record(blocks=[block(value, observed=odd) for value in JOULES]))
    assert budget.absolute is not None
    assert line(budget, "counter lag, common").assumed


@pytest.mark.parametrize(
    "spoilt",
    [
        block().model_copy(update={"end_ns": 0}),
        block(1e300),
        block(units=1e-300),
        block(300.0, units=-1.0),
        block(energies={GPU: energy(300.0, 240.0).model_copy(update={"edge_u_j": 1e308})}),
    ],
)
def test_numbers_that_cannot_be_give_a_reason(spoilt: Block) -> None:
    found = uncertainty.of(record(blocks=[spoilt] * 5))
    assert found.gross is None
    assert found.absent["gross"] == "the record has impossible numbers"


def of_desk(joules: float) -> DomainEnergy:
    return energy(joules).model_copy(update={"source": "desk"})


def test_a_wall_meters_own_prior_is_what_the_record_says_of_it() -> None:
    """A meter of 1.5 %, which no code knows by name."""
    blocks = [block(energies={"wall:desk": of_desk(value)}) for value in JOULES]
    gain = {"half_width": 0.015, "origin": "its data sheet"}
    sources = {"desk": {"domains": ["wall:desk"], "gain": gain}}
    machine = record().machine.as_mapping() | {"energy_sources": sources}
    budget = gross(record(blocks=blocks, machine=machine))
    found = line(budget, "gain of desk")
    assert found.contribution_j == pytest.approx(budget.value * 0.015 / ROOT_3)
    assert found.source == "±1.5%: its data sheet"
    assert budget.absolute is not None


@pytest.mark.parametrize("stored", [{}, {"desk": {}}, {"desk": {"domains": ["wall:desk"], "gain": None}}])
def test_a_prior_that_is_none_leaves_the_absolute_interval_out(stored: object) -> None:
    blocks = [block(energies={"wall:desk": of_desk(value)}) for value in JOULES]
    machine = record().machine.as_mapping() | {"energy_sources": stored}
    assert gross(record(blocks=blocks, machine=machine)).absolute is None


def test_a_wall_meter_does_not_take_the_uncertainty_of_rapl() -> None:
    budget = gross(record(blocks=[block(energies={"wall:desk": of_desk(value)}) for value in JOULES]))
    assert "gain of rapl" not in [each.name for each in budget.inputs]
    assert line(budget, "gain of desk").reason == "no uncertainty is stated for wall:desk"
    assert budget.same_card is not None
    assert budget.absolute is None
    assert budget.absent["absolute"] == "gain of desk: no uncertainty is stated for wall:desk"


def test_another_vendors_cards_have_the_gain_that_their_source_states() -> None:
    """The offset is part of it, and errors of NVIDIA's cards are none of theirs."""
    sources = {"toy-gpu": {"domains": [GPU], "gain": {"half_width": 0.03, "origin": "its data sheet"}}}
    machine = record().machine.as_mapping() | {"energy_sources": sources}
    budget = gross(record(blocks=[block(value) for value in JOULES], machine=machine))
    found = line(budget, "gain of toy-gpu")
    assert found.contribution_j == pytest.approx(budget.value * 0.03 / ROOT_3)
    assert found.source == "±3%: its data sheet"
    assert not {"sensor gain", "offset at other power"} & {each.name for each in budget.inputs}
    assert budget.absolute is not None


def test_cards_of_a_source_that_states_no_gain_have_no_absolute_interval() -> None:
    machine = record().machine.as_mapping() | {"energy_sources": {"toy-gpu": {"domains": [GPU]}}}
    budget = gross(record(blocks=[block(value) for value in JOULES], machine=machine))
    assert budget.absent["absolute"] == f"gain of toy-gpu: no uncertainty is stated for {GPU}"
    assert budget.same_card is not None


def test_a_record_that_names_nvml_has_the_budget_of_one_that_names_no_source() -> None:
    blocks = [block(value) for value in JOULES]
    named = record().machine.as_mapping() | {"energy_sources": {"nvml": {"domains": [GPU], "gain": None}}}
    assert gross(record(blocks=blocks, machine=named)) == gross(record(blocks=blocks))
