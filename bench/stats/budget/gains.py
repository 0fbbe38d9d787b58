"""Error of a card's reading at a given power: its gain and its offset, assumed or calibrated.

Cards of one machine are taken to err alike, so their joules are summed before they are multiplied: a gain
common to all of them is not averaged away by their number.

A calibrated card's figure is corrected (GUM 3.2.4), but in `absolute` alone. The figure itself is NVML's,
because it is what records of the same card are compared by: two of them, one from before the
calibration and one from after it, must not differ by the correction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench.core.budget import BudgetInput
from bench.core.calibration import SensorLine
from bench.stats.budget.evidence import (
    ABSOLUTE,
    NEITHER,
    YANG,
    BudgetEvidence,
    BudgetQuantity,
    line,
    within,
)

GAIN_U, GAIN_DOF = 0.0507, 10.0
"""Of eleven cards: their mean error of -1.9 %, which is not corrected for and so enters whole, and their
standard deviation of 4.7 %, known with ten degrees of freedom: √(1.9² + 4.7²). NVIDIA's ±5 % taken as a
rectangle covers 77 % of such cards."""
PUBLISHED = "nvml"
"""The energy source whose cards' errors those are; a card of another one has the gain that its source states,
offset included."""
OFFSET_HALF_WIDTH = 0.0245
"""Between 200 W and 350 W one card's error changes by up to 4.9 points: half for each of two figures."""


def correction_j(evidence: BudgetEvidence) -> float | None:
    """Correction of the figure for calibrated cards, joules per unit; `None` without one.

    A difference of two powers, as net is, is free of the offset.
    """
    lines = _sensor_lines(evidence)
    if not lines:
        return None
    return sum(_true_j(evidence, domain, found) for domain, found in lines.items()) - evidence.per_unit_j(
        list(lines)
    )


def _sensor_lines(evidence: BudgetEvidence) -> dict[str, SensorLine]:
    found = {domain: evidence.sensor_line(domain) for domain in evidence.gpus}
    return {domain: each for domain, each in found.items() if each is not None}


def _published(evidence: BudgetEvidence) -> list[str]:
    return [domain for domain in evidence.gpus if evidence.card_sources.get(domain, PUBLISHED) == PUBLISHED]


def stated(evidence: BudgetEvidence) -> dict[str, list[str]]:
    """Cards with the gain that their energy source states, by its name; calibrated ones are left out."""
    lines = _sensor_lines(evidence)
    found: dict[str, list[str]] = {}
    for domain in evidence.gpus:
        source = evidence.card_sources.get(domain, PUBLISHED)
        if source != PUBLISHED and domain not in lines:
            found.setdefault(source, []).append(domain)
    return found


def _true_j(evidence: BudgetEvidence, domain: str, found: SensorLine) -> float:
    """Joules per unit that a calibrated card really drew."""
    read_j = evidence.per_unit_j([domain])
    offset_w = 0.0 if evidence.net else found.offset_w or 0.0
    return (read_j - offset_w * evidence.seconds_per_unit) / found.gain


def sensor_gain(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """The card's gain error: one number a card, so repeats never average it away."""
    lines = _sensor_lines(evidence)
    unknown = [domain for domain in _published(evidence) if domain not in lines]
    if unknown:
        gain = BudgetQuantity("B", "normal", "1", GAIN_U, evidence.per_unit_j(unknown), GAIN_DOF)
        source = f"{GAIN_U:.2%}: eleven cards, mean error -1.9 % and standard deviation 4.7 %; {YANG}"
        yield line(evidence, "sensor gain", gain, ABSOLUTE, source)
    if lines:
        yield _calibrated_gain(evidence, lines)


def _calibrated_gain(evidence: BudgetEvidence, lines: Mapping[str, SensorLine]) -> BudgetInput:
    """Gain and offset together, at the power of the blocks: as far as the reference could determine them.

    Cards held against one reference err alike, so their joules are summed as those of others are.
    """
    true_j = {domain: _true_j(evidence, domain, found) for domain, found in lines.items()}
    alone = evidence.net or any(found.offset_w is None for found in lines.values())
    off_j = sum(
        true_j[domain]
        * (found.relative_gain_u if alone else found.relative_u(found.true_w(evidence.read_w(domain))))
        for domain, found in lines.items()
    )
    total_j = sum(true_j.values())
    read = ", ".join(
        f"{found.gain:.4f}" + (f" and {found.offset_w:+.1f} W" if found.offset_w is not None else "")
        for found in lines.values()
    )
    shift = total_j / evidence.per_unit_j(list(lines)) - 1
    source = f"gain {read} against a reference meter, so `absolute` is corrected by {shift:+.2%}"
    quantity = BudgetQuantity("B", "normal", "1", off_j / total_j, total_j)
    return line(evidence, "sensor gain, calibrated", quantity, ABSOLUTE, source)


def sensor_offset(evidence: BudgetEvidence) -> Iterator[BudgetInput]:
    """Difference of a card's error between two powers; it cancels only at like power.

    Net joules take the gross power too: idle is one such other power, so subtracting it does not help.
    A calibrated offset does away with it, between the powers at which it was found.
    """
    published = _published(evidence)
    if not published:
        return
    left = [domain for domain in published if not _offset_is_known(evidence, domain)]
    source = f"±{OFFSET_HALF_WIDTH:.2%}: half of what is left on one card, 200 W against 350 W; {YANG}"
    if left:
        offset = within(OFFSET_HALF_WIDTH, evidence.per_unit_j(left, net=False))
        yield line(evidence, "offset at other power", offset, ABSOLUTE, source)
        return
    reason = "it was found with the gain, at powers around this one"
    unneeded = BudgetQuantity("B", "rectangular", "1")
    yield line(evidence, "offset at other power", unneeded, NEITHER, "calibrated", reason=reason)


def _offset_is_known(evidence: BudgetEvidence, domain: str) -> bool:
    found = evidence.sensor_line(domain)
    return found is not None and found.spans(evidence.read_w(domain))
