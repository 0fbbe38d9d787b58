"""`python -m bench validate PATH...`: whether files are whole records; fit for a pre-commit hook.

Exit status: 0 all are; 2 one is not, or nothing was found.
"""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import completing, options
from bench.cli.compare import tell, tell_problems
from bench.compare import trace_check
from bench.compare.metrics import HEADLINE
from bench.compare.record_selection import load_all
from bench.compare.record_set import StoredRecord, is_record
from bench.core.measurement import Measurement
from bench.errors import RecordError
from bench.store import traces
from bench.store.traces import MissingTraceError


@click.command("validate")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=completing.files)
@click.option("--quiet", is_flag=True, help="Say nothing of what is in order.")
@options.results_option
@options.debug_option
def command(paths: tuple[str, ...], quiet: bool, results: Path) -> int:
    """Check that files, and all files in folders, are whole records, and follow from blocks and traces."""
    problems: list[str] = []
    whole = borne_out = away = 0
    for path in paths:
        source = load_all(path, results, tell)
        problems += source.problems
        for found in source.found:
            wrong = _not_following(found)
            try:
                if is_record(found):
                    wrong = wrong or _not_traced(found)
                    borne_out += found.record.trace is not None and not wrong
            except MissingTraceError:
                away += 1
            except RecordError as error:
                wrong = str(error)
            problems += [wrong] if wrong else []
            whole += not wrong
    tell_problems(problems)
    if not quiet:
        click.echo(f"{whole} whole record{'' if whole == 1 else 's'}, {len(problems)} not.")
        if borne_out or away:
            click.echo(f"Traces: {borne_out} bear out their record, {away} not beside it.")
    return 2 if problems else 0


def _not_following(found: StoredRecord[Measurement]) -> str | None:
    """Fault of a record whose headline is not that of its blocks: it was edited."""
    record = found.record
    stored, derived = record.headline(), HEADLINE.read(record).estimate
    if (stored is None) != (derived is None):
        return f"{found.where}: its headline does not follow from its blocks."
    if stored and derived and abs(stored.value - derived.value) > 1e-6 * abs(derived.value):
        return (
            f"{found.where}: its headline is {stored.value:.6g} J a {record.unit}, "
            f"and its blocks give {derived.value:.6g}."
        )
    return None


def _not_traced(found: StoredRecord) -> str | None:
    """Contradictions between a record and its trace. Raises RecordError if the trace cannot be read."""
    trace = traces.read(Path(found.where), found.record)
    wrong = list(trace_check.problems(found.record, trace)) if trace is not None else []
    return f"{found.where}: {'; '.join(wrong[:3])}." if wrong else None
