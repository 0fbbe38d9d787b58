"""The page in a real browser: Chromium without a screen, through Playwright.

Each section is photographed into build/report, for a person to look at.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.files import bundled, find
from bench.footprint.scenarios.model import footprint
from bench.view.content import KeptOutput
from tests.support.browser import chromium
from tests.support.processes import wait_until
from tests.support.rack import rack
from tests.support.reported import HOSTILE, PEAK_W, hostile, measured, report, stored, varied

pytest.importorskip("vl_convert", reason="the extra `report` is not installed")

from bench.view import page

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
"""One grey pixel."""
PHOTOGRAPHS = Path(__file__).parents[2] / "build" / "report"


@pytest.fixture(scope="module", name="chromium")
def _chromium() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pages that the tests open."""
    folder = tmp_path_factory.mktemp("pages")
    many = {f"RTX PRO {number}000 Blackwell Server Edition": 4 for number in range(1, 13)}
    racked = list(rack(random.Random(3), many))
    records = {"varied": varied(), "hostile": hostile(), "nothing": [], "racked": racked}
    for name, kept in records.items():
        (folder / f"{name}.html").write_text(page.html(report(kept)), encoding="utf-8")
    (folder / "records").mkdir()
    baseline = [measured(330.0), measured(198.0, "Card B"), measured(900.0, "Card C")]
    traced = page.html(report(stored(folder / "records", varied()), baseline))
    (folder / "traced.html").write_text(traced, encoding="utf-8")
    PHOTOGRAPHS.mkdir(parents=True, exist_ok=True)
    (PHOTOGRAPHS / "report.html").write_text(traced, encoding="utf-8")
    return folder


def traced_case(folder: Path) -> str:
    """The place in the page of a case whose record has a trace beside it."""
    digest = hashlib.sha256((folder / "records" / "0.json").read_bytes()).hexdigest()[:16]
    return f"#case-{digest}"


class Opened:
    """A page, what it said on the console, and what it asked the network for."""

    def __init__(self, browser: Any, path: Path, place: str = "", **look: Any) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page = browser.new_context(**look).new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(f"dialog {dialog.message}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(f"{path.as_uri()}{place}")
        self.page.wait_for_selector("html[data-ready]")

    def draw_all(self) -> int:
        """Bring every chart near the screen; how many there are once all are drawn."""
        charts = self.page.query_selector_all(".chart")
        for chart in charts:
            chart.scroll_into_view_if_needed()
        self.wait_for("[...document.querySelectorAll('.chart')].every(e => e.dataset.drawn)")
        return len(charts)

    def wait_for(self, condition: str) -> None:
        """Ask from outside: the page's own policy refuses what Playwright would poll with inside."""
        assert wait_until(lambda: self.page.evaluate(condition), 30), condition

    def column(self, table: str, number: int) -> list[str]:
        """The cells of a column that can be seen."""
        rows = self.page.query_selector_all(f"#{table} tbody tr:not(.filtered) td:nth-child({number})")
        return [row.text_content() for row in rows]


@pytest.mark.parametrize("name", ["varied", "hostile", "nothing"])
def test_nothing_is_said_asked_or_executed(name: str, chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / f"{name}.html", "#case-00000000000a0000")
    drawn = opened.draw_all()
    assert drawn >= 6
    assert opened.page.evaluate("window.executed") is None
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith(("file:", "data:"))] == []
    assert "\u202e" not in opened.page.text_content("main")
    assert opened.page.query_selector_all("main img, main iframe, main script:not([type])") == []


def test_a_hostile_name_is_seen_as_it_is_written(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "hostile.html")
    names = opened.column("cases-table", 1)
    assert {HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[3]} <= set(names)
    assert any(name.startswith("mmm") and name.endswith("(1,000,000 characters)") for name in names)


def test_a_script_that_is_not_the_pages_own_does_not_run(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "nothing.html")
    added = "Object.assign(document.createElement('script'), {textContent: 'window.executed = 1'})"
    tried = f"document.body.append({added})"
    opened.page.evaluate(tried)
    assert opened.page.evaluate("window.executed") is None
    assert any("Content Security Policy" in line for line in opened.said)


def test_sorting_is_by_number_either_way_with_what_is_not_known_last(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "varied.html")
    button = opened.page.locator("#cases-table th:nth-child(7) button")
    button.focus()
    opened.page.keyboard.press("Enter")
    up = opened.column("cases-table", 7)
    opened.page.keyboard.press("Enter")
    down = opened.column("cases-table", 7)
    known = [float(each.replace(",", "")) for each in up if each != "—"]
    assert known == sorted(known)
    assert len(known) >= 5
    assert up[-1] == down[-1] == "—"
    assert down[: len(known)] == up[: len(known)][::-1]
    assert opened.page.get_attribute("#cases-table th:nth-child(7)", "aria-sort") == "descending"


def test_filtering_hiding_and_downloading_what_is_shown(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "varied.html")
    opened.page.fill("#cases .tools input[type=search]", "card")
    assert len(opened.column("cases-table", 1)) == 5
    opened.page.check("#cases .tools input[type=checkbox]")
    shown = opened.column("cases-table", 1)
    assert len(shown) == 4
    assert "spoilt" not in shown
    assert opened.page.text_content("#cases output") == "4 of 7 rows"

    def saved(kind: str) -> str:
        with opened.page.expect_download() as download:
            opened.page.click(f"#cases .tools button:text('{kind}')")
        assert download.value.suggested_filename == f"cases-table.{kind.lower()}"
        return Path(download.value.path()).read_text(encoding="utf-8")

    rows = json.loads(saved("JSON"))
    assert [row["case"] for row in rows] == shown
    assert rows[0]["J"] == pytest.approx(float(opened.column("cases-table", 7)[0]), rel=0.01)
    lines = saved("CSV").splitlines()
    assert lines[0].startswith("case,machine,weights,scope,kind,per,J,")
    assert len(lines) == 5
    assert opened.said == []


def test_a_spreadsheet_does_not_run_a_name(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "hostile.html")
    with opened.page.expect_download() as download:
        opened.page.click("#cases .tools button:text('CSV')")
    assert "\n'=HYPERLINK(1)," in Path(download.value.path()).read_text(encoding="utf-8")


def test_a_link_opens_its_case_and_an_unknown_one_says_so(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "varied.html", "#case-00000000000a0000")
    assert opened.page.text_content("#case h2") == "bloom-560m bfloat16 batch 1"
    assert opened.page.is_visible("#case-budget")
    assert len(opened.page.query_selector_all("#case .chart")) == 4
    opened.page.click("#cases-table a:text('lost')")
    opened.page.wait_for_selector("#case h2:text('lost')")
    assert "failed at load: no such revision" in opened.page.text_content("#case .notes")
    opened.page.evaluate("location.hash = '#case-ffff'")
    opened.page.wait_for_selector("#case h2:text('No such case')")


def test_the_details_of_a_case_show_a_copy_of_what_it_made(chromium: Any, written: Path) -> None:
    """The picture is in the page once, open to be seen; its case repeats it."""
    made = report(varied())
    kept = (KeptOutput("a.png", image=f"data:image/png;base64,{PICTURE}"), KeptOutput("b.txt", text="words"))
    shown = replace(made, cases=(replace(made.cases[0], outputs=kept), *made.cases[1:]))
    (written / "outputs.html").write_text(page.html(shown), encoding="utf-8")
    opened = Opened(chromium, written / "outputs.html")
    assert opened.page.locator("#made img").is_visible()
    assert opened.page.locator("#made img").evaluate("image => image.naturalWidth") == 1
    opened.page.click("#made a")
    opened.page.wait_for_selector("#case .made img")
    assert opened.page.text_content("#case .made pre") == "words"
    assert opened.said == []


def test_the_same_link_leads_to_its_case_again(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "varied.html")
    link = opened.page.locator("#cases-table a").first
    for _ in range(2):
        link.click()
        opened.wait_for("document.activeElement.id === 'case-title'")
        opened.page.evaluate("document.activeElement.blur()")


def test_sliders_give_what_the_program_gives(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "varied.html")
    panel = "#scenario-panel"
    for name in bundled():
        opened.page.select_option(
            f"{panel} select", label=f"{name} ({find(name).about.unit}), energy: its own"
        )
        values = build(find(name)).values()
        for number, slider in enumerate(opened.page.query_selector_all(f"{panel} input[type=range]")):
            slider.evaluate(
                "(e, share) => { e.value = +e.min + share * (e.max - e.min);"
                " e.dispatchEvent(new Event('input')); }",
                (number + 1) / 12,
            )
            values[slider.get_attribute("data-key")] = float(slider.evaluate("e => e.value"))
        expected = footprint(values)
        grams = {"person": expected.person_g, "model": expected.model_g, "together": expected.together_g}
        rows = opened.page.query_selector_all(f"{panel} tbody tr")
        seen = {row.get_attribute("data-side"): row.query_selector("td.number") for row in rows}
        assert len(seen) >= 2
        shown = [float(cell.get_attribute("data-raw")) for cell in seen.values()]
        assert shown == sorted(shown)
        for side, cell in seen.items():
            assert float(cell.get_attribute("data-raw")) == pytest.approx(grams[side], rel=1e-12), (
                name,
                side,
            )
        assert "model.prompts" in opened.page.text_content(f"{panel} .setting")


def test_dark_and_light_follow_the_reader(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "varied.html", color_scheme="light")

    def colours() -> list[str]:
        label = "getComputedStyle(document.querySelector('.chart .role-axis-label text')).fill"
        found: list[str] = opened.page.evaluate(f"[getComputedStyle(document.body).backgroundColor, {label}]")
        return found

    opened.draw_all()

    light = colours()
    opened.page.emulate_media(color_scheme="dark")
    opened.page.wait_for_timeout(300)
    dark = colours()
    assert light[0] == "rgb(255, 255, 255)"
    assert dark[0] == "rgb(20, 23, 26)"
    assert light[1] != dark[1]
    opened.page.emulate_media(color_scheme="dark", media="print")
    assert colours() == light, "paper is white"


def test_paper_has_every_chart_and_all_of_every_table(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "varied.html")
    opened.wait_for("[...document.querySelectorAll('[data-chart]')].every(e => e.querySelector('svg'))")
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    opened.page.emulate_media(media="print")
    assert opened.page.evaluate("[...document.querySelectorAll('main details')].every(e => e.open)")
    cut = "[...document.querySelectorAll('.table')].filter(e => e.scrollHeight > e.clientHeight + 1).length"
    assert opened.page.evaluate(cut) == 0
    blank = "[...document.querySelectorAll('[data-chart] svg')].filter(e => e.clientWidth < 200).length"
    assert opened.page.evaluate(blank) == 0
    opened.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.page.evaluate("document.querySelectorAll('.fold[open]').length") == 0
    assert opened.said == []


def test_paper_waits_for_no_chart(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "nothing.html")
    drawn = """async () => {
        dispatchEvent(new Event("beforeprint"));
        for (let turn = 0; turn < 5000; turn += 1) await null; // no timer and no frame in between
        return [...document.querySelectorAll("[data-chart]")].map((each) => each.firstElementChild !== null);
    }"""
    found = opened.page.evaluate(drawn)
    assert len(found) > 3
    assert all(found)
    assert opened.said == []


@pytest.mark.parametrize(("button", "size"), [("slide", (1600, 900)), ("sharing", (1200, 630))])
def test_the_answer_is_saved_as_a_picture(
    button: str, size: tuple[int, int], chromium: Any, written: Path
) -> None:
    opened = Opened(chromium, written / "nothing.html")
    with opened.page.expect_download() as download:
        opened.page.click(f"#answer button:text('{button}')")
    saved = Path(download.value.path()).read_bytes()
    assert saved.startswith(b"\x89PNG")
    assert struct.unpack(">II", saved[16:24]) == size
    assert 10_000 < len(saved) < 500_000
    assert opened.said == []


def test_the_first_screen_of_a_telephone_has_the_finding_and_its_three_sentences(
    chromium: Any, written: Path
) -> None:
    opened = Opened(chromium, written / "nothing.html", viewport={"width": 360, "height": 740})
    low = opened.page.evaluate(
        "[...document.querySelectorAll('.statement')].at(-1).getBoundingClientRect().bottom"
    )
    assert low < 740
    assert opened.page.evaluate("document.querySelector('#answer svg').clientWidth") <= 360


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1200, "light")])
def test_no_width_needs_scrolling_sideways_and_each_section_is_photographed(
    width: int, scheme: str, chromium: Any, written: Path
) -> None:
    screen = {"width": width, "height": 800}
    opened = Opened(
        chromium, written / "traced.html", traced_case(written), viewport=screen, color_scheme=scheme
    )
    opened.draw_all()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    for section in opened.page.query_selector_all("main > section"):
        section.screenshot(path=PHOTOGRAPHS / f"{section.get_attribute('id')}-{width}-{scheme}.png")


@pytest.mark.parametrize("width", [390, 1200])
def test_a_page_of_48_machines_fits_and_cuts_no_name_of_a_model(
    width: int, chromium: Any, written: Path
) -> None:
    opened = Opened(chromium, written / "racked.html", viewport={"width": width, "height": 800})
    opened.draw_all()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    legend = opened.page.query_selector_all("#machines .role-legend-label text")
    assert {f"RTX PRO {number}000 Blackwell Server Edition" for number in range(1, 13)} <= {
        each.text_content() for each in legend
    }
    assert opened.said == []


def test_a_trace_is_drawn_on_one_time_axis_with_all_in_numbers_behind_it(
    chromium: Any, written: Path
) -> None:
    opened = Opened(chromium, written / "traced.html", traced_case(written))
    assert "thinned from" in opened.page.text_content("#case")
    opened.draw_all()
    panels = opened.page.query_selector_all("#case .chart")
    assert len(panels) == 5
    ticks = {
        tuple(label.text_content() for label in panel.query_selector_all(".role-axis-label text"))[:4]
        for panel in panels
    }
    assert len(ticks) == 1, "all panels have the same seconds below them"
    panels[1].hover()
    told = opened.page.text_content("#vg-tooltip-element.visible")
    assert "temperature_c" in told, "wherever in a panel the pointer is, its numbers are told"
    opened.page.click("#case details summary")
    opened.page.wait_for_selector("#case-trace")
    most = [float(each) for each in opened.column("case-trace", 4)]
    assert len(most) == 300
    assert max(most) == PEAK_W, "peaks stay"
    assert "power-cap" in opened.column("case-trace", 8)
    assert opened.said == []


def test_every_control_has_a_name_for_who_cannot_see_it(chromium: Any, written: Path) -> None:
    opened = Opened(chromium, written / "varied.html")
    nameless = """[...document.querySelectorAll('button, input, a')].filter(e =>
        !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.[0]?.textContent.trim()))"""
    assert opened.page.evaluate(f"{nameless}.length") == 0
    assert opened.page.evaluate("[...document.querySelectorAll('table')].every(t => t.caption && t.tHead)")
    assert opened.page.evaluate("document.documentElement.lang") == "en"
