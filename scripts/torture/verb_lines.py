"""Command lines of all verbs that read records, for a damaged record and a good one.

    status, words = line(VERB_LINES[0], damaged, good, scratch)      # in this process

A status of 70, a traceback, and an exception that reaches the caller are faults of joulebench.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import zlib
from pathlib import Path

from bench.cli import invoke
from bench.cli.export_formats import FORMATS
from bench.errors import INTERNAL_FAULT, RecordError

_EXPORTS = tuple(
    f"export {name} DAMAGED{'' if each.of_records else ' GOOD'} -o -" for name, each in FORMATS.items()
)
VERB_LINES = (
    "show DAMAGED",
    "show --json DAMAGED",
    "show --budget DAMAGED",
    "validate DAMAGED",
    "report DAMAGED -o - --format md --baseline GOOD",
    "report DAMAGED -o - --format json",
    "report GOOD -o - --baseline DAMAGED",
    "compare DAMAGED GOOD",
    "compare GOOD DAMAGED --json --fail-on energy:5% --strict",
    "compare --across-hardware DAMAGED GOOD",
    "compare --across-hardware --each-machine --reference-rows --json GOOD DAMAGED",
    "accept DAMAGED GOOD --reason tried --accepted -",
    "accept GOOD DAMAGED --reason tried --accepted -",
    *_EXPORTS,
    "query TABLES --results FOLDER",
    "footprint record DAMAGED --price 0.1 --pue 1.2 --device h100 --lifetime 4 --utilisation 0.5 --water us",
    "footprint record DAMAGED --json --grid DEU",
    "footprint published DAMAGED --all",
    "footprint published DAMAGED --all --json --shapes",
    "footprint reproduce tomlinson2024 DAMAGED --shapes",
    "footprint scenario tomlinson2024 --record DAMAGED --draws 1000 --set model.host=1.5",
    "footprint scenario tomlinson2024 --record DAMAGED --draws 1000 --set model.host=1.5 --all --json",
    "footprint drafts DAMAGED --accept length=1..300",
    "footprint sheet DAMAGED -o SCRATCH/sheet",
    "footprint cost DAMAGED",
    "footprint cost DAMAGED --json --pue 1.1 --scope gpu",
    "footprint projection DAMAGED",
    "footprint projection DAMAGED --json --scope gpu --card-power 700",
    "roofline show DAMAGED",
    "roofline show DAMAGED GOOD --json",
)
"""Verbs of `bench.cli.verbs` that take a record, with what else changes how the record is read.

Without `charts`, which takes 8 s to draw what `report` has.
"""
SQL = "SELECT * FROM every_record, every_block"


class VerbFaultError(Exception):
    """A command line that ended as a fault of joulebench. Not a BenchError: it is a finding."""


def arguments(words: str, damaged: Path, good: Path, scratch: Path) -> list[str]:
    """A command line with its places filled in, and a folder of results, so that no other is looked at."""
    places = {"DAMAGED": damaged, "GOOD": good, "FOLDER": damaged.parent, "TABLES": SQL}
    filled = [str(places.get(word, word)).replace("SCRATCH", str(scratch)) for word in words.split()]
    return filled if "--results" in filled else [*filled, "--results", str(good.parent)]


def line(words: str, damaged: Path, good: Path, scratch: Path) -> tuple[int, str]:
    """The exit status of a command line, and what it wrote to stderr."""
    errors = io.StringIO()
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = invoke(arguments(words, damaged, good, scratch))
    return status, errors.getvalue()


def read_by_a_verb(damaged: Path) -> None:
    """One command line, chosen by the record's bytes. Raises VerbFaultError; RecordError for a refusal."""
    chosen = VERB_LINES[zlib.crc32(damaged.read_bytes()) % len(VERB_LINES)]
    with tempfile.TemporaryDirectory(prefix="torture-verb-") as scratch:
        alone = Path(scratch) / "damaged" / "damaged.json"
        alone.parent.mkdir()
        alone.write_bytes(damaged.read_bytes())
        status, words = line(chosen, alone, damaged.parent / "good" / "a.json", Path(scratch))
    if status == INTERNAL_FAULT or "Traceback" in words:
        raise VerbFaultError(f"{chosen}: {words}")
    if status == 2:
        raise RecordError(words)
