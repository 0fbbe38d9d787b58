"""`python -m bench compare A B`: better or worse, and whether a limit is met.

Exit status: 0 nothing is worse (or all is within `--fail-on`); 1 a regression; 2 wrong use, or something
could not be read; 3 inconclusive.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import click

from bench.cli import completing, options, written_form
from bench.cli.notes import tell, tell_problems
from bench.compare import accepted, gate, noise
from bench.compare import across as analysis_across
from bench.compare import comparison as compare
from bench.compare.comparison import ComparisonResult
from bench.compare.identity import card
from bench.compare.index.files import uncollected
from bench.compare.noise import Floors
from bench.compare.record_key import by_case_and_card, by_case_and_place
from bench.compare.record_selection import RecordSelection, folder, listed
from bench.compare.record_set import StoredRecord, records_of
from bench.compare.reference_rows import candidates
from bench.core.measurement import Measurement
from bench.errors import UsageError
from bench.footprint.bundled_rows import Published
from bench.footprint.references import read
from bench.store.results import slug
from bench.view import across, comparison, json_document
from bench.view.documents import across as across_document
from bench.view.documents import comparison as comparison_document

sides_argument = click.argument(
    "sides", nargs=-1, required=True, metavar="A B", shell_complete=completing.records
)
vary_option = click.option(
    "--vary", multiple=True, metavar="KEY", help="A key that is meant to differ, such as dtype. Repeatable."
)

accepted_option = click.option(
    "--accepted",
    "accepted_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Accepted changes. [default: accepted.yaml beside A]",
)


@click.command("compare")
@sides_argument
@written_form.options("json")
@click.option(
    "--fail-on", "limits", multiple=True, metavar="LIMIT", help="energy:5%, time:3%, page:200J. Repeatable."
)
@click.option(
    "--across-hardware",
    "machines",
    is_flag=True,
    help="Rank machines by each case; any number of sides, no verdicts.",
)
@click.option(
    "--each-machine",
    is_flag=True,
    help="With --across-hardware: list single machines also where cards are alike.",
)
@click.option(
    "--reference",
    metavar="TEXT",
    help="With --across-hardware: the machine, or card model, that ratios are to.",
)
@click.option(
    "--reference-rows",
    is_flag=True,
    help="With --across-hardware: published figures of the same model beneath each ranking, unranked.",
)
@options.references_option
@click.option("--strict", is_flag=True, help="Fail also what is unclear, or on one side only.")
@vary_option
@accepted_option
@options.results_option
@options.debug_option
def command(
    sides: tuple[str, ...],
    as_json: bool,
    limits: tuple[str, ...],
    machines: bool,
    each_machine: bool,
    reference: str | None,
    reference_rows: bool,
    references: tuple[Path, ...],
    strict: bool,
    vary: tuple[str, ...],
    accepted_file: Path | None,
    results: Path,
) -> int:
    """Compare B with A, each PATH, NAME=PATH, REVISION:PATH or a run's id.

    A side is a file, a folder, either as committed (main:results/...), a run in --results (its id or latest),
    or - for standard input; of what `python -m bench run --pair` wrote, PATH@A and PATH@B are the sides. A/A
    pairs of the same machine are looked for there and in --results; they show how much equal cases differ.
    """
    if machines:
        if limits or strict or vary or accepted_file:
            raise UsageError(
                "--across-hardware judges nothing.", "Leave out --fail-on, --strict, --vary, --accepted."
            )
        rows = candidates(read(references)) if reference_rows or references else []
        return _across(sides, reference, results, rows, each_machine=each_machine, as_json=as_json)
    if reference_rows or references:
        raise UsageError(
            "Reference rows are never compared with a record, only shown beside machines.",
            "Add --across-hardware.",
        )
    if each_machine:
        raise UsageError("--each-machine is for --across-hardware.", "Add it, or leave both out.")
    if reference is not None:
        raise UsageError("--reference is for --across-hardware.", "A is the reference of a comparison.")
    wanted = [gate.limit(text) for text in limits]
    result = of_two(sides, vary, results)
    entries = accepted.read(accepted_file or result.a.folder / accepted.FILE_NAME)
    judged = gate.judge(result, wanted, entries, strict=strict)
    if as_json:
        click.echo(json_document.text(comparison_document.document(result, judged)))
    else:
        written_form.show(comparison.sections(result, judged))
    tell_problems(result.problems)
    return judged.status


@uncollected()
def _across(
    sides: tuple[str, ...],
    reference: str | None,
    results: Path,
    rows: Sequence[Published],
    *,
    each_machine: bool,
    as_json: bool,
) -> int:
    loaded = (records_of(listed(text, results, tell).newest(by_case_and_place)) for text in sides)
    found = analysis_across.across(loaded, reference)
    if each_machine and reference is not None and found.reference_machine is None:
        raise UsageError(f'--reference "{reference}" fits several machines.', "Leave out --each-machine.")
    if as_json:
        click.echo(json_document.text(across_document.document(found, rows)))
    elif found.boards or found.left_out:
        written_form.show(across.sections(found, rows, each_machine=each_machine))
    tell_problems(found.problems)
    if found.problems:
        return 2
    return 0 if found.boards else 3


@uncollected()
def of_two(sides: tuple[str, ...], vary: tuple[str, ...], results: Path) -> ComparisonResult:
    """Both sides loaded and compared, with the noise floors of their machines."""
    if len(sides) != 2:
        raise UsageError(
            f"compare takes two sides, A and B, and {len(sides)} were named.",
            "Put several records into one folder, or use --across-hardware.",
        )
    listings = [listed(text, results, tell) for text in sides]
    a, b = (listing.newest(by_case_and_card) for listing in listings)
    judged = noise.compared_in_turns(a.found, b.found)
    floors = floors_of((*a.found, *b.found), listings, results, judged)
    return compare.compare(a, b, vary=vary, floors=floors)


def floors_of(
    compared: Iterable[StoredRecord[Measurement]],
    listings: Iterable[RecordSelection[Measurement]],
    results: Path,
    judged: Collection[str] = (),
) -> Floors:
    """Noise of these machines by their A/A pairs, in what is compared and in `results`, each once.

    Pairs that are themselves compared (`judged`) are left out: no difference may set the floor that it is
    judged by.
    """
    records = [each.record for each in compared]
    machines = {str(record.machine.name) for record in records}
    folders = [path for name in sorted(machines) if (path := results / slug(name)).is_dir()]
    cards = {card(record) for record in records}
    found = {
        entry.digest: (entry, listing)
        for listing in (*listings, *(folder(path, tell) for path in folders))
        for entry in listing.entries
        if entry.twin and entry.card in cards and entry.digest not in judged
    }
    return noise.known_floors(listing.read(entry).record for entry, listing in found.values())
