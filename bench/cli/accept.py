"""`python -m bench accept A B --reason TEXT`: let a change that is worse pass the gate, with its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from bench.cli import options
from bench.cli.compare import of_two, sides_argument, vary_option
from bench.cli.notes import tell_problems
from bench.compare import accepted
from bench.compare.accepted import Accepted
from bench.compare.comparison import Comparison, MetricRow
from bench.errors import UsageError
from bench.streams import is_standard
from bench.view.printable import printable


@click.command("accept")
@sides_argument
@click.option("--reason", required=True, metavar="TEXT", help="Why the change is worth its joules.")
@click.option(
    "--accepted",
    "accepted_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it, - for stdout. [default: accepted.yaml beside A]",
)
@vary_option
@options.results_option
@options.debug_option
def command(
    sides: tuple[str, ...],
    reason: str,
    accepted_file: Path | None,
    vary: tuple[str, ...],
    results: Path,
) -> int:
    """Accept every row that is worse in B than in A, no further than it is now.

    The entry is written beside the baseline, to be reviewed in the commit that makes the change.
    """
    if not reason.strip():
        raise UsageError("--reason is empty.", "Say why the change is worth its joules.")
    result = of_two(sides, vary, results)
    tell_problems(result.problems)
    entries = [
        _entry(comparison, row, reason.strip())
        for comparison in result.comparisons
        for row in comparison.rows
        if row.verdict == "worse"
    ]
    if not entries:
        raise UsageError("Nothing is worse in B than in A, so there is nothing to accept.")
    path = accepted_file or result.a.folder / accepted.FILE_NAME
    piped = is_standard(path)
    if piped:
        click.echo(accepted.text_of(entries), nl=False)
    else:
        accepted.add(path, entries)
    for entry in entries:
        click.echo(
            f"accepted: {printable(entry.case)}: "
            f"{entry.metric} {entry.ratio - 1:+.1%} (up to {entry.up_to - 1:+.1%})",
            err=piped,
        )
    if not piped:
        click.echo(str(path))
    return 2 if result.problems else 0


def _entry(comparison: Comparison, row: MetricRow, reason: str) -> Accepted:
    assert row.ratio is not None, "only a row with a ratio is worse"
    assert row.ratio.high is not None, "and only one with an interval"
    return Accepted(
        case=comparison.a.record.label,
        baseline=comparison.a.digest,
        metric=row.metric.name,
        ratio=round(row.ratio.value, 6),
        up_to=round(row.ratio.high, 6),
        reason=reason,
        accepted=datetime.now(UTC).strftime("%Y-%m-%d"),
    )
