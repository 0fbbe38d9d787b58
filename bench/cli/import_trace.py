"""`python -m bench import-trace FILE.traj`: an agent's recorded run as a trace to replay."""

from __future__ import annotations

from pathlib import Path

import click

from bench.catalog.trajectories import trace_of
from bench.cli import options
from bench.cli.written_form import write


@click.command("import-trace")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.traj")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The trace to write; - for stdout.",
)
@options.debug_option
def command(file: Path, output: Path) -> int:
    """Convert a trajectory of SWE-agent to a trace that `bench run AGENT --trace FILE.yaml` replays.

    A trajectory with a hole is refused with what it lacks.
    """
    write(trace_of(file).encode(), output)
    return 0
