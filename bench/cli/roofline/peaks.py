"""`python -m bench roofline peaks`: bytes and operations a second that a device of this machine reaches."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from bench.cli import options, written_form
from bench.cli.notes import Notes
from bench.cli.signals import end_like_ctrl_c
from bench.view.peaks import section


@click.command("peaks")
@options.results_option
@options.gpus_option
@options.device_option
@written_form.options("json")
@options.debug_option
def command(
    results: Path,
    gpus: str | None,
    device: Literal["auto", "cuda", "cpu"],
    as_json: bool,
) -> int:
    """Measure memory bandwidth and matrix rate, a minute a device; `roofline show` sets records beside them.

    Without --gpus: the card that a run would use, or the CPU where there is none. No setting is changed.
    """
    from bench.measurement.context import RunContext
    from bench.measurement.peaks_plan import PeaksPlan
    from bench.measurement.run import run
    from bench.store.results import to_json

    end_like_ctrl_c()
    measured = run(PeaksPlan(gpus, device, tuple(sys.argv[1:])), RunContext(results, Notes()))
    found = [each.peaks for each in measured]
    if as_json:
        click.echo("".join(map(to_json, found)), nl=False)
        return 0
    written_form.show([section(found)])
    for each in measured:
        click.echo(each.path)
    return 0
