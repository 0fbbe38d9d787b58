"""Hints at the end of `bench run`: the id of the run, how to compare it, and how to go on after Ctrl-C."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.invocation import program

if TYPE_CHECKING:
    from bench.measurement.case_plan import CasePlan, PairPlan
    from bench.measurement.outcome import RunOutcome


def tell_how_to_compare(outcome: RunOutcome, results: Path) -> None:
    """The ids of the runs whose records were shown; nothing where there is none."""
    ids = outcome.run_ids
    if not ids:
        return
    where = "" if results == Path("results") else f" --results {shlex.quote(str(results))}"
    compare = f"{program()} compare"
    if len(ids) > 1:
        named = f"{', '.join(ids[:-1])} and {ids[-1]}"
        click.echo(
            f"These are records of the runs {named}; compare each: {compare} RUN OTHER{where}", err=True
        )
        return
    run_id = ids[0]
    is_pair = any(record.pair for record, _ in outcome.records)
    sides = f"{run_id}@A {run_id}@B" if is_pair else f"{run_id} OTHER"
    click.echo(f"Run {run_id}; compare it: {compare} {sides}{where}", err=True)


def relative(path: str | Path) -> str:
    """A path as it can be typed from here; one outside this folder as it is."""
    here = Path.cwd()
    whole = Path(path)
    return str(whole.relative_to(here)) if whole.is_absolute() and whole.is_relative_to(here) else str(path)


def interrupted(plan: CasePlan | PairPlan, again: bool | None) -> str:
    """The last line after Ctrl-C, with what goes on where that is possible."""
    from bench.measurement.case_plan import CasePlan

    if not isinstance(plan, CasePlan) or (len(plan.cases) == 1 and not plan.resumes):
        return "Interrupted."
    if plan.resumes:
        return "Interrupted. Run the same command again to go on."
    instead = "--resume in place of --again" if again else "--resume"
    return f"Interrupted. Run the same command with {instead} to go on."
