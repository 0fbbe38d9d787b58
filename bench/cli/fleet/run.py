"""`python -m bench run SUITE --fleet ADDRESS`: cases on the nodes of a Ray cluster, records in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import click

from bench.catalog.cases import plan as plan_cases
from bench.catalog.grid import country_factor
from bench.catalog.models import Catalogue
from bench.catalog.sweep import refuse_unasked
from bench.cli import run_hints, run_planning, sweep_options
from bench.cli.notes import Notes
from bench.cli.run_options import RunOptions
from bench.errors import UsageError
from bench.fleet.cluster import Cluster
from bench.fleet.dispatch import DispatchBoard
from bench.fleet.measuring import FleetOutcome, measure_on
from bench.fleet.node import NodeFacts
from bench.machine import provenance
from bench.measurement.case_plan import CasePlan
from bench.store import results
from bench.view import fleet as fleet_view
from bench.view import results as results_view
from bench.view import terminal
from bench.worker.engine_spec import with_architecture

NODE_FOLDER = "~/.cache/joulebench/fleet"
"""Where each node keeps its own records, so that a case is not measured twice."""
_say = Notes().note


def measure(catalogue: Catalogue, names: tuple[str, ...], asked: RunOptions, country: str) -> int:
    """Plan here, measure there, and fetch the records. The same command goes on where it stopped."""
    plan = _plan(catalogue, names, asked, country)
    with Cluster(str(asked.fleet), NODE_FOLDER) as cluster:
        if asked.dry_run:
            return _show_plan(cluster.describe(plan), plan, asked)
        outcome = measure_on(cluster, plan, asked.results, _say, every_node=asked.every_node)
    _show(outcome, asked)
    return outcome.exit_status


def _show_plan(described: Mapping[str, NodeFacts | str], plan: CasePlan, asked: RunOptions) -> int:
    """Each node, and each case with the nodes that may take it; 2 where no node can measure."""
    for name, facts in described.items():
        _say(f"{name}: {facts if isinstance(facts, str) else facts.summary}")
    nodes = {name: facts for name, facts in described.items() if isinstance(facts, NodeFacts)}
    board = DispatchBoard(len(plan.cases), nodes, every_node=asked.every_node)
    section = fleet_view.cases([item.case.label for item in plan.cases], board)
    click.echo(terminal.text([section]), nl=False)
    return 0 if nodes else 2


def _plan(catalogue: Catalogue, names: tuple[str, ...], asked: RunOptions, country: str) -> CasePlan:
    if asked.fleet is None:
        raise UsageError("--every-node needs --fleet ADDRESS.", "Name the cluster, or leave it out.")
    if asked.pair is not None or asked.endpoint is not None or asked.nodes or asked.parallel:
        raise UsageError(
            "--fleet takes no --pair, --endpoint, --node or --parallel.", "Measure these on one machine."
        )
    if not names:
        raise UsageError(
            "--fleet needs the name of a suite or model.", "For example: run paper --fleet auto."
        )
    of = run_planning.modalities_of(catalogue, names)
    planned = plan_cases(catalogue, list(names), sweep_options.with_sweep(asked, of_pair=False, of=of))
    if any(item.sweep for item in planned) and not (asked.yes or asked.dry_run):
        refuse_unasked([item.measure for item in planned])
    cases = [replace(item, case=with_architecture(item.case)) for item in asked.part.of(planned)]
    run_planning.check_restarts(cases, asked)
    code = run_planning.remote_code(catalogue, asked.allow_remote_code)
    whole = run_planning.plan_of(cases, {}, country_factor(country).code, code, asked)
    assert isinstance(whole, CasePlan), "no pair was asked for"
    return replace(whole, skip="none" if asked.again else "all", run_id=provenance.run_id())


def _show(outcome: FleetOutcome, asked: RunOptions) -> None:
    """The table of all nodes' records, their paths, and what was not measured."""
    records = [results.read(path) for path in outcome.paths]
    if records:
        click.echo(f"\n{terminal.text([results_view.section(records, notes=asked.notes)])}")
    for path in outcome.paths:
        click.echo(run_hints.relative(path))
    for label, reason in outcome.given_up.items():
        _say(f"Not measured: {label}: {reason}.")
    for label, reason in outcome.too_large.items():
        _say(f"Left out: {label}: {reason}")
    for error in outcome.errors:
        _say(f"Error: {error}")
    if outcome.interrupted:
        _say("Interrupted. Run the same command again to go on.")
