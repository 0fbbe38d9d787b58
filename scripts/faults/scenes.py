"""What can go wrong with meters, as data: a fault, the moment it begins, and how to bring it about.

`nvml_scenes` is the matrix of NVML error codes, families of calls and moments; `meter_scenes` are cards,
counters, RAPL zones and recorders that misbehave. The tests play some of them, `scripts/bench-torture
faults` all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pynvml

from scripts.faults.card_scenes import card_scenes
from scripts.faults.machine import Machine
from scripts.faults.sampler_scenes import sampler_scenes
from scripts.faults.scene import INTO_BLOCK_S, MOMENTS, Scene, at
from tests.standin import NEVER, Family

CODES = tuple(
    sorted({value for name, value in vars(pynvml).items() if name.startswith("NVML_ERROR_") and value != 0})
)
"""Every error code of nvidia-ml-py."""

UNSEEN = "did not see all of this window"


def nvml_scenes(codes: Iterable[int] = CODES, moments: Iterable[str] = MOMENTS) -> Iterator[Scene]:
    """Every family of NVML calls answers with each code, at each moment."""
    for moment in moments:
        for family in Family:
            for code in codes:
                yield Scene(f"{family.name} answers {code}", moment, _failing(moment, family, code))


def _failing(moment: str, family: Family, code: int) -> Callable[[Machine], None]:
    def arrange(machine: Machine) -> None:
        standin = machine.standin
        at(moment, machine, lambda: standin.fail(family, code), lambda: standin.heal(family))

    return arrange


def meter_scenes() -> Iterator[Scene]:
    """Cards, counters, RAPL zones and recorders that misbehave, and what is said of each."""
    yield from _card_scenes()
    yield from _counter_scenes()
    yield from _rapl_scenes()
    yield from _recorder_scenes()
    yield from card_scenes()
    yield from sampler_scenes()


def _card_scenes() -> Iterator[Scene]:
    for moment in MOMENTS:

        def lose(machine: Machine, moment: str = moment) -> None:
            card = machine.standin.gpu(0)
            at(moment, machine, lambda: machine.standin.lose(0), lambda: setattr(card, "lost_ns", NEVER))

        yield Scene("card is lost", moment, lose, "the GPU is lost (fallen off the bus)")

    def fail_for_the_sampler(machine: Machine) -> None:
        machine.standin.fail(Family.INIT, pynvml.NVML_ERROR_DRIVER_NOT_LOADED, after=1)

    yield Scene("sampler alone finds no card", "from the start", fail_for_the_sampler, "moved too seldom")

    def draw_nothing(machine: Machine) -> None:
        card = machine.standin.gpu(0)
        card.counter_supported, card.gain = False, 0.0

    yield Scene("no counter, and power reads 0 W", "from the start", draw_nothing, "a power of 0 W")

    def lack_a_counter(machine: Machine) -> None:
        machine.standin.gpu(0).counter_supported = False
        at("in a block", machine, lambda: machine.standin.fail(Family.POWER, 999), lambda: None)

    yield Scene("no counter, and power fails", "in a block", lack_a_counter, "does not support it")


def _counter_scenes() -> Iterator[Scene]:
    for moment in MOMENTS:

        def freeze(machine: Machine, moment: str = moment) -> None:
            card = machine.standin.gpu(0)
            thaw = lambda: setattr(card, "counter_frozen_ns", NEVER)  # noqa: E731
            at(moment, machine, lambda: machine.standin.freeze_counter(0), thaw)

        expected = "stalled" if "block" in moment else "did not move"
        yield Scene("counter stalls", moment, freeze, expected)

    for moment in ("in a block", "at idle"):

        def reset(machine: Machine, moment: str = moment) -> None:
            at(moment, machine, lambda: machine.standin.reset_counter(0), lambda: None)

        yield Scene("counter is reset", moment, reset, "went backwards" if "block" in moment else "")

    for moment, seconds in (("in the rest before a block", 0.7), ("in the rest after a block", 4.0)):

        def reset_at_rest(machine: Machine, seconds: float = seconds) -> None:
            stage = "measuring block 2"
            machine.on_stage(stage, lambda: machine.in_s(seconds, lambda: machine.standin.reset_counter(0)))

        yield Scene("counter is reset", moment, reset_at_rest, "went backwards")

    def overtake(machine: Machine) -> None:
        """At 270 J when the block begins, at 0 J soon after, at 570 J when it ends."""
        again = machine.standin.reset_counter
        machine.on_stage("idle before", lambda: machine.in_s(0.1, lambda: again(0)))
        machine.on_stage("measuring block 1", lambda: machine.in_s(1.6, lambda: again(0)))

    yield Scene("counter is reset and overtakes", "in a block", overtake, "went backwards")

    def wrap(machine: Machine) -> None:
        card = machine.standin.gpu(0)
        card.counter_wraps_mj, card.counter_offset_mj = 2**32, 2.0**32 - 2e6

    yield Scene("counter of 32 bits wraps", "in a block", wrap, "went backwards")

    for joules in (1e9, 2e4):

        def leap(machine: Machine, joules: float = joules) -> None:
            card = machine.standin.gpu(0)
            to_mj = card.counter_offset_mj + joules * 1e3
            at("in a block", machine, lambda: setattr(card, "counter_offset_mj", to_mj), lambda: None)

        yield Scene(f"counter leaps by {joules:.0e} J", "in a block", leap, "jumped by")


def _rapl_scenes() -> Iterator[Scene]:
    start, block, while_, idle = MOMENTS
    for fault, text, moment, expected in (
        ("RAPL is unreadable", None, start, "RAPL answers with an error"),
        ("RAPL is unreadable", None, block, UNSEEN),
        ("RAPL is unreadable", None, while_, UNSEEN),
        ("RAPL is unreadable", None, idle, UNSEEN),
        ("RAPL reads nonsense", "nonsense", start, "RAPL answers with an error"),
        ("RAPL reads nonsense", "nonsense", block, UNSEEN),
        ("RAPL reads 0", "0", block, UNSEEN),
        ("RAPL leaps", "240000000000", while_, UNSEEN),
    ):

        def spoil(machine: Machine, moment: str = moment, text: str | None = text) -> None:
            package = machine.add_package()
            at(moment, machine, lambda: package.show(text), package.behave)

        yield Scene(fault, moment, spoil, expected)

    def reset(machine: Machine) -> None:
        package = machine.add_package()
        at("in a block", machine, package.reset, lambda: None)

    yield Scene("RAPL is reset", "in a block", reset, UNSEEN)

    def wrap_unseen(machine: Machine) -> None:
        package = machine.add_package()

        def hide() -> None:
            package.show(None)
            package.watts = 20_000.0

        def come_back() -> None:
            package.behave()
            package.watts = package.WATTS

        machine.on_stage("idle before", lambda: machine.in_s(0.7, hide))
        machine.on_stage("measuring block 4", lambda: machine.in_s(INTO_BLOCK_S, come_back))

    yield Scene("RAPL wraps twice unseen", "from idle to block 4", wrap_unseen, UNSEEN)


def _recorder_scenes() -> Iterator[Scene]:
    for moment in ("at idle", "in a block", "in a block, for 4 s"):

        def stop(machine: Machine, moment: str = moment) -> None:
            at(moment, machine, lambda: machine.stop_recorder(True), lambda: machine.stop_recorder(False))

        expected = "stalled" if "for" in moment else "recorder process has stalled"
        yield Scene("recorder is stopped", moment, stop, expected)

    for moment, stage in (
        ("while warming up", "warming up, round 2"),
        ("at idle", "idle before"),
        ("in a block", "measuring block 2"),
        ("at the last idle", "idle after"),
    ):

        def kill(machine: Machine, stage: str = stage) -> None:
            machine.on_stage(stage, lambda: machine.in_s(0.2, machine.kill_recorder))

        yield Scene(
            "recorder is killed", moment, kill, "" if "last" in moment else "recorder process has ended"
        )
