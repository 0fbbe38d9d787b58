"""Joules of a model of power that is the same for any work are said to follow time."""

from __future__ import annotations

import pytest

from bench.core.block import Block
from bench.core.energy import DomainKind
from bench.core.record import Record
from bench.stats.constant_power import follows_time
from tests.support.factory import block, energy, record


def window(
    watts: float, seconds: float = 3.0, kind: DomainKind = "estimated", *, warmup: bool = False
) -> Block:
    """A window of a processor and its memory, 20 W of it the memory's."""
    energies = {
        "cpu-estimate": energy((watts - 20.0) * seconds, kind=kind),
        "ram-estimate": energy(20.0 * seconds, kind="estimated"),
    }
    return block(seconds=seconds, energies=energies, warmup=warmup)


def of(*blocks: Block) -> Record:
    return record(blocks=list(blocks))


def test_one_power_on_both_sides_whatever_they_take() -> None:
    sentence = follows_time(of(*[window(28.007)] * 5), of(*[window(28.005, seconds=9.0)] * 5))
    assert sentence is not None
    assert sentence.startswith("Here joules follow time only: a model of power, not a meter, gives 28 W ")


@pytest.mark.parametrize(
    "sides",
    [
        (of(*[window(21.0)] * 5), of(*[window(28.0)] * 5)),
        (of(*[window(28.0)] * 4, window(29.0)),),
        (of(*[window(28.0)] * 5), of(*[window(28.0, kind="measured")] * 5)),
        (record(),),
        (record(status="failed", blocks=[], failure={"stage": "load", "message": "no such revision"}),),
        (),
    ],
)
def test_watts_that_differ_and_meters_are_left_alone(sides: tuple[Record, ...]) -> None:
    assert follows_time(*sides) is None


def test_warm_up_is_left_out() -> None:
    assert follows_time(of(window(21.0, warmup=True), *[window(28.0)] * 5)) is not None
