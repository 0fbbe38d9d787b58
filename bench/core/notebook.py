"""A result as a small HTML table, as a notebook shows the last value of a cell.

    rows_html("resize", [("J per image", "412"), ("valid", "yes")])

Notebooks ask an object for `_repr_html_`, wherever it is defined, so this is beneath all rooms. Text is
escaped: a name never becomes markup.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

Row = tuple[str, str]


def rows_html(caption: str, rows: Iterable[Row]) -> str:
    """A table of two columns: what, and its value with the unit in words."""
    body = "".join(f"<tr><th>{escape(what)}</th><td>{escape(value)}</td></tr>" for what, value in rows)
    return f"<table><caption>{escape(caption)}</caption><tbody>{body}</tbody></table>"


def value_text(value: float | None, reason: str | None = None, half: float | None = None) -> str:
    """`412 ± 6`, or a dash and the reason for an unknown value."""
    if value is None:
        return f"— {reason or ''}".rstrip()
    return f"{value:.4g}" if half is None else f"{value:.4g} ± {half:.2g}"
