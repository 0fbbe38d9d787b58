"""The first screen: one page, image and second by AI, by a person, and by a person with AI.

Three sentences and one picture, titled by what they show. Measured energy takes the place of published
energy where a record has it; without any record the answer is what is known without measuring.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from bench.core.quantities import Range
from bench.footprint import tomlinson2024
from bench.footprint.answers import MadeByWhom, PersonCount, UnitAnswer, answers
from bench.footprint.caveats import SCENARIOS_LEAVE_OUT
from bench.view.answer_chart import AnswerDot, Drawn, drawing
from bench.view.content import (
    Cell,
    Chart,
    Fold,
    Section,
    SectionPart,
    Statement,
    Table,
    columns,
    table,
)
from bench.view.report.dateline import sourced
from bench.view.report.report_data import ReportData
from bench.view.spans import value_and_ends, value_text

NAMES = {
    "page": "page of text",
    "image": "image",
    "audio_second": "second of music",
    "video_second": "second of film",
}
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
COLUMNS = columns("one", "made by", "person counted by", "#g CO2e", "95 %", "#person alone / this", "95 %")
TAKEAWAY = (
    "Grams of CO2e, all drafts included. Dots are medians, hollow where published; lines are 95 % ranges. "
    "Grey bars are the estimates of Tomlinson et al. 2024: {page} times apart for a page, {image} for an "
    "image."
)
BY_COUNT = (
    "A person is counted twice. Whole life by the hour: a US resident's yearly emissions, spread over all "
    "hours of the year, for the hours that the work takes (the paper's rule). Equipment only: electricity "
    "of a laptop and its share of making the laptop. The first includes all that the person emits while "
    "working, the second what the work adds.",
    "AI alone: every draft that is asked for until one is accepted, with the server, the data centre, its "
    "idle hours and the making of the cards; training only in the scenarios that count it. A person with AI: "
    "the same, and the person's minutes of prompting, editing and review.",
)


def section(data: ReportData, found: Sequence[UnitAnswer], facts: Section) -> Section:
    """Three sentences, the picture, conditions and figures in folds; `facts` are those of records."""
    conditions: tuple[SectionPart, ...] = (*BY_COUNT, *_energies(found), *data.settings.sentences())
    parts: list[SectionPart] = list(_sentences(found))
    about = f"{takeaway()} {sourced()}"
    parts.append(Chart("answer", about, partial(drawing, list(_dots(found))), "answer-table"))
    if facts.parts:
        parts.append(Fold("What was measured", facts.parts))
    parts.append(Fold("Conditions and figures", (*conditions, _table(found), *SCENARIOS_LEAVE_OUT)))
    return Section("The answer", tuple(parts), facts.notes, "answer")


def takeaway() -> str:
    """Explanation of the picture."""
    bands = {unit: tomlinson2024.span(unit) for unit in ("page", "image")}
    return TAKEAWAY.format(**{unit: f"{low:,.0f} to {high:,.0f}" for unit, (low, high) in bands.items()})


def title(found: Sequence[UnitAnswer]) -> str:
    """The finding for a page, in one sentence."""
    page = next(each for each in found if each.unit == "page")
    both = [span for count in COUNTS if (span := page.times("together", count))]
    alone = [span for count in COUNTS if (span := page.times("model", count))]
    return (
        f"A page by a person with AI emits {_compared(both)} CO2e than by a person alone; "
        f"by AI alone, {_compared(alone)}"
    )


def _inverse(span: Range) -> Range:
    return Range(1 / span.value, 1 / span.high, 1 / span.low)


def _times(spans: Sequence[Range]) -> str:
    """`2.2 to 2.4`: the values of several ranges, each with the digits that its range allows."""
    ordered = sorted(spans, key=lambda each: each.value)
    texts = [value_text(each) for each in ordered]
    return " to ".join(dict.fromkeys((texts[0], texts[-1])))


def _sentences(found: Sequence[UnitAnswer]) -> Iterator[Statement]:
    drawn = [each for each in found if each.reports]
    yield Statement("By AI alone", f"{_grams_of(drawn, 'model', None, 'g CO2e')}.")
    yield Statement("By a person alone", f"{_by_count(drawn, 'person')}.")
    together = " ".join(filter(None, (_ratios(drawn), _turning(drawn[0]))))
    yield Statement("By a person with AI", f"{_by_count(drawn, 'together')}: {together}")


def _by_count(found: Sequence[UnitAnswer], maker: MadeByWhom) -> str:
    return ", ".join(f"{_grams_of(found, maker, count)} {why}" for count, why in WHY.items())


def _ratios(found: Sequence[UnitAnswer]) -> str:
    """How many times less than by a person alone, of each unit."""
    texts = []
    for answer in found:
        spans = [span for count in COUNTS if (span := answer.times("together", count))]
        texts.append(f"{_compared(spans)} {SHORT[answer.unit]}")
    return f"{', '.join(texts)}."


def _turning(answer: UnitAnswer) -> str:
    """Drafts and minutes of editing from which a person alone emits less."""
    flips = [text for text in (_flip(answer, *each) for each in FLIPS) if text]
    return f"More from {' or '.join(flips)} {SHORT[answer.unit]}." if flips else ""


def _grams_of(
    found: Sequence[UnitAnswer], maker: MadeByWhom, count: PersonCount | None, gram: str = "g"
) -> str:
    """`18 g a page and 400 g an image`."""
    made = {each.unit: way.grams for each in found if (way := each.of(maker, count))}
    return " and ".join(f"{value_text(span)} {gram} {SHORT[unit]}" for unit, span in made.items())


FLIPS = (("model.prompts", "drafts"), ("editing.edit", "minutes of editing"))
"""Inputs that turn the ratio around, and their units."""


def _flip(answer: UnitAnswer, key: str, unit: str) -> str | None:
    turns = [turn for count in COUNTS if (turn := answer.flips(key, count))]
    return f"{_times(turns)} {unit}" if turns else None


def _energies(found: Sequence[UnitAnswer]) -> Iterator[str]:
    yield "Energy of the model: " + "; ".join(f"{NAMES[each.unit]}: {each.energy}" for each in found) + "."
    if any(each.measured for each in found):
        yield "Where several cases of a unit were measured, AI is the one that takes most."
    if missing := [NAMES[each.unit] for each in found if not each.reports]:
        yield (
            f"A person with AI is not given for {' and '.join(missing)}: no source counts the minutes of "
            "editing."
        )


ROWS: tuple[tuple[MadeByWhom, PersonCount | None, str, Drawn], ...] = (
    ("model", None, "AI alone", "ai"),
    ("together", "equipment", "Person with AI, equipment only", "both"),
    ("person", "equipment", "Person alone, equipment only", "person"),
    ("together", "life", "Person with AI, whole life by the hour", "both"),
    ("person", "life", "Person alone, whole life by the hour", "person"),
)
"""Rows of the picture and the table: maker, count of the person, label, look."""


def _dots(found: Sequence[UnitAnswer]) -> Iterator[AnswerDot]:
    for answer in found:
        papers = _of_paper(answer.unit)
        for maker, count, label, look in ROWS:
            made = answer.of(maker, count)
            if made is None:
                continue
            span = made.grams
            text = f"{value_text(span)} g"
            if maker != "person" and (ratios := _ratio_text(answer, maker, count)):
                text += f", {ratios}"
            solid = maker != "model" or answer.measured
            paper = papers.get((maker, count))
            name = f"One {NAMES[answer.unit]}"
            yield AnswerDot(name, label, look, span.value, span.low, span.high, text, solid, paper)


def _ratio_text(answer: UnitAnswer, maker: MadeByWhom, count: PersonCount | None) -> str:
    counts = COUNTS if count is None else (count,)
    spans = [span for each in counts if (span := answer.times(maker, each))]
    return _compared(spans, "×").replace(" to ", "–") if spans else ""


def _compared(spans: Sequence[Range], times: str = "times") -> str:
    """`2.2 to 2.4 times less`, how many times more where each is below 1, and neither where that is open."""
    if any(span.low < 1 < span.high for span in spans):
        return "less or more"
    if all(span.value < 1 for span in spans):
        return f"{_times([_inverse(span) for span in spans])} {times} more"
    return f"{_times(spans)} {times} less"


def _of_paper(unit: str) -> dict[tuple[str, PersonCount | None], tuple[float, float]]:
    """The paper's own grams of AI and of people, of the ratios that agree with its print."""
    if unit not in ("page", "image"):
        return {}
    checks = [each for each in tomlinson2024.ratios() if each.agrees and f".{unit}." in each.vector.human]
    people, models = tomlinson2024.people(), tomlinson2024.models()
    persons = [people[each.vector.human].result.value for each in checks]
    machines = [models[each.vector.ai].result.value for each in checks]
    return {
        ("model", None): (min(machines), max(machines)),
        ("person", "life"): (min(persons), max(persons)),
    }


def _table(found: Sequence[UnitAnswer]) -> Table:
    return table(COLUMNS, _cells(found), "Grams of one page, image or second", "answer-table")


def _cells(found: Sequence[UnitAnswer]) -> Iterator[tuple[Cell, ...]]:
    for answer in found:
        for maker, count, label, _ in ROWS:
            made = answer.of(maker, count)
            if made is not None:
                for by in (count,) if count else COUNTS:
                    ratio = answer.times(maker, by)
                    names = NAMES[answer.unit], label.partition(",")[0], COUNTS[by]
                    yield (*names, *value_and_ends(made.grams), *value_and_ends(ratio))


def answers_of(data: ReportData) -> tuple[UnitAnswer, ...]:
    """All answers on the reader's settings, with measured energy where a record has it."""
    rows = [row for _, row in data.compared]
    return tuple(answers(rows, data.settings.grid, data.settings.pue))
