"""Cards that change while metered: power around windows, ticks, other processes, MIG, old drivers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pynvml
import pytest

from bench.stats.budget.sensors import INTEGRATION_DELAY_S
from scripts.faults.machine import BUSY_W, Ending, Machine
from scripts.faults.scene import MOMENTS, Scene, at
from tests.standin import Family, StandIn

STEP_S = 0.05
"""Time from one random power to the next."""
STRANGER = 4242
COVERAGE_FACTOR, LEAST_SHARE = 4.0, 0.01
"""Of a block's own uncertainty, and of its joules: how far a valid block may be from the truth."""
OLD_DRIVER = (Family.FIELDS, Family.ENERGY, Family.MIG, Family.REASONS, Family.UTILISATION, Family.MEMORY)
"""Calls that a driver of before 2018 lacks."""


def card_scenes() -> Iterator[Scene]:
    """Every change of a card, at each moment that matters to it."""
    for seed in range(3):
        yield Scene("random power around windows", f"seed {seed}", _restless(seed), judge=assert_within)
    for from_ms, to_ms in ((100, 20), (20, 100), (100, 500)):
        fault = f"tick of {from_ms} ms becomes {to_ms} ms"
        for moment in ("at idle", "in a block"):
            yield Scene(fault, moment, _ticking(moment, from_ms, to_ms), judge=assert_within)
    for moment in MOMENTS[1:]:
        yield Scene("another process joins", moment, _joined(moment), f"pid {STRANGER}")
    for moment in MOMENTS:
        yield Scene("card is split into MIG slices", moment, _split(moment), "MIG")
    yield Scene("driver lacks newer functions", MOMENTS[0], _outdated, judge=assert_within_delay)


def assert_within(ending: Ending, standin: StandIn) -> None:
    """A valid block has the true joules within its own uncertainty; one that is not has a reason."""
    assert ending.record is not None
    for block in ending.measured:
        assert block.valid or block.reasons
        for domain, energy in block.energy.items():
            if block.valid and domain.startswith("gpu:") and energy.with_rests_j is not None:
                truth_j = standin.true_energy_j(0, block.start_ns, block.end_ns)
                allowed_j = max(COVERAGE_FACTOR * (energy.edge_u_j or 0.0), LEAST_SHARE * truth_j)
                assert energy.with_rests_j == pytest.approx(truth_j, abs=allowed_j), f"{domain}: {energy}"


def assert_within_delay(ending: Ending, standin: StandIn) -> None:
    """Power added up errs by no more than the delay that the budget takes for it."""
    assert ending.record is not None
    for block in ending.measured:
        (energy,) = (each for domain, each in block.energy.items() if domain.startswith("gpu:"))
        assert energy.with_rests_j is not None, energy
        truth_j = standin.true_energy_j(0, block.start_ns, block.end_ns)
        allowed_j = INTEGRATION_DELAY_S * energy.with_rests_j / block.duration_s
        assert energy.with_rests_j == pytest.approx(truth_j, abs=allowed_j), energy
    uncertainty = ending.record.figures.uncertainty
    assert uncertainty is not None
    assert uncertainty.gross is not None
    assert any(each.name == "delay of power" for each in uncertainty.gross.inputs)


def _restless(seed: int) -> Callable[[Machine], None]:
    """Something draws 40 to 400 W on the card whenever the work does not."""

    def arrange(machine: Machine) -> None:
        chance = random.Random(seed)

        def wander() -> None:
            standin = machine.standin
            if standin.true_power_w(0, standin.now_ns()) != BUSY_W:
                standin.load(0, standin.now_ns(), chance.uniform(40.0, 400.0))
            machine.in_s(STEP_S, wander)

        machine.in_s(STEP_S, wander)

    return arrange


def _ticking(moment: str, from_ms: int, to_ms: int) -> Callable[[Machine], None]:
    def arrange(machine: Machine) -> None:
        machine.standin.change(0, tick_ns=from_ms * 1_000_000)
        at(moment, machine, lambda: machine.standin.change(0, tick_ns=to_ms * 1_000_000), lambda: None)

    return arrange


def _joined(moment: str) -> Callable[[Machine], None]:
    def arrange(machine: Machine) -> None:
        standin = machine.standin
        join = lambda: standin.set_processes(0, compute={STRANGER: 10**9})  # noqa: E731
        at(moment, machine, join, lambda: machine.in_s(1.0, lambda: standin.set_processes(0)))

    return arrange


def _split(moment: str) -> Callable[[Machine], None]:
    def arrange(machine: Machine) -> None:
        card = machine.standin.gpu(0)
        at(moment, machine, lambda: setattr(card, "mig_mode", 1), lambda: setattr(card, "mig_mode", 0))

    return arrange


def _outdated(machine: Machine) -> None:
    for family in OLD_DRIVER:
        machine.standin.fail(family, pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)
