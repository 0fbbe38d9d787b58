"""`python -m bench footprint ratings KEY RATINGS...`: the answers on a blind rating sheet."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import options, written_form
from bench.cli.record_arguments import kept_record
from bench.errors import UsageError
from bench.footprint.drafts.accepted import AcceptedDrafts, accepted_drafts
from bench.footprint.drafts.outputs import kept
from bench.footprint.drafts.ratings import SheetRatings, read_ratings
from bench.store.results import to_json
from bench.streams import is_standard
from bench.view import drafts as view

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("ratings")
@click.argument("key", type=FILE, metavar="KEY")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="RATINGS...")
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="FILE",
    help="Write the account of the one rated record there, as JSON; - for stdout, alone.",
)
@written_form.options(to_file=False)
@options.results_option
@options.debug_option
def command(key: Path, files: tuple[Path, ...], output: Path | None, results: Path) -> int:
    """Read ratings of a sheet: share accepted, attempts and joules per accepted item, by record.

    KEY is the sheet's key.json, RATINGS are CSV files with the columns item, accept (yes or no) and rater. An
    output is accepted by more than half of those who rated it.
    """
    ratings = read_ratings(key, files)
    accounts = [_account(where, ratings, results) for where in sorted(ratings.verdicts)]
    if not accounts:
        raise UsageError("No item has a rating.", "Write yes or no in the column accept.")
    if output is not None:
        if len(accounts) != 1:
            raise UsageError(f"{len(accounts)} records were rated, and -o takes one.", "Rate one by itself.")
        written_form.write(to_json(accounts[0]).encode(), output)
        if is_standard(output):
            return 0
    written_form.show([*view.sections(accounts), view.agreement(ratings)])
    return 0


def _account(where: str, ratings: SheetRatings, results: Path) -> AcceptedDrafts:
    stored = kept_record(where, results)
    by = [f"{ratings.raters} raters, blind"]
    return accepted_drafts(
        stored.record, kept(stored.record, Path(stored.where)), ratings.verdicts[where], by
    )
