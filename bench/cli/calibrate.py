"""`python -m bench calibrate`: how this machine's cards measure themselves, found with a generated load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli import options, outside_meter
from bench.cli.interrupts import end_like_ctrl_c
from bench.core.calibration import Calibration
from bench.errors import PrerequisiteError, RecordError, UsageError
from bench.records import calibration
from bench.view import calibration as view
from bench.view import terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.meters.nvml import Gpu, Nvml


LOAD_S = 60.0


@click.command("calibrate")
@options.results_option
@options.gpus_option
@click.option(
    "--load-seconds",
    type=options.Finite(min=20, max=3600),
    help=f"Length of the varied load: longer for a counter that ticks slowly. [default: {LOAD_S:g}]",
)
@click.option(
    "--reference-seconds",
    type=options.Finite(min=1, max=3600),
    help="Then three stretches of constant load this long, announced, for a meter of yours to count.",
)
@click.option(
    "--reference-joules",
    callback=outside_meter.parse_joules,
    metavar="LIST",
    help="What your meter counted in the stretches of the last such run: idle,middle,high, or their sum.",
)
@click.option(
    "--reference-error",
    callback=options.parse_fraction,
    metavar="FRACTION",
    help=f"How far your meter and its reading may be off. [default: {outside_meter.ERROR:.0%}]",
)
@click.option(
    "--supply-efficiency",
    type=options.Finite(min=0.3, max=1),
    help="Your meter is at the wall, behind a power supply of this efficiency, such as 0.92.",
)
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
@options.debug_option
def command(
    results: Path,
    gpus: str | None,
    load_seconds: float | None,
    reference_seconds: float | None,
    reference_joules: tuple[float, ...] | None,
    reference_error: float | None,
    supply_efficiency: float | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> int:
    """Characterise a card's sensor, about two minutes a card; no setting is changed.

    Without --gpus: the card that a run would use. With --reference-joules nothing is loaded: the numbers
    complete what the last run with --reference-seconds began.
    """
    from bench.meters.nvml import Nvml
    from bench.records.store import MachineFolder, to_json
    from bench.runner import provenance
    from bench.runner.exclusive import alone

    end_like_ctrl_c()
    reference = outside_meter.said(reference_joules, reference_error, supply_efficiency)
    if reference is not None:
        outside_meter.refuse_load({"--reference-seconds": reference_seconds, "--load-seconds": load_seconds})
    with Nvml() as nvml:
        chosen = _chosen(nvml, gpus)
        if len(chosen) > 1 and (reference_seconds or reference):
            raise UsageError("A reference is for one card at a time.", "Name it with --gpus.")
        machine = str(provenance.machine(nvml).name)
        with MachineFolder(results, machine) as folder:
            if reference is not None:
                found = [outside_meter.referred(results, folder.path, chosen[0], reference)]
            else:
                load_s = load_seconds or LOAD_S
                with alone([gpu.uuid for gpu in chosen], results, _note):
                    found = [_calibrated(nvml, folder.path, gpu, load_s, reference_seconds) for gpu in chosen]
            paths = [calibration.path_of(folder.path, each.uuid) for each in found]
    if as_json:
        click.echo("".join(map(to_json, found)), nl=False)
        return 0
    for gpu, each, path in zip(chosen, found, paths, strict=True):
        then = outside_meter.command(results, gpu, "--reference-joules IDLE,MIDDLE,HIGH")
        click.echo(terminal.text(view.sections(each, then)), nl=False)
        click.echo(path)
    return 0


def _note(text: str) -> None:
    click.echo(text, err=True)


def _chosen(nvml: Nvml, gpus: str | None) -> tuple[Gpu, ...]:
    from bench.runner.devices import place

    if not nvml.gpus:
        raise PrerequisiteError(
            f"There is no NVIDIA GPU to calibrate: {nvml.absent}.", "See `python -m bench doctor`."
        )
    placement = place(nvml, gpus, "cuda")
    return placement.visible


def _calibrated(nvml: Nvml, folder: Path, gpu: Gpu, load_s: float, reference_s: float | None) -> Calibration:
    """One card, saved. A line that was drawn for it before is kept, unless new stretches replace its own."""
    from bench.runner.calibrate import procedure

    def note(text: str) -> None:
        _note(f"gpu {gpu.index}: {text}")

    before = _known(folder, gpu, note)
    with procedure.loaded(nvml, gpu, note) as bench:
        found = procedure.calibrate(bench, gpu, load_s, note)
        if before is not None:
            found = found.model_copy(update={"stretches": before.stretches, "line": before.line})
        if reference_s is not None:
            stretches = procedure.stretches(bench, reference_s, note)
            found = found.model_copy(update={"stretches": stretches, "line": None})
    calibration.save(folder, found)
    return found


def _known(folder: Path, gpu: Gpu, note: Callable[[str], None]) -> Calibration | None:
    """What was found before; a file that is damaged is about to be replaced, and may not stand in the way."""
    try:
        return calibration.load(folder, gpu.uuid)
    except RecordError as error:
        note(f"{error.message} It is replaced.")
        return None
