"""Which stand-in card has which counter and sensor: every combination has a card of its own.

One window of real time then measures all of them at once, and no combination sees other phases than another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from scripts.accuracy.waveforms import IDLE_W, WAVEFORMS
from tests.standin import StandIn

TICKS_S = (0.02, 0.1, 0.5)
SHARES = (1.0, 0.25)
SENSOR_PERIOD_S = 0.1


@dataclass(frozen=True)
class Card:
    """A card's counter tick, the share of the time that its sensor sees, and the work it is given."""

    waveform: str
    tick_s: float
    share: float


IN_STEP_CARD = Card("in step", 0.1, 0.25)
GRID = tuple(Card(*cell) for cell in product(WAVEFORMS, TICKS_S, SHARES))


def arrange(standin: StandIn, cards: Sequence[Card], rng: np.random.Generator) -> None:
    """Give the stand-in's cards these counters and sensors, each at a phase of its own; no counter jumps.

    Where a sensor sees only part of the time, the counter is fed by it and has the same gaps.
    """
    for index, card in enumerate(cards):
        standin.gpu(index).base_w = IDLE_W
        standin.change(
            index,
            tick_ns=round(card.tick_s * 1e9),
            tick_phase_ns=int(rng.integers(round(card.tick_s * 1e9))),
            sensor_period_ns=round(SENSOR_PERIOD_S * 1e9),
            sensor_phase_ns=int(rng.integers(round(SENSOR_PERIOD_S * 1e9))),
            seen_share=card.share,
            counter_part_time=card.share < 1,
        )
