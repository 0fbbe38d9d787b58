"""`python -m bench show FILE`: one record or a program's result, for a person or for a machine."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import completing, options, written_form
from bench.cli.record_arguments import named_measurements
from bench.compare.multiples import Multiple, multiples
from bench.compare.record_set import records_below
from bench.core.budget import Uncertainty
from bench.core.measurement import Measurement
from bench.core.record import Record
from bench.stats import uncertainty
from bench.store import results as store
from bench.view import budget as budgets
from bench.view import json_document
from bench.view import record as records
from bench.view.terminal import SectionsAndParts


@click.command("show")
@click.argument("names", nargs=-1, required=True, metavar="RECORD...", shell_complete=completing.records)
@written_form.options("json", json_help="As JSON: the record, checked.")
@click.option("--budget", is_flag=True, help="Only the uncertainty of its headline, input by input.")
@options.results_option
@options.debug_option
def command(names: tuple[str, ...], as_json: bool, budget: bool, results: Path) -> int:
    """Print records for a person, or as JSON: one document a record.

    RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard input; also what
    bench.measure or a saved session of pytest has.
    """
    found = named_measurements(names, results)
    if as_json:
        for record in found:
            click.echo(_budget_document(record) if budget else store.to_json(record), nl=False)
    else:
        written_form.show(part for record in found for part in _shown(record, results, budget=budget))
    return 0


def _shown(record: Measurement, results: Path, *, budget: bool) -> SectionsAndParts:
    if budget:
        return records.title(record), *budgets.sections(record, _budget(record))
    return records.sections(record, _parts(record, results))


def _parts(record: Measurement, results: Path) -> list[Multiple]:
    """What the models of a case of several make by themselves, from the records of the same folder."""
    if not isinstance(record, Record) or not record.case.parts:
        return []
    others = records_below(results).found if results.is_dir() else ()
    return multiples(record, (other.record for other in others))


def _budget(record: Measurement) -> Uncertainty:
    """The budget of the record, or, for an older one, the one that its blocks give."""
    return record.figures.uncertainty or uncertainty.of(record)


def _budget_document(record: Measurement) -> str:
    return f"{json_document.text(_budget(record).model_dump(mode='json'))}\n"
