"""The drawings of one case over time, as Vega-Lite specifications: its blocks, and its trace if there is one.

All panels of a case have one time axis and read named data sets of the page (`blocks`, `idle`, `course`).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from bench.view.charts import BLUE, GREY, ORANGE, PURPLE, RED, Spec, config, finished, tooltips

SINCE = "seconds since the first block began"
PANEL, AXIS_WIDTH = 90, 46
"""Height of a panel over time, and room for the labels of its vertical axis."""


@cache
def windows() -> dict[str, Spec]:
    """A case without a trace over time, a panel a quantity, by the field it needs of the data set `blocks`.

    Windows are shaded up to their mean power, which is all that is known within. The data set `idle` has
    the idle power, which is a dashed line.
    """
    return {
        "power_w": _windows(),
        "energy_per_unit_j": _beside_windows(_dots("energy_per_unit_j", "joules per unit")),
        "temperature_c": _beside_windows(_dots("temperature_c", "card, °C")),
        "sm_clock_mhz": _beside_windows(_dots("sm_clock_mhz", "clock, MHz")),
    }


@cache
def course() -> dict[str, Spec]:
    """The same of a case with one: panels on one time axis, drawn from the data set `course` as well.

    `span` has the axis' ends, so that all panels have them alike.
    """
    return {
        "mean_w": _power(),
        "temperature_c": _sampled("temperature_c", "hottest card, °C"),
        "sm_clock_mhz": _sampled("sm_clock_mhz", "SM clock, MHz"),
        "memory_clock_mhz": _sampled("memory_clock_mhz", "memory, MHz"),
        "energy_per_unit_j": _beside_windows(_dots("energy_per_unit_j", "joules per unit")),
    }


def _power() -> Spec:
    import altair as alt

    base = alt.Chart(alt.NamedData("course"))
    watts = _y("mean_w", "watts", zero=True)
    band = base.mark_area(opacity=0.35, color=PURPLE)
    band = band.encode(x=_x("middle_s"), y=_y("low_w", "watts", zero=True), y2="high_w:Q")
    line = base.mark_line(color=PURPLE, strokeWidth=1.2).encode(x=_x("middle_s"), y=watts)
    throttled = base.mark_rule(color=RED, strokeWidth=6).encode(
        x=_x("from_s"),
        x2="to_s:Q",
        y=alt.value(3),
        opacity=alt.condition("datum.throttled != ''", alt.value(1), alt.value(0)),
    )
    idle = alt.Chart(alt.NamedData("idle")).mark_rule(strokeDash=[4, 3], color=GREY).encode(y="power_w:Q")
    seen = _told_anywhere(2 * PANEL, "low_w", "mean_w", "high_w")
    dots = _dots("power_w", "watts", zero=True)
    return _beside_windows(alt.layer(band, line, idle, throttled, seen, dots), 2 * PANEL, legend=True)


def _sampled(field: str, title: str) -> Spec:
    import altair as alt

    base = alt.Chart(alt.NamedData("course")).transform_filter(f"datum.{field} != null")
    line = base.mark_line(color=PURPLE, strokeWidth=1.2).encode(x=_x("middle_s"), y=_y(field, title))
    return _beside_windows(alt.layer(line, _told_anywhere(PANEL, field)))


def _told_anywhere(height: int, *fields: str) -> Any:
    """The numbers of each stretch of a trace, wherever above or below its line the pointer is."""
    import altair as alt

    whole = alt.Chart(alt.NamedData("course")).mark_rect(opacity=0)
    when = [alt.Tooltip(f"{edge}:Q", format=",.1f") for edge in ("from_s", "to_s")]
    shown = [*when, *tooltips(*fields), "throttled:N"]
    return whole.encode(x=_x("from_s"), x2="to_s:Q", y=alt.value(0), y2=alt.value(height), tooltip=shown)


def _dots(field: str, title: str, *, zero: bool = False) -> Any:
    import altair as alt

    points = alt.Chart(alt.NamedData("blocks")).mark_point(filled=True, size=60, opacity=1)
    return points.encode(
        x=_x("middle_s"),
        y=_y(field, title, zero=zero),
        color=_role(),
        tooltip=["number:Q", "role:N", *tooltips(field), "throttled:N", "reasons:N"],
    )


def _beside_windows(layer: Any, height: int = PANEL, *, legend: bool = False) -> Spec:
    """A panel on the axis that all share, with the windows of the blocks shaded behind it.

    What the colours mean is said above one panel alone.
    """
    import altair as alt

    ends = alt.Chart(alt.NamedData("span")).mark_rule(opacity=0).encode(x=_x("at_s"))
    shade = alt.Chart(alt.NamedData("blocks")).mark_rect(opacity=0.16)
    shade = shade.encode(x=_x("from_s"), x2="to_s:Q", y=alt.value(0), y2=alt.value(height), color=_role())
    spec = finished(alt.layer(ends, shade, layer).properties(width="container", height=height))
    solid = {"symbolOpacity": 1, "symbolType": "circle", "symbolStrokeWidth": 0}  # not as pale as the windows
    return spec | {"config": config() | {"legend": config()["legend"] | solid | {"disable": not legend}}}


def _x(field: str) -> Any:
    import altair as alt

    return alt.X(f"{field}:Q", title=SINCE, scale=alt.Scale(nice=False))


def _y(field: str, title: str, *, zero: bool = False) -> Any:
    """A vertical axis that leaves as much room for its labels as those of the panels above and below."""
    import altair as alt

    axis = alt.Axis(minExtent=AXIS_WIDTH, tickCount=4)
    return alt.Y(f"{field}:Q", title=title, scale=alt.Scale(zero=zero), axis=axis)


def _windows() -> Spec:
    import altair as alt

    base = alt.Chart(alt.NamedData("blocks"))
    windows = base.mark_rect(opacity=0.45).encode(
        x=_x("from_s"),
        x2="to_s:Q",
        y=_y("power_w", "watts, mean of a block", zero=True),
        y2=alt.datum(0),
        color=_role(),
        tooltip=["number:Q", "role:N", *tooltips("power_w"), "throttled:N", "reasons:N"],
    )
    throttled = base.mark_point(shape="triangle-down", size=90, filled=True).encode(
        x="middle_s:Q",
        y="power_w:Q",
        color=alt.value(ORANGE),
        opacity=alt.condition("datum.throttled != ''", alt.value(1), alt.value(0)),
    )
    idle = alt.Chart(alt.NamedData("idle")).mark_rule(strokeDash=[4, 3], color=GREY).encode(y="power_w:Q")
    return finished(alt.layer(windows, throttled, idle).properties(width="container", height=140))


def _role() -> Any:
    import altair as alt

    roles = alt.Scale(domain=["counts", "warm-up", "set aside"], range=[BLUE, GREY, ORANGE])
    return alt.Color("role:N", title=None, scale=roles)
