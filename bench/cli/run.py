"""`python -m bench run`: measure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from bench.catalog import served_loads
from bench.catalog.cases import Overrides, Planned
from bench.catalog.cases import plan as plan_cases
from bench.catalog.models import Catalogue, Measure, Work
from bench.catalog.sweep import refuse_unasked
from bench.cli import completing, modality_flags, options, run_hints, sweep_options
from bench.cli.signals import end_like_ctrl_c
from bench.core.modality import Attention
from bench.core.near_names import unknown
from bench.core.workload import ENDPOINT
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.measurement.case_plan import CasePlan, PairPlan
    from bench.measurement.outcome import RunOutcome
    from bench.measurement.paired import PairSide
    from bench.measurement.possible_cases import PossibleCases
    from bench.meters.gpus import GpuDrivers
    from bench.worker.checkouts import Checkout

QUICK = {
    "quick": True,
    "target": 0.05,
    "warmup_max_seconds": 30.0,
    "cool_down_max_seconds": 30.0,
    "max_seconds": 90.0,
}
"""Settings of --quick, which other options override."""


@click.command("run")
@click.argument("names", nargs=-1, metavar="[SUITE|MODEL]...", shell_complete=completing.models_and_suites)
@options.models_option
@options.results_option
@options.gpus_option
@options.device_option
@click.option("--weights", callback=options.parse_weights, metavar="KIND", help="hub, random, or path:DIR.")
@click.option("--batch", type=click.IntRange(1, 4096), help="Items made together.")
@click.option("--dtype", type=click.Choice(["bfloat16", "float16", "float32"]), help="Precision.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Seed of the first prompt.")
@click.option("--attention", help="Attention kernel: eager, sdpa, flash_attention_2, ...")
@click.option("--compile/--no-compile", "compiled", default=None, help="Use torch.compile.")
@modality_flags.add_flags
@sweep_options.add_options
@click.option(
    "--target",
    callback=options.parse_fraction,
    metavar="FRACTION",
    help="Half width of the 95 % interval to reach, such as 2%.",
)
@click.option(
    "--max-seconds",
    type=options.Finite(min=0, min_open=True),
    help="Stop repeating a case after this long (never before 5 blocks).",
)
@click.option(
    "--block-seconds",
    type=options.Finite(min=0, min_open=True),
    help="Least length of a block; without it, the shortest that the machine allows.",
)
@click.option("--quick", is_flag=True, help="A first look: target 5 %, shorter limits; marked in the record.")
@click.option(
    "--pair",
    nargs=2,
    shell_complete=completing.models,
    metavar="A B",
    help="Measure two cases, or the code of two checkouts, in turns, for the ratio of their joules.",
)
@click.option(
    "--workload",
    metavar="WINDOW",
    help="How a server is asked: single, concurrency:8, rate:2.5, saturated:64, or a preset: mlenergy-v3:64, "
    "inferencex-1k1k:8, inferencex-8k1k:8.",
)
@click.option(
    "--endpoint", metavar="URL", help="A server that is up already, such as http://localhost:8000/v1."
)
@click.option(
    "--restarts",
    type=click.IntRange(2, 100),
    metavar="N",
    help="Start a case's server N times and measure each start: how much they differ is a figure.",
)
@click.option("--idle-seconds", type=options.Finite(min=1), help="Longest look at idle power.")
@click.option("--country", metavar="ISO3", help="Grid factor of this country, such as USA, IND, DEU.")
@click.option("--save-outputs", is_flag=True, help="Keep pages, images and sounds beside the record.")
@click.option(
    "--allow-remote-code",
    multiple=True,
    shell_complete=completing.models,
    metavar="MODEL",
    help="Run code from this model's repository.",
)
@click.option("--notes", is_flag=True, help="Print what the figures include below the table.")
@click.option(
    "--expect-gpu",
    "expected_gpus",
    metavar="MODEL[:COUNT]",
    help="Refuse to measure on other cards, such as H100:8.",
)
@click.option(
    "--part", callback=options.parse_part, metavar="I/N", help="Only every N-th case, from the I-th on."
)
@click.option("--dry-run", is_flag=True, help="Show the cases and stop.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def command(names: tuple[str, ...], models: Path | None, country: str | None, **given: Any) -> int:
    """Measure suites or models, and write one record a case.

    Without a name: the suite `paper` where an NVIDIA GPU is found, else `smoke`.

    A pair of cases, NAME[,key=value]... each: `--pair sdxl,dtype=float16 sdxl`. Other options apply to both.

    A pair of checkouts: `sdxl bloom-560m --pair main .` measures each case by the code of both. A side is a
    model of the catalogue; else a folder with a checkout (base, ../base, .), run by its own .venv where it
    has one; else a git revision (main, HEAD~2, v1.0), checked out for the time of the run. Write ./NAME for a
    folder and heads/NAME for a branch that is called like a model.
    """
    from bench.catalog.grid import country_factor
    from bench.cli import pairing
    from bench.cli.progress import Progress
    from bench.measurement.context import RunContext
    from bench.measurement.outcome import MISSING, OK
    from bench.measurement.run import run
    from bench.meters.gpus import GpuDrivers

    end_like_ctrl_c()
    catalogue = options.load_catalogue(models)
    progress = Progress(sys.stderr)
    grid = country_factor(country or catalogue.defaults.country)
    of_checkouts = bool(given["pair"]) and pairing.of_checkouts(
        catalogue, names, given["pair"], progress.note
    )
    # The drivers are kept until the run has its own: a card may wake for seconds.
    with GpuDrivers() as drivers, ExitStack() as stack:
        cases, refused = _chosen(catalogue, names, given, drivers, progress.note, of_checkouts=of_checkouts)
        _check_endpoint(cases, given["endpoint"])
        _check_restarts(cases, given)
        remote_code = _remote_code(catalogue, given["allow_remote_code"])
        checkouts: Mapping[PairSide, Checkout] = {}
        if of_checkouts:
            checkouts = stack.enter_context(pairing.checkouts(given["pair"], progress.note))
        plan = _plan(cases, checkouts, grid.code, remote_code, given)
        if given["dry_run"]:
            _show_plan(plan, drivers, progress.note, given)
            return MISSING if refused else OK
        with progress:
            outcome = run(plan, RunContext(given["results"], progress))
        outcome.refused = refused
    _print_outcome(outcome, given)
    if outcome.interrupted:
        click.echo(run_hints.interrupted(plan, given["again"]), err=True)
    return outcome.exit_status


def _chosen(
    catalogue: Catalogue,
    names: tuple[str, ...],
    given: dict[str, Any],
    drivers: GpuDrivers,
    note: Callable[[str], None],
    *,
    of_checkouts: bool,
) -> PossibleCases:
    """The cases that were named, or the default suite, as far as models and machine can do them."""
    from bench.cli import pairing
    from bench.machine.placement import place
    from bench.measurement import planning, possible_cases
    from bench.measurement.possible_cases import PossibleCases
    from bench.worker.engine_spec import with_architecture

    overrides = sweep_options.with_sweep(_overrides(given), given, of_pair=given["pair"] and not of_checkouts)
    placement = place(drivers, given["gpus"], given["device"])
    if given["device"] != "cpu":
        planning.note_hidden_cards(drivers, placement, note)
    if given["pair"] and not of_checkouts:
        sides = list(pairing.sides(catalogue, names, given["pair"], overrides, placement))
        for item in sides:
            possible_cases.check_options(item.case, placement)
        chosen = PossibleCases(sides, 0)
    else:
        named = list(names) or [planning.default_suite(catalogue, drivers, placement, note)]
        times = 2 if of_checkouts else 1
        planned = plan_cases(catalogue, named, overrides)
        if any(item.sweep for item in planned) and not (given["yes"] or given["dry_run"]):
            refuse_unasked([item.measure for item in planned])
        chosen = possible_cases.possible(given["part"].of(planned), placement, note, catalogue, times)
    cases = [replace(item, case=with_architecture(item.case)) for item in chosen.cases]
    return PossibleCases(cases, chosen.refused)


def _check_endpoint(cases: Sequence[Planned], endpoint: str | None) -> None:
    """Raise UsageError for a URL that is none, may hold a secret, or would be asked by no case."""
    if endpoint is None:
        return
    from bench.worker.serving import address

    address.parse(endpoint)
    if all(item.case.workload.producer != ENDPOINT for item in cases):
        raise UsageError(
            "--endpoint has no effect: none of the chosen cases asks a server.", "Add --workload single."
        )


def _check_restarts(cases: Sequence[Planned], given: dict[str, Any]) -> None:
    """Raise UsageError where --restarts is asked of what is not started here, or of a pair."""
    if given["restarts"] is None:
        return
    if given["endpoint"]:
        raise UsageError(
            "--restarts has no effect on a server that is up already.",
            "Leave out --endpoint, and set `serve: {command: ...}` of the model in models.yaml.",
        )
    if given["pair"]:
        raise UsageError("--restarts and --pair exclude each other.", "Measure both sides by themselves.")
    if any(item.case.workload.producer != ENDPOINT for item in cases):
        raise UsageError("--restarts is for cases that a server makes.", "Add --workload single.")


def _show_plan(
    plan: CasePlan | PairPlan,
    drivers: GpuDrivers,
    note: Callable[[str], None],
    given: dict[str, Any],
) -> None:
    """The dry run: checkouts, or the cases with those that would be skipped."""
    from bench.cli import dry_run
    from bench.machine import provenance
    from bench.measurement.case_plan import PairPlan

    if isinstance(plan, PairPlan):
        dry_run.show_pairs(plan)
        return
    measured = plan.measured_already(lambda: provenance.machine(drivers), drivers, given["results"])
    dry_run.show(plan.cases, measured, note, every=given["yes"])


def _plan(
    cases: list[Planned],
    checkouts: Mapping[PairSide, Checkout],
    country: str,
    remote_code: frozenset[str],
    given: dict[str, Any],
) -> CasePlan | PairPlan:
    from bench.machine import expected_gpus
    from bench.measurement.case_plan import CasePlan, PairPlan

    shared: dict[str, Any] = {
        "gpus": given["gpus"],
        "device": given["device"],
        "country": country,
        "remote_code": remote_code,
        "save_outputs": given["save_outputs"],
        "endpoint": given["endpoint"],
        "command": tuple(sys.argv[1:]),
        "expected_gpus": expected_gpus.parse(given["expected_gpus"]) if given["expected_gpus"] else None,
    }
    if not given["pair"]:
        return CasePlan(tuple(cases), sweep_options.skip_measured(given["again"]), **shared)
    pairs = tuple((item, item) for item in cases) if checkouts else ((cases[0], cases[1]),)
    return PairPlan(pairs, checkouts, **shared)


def _overrides(given: dict[str, Any]) -> Overrides:
    kind, folder = given["weights"] or (None, None)
    work = Work.model_validate(
        {
            "dtype": given["dtype"],
            "batch": given["batch"],
            "seed": given["seed"],
            "attention": _attention(given["attention"]),
            "compile": given["compiled"],
        }
        | (served_loads.keys_of(given["workload"]) if given["workload"] else {})
        | {key: value for key, value in modality_flags.keys_set(given).items() if value is not None}
    )
    keys = ("target", "max_seconds", "block_seconds", "idle_seconds", "restarts")
    asked = {key: given[key] for key in keys if given[key] is not None}
    measure = Measure.model_validate(QUICK | asked if given["quick"] else asked)
    return Overrides(work, measure, cast("Literal['hub', 'path', 'random'] | None", kind), folder)


def _attention(name: str | None) -> str | None:
    known = Attention.__args__  # type: ignore[attr-defined]
    if name is not None and name not in known:
        raise unknown("attention kernel", name, known)
    return name


def _remote_code(catalogue: Catalogue, names: Sequence[str]) -> frozenset[str]:
    for name in names:
        if name not in catalogue.models:
            raise unknown("model", name, catalogue.models)
    return frozenset(names)


def _print_outcome(outcome: RunOutcome, given: dict[str, Any]) -> None:
    """The table, each pair's ratio, the paths, how to compare; tracebacks of workers with --debug."""
    from bench.view import pair, results, terminal

    records = [record for record, _ in outcome.records]
    if shown := [record for record, _ in outcome.skipped] + records:
        click.echo(f"\n{terminal.text([results.section(shown, notes=given['notes'])])}")
    if given["pair"]:
        for at in range(0, len(records), 2):
            click.echo(pair.sentence(records[at : at + 2]))
    for path in filter(None, (path for _, path in [*outcome.skipped, *outcome.records])):
        click.echo(run_hints.relative(path))
    run_hints.tell_how_to_compare(outcome, given["results"])
    if given["debug"]:
        for trace in outcome.traces:
            click.echo(trace, err=True)
