"""`scripts/gpu-evidence plan|run|rehearse|merge|page`: see docs/gpu-evidence.md."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from bench.analysis import sources
from bench.catalog import loading
from bench.cli import options
from bench.cli.interrupts import end_like_ctrl_c
from bench.errors import BenchError, PrerequisiteError
from bench.footprint.grid import choose
from bench.meters.nvml import Nvml
from bench.records.store import write_atomically
from bench.report import build
from bench.report import markdown as rendering
from bench.report.gather import Settings
from bench.report.numbers import duration
from tests.evidence import findings, packing, rehearsal, running, tables
from tests.evidence import page as pages
from tests.evidence import state as states
from tests.evidence.parts import Part, parts
from tests.evidence.state import RESULTS
from tests.evidence.wheels import unmet

CATALOGUE = running.ROOT / "models.yaml"
Folder = click.Path(path_type=Path, file_okay=False)

work_option = click.option(
    "--work", type=Folder, default=Path(".evidence"), show_default=True, help="What is done, and its records."
)
out_option = click.option("--out", type=Folder, required=True, help="Where archives and findings go.")
minutes_option = click.option(
    "--minutes", type=options.Finite(min=0.1), default=9.0, show_default=True, help="How long at most."
)


@click.group()
def cli() -> None:
    """Turn a GPU machine's time into records, findings about its sensor, and docs/results.md."""


@cli.command()
@work_option
def plan(work: Path) -> None:
    """Show every part in its order, what is done, and how long the rest takes."""
    state, planned = states.load(work), _parts()
    for part in planned:
        known = state.parts.get(part.name)
        status = known.status if known else "to do"
        click.echo(f"{status:12} {duration(part.seconds):>11}  {part.name}: {part.about}")
    left_s = sum(state.expected_s(part) for part in planned if state.open(part))
    click.echo(f"left: {duration(left_s)}")


@cli.command()
@work_option
@out_option
@minutes_option
@options.gpus_option
def run(work: Path, out: Path, minutes: float, gpus: str | None) -> int:
    """Do the parts that are left and fit into the time; pack everything at the end."""
    if missing := unmet():
        raise PrerequisiteError(
            f"Packages are missing or too old here: {'; '.join(missing)}.",
            "Fetch them where there is a network (scripts/gpu-evidence wheels DIR), then: run --wheels DIR.",
        )
    with Nvml() as nvml:
        if not nvml.gpus:
            raise PrerequisiteError(
                f"There is no NVIDIA GPU here: {nvml.absent}.",
                "scripts/gpu-evidence rehearse --out DIR goes through every part without one.",
            )
    machine = running.Machine(cards=("--gpus", gpus) if gpus else ())
    return _run(_parts(), work, out, machine, 60 * minutes)


@cli.command()
@click.option("--work", type=Folder, default=Path(".evidence-rehearsal"), show_default=True)
@out_option
@minutes_option
def rehearse(work: Path, out: Path, minutes: float) -> int:
    """Go through every part with a tiny model on a stand-in card; needs a C compiler and no GPU."""
    scratch = tempfile.TemporaryDirectory(prefix="joulebench-rehearsal-")
    with scratch as folder, rehearsal.machine(Path(folder)) as machine:
        return _run(_parts(rehearsal.CATALOGUE), work, out, machine, 60 * minutes)


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


def _parts(catalogue: Path = CATALOGUE) -> tuple[Part, ...]:
    return parts(loading.load(catalogue))


def _run(planned: Sequence[Part], work: Path, out: Path, machine: running.Machine, seconds: float) -> int:
    """The parts, and whatever happens to them, what they have found, packed."""
    try:
        return running.run(planned, work, machine, seconds, sys.stderr)
    finally:
        for path in _packed(work, out):
            click.echo(path)


def _packed(work: Path, out: Path) -> list[Path]:
    """Archives first: they are whole even where a damaged file leaves no findings."""
    if not (work / states.FILE).exists():
        return []
    written = packing.pack(work, out)
    found = findings.gather(work)
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
