"""`python -m bench fleet slurm SUITE`: a batch script for Slurm, and its submission where asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from bench.cli import completing, options
from bench.errors import PrerequisiteError, UsageError
from bench.fleet.array_job import ArrayJob, script
from bench.machine.expected_gpus import parse
from bench.store.results import write_atomically
from bench.streams import is_standard


@click.command("slurm")
@click.argument(
    "suite", nargs=-1, required=True, metavar="SUITE...", shell_complete=completing.models_and_suites
)
@click.option("--gpu", "gpus", metavar="MODEL:COUNT", help="Cards of a node; a task on others is refused.")
@click.option("--nodes", type=click.IntRange(1, 10_000), default=1, help="Nodes that each measure all cases.")
@click.option("--parts", type=click.IntRange(2, 10_000), help="Tasks of an array that share the cases.")
@click.option("--minutes", type=click.IntRange(5), default=240, show_default=True, help="Limit of a task.")
@click.option("--container", metavar="IMAGE", help="Image for srun --container-image (pyxis).")
@click.option("--sbatch", multiple=True, metavar="OPTION", help="For sbatch: --partition=gpu. Repeatable.")
@click.option(
    "--run", "run_options", multiple=True, metavar="OPTION", help="For bench run: --quick. Repeatable."
)
@click.option(
    "--python", type=click.Path(path_type=Path), help="Interpreter on the nodes. [default: this one]"
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="[default: stdout, as is -]"
)
@click.option("--submit", is_flag=True, help="Hand it to sbatch.")
@options.results_option
@options.debug_option
def command(
    suite: tuple[str, ...],
    gpus: str | None,
    nodes: int,
    parts: int | None,
    minutes: int,
    container: str | None,
    sbatch: tuple[str, ...],
    run_options: tuple[str, ...],
    python: Path | None,
    output: Path | None,
    submit: bool,
    results: Path,
) -> int:
    """Write a batch script that measures suites or models on nodes of a Slurm cluster.

    The folder of results must be one that all nodes see. A task that is requeued, or submitted again, goes on
    where it was.
    """
    if parts is not None and nodes > 1:
        raise UsageError(
            "--nodes lets each node measure all cases, --parts lets tasks share them.", "Give one of them."
        )
    job = ArrayJob(
        suite=suite,
        checkout=Path.cwd(),
        python=python or Path(sys.executable),
        results=results.absolute(),
        gpus=parse(gpus) if gpus else None,
        nodes=nodes,
        parts=parts,
        minutes=minutes,
        container=container,
        sbatch=sbatch,
        options=run_options,
    )
    text = script(job)
    if output is not None and not is_standard(output):
        write_atomically(output, text)
        click.echo(str(output), err=True)
    elif not submit:
        click.echo(text, nl=False)
    if submit:
        (job.results / "slurm").mkdir(parents=True, exist_ok=True)  # sbatch does not make a log's folder
        return _submit(text)
    return 0


def _submit(text: str) -> int:
    try:
        done = subprocess.run(["sbatch"], input=text, text=True, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise PrerequisiteError(
            "sbatch is not installed here.", "Write the script with -o FILE, and submit it on a login node."
        ) from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise PrerequisiteError(f"sbatch refused the job: {reason}.", "Change it with --sbatch OPTION.")
    click.echo(done.stdout, nl=False)
    return 0
