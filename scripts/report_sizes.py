"""`scripts/bench-report [CASES...]`: sizes and load times of reports, as a table in Markdown."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench.store import results, traces
from tests.support.factory import case
from tests.support.reported import measured, sampled

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LOOKS = 3
"""The quickest counts: others may load the machine."""
TRACE = "traces/all.parquet"


def main(counts: list[int]) -> None:
    """A line a number of cases, after a warm-up of the browser."""
    print("| cases | traces in the page | size | ready | a case opened | written in |")
    print("|---:|---:|---:|---:|---:|---:|")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for count in counts:
            with tempfile.TemporaryDirectory() as folder:
                print(_line(browser, count, Path(folder)), flush=True)


def _line(browser: Any, count: int, folder: Path) -> str:
    _store(count, folder)
    page = folder / "report.html"
    begun = time.monotonic()
    command = [sys.executable, "-m", "bench", "report", str(folder), "-o", str(page)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    written_s = time.monotonic() - begun
    looks = [_opened(browser, page) for _ in range(LOOKS)]
    ready_s, case_s = (min(each) for each in zip(*looks, strict=True))
    text = page.read_text(encoding="utf-8")
    shown = text.count('"rows":[[') - text.count('"rows":[[[')
    return (
        f"| {count:,} | {shown:,} | {len(text.encode()) / 1e6:.1f} MB | {ready_s:.1f} s | {case_s:.1f} s "
        f"| {written_s:.1f} s |"
    )


def _store(count: int, folder: Path) -> None:
    """So many cases, each different; what is in their trace is all the same to a page."""
    traces.write(folder / TRACE, sampled(measured(300.0)).values())
    for number in range(count):
        record = measured(300.0 + number, case=case(batch=number + 1), label=f"bloom-560m batch {number + 1}")
        record = record.model_copy(update={"trace": TRACE})
        (folder / f"{number:05d}.json").write_text(results.to_json(record), encoding="utf-8")


def _opened(browser: Any, page: Path) -> tuple[float, float]:
    """Seconds until the page is ready, and from a click on its first case until that is drawn."""
    tab = browser.new_page()
    begun = time.monotonic()
    tab.goto(page.as_uri())
    tab.wait_for_selector("html[data-ready]")
    ready_s = time.monotonic() - begun
    begun = time.monotonic()
    tab.evaluate("location.hash = document.querySelector('#cases-table a').getAttribute('href')")
    tab.wait_for_selector("#case .chart[data-drawn]")
    case_s = time.monotonic() - begun
    tab.close()
    return ready_s, case_s


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [1, 100, 2000])
