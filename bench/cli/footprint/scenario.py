"""`python -m bench footprint scenario NAME|FILE`: a person alone, a model alone, a person with the model."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import completing, options, written_form
from bench.cli.notes import tell
from bench.cli.record_arguments import named_row
from bench.footprint.drafts.accepted import read as read_drafts
from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.decisions import decided
from bench.footprint.scenarios.files import bundled, find
from bench.footprint.scenarios.simulation import SimulationReport
from bench.view import json_document
from bench.view.documents.scenario import document
from bench.view.scenario import conclusion, sections


@click.command("scenario")
@click.argument("name", metavar="NAME|FILE", shell_complete=completing.names_or_files(bundled))
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Another input: 3, '10 min/page', '1..5 uniform', '900 J/page gpu', the id of a bundled figure, "
    "a country for a grid; none takes an input or a part away. Can be repeated.",
)
@click.option(
    "--record",
    shell_complete=completing.records,
    metavar="RECORD",
    help="Measured joules in place of model.energy, with the record's interval: a file, a run's id, latest, "
    "REVISION:PATH, or - for standard input.",
)
@click.option(
    "--drafts",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Drafts until one is accepted, as `footprint drafts -o FILE` found them, in place of model.prompts.",
)
@click.option("--scope", metavar="NAME", help="Of the record: gpu or host. [default: its headline's]")
@click.option(
    "--draws",
    type=click.IntRange(1000, 5_000_000),
    default=100_000,
    show_default=True,
    help="Monte Carlo draws.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same draws."
)
@options.all_option
@written_form.options("json")
@options.results_option
@options.debug_option
def command(
    name: str,
    changes: tuple[str, ...],
    record: str | None,
    drafts: Path | None,
    scope: str | None,
    draws: int,
    seed: int,
    everything: bool,
    as_json: bool,
    results: Path,
) -> int:
    """Compare a person alone, a model alone, and a person with the model; with ranges and break-evens.

    NAME is tomlinson2024, critics, collaboration, critics-image or collaboration-image;
    FILE is one of your own, or - for standard input: see docs/scenarios.md.
    """
    if scope is not None and record is None:
        raise click.UsageError("--scope chooses among a record's scopes: name one with --record.")
    draft = find(name)
    if record is not None:
        row = named_row(record, results, scope, draft.about.unit)
        draft = draft.measured(row, f"--record {record}")
    if drafts is not None:
        draft = draft.drafted(read_drafts(drafts), f"--drafts {drafts}")
    for change in changes:
        draft = draft.changed(change)
    if left_out := draft.device_left_out():
        tell(left_out)
    found, first = SimulationReport.of(build(draft), draws, seed), decided(draft, draws, seed)
    if as_json:
        click.echo(json_document.text(document(found, first)))
    else:
        shown = sections if everything else conclusion
        written_form.show(shown(found, first))
    return 0
