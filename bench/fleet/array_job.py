"""A batch script for Slurm that measures a suite on its nodes: `bench fleet slurm`.

    script(ArrayJob(suite=("paper",), checkout=Path("."), python=Path("python"), results=Path("results")))

Every task runs `bench run`, and nothing else of ours: with `parts` an array in which each task takes every
n-th case, else one job in which every node measures all of them. A task that is requeued goes on.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from bench.machine.expected_gpus import ExpectedGpus

BEFORE_THE_END_S = 120
"""Time before Slurm's limit at which the run gets Ctrl-C: its record is written then."""


@dataclass(frozen=True, kw_only=True)
class ArrayJob:
    """What a batch script is written from."""

    suite: tuple[str, ...]
    checkout: Path
    python: Path
    results: Path
    gpus: ExpectedGpus | None = None
    nodes: int = 1
    parts: int | None = None
    minutes: int = 240
    container: str | None = None
    """Image for `srun --container-image` (pyxis)."""
    sbatch: tuple[str, ...] = ()
    """Further options of sbatch, such as `--partition=gpu`."""
    options: tuple[str, ...] = ()
    """Further options of `bench run`."""


def script(job: ArrayJob) -> str:
    """The text of the script."""
    command = [str(job.python), "-m", "bench", "run", *job.suite, "--resume", "--results", str(job.results)]
    if job.gpus is not None:
        command += ["--expect-gpu", str(job.gpus)]
    words = shlex.join([*command, *job.options])
    if job.parts is not None:
        words += f' --part "$SLURM_ARRAY_TASK_ID/{job.parts}"'
    lines = ["#!/bin/bash", *(f"#SBATCH {shlex.quote(option)}" for option in _options(job)), ""]
    lines += [
        "set -euo pipefail",
        f"cd {shlex.quote(str(job.checkout))}",
        f"srun {_srun(job)}{words}",
    ]
    return "\n".join(lines) + "\n"


def _options(job: ArrayJob) -> list[str]:
    """Whole nodes alone, because other jobs would be in the host's joules."""
    logs = job.results / "slurm"
    options = [
        f"--job-name=joulebench-{job.suite[0]}",
        f"--nodes={job.nodes if job.parts is None else 1}",
        "--ntasks-per-node=1",
        "--exclusive",
        "--requeue",
        "--open-mode=append",
        f"--time={job.minutes}",
        f"--signal=INT@{BEFORE_THE_END_S}",
        f"--output={logs}/%x-%A-%a.log" if job.parts is not None else f"--output={logs}/%x-%j.log",
    ]
    options += [f"--array=1-{job.parts}"] if job.parts is not None else []
    if job.gpus is not None:
        options.append(f"--gpus-per-node={job.gpus.model}:{job.gpus.count or 1}")
    return [*options, *job.sbatch]


def _srun(job: ArrayJob) -> str:
    if job.container is None:
        return ""
    mounts = ",".join(f"{path}:{path}" for path in dict.fromkeys((job.checkout, job.results)))
    return f"{shlex.join([f'--container-image={job.container}', f'--container-mounts={mounts}'])} "
