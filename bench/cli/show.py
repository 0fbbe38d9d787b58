"""`python -m bench show FILE`: one record or a program's result, for a person or for a machine."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import completing, options, written_form
from bench.cli.record_arguments import named_measurements
from bench.compare.multiples import Multiple, multiples
from bench.compare.record_set import records_below
from bench.core.measurement import Measurement
from bench.core.record import Record
from bench.stats import uncertainty
from bench.store import results as store
from bench.view import budget as budgets
from bench.view import json_document, terminal
from bench.view import record as records


@click.command("show")
@click.argument("names", nargs=-1, required=True, metavar="RECORD...", shell_complete=completing.records)
@written_form.options("text", "json", json_help="As JSON: the record, checked.")
@click.option("--budget", is_flag=True, help="Only the uncertainty of its headline, input by input.")
@options.results_option
@options.debug_option
def command(names: tuple[str, ...], as_json: bool, budget: bool, results: Path) -> int:
    """Print records for a person, or as JSON: one document a record.

    RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard input; also what
    bench.measure or a saved session of pytest has.
    """
    for record in named_measurements(names, results):
        if budget:
            _budget(record, as_json=as_json)
        elif as_json:
            click.echo(store.to_json(record), nl=False)
        else:
            click.echo(terminal.text(records.sections(record, _parts(record, results))), nl=False)
    return 0


def _parts(record: Measurement, results: Path) -> list[Multiple]:
    """What the models of a case of several make by themselves, from the records of the same folder."""
    if not isinstance(record, Record) or not record.case.parts:
        return []
    others = records_below(results).found if results.is_dir() else ()
    return multiples(record, (other.record for other in others))


def _budget(record: Measurement, *, as_json: bool) -> None:
    """The budget of the record, or, for an older one, the one that its blocks give."""
    found = record.figures.uncertainty or uncertainty.of(record)
    if as_json:
        click.echo(json_document.text(found.model_dump(mode="json")))
    else:
        click.echo(terminal.text((records.title(record), *budgets.sections(record, found))), nl=False)
