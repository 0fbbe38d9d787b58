"""The picture of an answer: grams of each way to make a unit, one below the other on a logarithmic axis.

    spec = drawing([AnswerDot("page", "AI alone", "ai", 0.6, 0.1, 2.7, "0.6 g", "published")])

A unit begins with a row of its own name. Dots are medians, lines 95 % ranges, a grey bar is the paper's
range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bench.view.charts import BLUE, GREEN, GREY, PURPLE, Spec, finished, hatched

Drawn = Literal["ai", "both", "person"]
EnergyLook = Literal["measured", "estimated", "published"]
"""Full, hatched or hollow dot."""
LOOKS: dict[Drawn, str] = {"ai": BLUE, "both": PURPLE, "person": GREEN}
ROW = 23
"""Height of a row in pixels."""
ROOM = 2.0
"""Factor by which the axis goes beyond the figures at either end."""


@dataclass(frozen=True)
class AnswerDot:
    """One row; `unit` heads a group of them."""

    unit: str
    label: str
    who: Drawn
    value: float
    low: float
    high: float
    text: str
    energy: EnergyLook = "measured"
    paper: tuple[float, float] | None = None


def drawing(dots: Sequence[AnswerDot]) -> Spec:
    """The chart, with words beside the dots, on the side with more room."""
    import altair as alt

    units = dict.fromkeys(each.unit for each in dots)
    order = [key for unit in units for key in (f"|{unit}", *_keys(unit, dots))]
    ends = min(each.low for each in dots), max(each.high for each in dots)
    rows = [_row(each, ends) for each in dots]
    scale = alt.Scale(type="log", domain=[ends[0] / ROOM, ends[1] * ROOM], nice=False)
    x_axis = alt.X(
        "value:Q", scale=scale, title="g CO2e; each line is ten times the one before", axis=_decades(ends)
    )
    y_axis = alt.Y(
        "row:N",
        sort=order,
        scale=alt.Scale(domain=order),
        title=None,
        axis=alt.Axis(
            labelExpr="split(datum.value, '|')[1]",
            labelOverlap=False,
            labelLimit=300,
            labelFontWeight=alt.condition("datum.value[0] === '|'", alt.value("bold"), alt.value("normal")),
        ),
    )
    base = alt.Chart(alt.Data(values=rows)).encode(y=y_axis, color=alt.Color("colour:N", scale=None))
    layers = [
        base.transform_filter("isValid(datum.paper_low)")
        .mark_bar(height=15, opacity=0.45)
        .encode(x=alt.X("paper_low:Q", scale=scale), x2="paper_high:Q", color=alt.value(GREY)),
        base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        base.mark_point(size=95, opacity=1, strokeWidth=2).encode(
            x=x_axis,
            fill=alt.Fill("fill:N", scale=None),
            tooltip=[alt.Tooltip("label:N"), alt.Tooltip("text:N")],
        ),
    ]
    for side, field, align, dx in (("right", "right", "left", 8), ("left", "left", "right", -8)):
        words = base.transform_filter(f"datum.beside === '{side}'")
        layers.append(
            words.mark_text(align=align, dx=dx).encode(
                x=alt.X(f"{field}:Q", scale=scale), text="text:N", color=alt.value("currentColor")
            )
        )
    spec = finished(alt.layer(*layers).properties(width="container", height=ROW * len(order)))
    looks: Spec = {"legend": {"disable": True}, "axisYDiscrete": {"grid": False, "ticks": False}}
    looks["text"] = {"fontSize": 12}
    return spec | {"config": spec["config"] | looks}


def _keys(unit: str, dots: Sequence[AnswerDot]) -> list[str]:
    return [f"{unit}|{each.label}" for each in dots if each.unit == unit]


def _decades(ends: tuple[float, float]) -> Any:
    """Powers of ten within the axis."""
    import altair as alt

    values = [10.0**power for power in range(-6, 7) if ends[0] / ROOM <= 10.0**power <= ends[1] * ROOM]
    return alt.Axis(values=values, format=",~g", labelOverlap=True)


def _row(dot: AnswerDot, ends: tuple[float, float]) -> dict[str, object]:
    colour = LOOKS[dot.who]
    paper_low, paper_high = dot.paper or (None, None)
    left, right = min(filter(None, (dot.low, paper_low))), max(filter(None, (dot.high, paper_high)))
    roomy = ends[1] / right >= left / ends[0]
    return asdict(dot) | {
        "row": f"{dot.unit}|{dot.label}",
        "colour": colour,
        "fill": {"measured": colour, "estimated": hatched(colour), "published": "transparent"}[dot.energy],
        "left": left,
        "right": right,
        "beside": "right" if roomy else "left",
        "paper_low": paper_low,
        "paper_high": paper_high,
    }
