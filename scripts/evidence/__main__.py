"""`scripts/gpu-evidence plan|run|rehearse|stamp|merge|page`: see docs/gpu-evidence.md."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from bench.catalog import loading
from bench.cli import options
from bench.cli.signals import end_like_ctrl_c
from bench.compare import record_set
from bench.errors import BenchError, PrerequisiteError
from bench.footprint.grid import choose
from bench.machine import provenance, source_stamp
from bench.store.results import write_atomically
from bench.view import markdown as rendering
from bench.view.numbers import duration
from bench.view.report import build
from bench.view.report.report_data import Settings
from scripts.evidence import findings, packing, plans, rehearsal, running, tables
from scripts.evidence import page as pages
from scripts.evidence import state as states
from scripts.evidence.findings import Findings
from scripts.evidence.parts import CALL_MINUTES, RESULTS, Part, parts
from scripts.evidence.process import ROOT
from scripts.evidence.state import CardState

CATALOGUE = ROOT / "models.yaml"
BEGAN_VARIABLE = "JOULEBENCH_EVIDENCE_BEGAN"
"""Seconds of /proc/uptime at the start of scripts/gpu-evidence: pip and cold imports count too."""
UPTIME = Path("/proc/uptime")
REHEARSAL_MINUTES = 30.0
"""Every part of a rehearsal takes 9 to 20 minutes on two cores."""
Folder = click.Path(path_type=Path, file_okay=False)
_Command = TypeVar("_Command", bound=Callable[..., Any])

work_option = click.option(
    "--work",
    type=Folder,
    default=Path(".evidence"),
    show_default=True,
    help="Folder of the state and the records.",
)
out_option = click.option("--out", type=Folder, required=True, help="Folder for archives and findings.")


def minutes_option(default: float) -> Callable[[_Command], _Command]:
    """The length of a call."""
    return click.option(
        "--minutes",
        type=options.Finite(min=0.1),
        default=default,
        show_default=True,
        help="Length of the call at most, from the start of the script.",
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
    done = state.cards.get(key or "", CardState(name="any card"))
    catalogue = rehearsal.CATALOGUE if state.rehearsed else CATALOGUE
    click.echo(f"{done.name}" + (f" ({key})" if key else ", as estimated"))
    _show(done, plans.chosen(_parts(done.memory_gb, catalogue), plan_name, names))


def _show(card: CardState, wanted: Sequence[Part]) -> None:
    """A table of parts: status, estimate, time taken."""
    click.echo(f"{'':12} {'estimate':>11} {'took':>11}")
    for part in wanted:
        tried = card.parts.get(part.name)
        status = "left out" if part.left_out else tried.status if tried else "to do"
        took = duration(tried.seconds) if tried and tried.seconds else ""
        about = f"{part.about}; {part.left_out}" if part.left_out else part.about
        click.echo(f"{status:12} {duration(part.seconds):>11} {took:>11}  {part.name}: {about}")
    left_s = sum(card.expected_s(part) for part in wanted if card.open(part))
    took_s = sum(tried.seconds or 0.0 for part in wanted if (tried := card.parts.get(part.name)))
    click.echo(f"left: {duration(left_s)}; taken: {duration(took_s)}")


@cli.command()
@work_option
@out_option
@minutes_option(CALL_MINUTES)
@plan_option
@parts_option
@options.gpus_option
def run(
    work: Path, out: Path, minutes: float, plan_name: str | None, names: tuple[str, ...], gpus: str | None
) -> int:
    """Do the parts that are left and fit into the time; the work is packed after every part."""
    machine = running.Machine(cards=("--gpus", gpus) if gpus else ())
    return _run(machine, work, out, minutes, plan_name, names)


@cli.command()
@click.option("--work", type=Folder, default=Path(".evidence-rehearsal"), show_default=True)
@out_option
@minutes_option(REHEARSAL_MINUTES)
@plan_option
@parts_option
def rehearse(work: Path, out: Path, minutes: float, plan_name: str | None, names: tuple[str, ...]) -> int:
    """Go through every part with a tiny model on a stand-in card; needs a C compiler and no GPU."""
    scratch = tempfile.TemporaryDirectory(prefix="joulebench-rehearsal-")
    with scratch as folder, rehearsal.machine(Path(folder)) as machine:
        status = _run(machine, work, out, minutes, plan_name, names, rehearsal.CATALOGUE)
    (card,) = states.load(work).cards.values()
    _show(card, plans.chosen(_parts(card.memory_gb, rehearsal.CATALOGUE), plan_name, names))
    return status


@cli.command()
def stamp() -> None:
    """Keep this checkout's commit in a file, for a machine to which the files travel without `.git`."""
    git = provenance.git()
    if git.commit is None:
        raise PrerequisiteError(f"No commit to keep was found: {git.absent['commit']}.", "Use a checkout.")
    click.echo(source_stamp.write(ROOT, git))


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


def _run(
    machine: running.Machine,
    work: Path,
    out: Path,
    minutes: float,
    plan_name: str | None,
    names: tuple[str, ...],
    catalogue: Path = CATALOGUE,
) -> int:
    """Run the parts; archives and findings are written also where they fail or are interrupted."""
    deadline_s = time.monotonic() + 60 * minutes - _begun_ago_s()
    card = machine.card()
    of_call = parts(loading.load(catalogue), card.memory_gb, max(minutes, CALL_MINUTES))
    wanted = plans.chosen(of_call, plan_name, names)
    runner = running.Runner(work, machine, card, sys.stderr, lambda: packing.pack(work, out))
    try:
        return runner.run(wanted, deadline_s)
    finally:
        for path in _packed(work, out, card.key):
            click.echo(path)


def _begun_ago_s() -> float:
    """Seconds since the script began, by a clock that no time service sets."""
    began = os.environ.get(BEGAN_VARIABLE)
    return float(UPTIME.read_text().split()[0]) - float(began) if began else 0.0


def _packed(work: Path, out: Path, card: str) -> list[Path]:
    """Archives first: they are whole even where findings cannot be made."""
    if not (work / states.FILE).exists():
        return []
    written = packing.pack(work, out)
    of_card = findings.of(work, card)
    if of_card is None:
        return written
    for name, render in ((findings.FILE, findings.to_json), ("findings.md", _markdown_of(work))):
        write_atomically(out / name, render(of_card))
        written.append(out / name)
    return written


def _markdown_of(work: Path) -> Callable[[Findings], str]:
    """Tables of the findings, and the report of the records beside them."""

    def render(of_card: Findings) -> str:
        text = tables.markdown(of_card)
        if not any((work / RESULTS).glob("*/*.json")):
            return text
        report = build.report([record_set.records_below(work / RESULTS)], Settings(choose(None), shapes=True))
        return f"{text}\n{rendering.markdown(report)}"

    return render


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
