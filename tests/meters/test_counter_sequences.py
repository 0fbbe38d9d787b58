"""Counters of random power that leap, fall, stand still or wrap: a figure is true, or it is absent.

The truth is the integral of the power; the counters are made from it and then spoilt, without a look at the
rules that judge them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.meters import counter_checks, sampling
from bench.meters.base import PLAUSIBLE_W
from bench.meters.sampling import row
from bench.meters.sources.rapl import FACTS, Rapl
from bench.meters.window_meters import UNBROKEN, SourceMeter
from tests.meters.powercap import add_zone
from tests.support.metering import Recorded

S = 1_000_000_000
SECONDS = 16.0
TRIALS = 25
LATEST_S = 0.8
"""The longest time between two samples."""
RANGES_UJ = (262_143_328_850, 65_532_610_987)
"""Of servers, and of small machines."""

Counter = Callable[[float], float]
"""Joules at a moment in seconds, before they wrap."""
Spoil = Callable[[random.Random, Counter, float], Counter]
"""The last is the power that nothing of the kind draws."""


def drawn(chance: random.Random, low_w: float, high_w: float) -> Counter:
    """The energy of steps of power of 0.2 to 4 s."""
    edges, watts = [0.0], list[float]()
    while edges[-1] < SECONDS + 1:
        edges.append(edges[-1] + chance.uniform(0.2, 4.0))
        watts.append(chance.uniform(low_w, high_w))

    def energy_j(t_s: float) -> float:
        spans = zip(watts, edges[:-1], edges[1:], strict=True)
        return sum(w * (min(t_s, end) - begin) for w, begin, end in spans if t_s > begin)

    return energy_j


def moment(chance: random.Random) -> float:
    """Anywhere, and often right at the beginning, or at an edge of the window."""
    return chance.choice([chance.uniform(0.0, 13.0), chance.uniform(0.0, 0.2), 4.0, 11.9])


def size(chance: random.Random, plausible_w: float) -> float:
    """Joules that are too many for the longest time between samples, up to 250 kJ, small ones as likely."""
    return math.exp(chance.uniform(math.log(1.2 * LATEST_S * plausible_w), math.log(250_000.0)))


def leaps(chance: random.Random, true: Counter, plausible_w: float, sign: int = 1) -> Counter:
    begin_s, by_j = moment(chance), sign * size(chance, plausible_w)
    return lambda t_s: true(t_s) + (by_j if t_s >= begin_s else 0.0)


def leaps_and_returns(chance: random.Random, true: Counter, plausible_w: float, sign: int = 1) -> Counter:
    begin_s, by_j = moment(chance), sign * size(chance, plausible_w)
    end_s = begin_s + chance.choice([0.03, 0.2, chance.uniform(0.5, 6.0)])
    return lambda t_s: true(t_s) + (by_j if begin_s <= t_s < end_s else 0.0)


def stands_still(chance: random.Random, true: Counter, _: float, catches_up: bool = True) -> Counter:
    """For longer than a second, and goes on from where it stood, or with all at once."""
    begin_s = moment(chance)
    end_s = begin_s + chance.uniform(1.5, 6.0)
    lost_j = 0.0 if catches_up else true(end_s) - true(begin_s)
    return lambda t_s: true(min(t_s, begin_s)) if t_s < end_s else true(t_s) - lost_j


def falls(chance: random.Random, true: Counter, plausible_w: float) -> Counter:
    return leaps(chance, true, plausible_w, -1)


def dips(chance: random.Random, true: Counter, plausible_w: float) -> Counter:
    return leaps_and_returns(chance, true, plausible_w, -1)


def stays_behind(chance: random.Random, true: Counter, plausible_w: float) -> Counter:
    return stands_still(chance, true, plausible_w, catches_up=False)


SPOILT: tuple[Spoil, ...] = (leaps, leaps_and_returns, falls, dips, stands_still, stays_behind)


def looks(chance: random.Random) -> Iterator[float]:
    """Moments of samples: 23 a second, some of them late."""
    t_s = 0.0
    while t_s < SECONDS:
        yield t_s
        t_s += 1 / 23 if chance.random() > 0.02 else chance.uniform(0.05, LATEST_S)


def counted_by_rapl(
    folder: Path, monkeypatch: pytest.MonkeyPatch, chance: random.Random, counter: Counter
) -> Recorded:
    """A recording of a package whose file shows `counter`, read by the real reader."""
    range_uj = chance.choice(RANGES_UJ)
    begun_uj = chance.randrange(range_uj)
    file = add_zone(folder / "powercap", "intel-rapl:0", "package-0", begun_uj, range_uj)
    now_s = [0.0]
    monkeypatch.setattr("bench.meters.sources.rapl.time.monotonic_ns", lambda: round(now_s[0] * S))
    rapl, rows = Rapl(folder / "powercap"), list[bytes]()
    for t_s in looks(chance):
        now_s[0] = t_s
        file.write_text(str((begun_uj + round(counter(t_s) * 1e6)) % range_uj))
        reading = rapl.read()["cpu:package-0"]
        rows.append(row(reading.t_ns, sampling.SOURCE, 0, reading.energy_j))
    monkeypatch.undo()
    recorded = Recorded(folder / "samples.bin", rapl.domains, rapl.absent, alive=True)
    recorded.write(*rows)
    return recorded


WINDOW_S = (4.0, 12.0)
WINDOW_NS = tuple(round(edge_s * S) for edge_s in WINDOW_S)


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: str(spoil.__name__))
def test_a_package_that_misbehaves_gives_no_figure_or_a_true_one(
    spoil: Spoil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = 0
    for trial in range(TRIALS):
        chance = random.Random(f"{spoil.__name__} {trial}")
        true = drawn(chance, 15.0, 450.0)
        recorded = counted_by_rapl(
            tmp_path / str(trial), monkeypatch, chance, spoil(chance, true, FACTS.plausible_w)
        )
        found = SourceMeter(recorded).close(*WINDOW_NS)["cpu:package-0"]
        truth_j = true(WINDOW_S[1]) - true(WINDOW_S[0])
        if found.gross_j is None:
            assert found.reason
            absent += 1
        else:
            assert found.gross_j == pytest.approx(truth_j, rel=0.01), f"trial {trial}"
    assert absent > TRIALS / 10, "most of these faults are seen"


def test_a_package_that_behaves_has_its_joules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wraps and steps of power are no faults. A late sample at an edge is the one reason for no figure."""
    absent = 0
    for trial in range(TRIALS):
        chance = random.Random(f"good {trial}")
        true = drawn(chance, 15.0, 450.0)
        recorded = counted_by_rapl(tmp_path / str(trial), monkeypatch, chance, true)
        found = SourceMeter(recorded).close(*WINDOW_NS)["cpu:package-0"]
        truth_j = true(WINDOW_S[1]) - true(WINDOW_S[0])
        absent += found.gross_j is None
        if found.reason != UNBROKEN:
            assert found.gross_j == pytest.approx(truth_j, rel=0.01), f"trial {trial}: {found.reason}"
    assert absent < TRIALS / 2


def counted_by_nvml(folder: Path, chance: random.Random, counter: Counter) -> Recorded:
    """A recording of a card's counter, which moves every 20 to 200 ms."""
    tick_s = chance.choice([0.02, 0.1, 0.2])
    recorded = Recorded(folder / "samples.bin", alive=True)
    folder.mkdir()
    rows = (
        row(round(t_s * S), sampling.FAST, 0, counter(math.floor(t_s / tick_s) * tick_s), None, None, 0.0)
        for t_s in looks(chance)
    )
    recorded.write(*rows)
    return recorded


def difference_j(recorded: Recorded) -> float:
    """Joules between the samples just after the window's edges."""
    t_ns, energy_j = recorded.fast(0, 0, round(SECONDS * S), "energy_j")
    first, last = (int((t_ns < edge_ns).sum()) for edge_ns in WINDOW_NS)
    return float(energy_j[last] - energy_j[first])


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: str(spoil.__name__))
def test_a_card_that_misbehaves_is_told_or_its_difference_is_true(spoil: Spoil, tmp_path: Path) -> None:
    """Late by a tick and a sample, or by a second's standstill that only reaches into the window."""
    told = 0
    for trial in range(TRIALS):
        chance = random.Random(f"{spoil.__name__} {trial}")
        true = drawn(chance, 60.0, 1000.0)
        recorded = counted_by_nvml(tmp_path / str(trial), chance, spoil(chance, true, PLAUSIBLE_W))
        fault = counter_checks.counter_anomaly(recorded, 0, *WINDOW_NS)
        told += fault is not None
        truth_j = true(WINDOW_S[1]) - true(WINDOW_S[0])
        late_j = 1000.0 if spoil in (stands_still, stays_behind) else 0.0
        if fault is None:
            assert abs(difference_j(recorded) - truth_j) < late_j + 1000.0, f"trial {trial}"
    assert told > TRIALS / 10, "most of these faults are seen"


def test_a_card_that_behaves_is_believed(tmp_path: Path) -> None:
    for trial in range(TRIALS):
        chance = random.Random(f"good {trial}")
        recorded = counted_by_nvml(tmp_path / str(trial), chance, drawn(chance, 60.0, 1000.0))
        assert counter_checks.counter_anomaly(recorded, 0, *WINDOW_NS) is None, f"trial {trial}"
