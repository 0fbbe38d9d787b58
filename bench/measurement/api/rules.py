"""Validity rules of a window around a program's own work: those of a block, and some of its own.

A rule that both have gives a program's remedy here, since it has no options of a command line.
"""

from __future__ import annotations

from dataclasses import replace

from bench.core.block import Block
from bench.core.domain import gpus
from bench.measurement.rule import Rule
from bench.measurement.validity import RULES as OF_BLOCKS
from bench.measurement.validity import judge, no_reading

SHORT_S = 0.1
"""Most counters move once in this: without a reading, so short a window is all that is wrong."""


def _failed(block: Block, _limit: float) -> str | None:
    failure = block.observed.failure
    return f"the work ended with {failure}" if failure else None


def _elsewhere(block: Block, _limit: float) -> str | None:
    cards = block.observed.unmetered_gpus
    return f"the work also runs on {', '.join(cards)}" if cards else None


def _other_measurement(block: Block, _limit: float) -> str | None:
    return block.observed.other_measurement or None


def _recorder_ended(block: Block, _limit: float) -> str | None:
    return "the recorder process had ended" if block.observed.recorder_ended else None


def _too_short(block: Block, limit: float) -> str | None:
    reason = no_reading(block, limit) if block.duration_s < limit else None
    return None if reason is None else f"it lasted {block.duration_s:.2g} s (limit {limit:g} s), and {reason}"


def _no_reading(block: Block, limit: float) -> str | None:
    return None if block.duration_s < SHORT_S else no_reading(block, limit)


def _no_units(block: Block, _limit: float) -> str | None:
    if block.units is not None:
        return None if block.units else "0 units were made"
    return block.observed.uncounted or "units were not given"


def _short_estimate(block: Block, limit: float) -> str | None:
    """CodeCarbon begins before a window and ends after it, which a short one without a card feels."""
    estimated = any(energy.kind == "estimated" for energy in block.energy.values())
    if gpus(block.energy) or not estimated or block.codecarbon is None:
        return None
    beyond = block.codecarbon.duration_s / block.duration_s - 1
    if beyond <= limit:
        return None
    return f"the estimate covers {beyond:.0%} more time than the window (limit {limit:.0%})"


OWN = (
    Rule("work failed", None, "its joules are those of a part of it", "Mend it.", _failed),
    Rule("too short", SHORT_S, "the window is too short to be metered", "Put more work into it.", _too_short),
    Rule(
        "other card",
        None,
        "those joules are not in the figure",
        "Name every card with gpus=, by index or UUID.",
        _elsewhere,
    ),
    Rule(
        "short estimate",
        0.05,
        "the window is too short to be estimated",
        "Put more work into it.",
        _short_estimate,
    ),
    Rule(
        "other measurement",
        None,
        "two measurements spoil each other's figures",
        "Wait for it to end.",
        _other_measurement,
    ),
    Rule(
        "recorder ended",
        None,
        "the end of the window was not sampled",
        "Make a new Meter.",
        _recorder_ended,
    ),
)


_OF = {rule.name: rule for rule in OF_BLOCKS}
_HERE = (
    replace(_OF["no reading"], broken=_no_reading),
    replace(_OF["no units"], broken=_no_units, remedy="Give units=, or set `units` of the window."),
    replace(_OF["few ticks"], remedy="Put more work into it."),
    replace(_OF["temperature drift"], remedy="Put more work into it, or let the card settle."),
)
RULES = (*OWN, *(_OF | {rule.name: rule for rule in _HERE}).values())


def judged(block: Block) -> Block:
    """The same block, marked invalid with every reason that applies."""
    return judge(block, RULES)
