"""The first screen: one page, image and second by AI, by a person, and by a person with AI.

Three sentences and one picture, titled by what they show. Measured energy takes the place of published
energy where a record has it; without any record the answer is what is known without measuring.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

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
from bench.view.report.answer_words import (
    COUNTS,
    SHORT,
    WHY,
    by_counts,
    energy_look,
    overheads,
    ratio_text,
    takeaway,
    title,
    turning,
)
from bench.view.report.dateline import named
from bench.view.report.footer import footer, nature
from bench.view.report.report_data import ReportData
from bench.view.spans import value_and_ends, value_text

PAPER = "tomlinson2024"
"""Source of the grey bars."""

NAMES = {
    "page": "page of text",
    "image": "image",
    "audio_second": "second of music",
    "video_second": "second of film",
}
COLUMNS = columns(
    "one",
    "made by",
    "person counted by",
    "#g CO2e",
    "95 %",
    "#person alone / this",
    "95 %",
    "source",
    aside=("source",),
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
    conditions: tuple[SectionPart, ...] = (
        *BY_COUNT,
        *_energies(found),
        data.settings.electricity(),
        overheads(found),
    )
    parts: list[SectionPart] = list(_sentences(found))
    draw = partial(drawing, list(_dots(found)))
    parts.append(Chart("answer", takeaway(found), draw, "answer-table", title(found), _footer(data, found)))
    if facts.parts:
        parts.append(Fold("What was measured", facts.parts))
    parts.append(Fold("Conditions and figures", (*conditions, _table(found), *SCENARIOS_LEAVE_OUT)))
    return Section("The answer", tuple(parts), facts.notes, "answer")


def _footer(data: ReportData, found: Sequence[UnitAnswer]) -> str:
    records = {id(row.record): stored for stored, row in data.compared}
    marks = [(records[id(row.record)], row.kind) for each in found for row in each.rows]
    keys = dict.fromkeys((PAPER, *(key for each in found for made in each.made_by for key in made.sources)))
    return footer(marks, map(named, keys), data.settings.electricity(), overheads(found))


def _sentences(found: Sequence[UnitAnswer]) -> Iterator[Statement]:
    drawn = [each for each in found if each.reports]
    yield Statement("By AI alone", f"{_grams_of(drawn, 'model', None, 'g CO2e')}.")
    yield Statement("By a person alone", f"{_by_count(drawn, 'person')}.")
    yield Statement("By a person with AI", f"{_by_count(drawn, 'together')}. {_ratios(drawn)}".rstrip())
    if turns := turning(drawn[0]):
        yield Statement("What flips it", turns)


def _by_count(found: Sequence[UnitAnswer], maker: MadeByWhom) -> str:
    return ", ".join(f"{_grams_of(found, maker, count)} {why}" for count, why in WHY.items())


def _ratios(found: Sequence[UnitAnswer]) -> str:
    """How many times less than by a person alone, of each unit but the page, which the title has."""
    texts = (f"{SHORT[answer.unit]} {by_counts(answer, 'together')}" for answer in found[1:])
    whole = "; ".join(texts)
    return f"{whole[:1].upper()}{whole[1:]}." if whole else ""


def _grams_of(
    found: Sequence[UnitAnswer], maker: MadeByWhom, count: PersonCount | None, gram: str = "g"
) -> str:
    """`18 g a page and 400 g an image`."""
    made = {each.unit: way.grams for each in found if (way := each.of(maker, count))}
    return " and ".join(f"{value_text(span)} {gram} {SHORT[unit]}" for unit, span in made.items())


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
            if maker != "person" and (ratios := ratio_text(answer, maker, count)):
                text += f"; {ratios}"
            kind = energy_look(answer) if maker == "model" else "measured"
            if maker == "model" and (words := _natures(answer)):
                label = f"{label} ({words})"
            paper = papers.get((maker, count))
            name = f"One {NAMES[answer.unit]}"
            yield AnswerDot(name, label, look, span.value, span.low, span.high, text, kind, paper)


def _natures(answer: UnitAnswer) -> str:
    """Nature of the records behind AI alone: `a shape, estimated`."""
    found = (nature(row.record, row.kind) for row in answer.rows)
    return ", ".join(dict.fromkeys(word for text in found for word in text.split(", ") if word))


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
                    numbers = (*value_and_ends(made.grams), *value_and_ends(ratio))
                    of_records = [row.source for row in answer.rows] if maker != "person" else []
                    cited = dict.fromkeys((*of_records, *map(named, made.sources)))
                    yield (*names, *numbers, "; ".join(cited))


def answers_of(data: ReportData) -> tuple[UnitAnswer, ...]:
    """All answers on the reader's settings, with measured energy where a record has it."""
    rows = [row for _, row in data.compared]
    return tuple(answers(rows, data.settings.grid, data.settings.pue))
