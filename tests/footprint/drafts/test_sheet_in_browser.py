"""The rating sheet in a real browser: what its button saves."""

from __future__ import annotations

import csv
from pathlib import Path

from bench.exports.csv_cells import safe
from bench.footprint.drafts.outputs import kept
from bench.footprint.drafts.ratings import read_ratings
from bench.footprint.drafts.sheet import write_sheet
from tests.support.browser import chromium
from tests.support.kept_outputs import stored

COMMENTS = (
    '=HYPERLINK("http://evil")',
    "+1 for this",
    "  @SUM(1)",
    "＝1+1",
    "fine; =1+1",
    'odd;"" -1',
    "-1.5",
    '"quoted", and a comma',
)


def test_no_comment_of_a_rater_is_a_formula_and_ratings_come_back(tmp_path: Path) -> None:
    path, record = stored(tmp_path, [f"Text {number}." for number in range(len(COMMENTS))])
    write_sheet(tmp_path / "sheet", {"a.json": kept(record, path)}, seed=0)
    with chromium() as browser:
        page = browser.new_context(accept_downloads=True).new_page()
        page.goto((tmp_path / "sheet" / "sheet.html").as_uri())
        page.fill("#rater", "=ann")
        for part, comment in zip(page.query_selector_all("section"), COMMENTS, strict=True):
            part.query_selector('input[value="yes"]').check()
            part.query_selector(".comment").fill(comment)
        with page.expect_download() as saved:
            page.click("#save")
        saved.value.save_as(tmp_path / "ratings.csv")
    with (tmp_path / "ratings.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["comment"] for row in rows] == [safe(comment) for comment in COMMENTS]
    assert {row["rater"] for row in rows} == {"'=ann"}
    read = read_ratings(tmp_path / "sheet" / "key.json", [tmp_path / "ratings.csv"])
    assert (read.raters, read.unrated) == (1, 0)
    assert sum(map(len, read.verdicts.values())) == len(COMMENTS)
