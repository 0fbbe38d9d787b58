"""Pictures that leave their page: title, footer and rows are true of that very picture."""

from __future__ import annotations

import csv
import io
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bench.core.record import Record
from bench.footprint.answers import answer_of, critics_ahead
from bench.footprint.grid import choose
from bench.view import charts
from bench.view.content import Chart, Report, Table, every_part
from bench.view.markdown import markdown
from bench.view.report.figures import ChartFile, figures
from bench.view.report.people_charts import ROWS
from bench.view.report.report_data import Settings
from tests.support.factory import CPU, RAM, block, case, energy, record
from tests.support.processes import ROOT
from tests.support.reported import measured, report, source, toy

pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
pytest.importorskip("altair", reason="the extra `report` is not installed")

UNMEASURED = "What is known without measuring: published figures."
MADE = re.compile(r"joulebench [\w.]+, \d+ \w+ \d{4}\.")
"""Version and date of a caption, which change without a change of a figure."""


def shape() -> Record:
    """Random weights on a laptop, whose processor and memory are estimated, and whose time was up."""
    each = {CPU: energy(7000.0, kind="estimated"), RAM: energy(50.0, kind="estimated")}
    return record(
        blocks=[block(energies=each, seconds=200.0)] * 5,
        case=case(weights=dict(case()["weights"], kind="random")),
        machine={"name": "cpu Intel(R) Xeon(R) f169da86", "id": "f1"},
        ended={
            "by": "max_seconds",
            "target": 0.05,
            "max_seconds": 900.0,
            "achieved": 0.2,
            "warmup_by": "steady",
        },
    )


def charts_of(made: Report) -> dict[str, Chart]:
    """Charts of a report by name."""
    return {part.id: part for part in every_part(made.sections) if isinstance(part, Chart)}


def table_of(made: Report, name: str) -> Table:
    """One of its tables."""
    return next(part for part in every_part(made.sections) if isinstance(part, Table) and part.id == name)


@cache
def unmeasured() -> dict[str, ChartFile]:
    """Every figure of an empty folder on the grid of the docs."""
    return {each.name: each for each in figures([], Settings(choose(None)))}


@pytest.mark.parametrize(
    "records", [[], [toy(), toy(12.0, batch=4)], [shape()]], ids=["none", "toys", "shape"]
)
def test_a_picture_without_a_record_in_it_is_called_unmeasured(records: list[Record]) -> None:
    drawn = charts_of(report(records))
    for name in ("answer", "people-page-times", "people-page-grams", "people-image-joules"):
        assert drawn[name].footer.startswith(UNMEASURED), name
        assert "Measured:" not in drawn[name].footer


def test_a_picture_of_a_record_names_it_as_what_it_is() -> None:
    drawn = charts_of(report([measured(300.0), toy()]))
    for name in ("answer", "people-page-times", "people-page-grams"):
        assert drawn[name].footer.startswith("Measured: 1 case on Card A, of 2026-01-31."), name
    assert drawn["people-image-grams"].footer.startswith(UNMEASURED)
    toys = charts_of(report([toy(), toy(12.0, batch=4)]))["shares-phases"]
    assert toys.footer.startswith("Measured: 2 cases of toy models, whose joules mean nothing, on Card A")
    assert "(a toy)" in toys.takeaway


def test_a_shape_is_labelled_in_each_picture_and_row_that_has_it() -> None:
    made = report([shape()], shapes=True)
    drawn = charts_of(made)
    named = "(a shape, estimated, inconclusive)"
    for name in ("answer", "people-page-times", "people-page-grams", "people-page-joules", "shares-domains"):
        footer = drawn[name].footer
        assert footer.startswith("Estimated by a model of power, not metered: 1 case of random weights"), name
        assert "inconclusive" in footer
        assert named in str(drawn[name].draw()), name
    assert named in str(table_of(made, "people-page").rows[0].cells[0])
    assert drawn["people-image-times"].footer.startswith(UNMEASURED)
    paper = next(each for each in figures([source([shape()])], Settings(choose(None), shapes=True)))
    assert paper.name == "tomlinson2024-page"
    assert named in paper.svg
    assert f"bloom-560m · cpu f169da86 {named}" in paper.csv


def test_overheads_are_those_of_the_picture() -> None:
    made = report([shape()], shapes=True)
    drawn = charts_of(made)
    footer = drawn["answer"].footer
    assert "AI of a page includes PUE 1.54, idle hours (9% of the energy), no making of the device." in footer
    assert "AI of an image includes the server around the cards (× 1.43), PUE 1.54, idle hours" in footer
    assert "a second of film is the energy of scope gpu alone." in footer
    assert "of the machine alone" not in footer
    assert "Grams of records are of the machine alone" in drawn["people-page-grams"].footer
    assert "of the machine alone" not in drawn["people-image-grams"].footer, "no record is in it"
    assert "Electricity" not in drawn["people-page-joules"].footer
    answer = markdown(made).partition("\n## The answer\n")[2].partition("\n## ")[0]
    assert "of the machine alone" not in answer
    assert "PUE 1.54" in answer


def test_each_picture_has_a_finding_and_whole_sources() -> None:
    for name, each in unmeasured().items():
        assert ".." not in each.caption, name
        assert "below" not in each.caption, name
        assert not re.search(r"\b(?:mlene|aiene|the paper's (?:scenario|people))\b", each.svg), name
        words = each.caption.partition(". Electricity")[0]
        more = re.search(r"and (\d+) more in the CSV", words)
        title = re.sub(r"<[^>]+>", "", each.svg.partition("<title>")[2].partition("</title>")[0])
        assert re.search(r"\d", title), f"{name}: {title} has no finding"
        if more:
            listed = words.partition("Sources: ")[2].partition(" and ")[0].split(", ")
            cited = {cited for line in each.csv.splitlines() for cited in re.findall(r"[^;,\"]+", line)}
            assert set(listed) <= {text.strip() for text in cited}, name
            assert int(more[1]) > 0


def test_the_csv_of_the_answer_has_each_source() -> None:
    made = report([])
    cited = {name for row in table_of(made, "answer-table").rows for name in str(row.cells[-1]).split("; ")}
    footer = charts_of(made)["answer"].footer
    more = re.search(r"Sources: (.*?) and (\d+) more in the CSV", footer)
    assert more is not None
    assert set(more[1].split(", ")) <= cited
    assert len(more[1].split(", ")) + int(more[2]) == len(cited)


def test_the_title_has_a_figure_and_its_range_for_each_count() -> None:
    title, about = unmeasured()["answer"].caption.split(". ", 1)[0], unmeasured()["answer"].caption
    found = answer_of("page", [], choose(None))
    assert found is not None
    assert "2.2 times less CO2e (95 %: 1.2 to 3.8) counted by equipment only" in title
    assert "2.4 times less (1.4 to 4.0) by hours of a whole life" in title
    for count, value in (("equipment", 2.2), ("life", 2.4)):
        times = found.times("together", count)  # type: ignore[arg-type]
        assert times is not None
        assert times.value == pytest.approx(value, rel=0.03)
    assert f"less than with AI in {critics_ahead('page')['together']:.0%} of draws" in about
    assert critics_ahead("page")["together"] == pytest.approx(0.40, abs=0.01)


def legend(spec: dict[str, Any]) -> set[str]:
    """Entries of all colour scales of a drawing."""
    texts = set[str]()
    for layer in spec["layer"]:
        for channel in ("stroke", "color"):
            texts |= set(layer["encoding"].get(channel, {}).get("scale", {}).get("domain", ()))
    return texts


def drawn_rows(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Data of a drawing of dots, each row once."""
    every = [each["data"]["values"] for each in (spec, *spec["layer"]) if "data" in each]
    return max(every, key=len)


@pytest.mark.parametrize("name", ["people-page-grams", "people-image-joules", "people-page-joules"])
def test_legends_list_what_is_drawn_and_a_slide_has_room_for_the_rows(name: str) -> None:
    chart = charts_of(report([]))[name]
    spec = chart.draw()
    rows = drawn_rows(spec)
    assert legend(spec) == {row["kind"] for row in rows}
    assert len({row["label"] for row in rows}) == len(rows) <= ROWS
    left = re.search(r"(\d+) of (\d+) figures; all are in the CSV", chart.about)
    if left:
        whole = csv.DictReader(io.StringIO(unmeasured()[name].csv))
        column = "J" if name.endswith("joules") else "g CO2e"
        assert (int(left[1]), int(left[2])) == (len(rows), sum(bool(row[column]) for row in whole))


def test_one_of_the_charts_leaves_rows_to_its_csv() -> None:
    assert f"{ROWS} of " in charts_of(report([]))["people-image-joules"].about


def test_looks_are_those_of_the_rows() -> None:
    row = {"value": 1.0, "low": 0.5, "high": 2.0, "interval": "95 %, absolute"}
    assert (
        charts.looks([row | {"kind": "estimated"}]) == "Hatched: estimated; lines: absolute 95 % intervals."
    )
    assert charts.looks([row | {"kind": "person", "interval": "none stated"}]) == "Hollow: people."


@pytest.mark.parametrize(("name", "figure"), [("answer", "answer"), ("report-page", "tomlinson2024-page")])
def test_the_pictures_of_the_docs_are_what_the_code_draws(name: str, figure: str) -> None:
    """Redraw: `python -m bench charts -o DIR --results EMPTY`, and copy FIGURE.png over it."""
    with Image.open(ROOT / "docs" / f"{name}.png") as picture:
        caption, data = picture.info["Description"], picture.info["Comment"]
    drawn = unmeasured()[figure]
    assert MADE.sub("", caption) == MADE.sub("", drawn.caption)
    assert data == drawn.csv


def test_a_picture_has_its_caption_and_data_inside() -> None:
    drawn = unmeasured()["answer"]
    with Image.open(io.BytesIO(drawn.png)) as picture:
        assert (picture.info["Description"], picture.info["Comment"]) == (drawn.caption, drawn.csv)


def test_the_page_of_what_is_left_out_has_the_grams_of_the_picture() -> None:
    text = Path(ROOT / "docs" / "left-out.md").read_text(encoding="utf-8")
    found = answer_of("page", [], choose(None))
    assert found is not None
    for count in ("life", "equipment"):
        person = found.of("person", count)
        assert person is not None
        grams = re.search(
            rf"`{ {'life': 'top-down', 'equipment': 'equipment'}[count] }`.*?\| ([\d,]+) g \(", text
        )
        assert grams is not None
        assert float(grams[1].replace(",", "")) == pytest.approx(person.grams.value, rel=0.03)
