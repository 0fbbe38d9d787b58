"""What the probes share: the card that a run would use, and one JSON document on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import click
from pydantic_core import to_jsonable_python

from bench.errors import BenchError, MeterError, PrerequisiteError
from bench.machine.placement import place
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.stdout_guard import stdout_to_stderr
from scripts.evidence.process import ROOT


def print_json(measure: Callable[[GpuDrivers, Gpu], object], gpus: str | None) -> None:
    """Print what `measure` returns for the card; an error is one sentence and its exit status."""
    try:
        with stdout_to_stderr(), GpuDrivers() as drivers:
            if not drivers.gpus:
                raise PrerequisiteError(
                    f"This machine has no {drivers.vendors} GPU: {drivers.absent}.",
                    "scripts/gpu-evidence rehearse --out DIR does every part without one.",
                )
            answer = measure(drivers, place(drivers, gpus, "cuda").visible[0])
            document = _document(answer)
    except BenchError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    click.echo(document)


def _document(answer: object) -> str:
    try:
        return json.dumps(to_jsonable_python(answer), indent=2, allow_nan=False)
    except ValueError as error:
        raise MeterError(f"A value of the answer cannot be written as JSON: {error}.") from error


def in_child(
    module: str, arguments: list[str], environment: Mapping[str, str], limit_s: float
) -> dict[str, Any]:
    """The JSON object that a module prints last, in a process with these variables besides.

    CUDA numbers its cards when it is first used, so work on the card of a run needs a process begun with the
    run's variables. Raises MeterError with the reason if it is absent.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired as error:
        raise MeterError(f"{module} did not end within {limit_s:g} s.") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it printed no reason"])[-1]
        raise MeterError(f"{module} ended with status {done.returncode}: {last[:200]}")
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise MeterError(f"{module} printed no JSON document.") from error
    if not isinstance(answer, dict):
        raise MeterError(f"{module} printed a {type(answer).__name__}, not an object.")
    return answer


def note(text: str) -> None:
    """Progress, on standard error."""
    click.echo(text, err=True)
