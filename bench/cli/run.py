"""`python -m bench run`: measure."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completing, modality_flags, options, run_hints, sweep_options
from bench.cli.grouped_help import GroupedCommand
from bench.cli.run_options import RunOptions
from bench.cli.signals import end_like_ctrl_c

if TYPE_CHECKING:
    from bench.measurement.paired import PairSide
    from bench.worker.checkouts import Checkout


@click.command("run", cls=GroupedCommand)
@click.argument("names", nargs=-1, metavar="[SUITE|MODEL]...", shell_complete=completing.models_and_suites)
@options.models_option
@options.results_option
@options.gpus_option
@options.device_option
@click.option("--weights", callback=options.parse_weights, metavar="KIND", help="hub, random, or path:DIR.")
@click.option("--batch", type=click.IntRange(1, 4096), help="Items made together.")
@click.option(
    "--replicas",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Copies of the model at work at once, each on an equal share of the cards of --gpus.",
)
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
    help="How a server is asked: single, concurrency:8, rate:2.5 (a second), saturated:64:4096 (64 at a time "
    "of 4096 requests), or a preset: mlenergy-v3:64, inferencex-1k1k:8, inferencex-8k1k:8.",
)
@click.option(
    "--endpoint", metavar="URL", help="A server that is up already, such as http://localhost:8000/v1."
)
@click.option(
    "--node",
    "nodes",
    multiple=True,
    metavar="[ROLE=]HOST:PORT",
    help="A node of that server with its agent (`python -m bench fleet meter`), such as "
    "prefill=10.0.0.5:9200, or decode=none without one. Repeatable: joules are those of all nodes.",
)
@click.option(
    "--restarts",
    type=click.IntRange(2, 100),
    metavar="N",
    help="Start a case's server N times and measure each start: how much they differ is a figure.",
)
@click.option("--idle", "idle_seconds", type=options.SecondsParam(min=1), help="Longest look at idle power.")
@click.option("--grid", "country", metavar="COUNTRY", help="Electricity: a country (DEU, India).")
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
    "--parallel",
    is_flag=True,
    help="Measure cases side by side, each on the fewest cards of --gpus that hold it. The host, which "
    "they share, is then in no figure.",
)
@click.option(
    "--part", callback=options.parse_part, metavar="I/N", help="Only every N-th case, from the I-th on."
)
@click.option(
    "--fleet",
    metavar="ADDRESS",
    help="Measure on the nodes of this Ray cluster: auto, or HOST:PORT of its head.",
)
@click.option("--every-node", is_flag=True, help="With --fleet: all cases on each node, to compare nodes.")
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
    from bench.cli import pairing, run_outputs, run_planning
    from bench.cli.fleet import run as fleet_run
    from bench.cli.progress import Progress
    from bench.measurement.context import RunContext
    from bench.measurement.outcome import MISSING, OK
    from bench.measurement.run import run
    from bench.meters.gpus import GpuDrivers

    end_like_ctrl_c()
    asked = RunOptions.of(given)
    catalogue = options.load_catalogue(models)
    if asked.fleet is not None or asked.every_node:
        return fleet_run.measure(catalogue, names, asked, country or catalogue.defaults.country)
    run_planning.check_nodes(asked)
    progress = Progress(sys.stderr)
    grid = country_factor(country or catalogue.defaults.country)
    of_checkouts = asked.pair is not None and pairing.of_checkouts(
        catalogue, names, asked.pair, progress.note
    )
    # The drivers are kept until the run has its own: a card may wake for seconds.
    with GpuDrivers() as drivers, ExitStack() as stack:
        cases, refused = run_planning.chosen_cases(
            catalogue, names, asked, drivers, progress.note, of_checkouts=of_checkouts
        )
        run_planning.check_parallel(cases, asked)
        run_planning.check_endpoint(cases, asked)
        run_planning.check_restarts(cases, asked)
        remote_code = run_planning.remote_code(catalogue, asked.allow_remote_code)
        checkouts: Mapping[PairSide, Checkout] = {}
        if asked.pair is not None and of_checkouts:
            checkouts = stack.enter_context(pairing.checkouts(asked.pair, progress.note))
        plan = run_planning.plan_of(cases, checkouts, grid.code, remote_code, asked)
        if asked.dry_run:
            run_outputs.show_plan(plan, drivers, progress.note, asked)
            return MISSING if refused else OK
        with progress:
            outcome = run(plan, RunContext(asked.results, progress))
        outcome.refused = refused
    run_outputs.print_outcome(outcome, asked)
    if outcome.interrupted:
        click.echo(run_hints.interrupted(plan, asked.again), err=True)
    return outcome.exit_status
