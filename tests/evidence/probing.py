"""What the probes share: the card that a run would use, and one JSON document on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import click

from bench.errors import BenchError, PrerequisiteError
from bench.meters.nvml import Gpu, Nvml
from bench.meters.stdout_guard import stdout_to_stderr
from bench.runner.devices import place


def tell(measure: Callable[[Nvml, Gpu], object], gpus: str | None) -> None:
    """Print what `measure` finds of the card; an error is one sentence and its exit status."""
    try:
        with stdout_to_stderr(), Nvml() as nvml:
            if not nvml.gpus:
                raise PrerequisiteError(
                    f"There is no NVIDIA GPU here: {nvml.absent}.", "See `python -m bench doctor`."
                )
            found = measure(nvml, place(nvml, gpus, "cuda").visible[0])
    except BenchError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    click.echo(json.dumps(found, indent=2, allow_nan=False))


def note(text: str) -> None:
    """Progress, on standard error."""
    click.echo(text, err=True)
