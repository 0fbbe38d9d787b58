"""The drawings, as Vega-Lite specifications: one for the page and for SVG and PNG alike.

Kinds of figures differ in colour, fill and shape, so that print and readers of few colours lose
nothing: measured solid, estimated and reference rows hatched, published hollow. What `patterns` gives has to
be in the document.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bench.footprint.measured import ABSOLUTE
from bench.view.numbers import NOT_KNOWN, ends

Spec = dict[str, Any]

DIGITS = ",.4~r"
"""Four digits of a number, however large or small."""

HATCHING = (
    '<pattern id="hatch-{name}" width="4" height="4" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="2" height="4" fill="#{name}"/></pattern>'
)

FEW_COLOURS = 10
"""Colours of Vega's own scheme; more groups would share them."""

SHORT_NAME = 24
"""Longest name in characters of which three fit side by side into a legend."""

# Each is at least 3:1 against white and against the dark page alike.
BLUE, ORANGE, PURPLE, GREY, GREEN, RED = PALETTE = (
    "#2f7fc1",
    "#c2620e",
    "#9b5fb5",
    "#767676",
    "#2e8b57",
    "#c74a5b",
)


def hatched(colour: str) -> str:
    """The same colour as a hatching."""
    return f"url(#hatch-{colour.removeprefix('#')})"


KINDS = {
    "measured": (BLUE, BLUE, "circle"),
    "estimated": (ORANGE, hatched(ORANGE), "square"),
    "mixed": (PURPLE, hatched(PURPLE), "diamond"),
    "published": (GREY, "transparent", "circle"),
    "reference": (GREY, hatched(GREY), "square"),
    "person": (GREEN, "transparent", "triangle-up"),
}
"""Stroke, fill and shape of each kind of figure."""


FILLS = {
    "full": {"measured": "measured"},
    "hatched": {"estimated": "estimated", "mixed": "measured in part", "reference": "of others"},
    "hollow": {"published": "published", "person": "people"},
}
"""Fills of the kinds in `KINDS`, in words."""


def looks(rows: Sequence[Mapping[str, Any]]) -> str:
    """Fills of the kinds that are drawn, in words, and what a line is where one is drawn."""
    kinds = {str(row["kind"]) for row in rows}
    texts = []
    for fill, names in FILLS.items():
        if drawn := [words for kind, words in names.items() if kind in kinds]:
            texts.append(f"{fill}: {' and '.join(drawn)}")
    if any(_with_line(row)["low"] is not None for row in rows):
        texts.append("lines: absolute 95 % intervals")
    return f"{'; '.join(texts)}.".capitalize()


def patterns() -> str:
    """The hatchings as SVG, for `<defs>`."""
    return "".join(HATCHING.format(name=colour.removeprefix("#")) for colour in PALETTE)


def dots(rows: Sequence[Mapping[str, Any]], title: str, band: tuple[float, float] | None = None) -> Spec:
    """A dot a row on a logarithmic axis; `band` is shaded for reference.

    A line through a dot is an absolute 95 % interval: one kind an axis. Beside it the spread of blocks on one
    machine would make what is estimated look sharper than what is measured, and a published range is of
    something else again: those have no line, and their numbers are in the table.
    """
    import altair as alt

    kept = [_with_line(row) for row in rows if row["value"] > 0]
    x_axis = alt.X(
        "value:Q", scale=alt.Scale(type="log"), title=title, axis=alt.Axis(format=",.9~g", tickCount=6)
    )
    y_axis = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelOverlap=False))
    base = alt.Chart(alt.Data(values=kept)).encode(y=y_axis)
    kinds = {str(row["kind"]) for row in kept}
    colour = alt.Color("kind:N", scale=_scale(0, kinds), title=None)
    lined = [row for row in kept if row["low"] is not None]
    lines = alt.Chart(alt.Data(values=lined)).mark_rule(strokeWidth=2)
    lines = lines.encode(y=y_axis, x=alt.X("low:Q", title=title), x2="high:Q", color=colour)
    layers = [
        *([lines] if lined else []),  # an axis of no values has no ends, and the browser would warn of it
        base.mark_point(size=110, strokeWidth=1.8, opacity=1).encode(
            x=x_axis,
            stroke=alt.Stroke("kind:N", scale=_scale(0, kinds), title=None),
            fill=alt.Fill("kind:N", scale=_scale(1, kinds), title=None),
            shape=alt.Shape("kind:N", scale=_scale(2, kinds), title=None),
            tooltip=["label:N", "kind:N", *tooltips("value"), "interval:N", "conditions:N"],
        ),
    ]
    if band is not None:
        shade = alt.Chart(alt.Data(values=[{"from": band[0], "to": band[1]}]))
        layers.insert(0, shade.mark_rect(opacity=0.2, color=GREY).encode(x="from:Q", x2="to:Q"))
    return finished(alt.layer(*layers).properties(width="container", height=_height(kept)))


COUNT_LOOKS = {
    "whole life by the hour, US": (GREEN, "triangle-up"),
    "whole life by the hour, India": (PURPLE, "triangle-down"),
    "equipment only": (ORANGE, "square"),
}
"""Colour and shape of a ratio by the count of the person."""


def ratios(rows: Sequence[Mapping[str, Any]], title: str, band: tuple[float, float] | None = None) -> Spec:
    """Ratios on a logarithmic axis, a shape and colour a count of the person; `band` is shaded."""
    import altair as alt

    data = alt.Data(values=[row | {"low": max(row["low"], row["value"] / 1e4)} for row in map(dict, rows)])
    drawn = {count: look for count, look in COUNT_LOOKS.items() if any(row["count"] == count for row in rows)}
    colours, by = [look[0] for look in drawn.values()], {"domain": list(drawn)}
    x_axis = alt.X(
        "value:Q", scale=alt.Scale(type="log"), title=title, axis=alt.Axis(format=",.9~g", tickCount=6)
    )
    base = alt.Chart(data).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelOverlap=False))
    )
    colour = alt.Color("count:N", scale=alt.Scale(**by, range=colours), title=None)
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q", color=colour),
        base.mark_point(size=90, strokeWidth=1.8, opacity=1).encode(
            x=x_axis,
            stroke=alt.Stroke("count:N", scale=alt.Scale(**by, range=colours), title=None),
            fill=alt.condition("datum.solid", colour, alt.value("transparent")),
            shape=alt.Shape(
                "count:N", scale=alt.Scale(**by, range=[look[1] for look in drawn.values()]), title=None
            ),
            tooltip=["label:N", "count:N", "person:N", *tooltips("value", "low", "high")],
        ),
        alt.Chart(alt.Data(values=[{"at": 1}])).mark_rule(strokeDash=[4, 3], color=GREY).encode(x="at:Q"),
    ]
    if band is not None:
        shade = alt.Chart(alt.Data(values=[{"from": band[0], "to": band[1]}]))
        layers.insert(0, shade.mark_rect(opacity=0.2, color=GREY).encode(x="from:Q", x2="to:Q"))
    return finished(alt.layer(*layers).properties(width="container", height=_height(rows)))


def dot(energy_j: float, low_j: float | None, high_j: float | None) -> dict[str, object]:
    """Joules of a dot of `scatter` with the ends of its line; both are the figure without an interval."""
    low = low_j if low_j is not None and low_j > 0 else energy_j
    return {"energy_j": energy_j, "low_j": low, "high_j": energy_j if high_j is None else high_j}


def latencies(rows: Sequence[Mapping[str, Any]], unit: str) -> Spec:
    """Joules per unit over seconds of an answer, each dot with the load in words beside it."""
    return scatter(rows, unit, seconds="seconds of an answer (median)")


def scatter(rows: Sequence[Mapping[str, Any]], unit: str, seconds: str | None = None) -> Spec:
    """Joules over seconds per unit, with intervals and the line below which no case is.

    A row's `mark` is written beside its dot; its `group` is the colour.
    """
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows)))
    x_axis = alt.X(
        "time_s:Q",
        scale=alt.Scale(type="log", nice=False, padding=30),
        axis=alt.Axis(format=DIGITS),
        title=seconds or f"seconds per {unit}",
    )
    joules = f"joules per {unit}"
    y_scale = alt.Scale(type="log", nice=False, padding=20)
    y_axis = alt.Y("energy_j:Q", scale=y_scale, axis=alt.Axis(format=DIGITS), title=joules)
    groups = {str(row["group"]) for row in rows}
    scale = alt.Scale(scheme="tableau20") if len(groups) > FEW_COLOURS else alt.Undefined
    # Never cut, what differs may be at the end: long names have a line each.
    columns = 3 if max(map(len, groups), default=0) <= SHORT_NAME else 1
    colour = alt.Color("group:N", title=None, scale=scale, legend=alt.Legend(labelLimit=0, columns=columns))
    front = base.transform_filter("datum.front").mark_line(strokeDash=[4, 3], color=GREY)
    layers = [
        front.encode(x=x_axis, y=y_axis, order="time_s:Q"),
        base.mark_rule().encode(x=x_axis, y=alt.Y("low_j:Q", title=joules), y2="high_j:Q", color=colour),
        base.mark_point(size=80, filled=True, opacity=1).encode(
            x=x_axis,
            y=y_axis,
            color=colour,
            tooltip=["label:N", "machine:N", *tooltips("energy_j", "low_j", "high_j", "time_s")],
        ),
    ]
    if any(row.get("mark") for row in rows):
        beside = base.mark_text(align="left", dx=8, dy=-8, color=GREY)
        layers.append(beside.encode(x=x_axis, y=y_axis, text="mark:N"))
    return finished(alt.layer(*layers).properties(width="container", height=300))


def stacked(rows: Sequence[Mapping[str, Any]], title: str) -> Spec:
    """Shares of each case's joules, a bar a case; parts that are `estimated` are hatched."""
    import altair as alt

    parts = list(dict.fromkeys(str(row["part"]) for row in rows))
    colours = [PALETTE[number % len(PALETTE)] for number in range(len(parts))]
    looks = [
        hatched(colour) if part.endswith("(estimated)") else colour
        for part, colour in zip(parts, colours, strict=True)
    ]

    chart = (
        alt.Chart(alt.Data(values=list(rows)))
        .mark_bar(stroke="#ffffff", strokeWidth=0.6)
        .encode(
            y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelOverlap=False)),
            # Normalised, though shares sum to 1 already: with a fixed domain vega fits the width to 0.
            x=alt.X("share:Q", title=title, stack="normalize", axis=alt.Axis(format="%", tickCount=10)),
            color=alt.Color("part:N", title=None, scale=alt.Scale(domain=parts, range=looks)),
            order=alt.Order("position:Q"),
            tooltip=["label:N", "part:N", alt.Tooltip("share:Q", format=".1%")],
        )
    )
    return finished(chart.properties(width="container", height=_height(rows)))


def tooltips(*fields: str) -> list[Any]:
    """Numbers of a tooltip, as a person reads them."""
    import altair as alt

    return [alt.Tooltip(f"{field}:Q", format=DIGITS) for field in fields]


def _with_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with the ends of its line. A logarithmic axis has no 0: it begins at the figure then."""
    span = f"{ends(row['value'], row['low'], row['high']) or NOT_KNOWN} ({row['interval']})"
    if row["interval"] != ABSOLUTE:
        return {**row, "low": None, "high": None, "interval": span}
    return {**row, "low": row["low"] if row["low"] > 0 else row["value"], "interval": span}


def _height(rows: Sequence[Mapping[str, Any]]) -> int:
    """A line a label."""
    return 19 * max(1, len({row["label"] for row in rows}))


def _scale(index: int, kinds: Collection[str]) -> Any:
    """Looks of the kinds that are drawn: a legend lists no others."""
    import altair as alt

    drawn = {kind: look[index] for kind, look in KINDS.items() if kind in kinds}
    return alt.Scale(domain=list(drawn), range=list(drawn.values()))


def config() -> Spec:
    """Common settings of all drawings: no frame, the legend above."""
    return {"view": {"stroke": None}, "legend": {"orient": "top", "columns": 3}, "axisY": {"labelLimit": 520}}


def finished(chart: Any) -> Spec:
    """A chart as its specification."""
    spec: Spec = chart.to_dict(validate=False)  # half the time of a page; tests draw every chart
    return spec | {"config": config()}
