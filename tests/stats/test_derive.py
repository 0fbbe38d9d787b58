"""From blocks to figures: what counts, what is left out, and that nothing missing becomes a zero."""

from __future__ import annotations

from typing import Any

import pytest

from bench.core.block import Block, Phase
from bench.core.energy import DomainEnergy
from bench.core.figures import ScopedFigure
from bench.stats.figures import derive
from tests.support.factory import CARBON, CPU, GPU, RAM, block, blocks, energy

JOULES = (290.0, 295.0, 300.0, 305.0, 310.0)

WALL = "wall:desk"
OTHER_GPU = "gpu:GPU-99999999-1111-2222-3333-444444444444"


def metered(*domains: dict[str, DomainEnergy], **more: Any) -> list[Block]:
    """One block for each mapping of domains."""
    return [block(energies=each, **more) for each in domains]


def value(figure: ScopedFigure) -> float:
    """The gross value of a figure that must have one."""
    assert figure.gross is not None, figure.reason
    return figure.gross.value


def test_the_headline_is_the_mean_of_the_repeats_gross_joules_a_unit() -> None:
    figures = derive(blocks(), CARBON)
    assert figures.headline_scope == "gpu"
    figure = figures.energy_per_unit_j["gpu"]
    assert (value(figure), figure.kind, figure.domains) == (300.0, "measured", {GPU: "measured"})
    assert figure.gross is not None
    assert figure.gross.n == len(JOULES)


def test_warm_up_blocks_never_enter() -> None:
    without = [block(joules) for joules in JOULES]
    assert derive([block(9e9, warmup=True), *without], CARBON) == derive(without, CARBON)


def test_invalid_blocks_never_enter() -> None:
    without = [block(joules) for joules in JOULES]
    spoilt = block(9e9, valid=False, reasons=["another process used the GPU"])
    assert derive([spoilt, *without], CARBON) == derive(without, CARBON)


@pytest.mark.parametrize("units", [None, 0.0])
def test_blocks_without_counted_units_never_enter(units: float | None) -> None:
    without = [block(joules) for joules in JOULES]
    assert derive([*without, block(9e9, units=units)], CARBON) == derive(without, CARBON)


@pytest.mark.parametrize(
    "left",
    [[], [block(warmup=True)], [block(valid=False)], [block(units=None)]],
    ids=["none", "warm-up", "invalid", "uncounted"],
)
def test_without_any_usable_block_there_is_no_figure_but_a_reason(left: list[Block]) -> None:
    figures = derive(left, CARBON)
    assert figures.headline_scope is None
    assert figures.energy_per_unit_j == {}
    assert figures.time_per_unit_s is None
    assert figures.absent == {"energy_per_unit_j": "no valid block with counted units"}


def test_blocks_in_which_nothing_was_metered_give_times_and_a_reason() -> None:
    figures = derive(metered({}, {}), CARBON)
    assert figures.energy_per_unit_j == {}
    assert figures.absent["energy_per_unit_j"] == "nothing was metered"
    assert figures.time_per_unit_s is not None


def test_each_block_counts_as_one_ratio_whatever_its_size() -> None:
    """100 J a page in a block of one, 50 in a block of nine: the figure is 75, not the 55 of a pooled sum."""
    pair = [block(100.0, units=1.0), block(450.0, units=9.0)]
    assert value(derive(pair, None).energy_per_unit_j["gpu"]) == 75.0


def test_a_missing_reading_makes_the_figure_null_with_its_reason_and_never_zero() -> None:
    lost = block(energies={GPU: energy(None, reason="the GPU is lost")})
    figures = derive([block(), block(), lost], CARBON)
    assert figures.headline_scope == "gpu"
    every = (
        figures.energy_per_unit_j,
        figures.energy_per_item_j,
        figures.power_w,
        figures.carbon_per_unit_g,
    )
    for scopes in every:
        figure = scopes["gpu"]
        assert (figure.gross, figure.net) == (None, None)
        assert figure.reason == f"{GPU}: the GPU is lost"


def test_a_missing_reading_without_a_reason_still_says_so() -> None:
    figure = derive([block(None), block()], None).energy_per_unit_j["gpu"]
    assert (figure.gross, figure.reason) == (None, f"{GPU}: no reading")


def test_a_reading_missing_in_a_block_that_does_not_count_costs_nothing() -> None:
    assert value(derive([block(None, warmup=True), block(), block()], None).energy_per_unit_j["gpu"]) == 300.0


def test_a_measured_zero_is_a_zero() -> None:
    assert value(derive([block(0.0), block(0.0)], None).energy_per_unit_j["gpu"]) == 0.0


@pytest.mark.parametrize("lacking", [0, 1, 2])
def test_a_domain_that_one_block_lacks_is_not_left_out_of_the_sum_in_silence(lacking: int) -> None:
    each = [{GPU: energy(200.0), CPU: energy(100.0)} for _ in range(3)]
    del each[lacking][CPU]
    figures = derive(metered(*each), None)
    assert value(figures.energy_per_unit_j["gpu"]) == 200.0
    host = figures.energy_per_unit_j["host"]
    assert (host.gross, host.reason) == (None, f"{CPU}: no reading")


def test_a_gpu_that_one_block_lacks_does_not_move_the_headline_to_the_host() -> None:
    figures = derive(metered({GPU: energy(200.0), CPU: energy(9.0)}, {CPU: energy(9.0)}), None)
    assert figures.headline_scope == "gpu"
    assert figures.energy_per_unit_j["gpu"].gross is None
    assert figures.energy_per_unit_j["host"].gross is None


def test_each_missing_domain_has_its_own_reason() -> None:
    lost = {GPU: energy(None, reason="it is lost"), CPU: energy(None, reason="no permission")}
    figures = derive(metered(lost, lost), None)
    assert figures.energy_per_unit_j["gpu"].reason == f"{GPU}: it is lost"
    assert figures.energy_per_unit_j["host"].reason == f"{CPU}: no permission; {GPU}: it is lost"


def test_scope_gpu_holds_the_cards_and_scope_host_everything() -> None:
    each = {GPU: energy(200.0), OTHER_GPU: energy(50.0), CPU: energy(30.0), RAM: energy(20.0)}
    figures = derive(metered(each, each), None)
    assert {scope: value(figure) for scope, figure in figures.energy_per_unit_j.items()} == {
        "gpu": 250.0,
        "host": 300.0,
    }
    assert set(figures.energy_per_unit_j["gpu"].domains) == {GPU, OTHER_GPU}
    assert set(figures.energy_per_unit_j["host"].domains) == set(each)


def test_a_gpu_alone_has_no_scope_host() -> None:
    assert set(derive(blocks(), None).energy_per_unit_j) == {"gpu"}


def test_without_a_gpu_the_headline_is_the_host() -> None:
    each = {CPU: energy(30.0)}
    figures = derive(metered(each, each), None)
    assert (figures.headline_scope, set(figures.energy_per_unit_j)) == ("host", {"host"})


def test_a_wall_meter_is_added_to_neither_cards_nor_host() -> None:
    each = {GPU: energy(200.0), CPU: energy(30.0), WALL: energy(400.0)}
    figures = derive(metered(each, each), None)
    assert {scope: value(figure) for scope, figure in figures.energy_per_unit_j.items()} == {
        "gpu": 200.0,
        "host": 230.0,
        "wall": 400.0,
    }
    assert figures.headline_scope == "gpu"


def test_with_a_wall_meter_alone_the_headline_is_the_wall() -> None:
    each = {WALL: energy(400.0)}
    figures = derive(metered(each, each), None)
    assert (figures.headline_scope, set(figures.energy_per_unit_j)) == ("wall", {"wall"})


def test_a_domain_of_an_unknown_kind_is_in_no_figure_and_says_so() -> None:
    each = {GPU: energy(200.0), "solar:roof": energy(9e9)}
    figures = derive(metered(each, each), None)
    assert {scope: value(figure) for scope, figure in figures.energy_per_unit_j.items()} == {"gpu": 200.0}
    assert figures.absent["domain.solar:roof"] == "no scope includes this kind of domain"


@pytest.mark.parametrize(
    ("cpu", "ram", "kind"),
    [
        ("measured", "measured", "measured"),
        ("measured", "estimated", "mixed"),
        ("estimated", "estimated", "estimated"),
    ],
)
def test_a_sum_says_whether_it_was_measured_estimated_or_both(cpu: Any, ram: Any, kind: str) -> None:
    each = {CPU: energy(30.0, kind=cpu), RAM: energy(5.0, kind=ram)}
    host = derive(metered(each, each), None).energy_per_unit_j["host"]
    assert (host.kind, host.domains) == (kind, {CPU: cpu, RAM: ram})


def test_a_domain_estimated_in_one_block_is_not_called_measured() -> None:
    one, other = {CPU: energy(30.0)}, {CPU: energy(31.0, kind="estimated")}
    for order in ((one, other), (other, one)):
        assert derive(metered(*order), None).energy_per_unit_j["host"].kind == "estimated"


def test_the_estimate_of_one_domain_does_not_stain_a_scope_without_it() -> None:
    each = {GPU: energy(200.0), RAM: energy(5.0, kind="estimated")}
    figures = derive(metered(each, each), None)
    assert (figures.energy_per_unit_j["gpu"].kind, figures.energy_per_unit_j["host"].kind) == (
        "measured",
        "mixed",
    )


def test_net_is_given_beside_gross() -> None:
    """Blocks of 30 s over an idle power of 2 W: 60 J less."""
    figure = derive(blocks(), None).energy_per_unit_j["gpu"]
    assert figure.net is not None
    assert (value(figure), figure.net.value, figure.reason) == (300.0, 240.0, None)


def test_net_is_null_with_a_reason_where_one_domains_idle_is_not_known() -> None:
    each = {GPU: energy(200.0, net_j=150.0), CPU: energy(30.0)}
    figures = derive(metered(each, each), None)
    assert figures.energy_per_unit_j["gpu"].net is not None
    host = figures.energy_per_unit_j["host"]
    assert (value(host), host.net, host.reason) == (
        230.0,
        None,
        "idle power is not known for every domain",
    )


def test_carbon_is_gross_energy_times_the_grid_factor() -> None:
    """300 J are 8.33e-5 kWh; at 360 g/kWh that is 0.03 g."""
    figures = derive(blocks(), CARBON)
    figure = figures.carbon_per_unit_g["gpu"]
    assert value(figure) == pytest.approx(0.03)
    assert figure.gross is not None
    assert figure.gross.relative_half_width == pytest.approx(9.816215 / 300)
    assert "carbon_per_unit_g" not in figures.absent


@pytest.mark.parametrize("carbon", [None, CARBON.model_copy(update={"intensity_g_per_kwh": None})])
def test_without_a_grid_factor_there_is_no_carbon_but_a_reason(carbon: Any) -> None:
    figures = derive(blocks(), carbon)
    assert figures.carbon_per_unit_g == {}
    assert figures.absent["carbon_per_unit_g"] == "no grid factor is known"


def test_a_grid_without_any_carbon_gives_a_carbon_of_zero() -> None:
    figures = derive(blocks(), CARBON.model_copy(update={"intensity_g_per_kwh": 0.0}))
    assert value(figures.carbon_per_unit_g["gpu"]) == 0.0


def test_power_and_times_are_means_over_blocks() -> None:
    figures = derive([block(300.0, seconds=30.0, units=2.0), block(500.0, seconds=25.0, units=2.0)], None)
    assert value(figures.power_w["gpu"]) == 15.0
    assert figures.time_per_unit_s is not None
    assert figures.time_per_unit_s.value == 13.75
    assert figures.units_per_second is not None
    assert figures.units_per_second.value == pytest.approx((2 / 30 + 2 / 25) / 2)


def test_an_item_is_not_a_unit() -> None:
    """Four items of half a page each."""
    figures = derive([block(300.0, units=2.0, items=4)] * 2, None)
    assert value(figures.energy_per_unit_j["gpu"]) == 150.0
    assert value(figures.energy_per_item_j["gpu"]) == 75.0


def test_joules_a_token_are_given_where_every_block_counted_tokens() -> None:
    counted = derive([block(300.0, tokens=600), block(330.0, tokens=600)], None)
    assert value(counted.energy_per_token_j["gpu"]) == pytest.approx(0.525)
    assert derive([block(tokens=600), block(tokens=None)], None).energy_per_token_j == {}


def phased(**phases: Phase) -> Block:
    """A block of 30 s and 300 J with phases."""
    return block(300.0, phases=phases)


def test_phases_are_shares_of_the_blocks_time_and_energy() -> None:
    each = phased(
        prefill=Phase(seconds=3.0, count=4, energy={GPU: energy(60.0)}),
        decode=Phase(seconds=24.0, count=4, energy={GPU: energy(230.0)}),
    )
    figures = derive([each, each], None)
    assert figures.phase_time_share == pytest.approx({"prefill": 0.1, "decode": 0.8})
    assert figures.phase_energy_share == pytest.approx({"prefill": 0.2, "decode": 230 / 300})


def test_a_phase_too_short_to_meter_has_a_time_and_no_energy() -> None:
    short = Phase(seconds=0.03, count=4, energy={GPU: energy(None, reason="too short")})
    figures = derive([phased(prefill=short)] * 2, None)
    assert figures.phase_time_share == pytest.approx({"prefill": 0.001})
    assert figures.phase_energy_share == {}


def test_a_phase_metered_where_the_block_was_not_has_no_share_of_energy() -> None:
    stray = Phase(seconds=3.0, count=1, energy={OTHER_GPU: energy(60.0)})
    assert derive([phased(decode=stray)] * 2, None).phase_energy_share == {}


def test_phases_of_warm_up_and_invalid_blocks_never_enter() -> None:
    odd = {"odd": Phase(seconds=3.0, count=1)}
    left_out = [block(warmup=True, phases=odd), block(valid=False, phases=odd)]
    figures = derive([block(), block(), *left_out], None)
    assert figures.phase_time_share == {}
