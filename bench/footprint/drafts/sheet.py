"""A blind rating sheet: outputs under names of their own, in a random order, for people to judge.

    write_sheet(folder, {"a.json": drafts}, seed=0)
    # folder/sheet.html   for a browser, which saves ratings.csv; folder/sheet.csv: the same by hand
    # folder/items/       the outputs; their names show neither model nor record
    # folder/key.json     which output is whose: not for raters

`ratings.py` reads what comes back.
"""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import random
from collections.abc import Mapping
from pathlib import Path

from bench.errors import UsageError
from bench.footprint.drafts.outputs import Draft
from bench.store.results import write_atomically

SCHEMA = "joulebench/rating-key/1"
HEADS = ("item", "accept", "rater", "comment")
NAME_DIGITS = 8
PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
SOUNDS = {".wav": "audio/wav", ".mp3": "audio/mpeg"}
FILMS = {".mp4": "video/mp4", ".webm": "video/webm"}


def write_sheet(folder: Path, drafts: Mapping[str, list[Draft]], seed: int) -> int:
    """Write a sheet of the distinct drafts of several records; return how many items it has.

    Raises UsageError where the folder has something in it already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty.", "Name a new folder for the sheet.")
    rng = random.Random(seed)
    every = [(record, draft) for record, listed in drafts.items() for draft in listed]
    rng.shuffle(every)
    (folder / "items").mkdir(parents=True)
    key: dict[str, dict[str, str]] = {}
    shown = []
    for record, draft in every:
        # A letter first: a spreadsheet takes 12345678 and 1e456789 for numbers, and writes them otherwise.
        name = f"i{rng.getrandbits(4 * NAME_DIGITS):0{NAME_DIGITS}x}"
        copy = folder / "items" / f"{name}{draft.path.suffix}"
        copy.write_bytes(draft.content)
        key[name] = {"record": record, "output": draft.digest}
        shown.append((name, draft))
    write_atomically(folder / "key.json", json.dumps({"schema": SCHEMA, "items": key}, indent=2) + "\n")
    write_atomically(folder / "sheet.csv", _csv([name for name, _ in shown]))
    write_atomically(folder / "sheet.html", _page(shown))
    return len(shown)


def _csv(names: list[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADS)
    writer.writerows([name, "", "", ""] for name in names)
    return text.getvalue()


def _page(items: list[tuple[str, Draft]]) -> str:
    """All of it in one file, which needs no network: the browser saves the ratings as CSV."""
    parts = "\n".join(_item(number, name, draft) for number, (name, draft) in enumerate(items, start=1))
    return _PAGE.replace("ITEMS", parts).replace("COUNT", str(len(items)))


def _item(number: int, name: str, draft: Draft) -> str:
    choices = "".join(
        f'<label><input type="radio" name="{name}" value="{value}"> {value}</label> '
        for value in ("yes", "no")
    )
    return (
        f'<section data-item="{name}"><h2>{number}</h2>{_content(draft)}'
        f'<p>Accept it as it is? {choices}<input class="comment" placeholder="comment"></p></section>'
    )


def _content(draft: Draft) -> str:
    suffix = draft.path.suffix
    if suffix == ".txt":
        return f"<pre>{html.escape(draft.text)}</pre>"
    kind = (PICTURES | SOUNDS | FILMS).get(suffix)
    if kind is None:
        return "<p>This kind of file is not shown here: see the folder items.</p>"
    source = f"data:{kind};base64,{base64.b64encode(draft.content).decode()}"
    if suffix in PICTURES:
        return f'<img src="{source}" alt="">'
    tag = "audio" if suffix in SOUNDS else "video"
    return f'<{tag} controls src="{source}"></{tag}>'


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Rating sheet</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
pre { white-space: pre-wrap; background: #8881; padding: 1rem } img, video { max-width: 100% }
section { border-top: 1px solid #8886; padding-bottom: 1rem }
</style>
<h1>COUNT outputs to judge</h1>
<p>Your name or number: <input id="rater"> <button id="save">Save ratings.csv</button></p>
ITEMS
<script>
// As bench/exports/csv_cells.py: no text of a rater is a formula in a spreadsheet.
const safe = text => {
  const apart = text.replace(/[;\\t\\r\\n](?=[ "]*[=+\\-@＝＋－＠])/g, "$&'");
  return /^ *[=+\\-@＝＋－＠\\t\\r\\n]/.test(apart) && isNaN(apart) ? "'" + apart : apart;
};
const quoted = text => '"' + safe(text).replaceAll('"', '""') + '"';
document.getElementById("save").onclick = () => {
  const rater = document.getElementById("rater").value, rows = [["item", "accept", "rater", "comment"]];
  for (const part of document.querySelectorAll("section")) {
    const chosen = part.querySelector("input:checked");
    const comment = part.querySelector(".comment").value;
    rows.push([part.dataset.item, chosen ? chosen.value : "", rater, comment]);
  }
  const text = rows.map(row => row.map(quoted).join(",")).join("\\r\\n") + "\\r\\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv"}));
  link.download = "ratings.csv";
  link.click();
};
</script>
</html>
"""
