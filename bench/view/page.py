"""A report as one HTML file that needs no network, no server and no permission.

The charts' code (vega, from vl-convert's wheel) is in the page and draws from specifications; expressions
are interpreted instead of compiled, so that the page's own policy can forbid `eval`. Drawing in the page
costs 0.9 MB once; drawn beforehand, the charts of 2,000 cases would be 30 MB and a minute of work, and
could not follow the reader's light or dark.

Nothing from a record is ever markup: the template escapes, the data is JSON in a block that no browser runs,
and the policy lets only the scripts and styles run whose digests it names.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any

from bench.dependencies import install_command
from bench.errors import PrerequisiteError
from bench.view import charts, json_document, standalone, timeline_charts
from bench.view.charts import Spec
from bench.view.content import (
    Chart,
    Report,
    SectionPart,
    clean,
    every_part,
    raw,
    shown,
    tone,
)
from bench.view.panel import Panel

NEEDED = "The HTML report needs altair, jinja2 and vl-convert-python, and {} is not installed."
SHARED = "answer"
"""Chart that the page offers as a picture."""


def html(report: Report) -> str:
    """The whole page. Raises PrerequisiteError where a package of the extra `report` is missing."""
    template, bundle = _tools()
    style, script = _part("page.css"), _part("page.js")
    page: str = template.render(
        report=report,
        policy=_policy(scripts=(bundle, script), styles=(style,)),
        style=style,
        bundle=bundle,
        script=script,
        data=_data(report),
        cases=((case.id, _json(json_document.case(case) | {"outputs": []})) for case in report.cases),
        made=[case for case in report.cases if case.outputs],
        hatching=charts.patterns(),
        kind=lambda part: type(part).__name__,
        clean=clean,
        coded=_coded,
        shown=shown,
        raw=raw,
        tone=tone,
        shared=SHARED,
    )
    return page


def _tools() -> tuple[Any, str]:
    """The template, and the code that draws."""
    try:
        import altair  # noqa: F401 - `charts` uses it late
        import jinja2
        import vl_convert
    except ImportError as error:
        remedy = f"Use --format md, or install it with: {install_command('report')}"
        raise PrerequisiteError(NEEDED.format(error.name), remedy) from error
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_part("page.html.j2")), vl_convert.javascript_bundle()


def _coded(text: str) -> Any:
    """A sentence, escaped, with what is between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _part(name: str) -> str:
    return (resources.files("bench.view") / name).read_text(encoding="utf-8")


def _policy(scripts: tuple[str, ...], styles: tuple[str, ...]) -> str:
    """Nothing but these very scripts and styles, and images, sounds and films that are in the page itself."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_digest, scripts))}",
            f"style-src {' '.join(map(_digest, styles))}",
            "img-src data:",
            "media-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data(report: Report) -> str:
    """Data of the page's script: charts, a case over time, scenarios."""
    parts = list(every_part(report.sections))
    drawn = {part.id: part.draw() for part in parts if isinstance(part, Chart)}
    scenarios = {part.id: asdict(part)["choices"] for part in parts if isinstance(part, Panel)}
    return _json(
        {
            "charts": drawn,
            "windows": timeline_charts.windows(),
            "course": timeline_charts.course(),
            "scenarios": scenarios,
            "pictures": _pictures(report, parts, drawn),
        }
    )


def _pictures(report: Report, parts: Sequence[SectionPart], drawn: Mapping[str, Spec]) -> dict[str, Any]:
    """The first chart as a slide and as a card, for the page to make PNG of."""
    footer = f"{report.dateline} {standalone.LICENCE}."
    chart = next((part for part in parts if isinstance(part, Chart) and part.id == SHARED), None)
    if chart is None:
        return {}
    caption = standalone.Caption(report.title, chart.about, footer)
    return {
        name: {
            "svg": standalone.svg(drawn[SHARED], caption, canvas),
            "width": canvas.width,
            "height": canvas.height,
        }
        for name, canvas in (("slide", standalone.SLIDE), ("card", standalone.CARD))
    }


def _json(value: Any) -> str:
    """JSON that is safe in a script block: no `<` can end it, and nothing in it is code."""
    text = json.dumps(json_document.finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
