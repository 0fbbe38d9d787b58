"""A chart as a picture that can leave its page: title, takeaway, drawing, and a line of source and date.

picture = standalone.svg(chart.draw(), Caption(title, takeaway, footer), SLIDE)
Path("answer.png").write_bytes(standalone.png(picture))
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, NamedTuple

from bench.core.secrets import masked
from bench.dependencies import install_command
from bench.errors import PrerequisiteError
from bench.view import charts
from bench.view.charts import Spec
from bench.view.content import clean

LICENCE = "Apache-2.0"
MARGIN = 40
BETWEEN = 6
"""Size of the empty line between title and takeaway."""
GAP = 14
"""Pixels between the takeaway and the drawing."""
INK, SOFT = "#1b1f24", "#565d66"
LINE = 1.35
"""Height of a line over the size of its font."""
WIDE_LETTER = 0.54
"""Mean width of a letter over the size of its font, at most: no word is cut at the edge."""


class Caption(NamedTuple):
    """Words around a drawing."""

    title: str
    takeaway: str
    footer: str


class Canvas(NamedTuple):
    """Width, height (`None`: as high as the drawing needs), and the sizes of the texts."""

    width: int
    height: int | None
    title: int = 26
    takeaway: int = 16
    footer: int = 13
    labels: int = 12


SLIDE = Canvas(1600, 900, 40, 22, 17, 16)
CARD = Canvas(1200, 630, 30, 16, 14, 12)
"""Size of a picture that sites show beside a link."""
FIGURE = Canvas(980, None)


def svg(spec: Spec, caption: Caption, canvas: Canvas) -> str:
    """The whole picture. Raises PrerequisiteError where nothing can draw."""
    vl_convert = _drawing()
    inner = canvas.width - 2 * MARGIN
    heads = [
        *_lines(caption.title, canvas.title, inner, f'font-weight="700" fill="{INK}"'),
        _Line("", BETWEEN, ""),
        *_lines(caption.takeaway, canvas.takeaway, inner, f'fill="{SOFT}"'),
    ]
    foots = list(_lines(caption.footer, canvas.footer, inner, f'fill="{SOFT}"'))
    top, bottom = MARGIN // 2 + _height(heads) + GAP, _height(foots) + MARGIN
    room = None if canvas.height is None else canvas.height - top - bottom
    drawn = vl_convert.vegalite_to_svg(_sized(spec, inner, room, canvas.labels))
    start, end = drawn.split(">", 1)
    drawing_height = _attribute(start, "height")
    height = canvas.height or round(top + drawing_height + bottom)
    at = f'<svg x="{MARGIN}" y="{top}"'
    placed = f"{start.replace('<svg', at, 1)}><defs>{charts.patterns()}</defs>{end}"
    words = "".join((*_placed(heads, MARGIN // 2), *_placed(foots, height - bottom + 8)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{canvas.width}" height="{height}" '
        f'viewBox="0 0 {canvas.width} {height}" color="{INK}" font-family="sans-serif">'
        f"<title>{escape(clean(caption.title))}</title>"
        f'<rect width="100%" height="100%" fill="#ffffff"/>{words}{placed}</svg>'
    )


def _sized(spec: Spec, width: int, height: int | None, labels: int) -> Spec:
    """The drawing as wide as the picture and, where that is given, as high."""
    config = spec.get("config", {})
    axis = {"labelFontSize": labels, "titleFontSize": labels}
    looks = {"axis": {**config.get("axis", {}), **axis}, "text": {"fontSize": labels}}
    looks["legend"] = {**config.get("legend", {}), **axis, "labelLimit": 0}
    sized = {**spec, "width": width, "background": "white", "padding": 5, "config": {**config, **looks}}
    if height is not None:
        sized["height"] = height
    return sized | {"autosize": {"type": "fit-x" if height is None else "fit", "contains": "padding"}}


def png(picture: str, scale: float = 1.0, caption: str = "", data: str = "") -> bytes:
    """The picture as PNG of 256 colours: an eighth of the size of one with all.

    Its caption and its data, as CSV, are inside as the texts `Description` and `Comment`. Secrets are masked
    here: in pixels and packed texts nothing finds them any more.
    """
    from PIL import Image, PngImagePlugin

    drawn = Image.open(io.BytesIO(_drawing().svg_to_png(masked(picture), scale=scale)))
    out = io.BytesIO()
    texts = PngImagePlugin.PngInfo()
    for key, text in (("Description", caption), ("Comment", data)):
        if text:
            texts.add_itxt(key, masked(text), zip=True)
    drawn.convert("RGB").quantize(256).save(out, "PNG", optimize=True, pnginfo=texts)
    return out.getvalue()


def _drawing() -> Any:
    try:
        import altair  # noqa: F401 - `charts` uses it late
        import PIL  # noqa: F401 - `png` uses it late
        import vl_convert
    except ImportError as error:
        raise PrerequisiteError(
            f"Figures need altair, pillow and vl-convert-python, and {error.name} is not installed.",
            f"Install it with: {install_command('report')}",
        ) from error
    return vl_convert


class _Line(NamedTuple):
    text: str
    size: int
    look: str


def _lines(text: str, size: int, width: int, look: str) -> Iterator[_Line]:
    letters = int(width / (size * WIDE_LETTER))
    for line in textwrap.wrap(clean(text, 1000), letters):
        yield _Line(line, size, look)


def _height(lines: Iterable[_Line]) -> int:
    return round(sum(line.size * LINE for line in lines))


def _placed(lines: Iterable[_Line], top: float) -> Iterator[str]:
    for line in lines:
        top += line.size * LINE
        at = f'x="{MARGIN}" y="{top:.0f}" font-size="{line.size}"'
        yield f"<text {at} {line.look}>{escape(line.text)}</text>"


def _attribute(start: str, name: str) -> float:
    """Number of an attribute of an element."""
    return float(start.split(f' {name}="', 1)[1].split('"', 1)[0])
