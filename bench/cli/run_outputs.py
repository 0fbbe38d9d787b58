"""Output of `bench run`: the plan of a dry run, and what came of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from bench.cli import dry_run, run_hints
from bench.cli.notes import tell
from bench.cli.run_options import RunOptions
from bench.core.record import Record
from bench.core.secrets import masked
from bench.machine import provenance
from bench.machine.placement import Placement, place
from bench.measurement.case_plan import CasePlan, PairPlan
from bench.measurement.side_by_side import require_cards
from bench.view import pair, results, terminal

if TYPE_CHECKING:
    from bench.measurement.outcome import RunOutcome
    from bench.meters.gpus import GpuDrivers


def show_plan(
    plan: CasePlan | PairPlan, drivers: GpuDrivers, note: Callable[[str], None], asked: RunOptions
) -> None:
    """The dry run: checkouts, or the cases with those that would be skipped."""
    # Cards of this machine are not those of a server's nodes.
    placement = Placement("cpu") if plan.nodes else place(drivers, plan.gpus, plan.device)
    if isinstance(plan, PairPlan):
        dry_run.show_pairs(plan, placement, note)
        return
    earlier = plan.earlier(lambda: provenance.machine(drivers), drivers, asked.results)
    if plan.parallel:
        require_cards(placement)
    dry_run.show(plan.cases, earlier, placement, note, every=asked.yes, parallel=plan.parallel)


def print_outcome(outcome: RunOutcome, asked: RunOptions) -> None:
    """The table, the paths, each pair's ratio, how to compare; tracebacks of workers with --debug."""
    records = [record for record, _ in outcome.records]
    shown = [record for record, _ in outcome.skipped] + records
    nothing_yet = bool(shown) and all(_without_figure(record) for record in shown)
    if shown and not nothing_yet:
        click.echo(f"\n{terminal.text([results.section(shown, notes=asked.notes)])}")
    for path in filter(None, (path for _, path in [*outcome.skipped, *outcome.records])):
        click.echo(run_hints.relative(path))
    for label, case in outcome.given_up.items():
        tell(f"Not measured: {label}: {case.reason}")
    for label, reason in outcome.too_large.items():
        tell(f"Left out: {label}: {reason}")
    if asked.pair is not None:
        for at in range(0, len(records), 2):
            click.echo(terminal.text(pair.sections(records[at : at + 2])), nl=False)
    if not nothing_yet:
        run_hints.tell_how_to_compare(outcome, asked.results)
    if asked.debug:
        for trace in outcome.traces:
            click.echo(masked(trace), err=True)


def _without_figure(record: Record) -> bool:
    """Whether the record is of a case that was interrupted before it had any figure."""
    return record.verdict == "interrupted" and record.figures.headline_scope is None
