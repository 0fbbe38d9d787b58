"""The HTML page as a file: its policy, what it holds, and that nothing in a record becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import pytest

from bench.view import json_document, markdown
from bench.view.content import KeptOutput, Report, Table, every_part, raw, shown
from tests.support.reported import HOSTILE, hostile, measured, report, varied

vl_convert = pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
pytest.importorskip("altair", reason="the extra `report` is not installed")

from bench.view import page  # noqa: E402 - after the packages that it needs

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
VOID = {"meta", "link", "br", "img", "input", "rect"}


class Seen(HTMLParser):
    """Elements, attributes and scripts of a page, and whether each element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            kind, before = self.scripts[-1]
            self.scripts[-1] = kind, before + data
        else:
            self.words.append(data)


def unfolded(parts: list[Any]) -> Iterator[dict[str, Any]]:
    """Tables of a document, those inside folds included."""
    for part in parts:
        if "summary" in part:
            yield from unfolded(part["parts"])
        elif "rows" in part:
            yield part


def test_every_figure_is_in_all_renderings() -> None:
    made = report(varied())
    words = " ".join(" ".join(Seen(page.html(made)).words).split())
    twin = markdown.markdown(made)
    document = json.loads(json_document.report(made))
    found = {part["id"]: part for each in document["sections"] for part in unfolded(each["parts"])}
    assert [each["title"] for each in document["sections"]] == [each.title for each in made.sections]
    assert set(document["cases"]) == {each.id for each in made.cases}
    for section in made.sections:
        for sentence in (part for part in every_part([section]) if isinstance(part, str)):
            assert "".join(sentence.replace("`", "").split()) in words.replace(" ", ""), "code or not"
            assert markdown.escaped(sentence) in twin
        for table in (part for part in every_part([section]) if isinstance(part, Table)):
            for row, kept in zip(table.rows, found[table.id]["rows"], strict=True):
                for value, head, (text, number) in zip(row.cells, table.columns, kept, strict=True):
                    assert text == shown(value, head.digits)
                    assert " ".join(text.split()) in words
                    assert markdown.escaped(text) in twin
                    assert number == raw(value)


def with_outputs() -> Report:
    """A report whose first case kept a picture and a text, and lost a third output."""
    made = report(varied())
    kept = (
        KeptOutput("a.png", image=f"data:image/png;base64,{PICTURE}"),
        KeptOutput("b.txt", text="<b>words</b>"),
        KeptOutput("c.png", reason="it is larger than 400,000 bytes"),
    )
    return replace(made, cases=(replace(made.cases[0], outputs=kept), *made.cases[1:]))


def test_outputs_are_shown_openly_each_once_and_never_as_markup() -> None:
    text, without = page.html(with_outputs()), page.html(report(varied()))
    assert text.count(PICTURE) == 1
    assert '<pre tabindex="0">&lt;b&gt;words&lt;/b&gt;</pre>' in text
    assert "Not shown: it is larger than 400,000 bytes." in text
    assert text.count('href="#made"') == 1
    assert 'id="made"' not in without
    sources = [attrs["src"] for tag, attrs in Seen(text).elements if tag == "img"]
    assert sources == [f"data:image/png;base64,{PICTURE}"]


def test_the_policy_names_the_scripts_and_styles_that_are_there_and_no_others() -> None:
    text = page.html(report(varied()))
    found = Seen(text)
    policy = next(
        attrs["content"] for tag, attrs in found.elements if tag == "meta" and "http-equiv" in attrs
    )
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert set(rules) == {
        "default-src",
        "script-src",
        "style-src",
        "img-src",
        "media-src",
        "base-uri",
        "form-action",
    }
    run = [content for kind, content in found.scripts if kind == "module"]
    digests = [base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in run]
    assert rules["script-src"].split() == [f"'sha256-{digest}'" for digest in digests]
    assert {kind for kind, _ in found.scripts} == {"module", "application/json"}


def test_no_element_asks_for_anything_or_carries_code() -> None:
    elements = Seen(page.html(report([*varied(), *hostile()]))).elements
    assert len(elements) > 100
    for tag, attrs in elements:
        assert tag not in ("iframe", "object", "embed", "form", "base", "img")
        for name, value in attrs.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in ("src", "href", "action"):
                assert str(value).startswith(("#", "data:,"))


def test_data_is_whole_json_and_cannot_end_its_block() -> None:
    found = Seen(page.html(report(hostile())))
    blocks = [content for kind, content in found.scripts if kind == "application/json"]
    assert len(blocks) == 1 + len(HOSTILE)
    for content in blocks:
        assert "<" not in content
        json.loads(content)


def test_a_megabyte_of_text_is_not_a_megabyte_of_page() -> None:
    own = len(page.html(report([])))
    assert own < 3_000_000
    assert len(page.html(report(hostile(), hostile()))) - own < 1_000_000


def test_the_page_alone_and_each_case_are_small() -> None:
    one, three = (len(page.html(report([measured(300.0 + n) for n in range(count)]))) for count in (1, 3))
    assert (three - one) / 2 < 40_000


def test_every_chart_has_a_table_of_the_same() -> None:
    found = Seen(page.html(report(varied())))
    tables = {attrs["id"] for tag, attrs in found.elements if tag == "table"}
    targets = {str(attrs["href"])[1:] for tag, attrs in found.elements if tag == "a" and "href" in attrs}
    charts = json.loads(found.scripts[0][1])["charts"]
    assert {attrs["data-chart"] for _, attrs in found.elements if "data-chart" in attrs} == set(charts)
    assert len(charts) == 11
    alone = {"matrix", "cases-table", "scenarios-table", "people-page-more", "people-image-more"}
    singles = {f"energy-time-{number}-table" for number in (0, 2, 3)}  # one dot is not drawn
    assert tables <= targets | alone | singles


def test_every_chart_can_be_drawn_and_marks_each_kind_in_its_own_way() -> None:
    charts = json.loads(Seen(page.html(report(varied()))).scripts[0][1])["charts"]
    for name, spec in charts.items():
        drawing = vl_convert.vegalite_to_svg(spec | {"width": 500})
        assert "NaN" not in drawing, name
    joules = vl_convert.vegalite_to_svg(charts["people-page-joules"] | {"width": 500})
    marks = re.findall(r'<path aria-label="[^"]*kind: (\w+)[^"]*"([^>]*)>', joules)
    fills = {kind: found for kind, rest in marks if (found := re.search(r' fill="([^"]+)"', rest))}
    assert fills["measured"][1].startswith("#")
    assert fills["estimated"][1].startswith("url(#hatch")
    assert not any(kind == "published" and re.search(r' fill="[#u]', rest) for kind, rest in marks)
    assert any(kind == "published" for kind, _ in marks)


def contrast(one: str, other: str) -> float:
    """As WCAG 2 reckons it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        lit = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * lit[0] + 0.7152 * lit[1] + 0.0722 * lit[2]

    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_colours_have_the_contrast_of_wcag_aa_in_light_and_dark() -> None:
    from bench.view.charts import PALETTE

    style = (resources.files("bench.view") / "page.css").read_text()
    themes = [dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in style.split("@media")[:2]]
    assert themes[0]["paper"] != themes[1]["paper"]
    for theme in themes:
        for text in ("ink", "soft", "link", "warn", "good", "bad"):
            for behind in ("paper", "raised"):
                assert contrast(theme[text], theme[behind]) >= 4.5, (text, behind)
        for colour in PALETTE:
            assert contrast(colour, theme["paper"]) >= 3, colour


def test_what_is_between_backticks_is_code_and_nothing_else_is_markup() -> None:
    assert str(page._coded("`python -m bench run` measures <b>`a & b`</b>")) == (
        "<code>python -m bench run</code> measures &lt;b&gt;<code>a &amp; b</code>&lt;/b&gt;"
    )
