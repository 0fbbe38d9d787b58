"""Sentences of the answer: the finding by each count of the person, what turns it, what AI includes.

    title(found)         # "A page by a person with AI, beside a person alone: 2.2 times less CO2e (95 %: ..."

Each count of the person has its own figure and 95 % range: a span over both counts would read as an
uncertainty.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.quantities import Range
from bench.footprint import tomlinson2024
from bench.footprint.answers import MadeByWhom, PersonCount, UnitAnswer, critics_ahead
from bench.view.answer_chart import EnergyLook
from bench.view.spans import ends, value_text

SHORT = {
    "page": "a page",
    "image": "an image",
    "audio_second": "a second of music",
    "video_second": "a second of film",
}
COUNTS: dict[PersonCount, str] = {"equipment": "equipment only", "life": "whole life by the hour"}
WHY: dict[PersonCount, str] = {
    "equipment": "by equipment only",
    "life": "by hours of a whole life",
}
LOOKS_LIKE = {
    "published": "hollow where its energy is published",
    "estimated": "hatched where estimated",
    "measured": "full where metered",
}
"""Dots of AI alone in words, by the kind of their energy."""
TAKEAWAY = (
    "Grams of CO2e, all drafts included. Dots are medians, those of AI alone {looks}; lines are 95 % ranges. "
    "Grey bars: Tomlinson et al. 2024, whose people emit {page} times as much as its models for a page, "
    "{image} for an image."
)
BRIEF: dict[PersonCount, str] = {"equipment": "equipment", "life": "life"}
OPEN = "less or more is open"
OVERHEADS = {
    "model.host": "the server around the cards (× {})",
    "model.pue": "PUE {}",
}
"""What a scenario adds to the energy of a model, by its input."""

FLIPS = (("model.prompts", "drafts"), ("editing.edit", "minutes of editing"))
"""Inputs that turn the ratio around, and their units."""


def takeaway(found: Sequence[UnitAnswer]) -> str:
    """Explanation of the picture."""
    bands = {unit: tomlinson2024.span(unit) for unit in ("page", "image")}
    spans = {unit: f"{low:,.0f} to {high:,.0f}" for unit, (low, high) in bands.items()}
    kinds = {energy_look(each) for each in found}
    looks = ", ".join(words for kind, words in LOOKS_LIKE.items() if kind in kinds)
    page = next(each for each in found if each.unit == "page")
    alone = f"A page by AI alone, beside a person alone: {by_counts(page, 'model')}."
    return f"{alone} {TAKEAWAY.format(looks=looks, **spans)} {critics()}"


def critics() -> str:
    """Outcome of what critics of the paper ask for, beside the headline."""
    ahead = critics_ahead("page")["together"]
    return (
        "Critics count less of the person and, of an older model, training too: there a person alone emits "
        f'less than with AI in {ahead:.0%} of draws (scenario "critics").'
    )


def title(found: Sequence[UnitAnswer]) -> str:
    """The finding for a page, in one sentence: a figure and its 95 % range by each count of the person."""
    page = next(each for each in found if each.unit == "page")
    return f"A page by a person with AI, beside a person alone: {by_counts(page, 'together')}"


def by_counts(answer: UnitAnswer, maker: MadeByWhom) -> str:
    """`2.2 times less CO2e (95 %: 1.2 to 3.8) counted by equipment only, ...`, a part a count."""
    spans = [(span, why) for count, why in WHY.items() if (span := answer.times(maker, count))]
    (span, why), *others = spans
    first = f"{_compared(span)} CO2e (95 %: {_ends(span)}) counted {why}"
    return ", ".join((first, *(f"{_compared(span)} ({_ends(span)}) {why}" for span, why in others)))


def overheads(found: Sequence[UnitAnswer]) -> str:
    """What AI includes beside the energy of the model, by unit."""
    units: dict[str, list[str]] = {}
    for answer in found:
        units.setdefault(_overhead(answer), []).append(SHORT[answer.unit])
    texts = (f"AI of {' and '.join(names)} {what}." for what, names in units.items())
    return " ".join(texts)


def _overhead(answer: UnitAnswer) -> str:
    """`PUE 1.54, the server around the cards (× 1.43), ...`, or what the energy is of."""
    if not answer.reports:
        scopes = sorted({row.scope for row in answer.rows}) or ["gpu"]
        return f"is the energy of scope {' and '.join(scopes)} alone"
    inputs = answer.reports["life"].scenario.inputs
    values = {key: f"{found.spread.value:.3g}" for key, found in inputs.items()}
    parts = [words.format(values[key]) for key, words in OVERHEADS.items() if key in values]
    if "idle.share" in inputs:
        parts.append(f"idle hours ({inputs['idle.share'].spread.value:.0%} of the energy)")
    parts.append("the making of the cards" if "embodied.made" in inputs else "no making of the device")
    return f"includes {', '.join(parts)}"


def _inverse(span: Range) -> Range:
    return Range(1 / span.value, 1 / span.high, 1 / span.low)


def _compared(span: Range, times: str = "times") -> str:
    """`2.2 times less`, or how many times more where the median is below 1."""
    if span.value < 1:
        return f"{value_text(_inverse(span))} {times} more"
    return f"{value_text(span)} {times} less"


def _ends(span: Range) -> str:
    """`1.2 to 3.8`; ends on either side of 1 are named as more or less."""
    shown = _inverse(span) if span.value < 1 else span
    return str(ends(shown)) + (", so less or more is open" if span.low < 1 < span.high else "")


def turning(answer: UnitAnswer) -> str:
    """Drafts and minutes of editing from which a person alone emits less, by count."""
    texts = []
    for count in COUNTS:
        flips = [
            f"{value_text(turn)} ({ends(turn)}) {unit}"
            for key, unit in FLIPS
            if (turn := answer.flips(key, count))
        ]
        if flips:
            texts.append(f"from {' or '.join(flips)} on, {WHY[count]}")
    return f"A person with AI emits more for {SHORT[answer.unit]} {'; '.join(texts)}." if texts else ""


def energy_look(answer: UnitAnswer) -> EnergyLook:
    """Kind of the energy of AI alone; one estimated part makes it estimated."""
    if not answer.rows:
        return "published"
    return "measured" if all(row.kind == "measured" for row in answer.rows) else "estimated"


def ratio_text(answer: UnitAnswer, maker: MadeByWhom, count: PersonCount | None) -> str:
    """`2.2 × less`; of AI alone by each count: `31 × (equipment), 2,500 × (life) less`."""
    counts = COUNTS if count is None else (count,)
    spans = {each: span for each in counts if (span := answer.times(maker, each))}
    if not spans or all(span.low < 1 < span.high for span in spans.values()):
        return OPEN if spans else ""
    texts = {
        each: "open" if span.low < 1 < span.high else _compared(span, "×") for each, span in spans.items()
    }
    if count:
        return texts[count]
    return ", ".join(f"{text} ({BRIEF[each]})" for each, text in texts.items())
