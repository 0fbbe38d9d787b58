"""`python -m bench run`: measure."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from bench.catalog.cases import Overrides, Planned, plan
from bench.catalog.loading import unknown
from bench.catalog.models import Catalogue, Measure, Work
from bench.cli import completing, modality_flags, options
from bench.cli.interrupts import end_like_ctrl_c
from bench.core.modality import Attention
from bench.core.record import Record
from bench.errors import PrerequisiteError

if TYPE_CHECKING:
    from bench.runner.checkouts import Checkout
    from bench.runner.paired import Side
    from bench.runner.session import Outcome

QUICK = {
    "quick": True,
    "target": 0.05,
    "warmup_max_seconds": 30.0,
    "cool_down_max_seconds": 30.0,
    "max_seconds": 90.0,
}
"""What --quick changes where no other option says otherwise."""


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
@click.option("--idle-seconds", type=options.Finite(min=1), help="Longest look at idle power.")
@click.option("--country", metavar="ISO3", help="Grid factor of this country, such as USA, IND, DEU.")
@click.option("--save-outputs", is_flag=True, help="Keep pages and images beside the record.")
@click.option(
    "--allow-remote-code",
    multiple=True,
    shell_complete=completing.models,
    metavar="MODEL",
    help="Run code from this model's repository.",
)
@click.option("--dry-run", is_flag=True, help="Show the cases and stop.")
@options.debug_option
def command(names: tuple[str, ...], models: Path | None, country: str | None, **given: Any) -> int:
    """Measure suites or models, and write one record a case.

    Without a name: the suite `paper` where an NVIDIA GPU is found, else `smoke`.

    A pair of cases, NAME[,key=value]... each: `--pair sdxl,dtype=float16 sdxl`. Other options hold for both.

    A pair of checkouts: `sdxl bloom-560m --pair main .` measures each case by the code of both. A side is a
    model of the catalogue; else a folder with a checkout (base, ../base, .), run by its own .venv where it
    has one; else a git revision (main, HEAD~2, v1.0), checked out for the time of the run. Write ./NAME for a
    folder and heads/NAME for a branch that is called like a model.
    """
    from bench.catalog.grid import country_factor
    from bench.cli import pairing
    from bench.cli.progress import Progress
    from bench.meters.nvml import Nvml
    from bench.runner.devices import hidden_cards, place
    from bench.runner.specs import with_architecture

    end_like_ctrl_c()
    catalogue = options.load_catalogue(models)
    progress = Progress(sys.stderr)
    grid = country_factor(country or catalogue.defaults.country)
    of_checkouts = given["pair"] and pairing.of_checkouts(catalogue, names, given["pair"], progress.note)
    with Nvml() as nvml, ExitStack() as stack:
        placement = place(nvml, given["gpus"], given["device"])
        if given["device"] != "cpu" and not placement.named and (hidden := hidden_cards(nvml)):
            effect = "The work runs on the CPU, because " if placement.device == "cpu" else ""
            progress.note(f"{effect}{hidden}.")
        if given["pair"] and not of_checkouts:
            chosen = list(pairing.sides(catalogue, names, given["pair"], _overrides(given), placement))
        else:
            named = list(names) or [_default_suite(catalogue, placement, nvml.absent, progress)]
            cases = plan(catalogue, named, _overrides(given))
            chosen = _fitting(cases, placement, progress, times=2 if of_checkouts else 1)
        planned = [replace(item, case=with_architecture(item.case)) for item in chosen]
        remote_code = _remote_code(catalogue, given["allow_remote_code"])
        checkouts: Mapping[Side, Checkout] = {}
        if of_checkouts:
            checkouts = stack.enter_context(pairing.checkouts(given["pair"], progress.note))
        if given["dry_run"]:
            for side, checkout in checkouts.items():
                click.echo(f"{side}: {checkout.title}")
            for item in planned:
                click.echo(f"{item.case.as_mapping()['hash']}  {item.case.label}")
            return 0
        return _measure(nvml, placement, planned, checkouts, grid, progress, remote_code, given)


def _default_suite(catalogue: Catalogue, placement: Any, absent: str | None, progress: Any) -> str:
    suite = "paper" if placement.device == "cuda" else "smoke"
    why = f"the work runs on {placement.visible[0].name}" if placement.visible else "the work runs on the CPU"
    if absent:
        why = f"there is no NVIDIA GPU here ({absent})"
    progress.note(f"Suite `{suite}`, because {why}. `python -m bench list` shows the others.")
    if suite not in catalogue.suites:
        raise unknown("suite", suite, catalogue.suites)
    return suite


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
        | modality_flags.keys_set(given)
    )
    keys = ("target", "max_seconds", "block_seconds", "idle_seconds")
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


def _fitting(planned: list[Planned], placement: Any, progress: Any, times: int) -> list[Planned]:
    """The cases that fit, loaded so many times at once.

    One named by itself must fit; one of a suite is left out and said so.
    """
    from bench.runner.devices import why_not

    kept = []
    for item in planned:
        reason = why_not(item.case, placement, times)
        if reason is None:
            kept.append(item)
        elif item.case.suite is None:
            raise PrerequisiteError(
                f"{item.case.label} does not fit: it {reason}.", "See `python -m bench list`."
            )
        else:
            progress.note(f"Left out: {item.case.label}, because it {reason}.")
    if not kept:
        raise PrerequisiteError("None of the chosen cases fits this machine.", "See `python -m bench list`.")
    return kept


def _measure(
    nvml: Any,
    placement: Any,
    planned: list[Planned],
    checkouts: Mapping[Side, Checkout],
    grid: Any,
    progress: Any,
    remote_code: Any,
    given: dict[str, Any],
) -> int:
    from bench.meters.recorder import Recorder
    from bench.records.store import MachineFolder
    from bench.runner import provenance
    from bench.runner.calibrate import calibrations
    from bench.runner.carbon import carbon_of
    from bench.runner.exclusive import alone, subjects
    from bench.runner.preflight import require_software
    from bench.runner.session import Session
    from bench.runner.subject import Surroundings

    if not checkouts:  # each of those has an environment of its own, and has answered from it
        require_software([item.case for item in planned], placement)
    machine = provenance.machine(nvml)
    with (
        alone(subjects(placement), given["results"], progress.note),
        MachineFolder(given["results"], str(machine.name)) as folder,
        Recorder() as recorder,
        progress,
    ):
        known = calibrations(folder.path, placement.cards, progress.note)
        if known:
            machine.calibration = known
        progress.follow(recorder, placement.cards)
        around = Surroundings(
            nvml=nvml,
            recorder=recorder,
            placement=placement,
            country=grid.code,
            watcher=progress,
            calibrations=known,
            remote_code=remote_code,
            save_outputs=folder.outputs() if given["save_outputs"] else None,
        )
        session = Session(around, folder, carbon_of(grid), machine, sys.argv[1:])
        if given["pair"]:
            a, b = (planned, planned) if checkouts else (planned[:1], planned[1:])
            outcome = session.run_pairs(list(zip(a, b, strict=True)), checkouts)
        else:
            outcome = session.run(planned)
    _print_outcome(outcome, given)
    if outcome.interrupted:
        raise KeyboardInterrupt
    return outcome.exit_status


def _print_outcome(outcome: Outcome, given: dict[str, Any]) -> None:
    """The table, each pair's ratio, the paths, how to compare; tracebacks of workers with --debug."""
    from bench.view import pair, results, terminal

    records = [record for record, _ in outcome.records]
    if records:
        click.echo(f"\n{terminal.text([results.section(records)])}")
    if given["pair"]:
        for at in range(0, len(records), 2):
            click.echo(pair.sentence(records[at : at + 2]))
    for path in filter(None, (path for _, path in outcome.records)):
        click.echo(path)
    _tell_how_to_compare(outcome.records, given["results"])
    if given["debug"]:
        for trace in outcome.traces:
            click.echo(trace, err=True)


def _tell_how_to_compare(records: Sequence[tuple[Record, Path | None]], results: Path) -> None:
    """The run's id and what it is for; nothing where no record was written."""
    first = next((record for record, path in records if path and record.run_id), None)
    if first is not None:
        run_id = first.run_id
        sides = f"{run_id}@A {run_id}@B" if first.pair else f"{run_id} OTHER"
        where = "" if results == Path("results") else f" --results {shlex.quote(str(results))}"
        click.echo(f"Run {run_id}; compare it: python -m bench compare {sides}{where}", err=True)
