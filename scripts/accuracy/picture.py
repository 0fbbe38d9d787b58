"""The contest as a chart: RMS error over the length of the window, a panel for each tick and sensor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.accuracy.cells import Cell

COLOURS = ("#0072b2", "#d55e00", "#cc79a7", "#7f7f7f")
"""Told apart by readers who see few colours, and by shape as well."""
SHAPES = ("circle", "square", "triangle-up", "diamond")


def draw(cells: Sequence[Cell], folder: Path) -> list[Path]:
    """Write `accuracy.svg` and `accuracy.png` into the folder, for page-like work."""
    import altair as alt

    shown = [cell for cell in cells if cell.waveform == "page"]
    meters = list(dict.fromkeys(cell.meter for cell in shown))
    rows = [
        {
            "meter": cell.meter,
            "window, s": cell.seconds,
            "RMS error, %": 100 * cell.rms,
            "tick": f"tick {cell.tick_s * 1e3:g} ms",
            "sensor": f"sensor sees {cell.share:.0%}",
        }
        for cell in shown
    ]
    ticks = [f"tick {tick_s * 1e3:g} ms" for tick_s in sorted({cell.tick_s for cell in shown})]
    lengths_s = sorted({cell.seconds for cell in shown})
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(point={"size": 60, "filled": True})
        .encode(
            x=alt.X("window, s:Q", scale=alt.Scale(type="log"), axis=alt.Axis(values=lengths_s, grid=False)),
            y=alt.Y("RMS error, %:Q", scale=alt.Scale(type="log"), axis=alt.Axis(tickCount=4)),
            color=alt.Color(
                "meter:N", scale=alt.Scale(domain=meters, range=COLOURS[: len(meters)]), title=None
            ),
            shape=alt.Shape(
                "meter:N", scale=alt.Scale(domain=meters, range=SHAPES[: len(meters)]), title=None
            ),
        )
        .properties(width=220, height=180)
        .facet(
            row=alt.Row("sensor:N", title=None),
            column=alt.Column("tick:N", title=None, sort=ticks),
        )
        .properties(title="Error of one window of page-like work, against cards of known power")
    )
    paths = [folder / "accuracy.svg", folder / "accuracy.png"]
    for path in paths:
        chart.save(path, scale_factor=2) if path.suffix == ".png" else chart.save(path)
    return paths
