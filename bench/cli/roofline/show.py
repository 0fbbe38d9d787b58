"""`python -m bench roofline show RECORD...`: how near to what the card can do, and what variants save."""

from __future__ import annotations

from pathlib import Path

import click

from bench.catalog.models import Catalogue
from bench.cli import completing, options, written_form
from bench.cli.compare import floors_of
from bench.cli.notes import tell, tell_problems
from bench.compare.record_selection import load, of_source
from bench.compare.record_set import StoredRecord
from bench.compare.variant_groups import families_of
from bench.core.peaks import DevicePeaks
from bench.errors import UsageError
from bench.roofline.utilisation import PhaseUtilisation, utilisation
from bench.store import peaks
from bench.store.results import slug
from bench.view import json_document
from bench.view.documents.roofline import document
from bench.view.roofline import sections

MEASURE = "`python -m bench roofline peaks` measures them on the machine"


@click.command("show")
@click.argument("records", nargs=-1, required=True, metavar="RECORD...", shell_complete=completing.records)
@click.option(
    "--peaks",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Peaks to compare all records with. [default: those of the record's own card]",
)
@options.models_option
@options.results_option
@written_form.options("json")
@options.debug_option
def command(
    records: tuple[str, ...],
    file: Path | None,
    models: Path | None,
    results: Path,
    as_json: bool,
) -> int:
    """Compare each phase with what the device reaches, and variants with the plain way.

    RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard input.

    Peaks are looked for beside the record and in --results; without them
    bytes, operations and joules for each are shown all the same. No model is loaded, nothing is measured.
    """
    catalogue = options.load_catalogue(models)
    loaded = [load(text, results, tell) for text in records]
    found = list({each.digest: each for source in loaded for each in source.found}.values())
    given = _given(file)
    rows = {each.digest: _utilisation(each, catalogue, given, results) for each in found}
    families = families_of(found, floors_of(found, map(of_source, loaded), results))
    if as_json:
        click.echo(json_document.text(document(found, rows, families)))
    elif found:
        written_form.show(sections(found, rows, families))
    problems = [problem for source in loaded for problem in source.problems]
    tell_problems(problems)
    return 2 if problems else 0


def _given(file: Path | None) -> DevicePeaks | None:
    found = peaks.load(file) if file is not None else None
    if file is not None and found is None:
        raise UsageError(f"{file}: no such file.", "`python -m bench roofline peaks` prints what it wrote.")
    return found


def _utilisation(
    found: StoredRecord, catalogue: Catalogue, given: DevicePeaks | None, results: Path
) -> list[PhaseUtilisation]:
    record = found.record
    model = catalogue.models.get(record.case.model)
    architecture = record.case.weights.architecture or (model.architecture if model else None)
    return utilisation(record, architecture, given or _own(found, results))


def _own(found: StoredRecord, results: Path) -> DevicePeaks | str:
    """The peaks of the card that the record's work ran on, or why there are none."""
    uuids = (found.record.engine and found.record.engine.device_uuids) or ["cpu"]
    folders = [Path(found.where).parent, results / slug(str(found.record.machine.name))]
    for folder in folders:
        # A model that is spread over cards keeps one of them busy at a time, so one card's peaks apply.
        if (known := peaks.of_device(folder, str(uuids[0]))) is not None:
            return known
    return f"no peaks of {uuids[0]} are stored; {MEASURE}"
