"""`python -m bench calibrate`: how this machine's cards measure themselves, found with a generated load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli import calibrations, options
from bench.cli.interrupts import end_like_ctrl_c
from bench.cli.tables import render
from bench.errors import PrerequisiteError, UsageError
from bench.records import calibration
from bench.records.calibration import Calibration

if TYPE_CHECKING:
    from bench.meters.nvml import Gpu, Nvml


def _parse_joules(
    _ctx: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    """`4210,11020,18350` as numbers."""
    if value is None:
        return None
    try:
        numbers = tuple(float(part) for part in value.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(0 < number < 1e12 for number in numbers):
        raise click.BadParameter(f"{value!r} is no list of joules such as 4210,11020,18350.")
    return numbers


@click.command("calibrate")
@options.results_option
@options.gpus_option
@click.option(
    "--load-seconds",
    type=options.Finite(min=5, max=3600),
    default=60.0,
    show_default=True,
    help="Length of the varied load: longer for a counter that ticks slowly.",
)
@click.option(
    "--reference-seconds",
    type=options.Finite(min=1, max=3600),
    help="Then three stretches of constant load this long, announced, for a meter of yours to count.",
)
@click.option(
    "--reference-joules",
    callback=_parse_joules,
    metavar="LIST",
    help="What your meter counted in the stretches of the last such run: idle,middle,high, or their sum.",
)
@click.option(
    "--reference-error",
    callback=options.parse_fraction,
    default="2%",
    show_default=True,
    metavar="FRACTION",
    help="How far your meter and its reading may be off.",
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
    load_seconds: float,
    reference_seconds: float | None,
    reference_joules: tuple[float, ...] | None,
    reference_error: float,
    supply_efficiency: float | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> int:
    """Find out how a card's sensor sees, about two minutes a card; no setting is changed.

    Without --gpus: the card that a run would use. With --reference-joules nothing is loaded: the numbers
    complete what the last run with --reference-seconds began.
    """
    from bench.meters.nvml import Nvml
    from bench.records.store import MachineFolder
    from bench.runner import provenance

    end_like_ctrl_c()
    if reference_seconds and reference_joules:
        raise UsageError(
            "--reference-joules belongs to a load that has been run.",
            "Run with --reference-seconds first, then give what your meter counted.",
        )
    with Nvml() as nvml:
        chosen = _chosen(nvml, gpus)
        if len(chosen) > 1 and (reference_seconds or reference_joules):
            raise UsageError("A reference is for one card at a time.", "Name it with --gpus.")
        machine = provenance.machine(nvml)["name"]
        with MachineFolder(results, machine) as folder:
            if reference_joules:
                found = [
                    _referred(folder.path, chosen[0], reference_joules, reference_error, supply_efficiency)
                ]
            else:
                found = [
                    _calibrated(nvml, folder.path, gpu, load_seconds, reference_seconds) for gpu in chosen
                ]
            paths = [calibration.path_of(folder.path, each.uuid) for each in found]
    if as_json:
        click.echo("".join(map(calibration.to_json, found)), nl=False)
        return 0
    for each, path in zip(found, paths, strict=True):
        click.echo(render(*calibrations.sections(each)), nl=False)
        click.echo(path)
    return 0


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
        click.echo(f"gpu {gpu.index}: {text}", err=True)

    before = calibration.load(folder, gpu.uuid)
    with procedure.loaded(nvml, gpu, note) as bench:
        found = procedure.calibrate(bench, gpu, load_s, note)
        if before is not None:
            found = found.model_copy(update={"stretches": before.stretches, "line": before.line})
        if reference_s is not None:
            stretches = procedure.stretches(bench, reference_s, note)
            found = found.model_copy(update={"stretches": stretches, "line": None})
    calibration.save(folder, found)
    return found


def _referred(
    folder: Path, gpu: Gpu, joules: tuple[float, ...], error: float, efficiency: float | None
) -> Calibration:
    """A calibration completed by what an outside meter counted, saved."""
    from bench.runner.calibrate.reference import sensor_line
    from bench.runner.provenance import now_utc

    before = calibration.load(folder, gpu.uuid)
    if before is None or not before.stretches:
        raise UsageError(
            f"No stretches are known of {gpu.name} ({gpu.uuid}).",
            f"Let your meter count: python -m bench calibrate --gpus {gpu.index} --reference-seconds 60",
        )
    line = sensor_line(before.stretches, joules, error, now_utc(), efficiency)
    found = before.model_copy(update={"line": line})
    calibration.save(folder, found)
    return found
