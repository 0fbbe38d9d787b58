"""Joules that are seconds times a constant, no more: those of a model of power that saw no difference.

    follows_time(a, b)     # "Here joules follow time only: a model of power, not a meter, gives 28 W ..."

Without a meter, memory is a constant, and the processor is 10 % of its rated power and 90 % times the cube of
the whole machine's load: of a machine that is full, or of a small processor, that is the same for any work.
"""

from __future__ import annotations

from bench.core.measurement import Measurement

SAME_POWER = 0.02
"""Largest spread of the windows' mean watts, over their mean, that is called constant."""


def follows_time(*measured: Measurement) -> str | None:
    """A sentence where all headlines are estimated, at one power over all windows; else `None`."""
    of_each = [_estimated_w(found) for found in measured]
    if not of_each or not all(of_each):
        return None
    watts = [each for listed in of_each for each in listed]
    mean_w = sum(watts) / len(watts)
    if max(watts) - min(watts) > SAME_POWER * mean_w:
        return None
    steady = f"a model of power, not a meter, gives {mean_w:.3g} W in every window"
    return f"Here joules follow time only: {steady}."


def is_estimated(measured: Measurement) -> bool:
    """Whether no meter had a part in the headline."""
    scope = measured.figures.headline_scope
    return scope is not None and measured.figures.energy_per_unit_j[scope].kind == "estimated"


def _estimated_w(measured: Measurement) -> list[float]:
    """Mean watts of each window, warm-up left out; empty where the headline is not estimated throughout."""
    scope = measured.figures.headline_scope
    if not is_estimated(measured):
        return []
    sums = [(block.joules(scope).gross_j, block.work_s) for block in measured.blocks if not block.warmup]
    return [joules / seconds for joules, seconds in sums if joules is not None and seconds > 0]
