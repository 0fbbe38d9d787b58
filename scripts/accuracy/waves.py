"""Power around a window of work that moves as real power does, with its exact energy.

    scene = WAVES["clock step after"](1.0, rng)      # work from second 0 to 1
    scene.true_j                                     # its joules, exactly
    counter = Counter(scene.power, tick_s=0.1, phase_s=0.03, delay_s=0.0)
    counter.read_j(t_s)                              # readings of the card at these moments

Power runs straight between points, so its integral is exact; two points at one moment are a step. The truth
of a curve is the straight pieces it is made of. Nothing here depends on how a meter works.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.core.arrays import Floats

BUSY_W, IDLE_W = 340.0, 70.0
ROOM_S = 12.0
"""What there is of a scene before and after its work."""
PIECE_S = 0.005
"""Pieces that a curve is made of."""


@dataclass(frozen=True)
class Power:
    """Watts over seconds, straight from point to point, and constant before the first and after the last."""

    t_s: Floats
    power_w: Floats

    def __post_init__(self) -> None:
        if np.any(np.diff(self.t_s) < 0):
            raise ValueError("The points of a power are not in order.")

    def energy_j(self, t_s: Floats) -> Floats:
        """Joules from the first point to each of these moments, negative before it."""
        lengths_s = np.diff(self.t_s)
        until_j = np.concatenate([[0.0], np.cumsum(lengths_s * (self.power_w[1:] + self.power_w[:-1]) / 2)])
        with np.errstate(invalid="ignore", divide="ignore"):
            slopes = np.where(lengths_s > 0, np.diff(self.power_w) / lengths_s, 0.0)
        at = np.clip(np.searchsorted(self.t_s, t_s, side="right") - 1, 0, len(self.t_s) - 1)
        past_s = t_s - self.t_s[at]
        slope = np.where(t_s < self.t_s[0], 0.0, np.concatenate([slopes, [0.0]])[at])
        return np.asarray(until_j[at] + past_s * (self.power_w[at] + slope * past_s / 2))

    def steps(self, step_s: float = PIECE_S) -> tuple[Floats, Floats]:
        """When which mean power begins, for the stand-in's log; it keeps the joules up to each moment."""
        grid_s = np.arange(self.t_s[0], self.t_s[-1] + step_s, step_s)
        edges_s = np.unique(np.concatenate([grid_s, self.t_s]))
        lengths_s = np.diff(edges_s)
        watts = np.diff(self.energy_j(edges_s)) / lengths_s
        return edges_s, np.concatenate([watts, self.power_w[-1:]])

    def plus(self, other: Power) -> Power:
        """Both at once."""
        t_s = np.unique(np.concatenate([self.t_s, other.t_s]))
        sides = [self._sides(t_s), other._sides(t_s)]
        before, after = (sum(side[which] for side in sides) for which in (0, 1))
        watts = np.column_stack([before, after]).ravel()
        return Power(np.repeat(t_s, 2), watts)

    def _sides(self, t_s: Floats) -> tuple[Floats, Floats]:
        """Watts just before and just after each moment; where it steps, they differ."""

        def at(side: int) -> Floats:
            low = np.searchsorted(self.t_s, t_s, side="left" if side == 0 else "right")
            left, right = np.clip(low - 1, 0, len(self.t_s) - 1), np.clip(low, 0, len(self.t_s) - 1)
            span_s = self.t_s[right] - self.t_s[left]
            share = np.where(span_s > 0, (t_s - self.t_s[left]) / np.where(span_s > 0, span_s, 1.0), 0.0)
            return np.asarray(self.power_w[left] + share * (self.power_w[right] - self.power_w[left]))

        return at(0), at(1)


@dataclass(frozen=True)
class Scene:
    """Power with work in it from second 0 to `seconds`."""

    power: Power
    seconds: float

    @property
    def true_j(self) -> float:
        """Joules of the work."""
        start_j, end_j = self.power.energy_j(np.array([0.0, self.seconds]))
        return float(end_j - start_j)


@dataclass(frozen=True)
class Counter:
    """An energy counter: as of its last tick, `delay_s` late, counting `share` of every `period_s`.

    One with `holds` counts on with the power of the last look until the next one ends.
    """

    power: Power
    tick_s: float
    phase_s: float
    delay_s: float = 0.0
    share: float = 1.0
    period_s: float = 0.1
    origin_s: float = -ROOM_S - 1.0
    holds: bool = False

    def read_j(self, t_s: Floats) -> Floats:
        """Its readings at these moments, in whole millijoules."""
        ticks = np.floor((t_s - self.delay_s - self.phase_s) / self.tick_s)
        return np.floor(self._counted_j(self.phase_s + ticks * self.tick_s) * 1e3) / 1e3

    def _counted_j(self, t_s: Floats) -> Floats:
        """Joules counted: of every period the first part is seen and represents all of it."""
        if self.share == 1:
            return self.power.energy_j(t_s)
        periods = np.floor((t_s.max(initial=self.origin_s) - self.origin_s) / self.period_s) + 1
        begins_s = self.origin_s + self.period_s * np.arange(periods)
        seen_j = self.power.energy_j(begins_s + self.share * self.period_s) - self.power.energy_j(begins_s)
        until_j = np.concatenate([[0.0], np.cumsum(seen_j / self.share)])
        at = np.clip(np.floor((t_s - self.origin_s) / self.period_s).astype(int), 0, len(begins_s) - 1)
        if self.holds:
            look_s = begins_s + self.share * self.period_s
            held_w = np.concatenate([[0.0], seen_j / (self.share * self.period_s)])
            held_j = np.concatenate([[0.0], np.cumsum(held_w[1:] * self.period_s)])
            last = np.clip(np.searchsorted(look_s, t_s, side="right"), 0, len(look_s))
            since_s = t_s - np.concatenate([[self.origin_s], look_s])[last]
            return np.asarray(held_j[np.maximum(last - 1, 0)] * (last > 0) + held_w[last] * since_s)
        into_s = np.clip(t_s - begins_s[at], 0.0, self.share * self.period_s)
        within_j = self.power.energy_j(begins_s[at] + into_s) - self.power.energy_j(begins_s[at])
        return np.asarray(until_j[at] + within_j / self.share)


Wave = Callable[[float, np.random.Generator], Scene]


def stepped(points: list[tuple[float, float]]) -> Power:
    """Watts from each moment on."""
    t_s = np.array([moment for moment, _ in points])
    watts = np.array([power for _, power in points])
    return Power(np.repeat(t_s, 2)[1:], np.repeat(watts, 2)[:-1])


def _scene(seconds: float, before: list[tuple[float, float]], after: list[tuple[float, float]]) -> Scene:
    """Steps before and after work of constant power."""
    return Scene(stepped([(-ROOM_S, IDLE_W), *before, (0.0, BUSY_W), (seconds, IDLE_W), *after]), seconds)


def _with(seconds: float, extra: Power) -> Scene:
    """Constant surroundings and work, and something that takes no notice of them."""
    return Scene(_scene(seconds, [], []).power.plus(extra), seconds)


def constant(seconds: float, _rng: np.random.Generator) -> Scene:
    """Idle, work, idle."""
    return _scene(seconds, [], [])


def _curved(seconds: float, after_s: Floats, over_w: Floats) -> Scene:
    """Work, followed by power over idle at given seconds after it."""
    t_s = np.concatenate([[-ROOM_S, 0.0, 0.0, seconds], seconds + after_s])
    return Scene(Power(t_s, np.concatenate([[IDLE_W, IDLE_W, BUSY_W, BUSY_W], IDLE_W + over_w])), seconds)


def fade(seconds: float, _rng: np.random.Generator) -> Scene:
    """High clocks after the work, fading with 2 s."""
    after_s = np.arange(0.0, ROOM_S, PIECE_S)
    return _curved(seconds, after_s, 40.0 * np.exp(-after_s / 2.0))


def fall(seconds: float, _rng: np.random.Generator) -> Scene:
    """150 W over idle that fall within 0.15 s after the work."""
    after_s = np.array([0.0, 0.15, ROOM_S])
    return _curved(seconds, after_s, np.array([150.0, 0.0, 0.0]))


def fall_inside(seconds: float, rng: np.random.Generator) -> Scene:
    """The work's last kernel ends 20 to 170 ms before the host is notified, then a falling plateau."""
    early_s, over_w = min(rng.uniform(0.02, 0.17), seconds / 3), rng.uniform(5.0, 40.0)
    busy = [(seconds - early_s, IDLE_W + over_w)]
    plateau = [(seconds + rng.uniform(1.7, 2.3), IDLE_W)]
    return Scene(stepped([(-ROOM_S, IDLE_W), (0.0, BUSY_W), *busy, *plateau]), seconds)


def clock_step_after(seconds: float, rng: np.random.Generator) -> Scene:
    """Clocks drop 0.3 to 1.7 s after the work: 60 W at once."""
    over = Power(np.array([seconds, seconds]), np.array([0.0, 60.0]))
    drop_s = seconds + rng.uniform(0.3, 1.7)
    end = Power(np.array([drop_s, drop_s]), np.array([0.0, -60.0]))
    return _with(seconds, over.plus(end))


def step_before(seconds: float, rng: np.random.Generator) -> Scene:
    """A context opens 0.2 to 1.7 s before the work: 40 W more from then on, until 3 s after it."""
    opened_s = -rng.uniform(0.2, 1.7)
    return _scene(seconds, [(opened_s, IDLE_W + 40.0)], [(seconds, IDLE_W + 40.0), (seconds + 3.0, IDLE_W)])


def second_step(seconds: float, rng: np.random.Generator) -> Scene:
    """Power steps up again 0.14 to 0.2 s after the work's start."""
    low = [(0.0, 0.7 * BUSY_W), (min(rng.uniform(0.14, 0.20), seconds / 2), BUSY_W)]
    return Scene(stepped([(-ROOM_S, IDLE_W), *low, (seconds, IDLE_W)]), seconds)


def _square(seconds: float, rng: np.random.Generator, shortest_s: float, longest_s: float) -> Scene:
    """120 W more in half of every period, of any phase."""
    period_s = float(np.exp(rng.uniform(np.log(shortest_s), np.log(longest_s))))
    begins_s = np.arange(-ROOM_S - rng.uniform(0, period_s), seconds + ROOM_S, period_s)
    points = [point for t_s in begins_s for point in ((t_s, 120.0), (t_s + period_s / 2, 0.0))]
    return _with(seconds, stepped(points))


def slow_square(seconds: float, rng: np.random.Generator) -> Scene:
    """A square wave of 1 to 10 s that has nothing to do with the work."""
    return _square(seconds, rng, 1.0, 10.0)


def fast_square(seconds: float, rng: np.random.Generator) -> Scene:
    """A square wave of 30 ms to 1 s that has nothing to do with the work."""
    return _square(seconds, rng, 0.03, 1.0)


def ramps(seconds: float, rng: np.random.Generator) -> Scene:
    """Power drifts up and down in straight lines of 0.3 to 3 s, by up to 100 W."""
    t_s = np.concatenate([[-ROOM_S], -ROOM_S + np.cumsum(rng.uniform(0.3, 3.0, 400))])
    t_s = t_s[t_s < seconds + ROOM_S]
    return _with(seconds, Power(t_s, rng.uniform(0.0, 100.0, len(t_s))))


def bursts(seconds: float, rng: np.random.Generator) -> Scene:
    """Bursts of 20 to 300 ms and 200 W at random, one in 0.7 s on average."""
    begins_s = -ROOM_S + np.cumsum(0.3 + rng.exponential(0.4, 400))
    begins_s = begins_s[begins_s < seconds + ROOM_S]
    ends_s = begins_s + rng.uniform(0.02, 0.29, len(begins_s))
    points = [
        pt for b, e in zip(begins_s, ends_s, strict=True) for pt in ((float(b), 200.0), (float(e), 0.0))
    ]
    return _with(seconds, stepped([(-ROOM_S - 1.0, 0.0), *points]))


def noise(seconds: float, rng: np.random.Generator) -> Scene:
    """Noise of 10 W, new every 20 ms, as at a power limit."""
    t_s = np.arange(-ROOM_S, seconds + ROOM_S, 0.02)
    return _with(
        seconds, stepped(list(zip(t_s.tolist(), rng.normal(0.0, 10.0, len(t_s)).tolist(), strict=True)))
    )


def stranger(seconds: float, rng: np.random.Generator) -> Scene:
    """Another process starts or ends within 2 s of one of the work's edges: 150 W."""
    moment_s = rng.choice([0.0, seconds]) + rng.uniform(-2.0, 2.0)
    first, then = (0.0, 150.0) if rng.random() < 0.5 else (150.0, 0.0)
    return _with(seconds, stepped([(-ROOM_S, first), (float(moment_s), then)]))


WAVES: dict[str, Wave] = {
    "constant": constant,
    "fade": fade,
    "fall within 0.15 s": fall,
    "fall inside the work": fall_inside,
    "clock step after": clock_step_after,
    "step before": step_before,
    "second step": second_step,
    "slow square": slow_square,
    "fast square": fast_square,
    "ramps": ramps,
    "bursts": bursts,
    "noise": noise,
    "another process": stranger,
}
"""By name. All powers are of a card of 340 W under load and 70 W at rest."""
