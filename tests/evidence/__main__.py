"""`scripts/gpu-evidence plan|run|rehearse|stamp|merge|page`: see docs/gpu-evidence.md."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import click

from bench.analysis import sources
from bench.catalog import loading
from bench.cli import options
from bench.cli.interrupts import end_like_ctrl_c
from bench.errors import BenchError, PrerequisiteError
from bench.footprint.grid import choose
from bench.records.store import write_atomically
from bench.report import build
from bench.report import markdown as rendering
from bench.report.gather import Settings
from bench.report.numbers import duration
from bench.runner import provenance, source_stamp
from tests.evidence import findings, packing, plans, rehearsal, running, tables
from tests.evidence import page as pages
from tests.evidence import state as states
from tests.evidence.parts import Part, parts
from tests.evidence.state import RESULTS, CardState
from tests.evidence.wheels import unmet

CATALOGUE = running.ROOT / "models.yaml"
BEGAN_VARIABLE = "JOULEBENCH_EVIDENCE_BEGAN"
"""When scripts/gpu-evidence was started, in seconds since 1970: what pip and cold imports take counts too."""
CALL_MINUTES = 8.0
Folder = click.Path(path_type=Path, file_okay=False)

work_option = click.option(
    "--work", type=Folder, default=Path(".evidence"), show_default=True, help="What is done, and its records."
)
out_option = click.option("--out", type=Folder, required=True, help="Where archives and findings go.")
minutes_option = click.option(
    "--minutes",
    type=options.Finite(min=0.1),
    default=CALL_MINUTES,
    show_default=True,
    help="How long at most, from the start of the script.",
)
plan_option = click.option(
    "--plan",
    "plan_name",
    type=click.Choice(list(plans.PLANS)),
    help="A named plan; without one, all of them.",
)


def _names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if value else ()


parts_option = click.option(
    "--parts", "names", callback=_names, metavar="NAME,...", help="These parts, in this order."
)


@click.group()
def cli() -> None:
    """Turn a GPU machine's time into records, findings about its sensor, and docs/results.md."""


@cli.command()
@work_option
@plan_option
@parts_option
@click.option("--card", help="UUID of the card whose state is shown; by default the last one used.")
def plan(work: Path, plan_name: str | None, names: tuple[str, ...], card: str | None) -> None:
    """Show the parts in their order, what is done, and how long the rest takes."""
    state = states.load(work)
    key = card or next(reversed(state.cards), None)
    known = state.cards.get(key or "", CardState(name="any card"))
    wanted = plans.chosen(_parts(known.memory_gb), plan_name, names)
    click.echo(f"{known.name}" + (f" ({key})" if key else ", as estimated"))
    click.echo(f"{'':12} {'estimate':>11} {'took':>11}")
    for part in wanted:
        tried = known.parts.get(part.name)
        status = "left out" if part.left_out else tried.status if tried else "to do"
        took = duration(tried.seconds) if tried and tried.seconds else ""
        about = f"{part.about}; {part.left_out}" if part.left_out else part.about
        click.echo(f"{status:12} {duration(part.seconds):>11} {took:>11}  {part.name}: {about}")
    left_s = sum(known.expected_s(part) for part in wanted if known.open(part))
    click.echo(f"left: {duration(left_s)}")


@cli.command()
@work_option
@out_option
@minutes_option
@plan_option
@parts_option
@options.gpus_option
def run(
    work: Path, out: Path, minutes: float, plan_name: str | None, names: tuple[str, ...], gpus: str | None
) -> int:
    """Do the parts that are left and fit into the time; what is done is packed after every part."""
    _refuse_unmet()
    machine = running.Machine(cards=("--gpus", gpus) if gpus else ())
    return _run(machine, work, out, minutes, plan_name, names)


@cli.command()
@click.option("--work", type=Folder, default=Path(".evidence-rehearsal"), show_default=True)
@out_option
@minutes_option
@plan_option
@parts_option
def rehearse(work: Path, out: Path, minutes: float, plan_name: str | None, names: tuple[str, ...]) -> int:
    """Go through every part with a tiny model on a stand-in card; needs a C compiler and no GPU."""
    _refuse_unmet()
    scratch = tempfile.TemporaryDirectory(prefix="joulebench-rehearsal-")
    with scratch as folder, rehearsal.machine(Path(folder)) as machine:
        return _run(machine, work, out, minutes, plan_name, names, rehearsal.CATALOGUE)


@cli.command()
def stamp() -> None:
    """Keep this checkout's commit in a file, for a machine to which the files travel without `.git`."""
    known = provenance.git()
    if known["commit"] is None:
        raise PrerequisiteError(
            f"There is no commit to keep: {known['absent']['commit']}.", "Use a checkout."
        )
    click.echo(source_stamp.write(running.ROOT, known))


@cli.command()
@click.argument(
    "archives",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="ARCHIVE...",
)
@work_option
@options.results_option
def merge(archives: tuple[Path, ...], work: Path, results: Path) -> None:
    """Unpack what `run` packed, so that the next run goes on from there; copy its records into results/."""
    for path in packing.merge(archives, work, results):
        click.echo(path)


@cli.command()
@options.results_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=Path("docs/results.md")
)
def page(results: Path, output: Path) -> None:
    """Write docs/results.md from the records in results/."""
    write_atomically(output, pages.page(results))
    click.echo(output)


def _parts(memory_gb: float | None, catalogue: Path = CATALOGUE) -> tuple[Part, ...]:
    return parts(loading.load(catalogue), memory_gb)


def _refuse_unmet() -> None:
    if missing := unmet():
        raise PrerequisiteError(
            f"Packages are missing or too old here: {'; '.join(missing)}.",
            "Fetch them where there is a network (scripts/gpu-evidence wheels DIR), then: run --wheels DIR.",
        )


def _run(
    machine: running.Machine,
    work: Path,
    out: Path,
    minutes: float,
    plan_name: str | None,
    names: tuple[str, ...],
    catalogue: Path = CATALOGUE,
) -> int:
    """The parts, and whatever happens to them, what they have found, packed."""
    gone_s = max(0.0, time.time() - float(os.environ.get(BEGAN_VARIABLE, time.time())))
    deadline_s = time.monotonic() + 60 * minutes - gone_s
    card = machine.card()
    wanted = plans.chosen(_parts(card.memory_gb, catalogue), plan_name, names)
    runner = running.Runner(work, machine, card, sys.stderr, lambda: packing.pack(work, out))
    try:
        return runner.run(wanted, deadline_s)
    finally:
        for path in _packed(work, out, card.key):
            click.echo(path)


def _packed(work: Path, out: Path, card: str) -> list[Path]:
    """Archives first: they are whole even where findings cannot be made."""
    if not (work / states.FILE).exists():
        return []
    written = packing.pack(work, out)
    found = findings.of(work, card)
    if found is None:
        return written
    shown = tables.markdown(found)
    if found.machine is not None:
        made = build.report([sources.load(str(work / RESULTS))], Settings(choose(None)))
        shown += f"\n{rendering.markdown(made)}"
    for name, text in ((findings.FILE, findings.to_json(found)), ("findings.md", shown)):
        write_atomically(out / name, text)
        written.append(out / name)
    return written


def main() -> int:
    """Run the command line; errors are one sentence and a status, as in `python -m bench`."""
    end_like_ctrl_c()
    try:
        status = cli.main(prog_name="scripts/gpu-evidence", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted; the same command goes on from here.", err=True)
        return 130
    except BenchError as error:
        click.echo(f"Error: {error}", err=True)
        return error.exit_status
    except OSError as error:
        click.echo(f"Error: {error.filename}: {error.strerror}.", err=True)
        return 2
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    sys.exit(main())
