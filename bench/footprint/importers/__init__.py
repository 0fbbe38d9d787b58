"""Other tools' files as reference rows: one registry of formats, known by their content.

    found = imported(Path("emissions.csv"), Asked(items=1000, unit="image", task="query model"))
    found.rows.figures, found.rows.sources  # see bench.footprint.references
    found.left_out                          # one sentence each

What can be taken is taken: a line or a phase whose energy cannot be is left out, with one sentence.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.errors import RecordError
from bench.footprint.bundled_rows import FigureSource, Published
from bench.footprint.importers import aiperf, codecarbon, inferencex, llenergymeasure, mlenergy, optimum
from bench.footprint.importers.checked import Asked, File
from bench.footprint.references import SCHEMA as OWN
from bench.footprint.references import References, decoded, read_bytes
from bench.store import results

__all__ = ["FORMATS", "Asked", "imported", "known"]

UNLIKE = (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError, ArithmeticError)
"""Errors of taking apart a file whose parts are of other types than the format's."""


@dataclass(frozen=True)
class ImportFormat:
    """Format of a tool's file, and its reader."""

    about: str
    fits: Callable[[Any], bool]
    tool: Callable[[File], str]
    rows: Callable[[File], Iterator[Published]]
    takes: tuple[str, ...] = ()
    """Options that the user may give for it (see `Asked`); the file itself states the rest."""


FORMATS = {
    "mlenergy": ImportFormat(
        "a task's or a model's file of the ML.ENERGY leaderboard v3",
        mlenergy.fits,
        mlenergy.tool,
        mlenergy.rows,
    ),
    "optimum": ImportFormat(
        "a report of optimum-benchmark", optimum.fits, optimum.tool, optimum.rows, takes=("system",)
    ),
    "codecarbon": ImportFormat(
        "an emissions.csv of CodeCarbon",
        codecarbon.fits,
        codecarbon.tool,
        codecarbon.rows,
        takes=("items", "unit", "task", "system"),
    ),
    "inferencex": ImportFormat(
        "an aggregate of InferenceX with power, or a list of them",
        inferencex.fits,
        inferencex.tool,
        inferencex.rows,
    ),
    "aiperf": ImportFormat(
        "a profile_export_aiperf.json", aiperf.fits, aiperf.tool, aiperf.rows, takes=("system",)
    ),
    "llenergymeasure": ImportFormat(
        "a result or a study of LLenergyMeasure",
        llenergymeasure.fits,
        llenergymeasure.tool,
        llenergymeasure.rows,
        takes=("system",),
    ),
}
"""By name, in the order in which they are tried."""


class Imported(NamedTuple):
    """The rows of one file, remarks about them, and what was left out, one sentence each."""

    rows: References
    notes: tuple[str, ...]
    left_out: tuple[str, ...]


def imported(path: Path, asked: Asked, name: str | None = None) -> Imported:
    """Rows of one file. Raises RecordError if it has none."""
    whole = read_bytes(path)
    text, notes = _text(whole, path)
    if _is_reference_rows(text):
        raise RecordError(f"{path}: it is a file of reference rows already.", "Name it with --references.")
    file = File(path, hashlib.sha256(whole).hexdigest(), _content(path, text), asked)
    if isinstance(file.content, dict) and str(file.content.get("schema")).startswith("joulebench/"):
        raise file.wrong("it is joulebench's own, and no other tool's", "`python -m bench show` reads it.")
    chosen = FORMATS.get(name or "") or _recognised(file.content)
    if chosen is None or not chosen.fits(file.content):
        listed = "; ".join(each.about for each in FORMATS.values())
        raise file.wrong(
            "it is of no format that is read here" if name is None else f"it is not {FORMATS[name].about}",
            f"What is read: {listed}.",
        )
    for said in ("items", "unit", "task", "system"):
        if getattr(asked, said) is not None and said not in chosen.takes:
            raise file.wrong(
                f"--{said} is not for {chosen.about}", "Leave it out, or import that file by itself."
            )
    try:
        rows = list(chosen.rows(file))
    except UNLIKE as error:
        raise file.wrong(f"it is not as {chosen.about} is ({type(error).__name__}: {error})") from error
    once = list({row.model_dump_json(exclude={"id", "at"}): row for row in reversed(rows)}.values())[::-1]
    if len(once) < len(rows):
        notes.append(f"{path}: {len(rows) - len(once)} rows are the same as others; they count once.")
    tool = f"{chosen.tool(file)}, {path.name}, sha256 {file.sha256}"
    source = FigureSource(citation="; ".join(filter(None, (asked.source, tool))), url=asked.url)
    taken = References(tuple(_apart(once)), {file.key: source})
    return Imported(taken, tuple(notes), tuple(file.left_out))


def _text(content: bytes, path: Path) -> tuple[str, list[str]]:
    """A file's text. Spreadsheets write UTF-16, or an 8-bit encoding that the file does not name."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return content.decode("utf-16"), []
        except ValueError as error:
            raise RecordError(f"{path}: not a text file: {error}.") from error
    try:
        return decoded(content, path), []
    except RecordError:
        if b"\0" in content:
            raise
    note = f"{path}: it is not UTF-8; letters that cannot be read are replaced by U+FFFD."
    return content.decode("utf-8", "replace"), [note]


def known(text: str) -> str | None:
    """Format of a text that is not a record: another tool's file, or reference rows; `None` if neither."""
    if _is_reference_rows(text):
        return "a file of reference rows"
    try:
        found = _recognised(_content(Path("-"), text))
    except RecordError:
        return None
    return found.about if found else None


def _is_reference_rows(text: str) -> bool:
    return f"schema: {OWN}" in text[:2000]


def _recognised(content: Any) -> ImportFormat | None:
    return next((each for each in FORMATS.values() if each.fits(content)), None)


def _content(path: Path, text: str) -> Any:
    """Parsed JSON, or the lines of a CSV file as mappings."""
    if not text.strip():
        raise RecordError(f"{path}: it is empty.")
    if text.lstrip()[0] in "{[":
        try:
            return results.parse(text)
        except (ValueError, RecursionError) as error:
            raise RecordError(f"{path}: not a JSON file: {error}.") from error
    try:
        delimiter = _delimiter(text)
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
        lines = list(reader)
    except csv.Error as error:
        raise RecordError(f"{path}: neither JSON nor CSV: {error}.") from error
    if not lines and "energy_consumed" in (reader.fieldnames or ()):
        raise RecordError(f"{path}: it has a heading and no lines.")
    if delimiter != ",":
        for line in lines:
            line.update({name: _with_point(line[name]) for name in line if name in codecarbon.NUMBERS})
    return lines


def _delimiter(text: str) -> str:
    """Separator of the heading's columns: a comma, or what spreadsheets write in its place."""
    heading = text.lstrip().partition("\n")[0]
    return max(",;\t", key=heading.count)


def _with_point(value: str | None) -> str | None:
    """A number with a decimal comma as one with a point; only where a comma parts no columns."""
    comma = value is not None and re.fullmatch(r"\s*-?\d+,\d+([eE][-+]?\d+)?\s*", value)
    return value.replace(",", ".") if value is not None and comma else value


def _apart(rows: list[Published]) -> Iterator[Published]:
    """Rows that differ and would have one id get a number each."""
    seen: dict[str, int] = {}
    for row in rows:
        seen[row.id] = seen.get(row.id, 0) + 1
        number = seen[row.id]
        yield row if number == 1 else row.model_copy(update={"id": f"{row.id}.{number}"})
