"""`python -m bench calibrate`: how this machine's cards measure themselves, found with a generated load."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from bench.cli import options
from bench.cli.interrupts import end_like_ctrl_c
from bench.cli.numbers import NOT_KNOWN, digits, plain
from bench.cli.tables import cell, render
from bench.errors import PrerequisiteError, UsageError
from bench.records import calibration
from bench.records.calibration import Calibration, Counter, PowerField

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
        click.echo(render(*_sections(each)), nl=False)
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


def _sections(found: Calibration) -> Iterable[Any]:
    yield cell(f"{found.name} {found.uuid}, {found.created}, driver {found.driver or NOT_KNOWN}")
    yield Text("")
    yield _readings(found)
    yield Text("")
    yield _facts(found)
    if found.stretches:
        yield Text("")
        yield _stretches(found)
        if found.line is None:
            yield cell("Then: python -m bench calibrate --gpus N --reference-joules IDLE,MIDDLE,HIGH")


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table


def _readings(found: Calibration) -> Table:
    """Counter and power readings, a row each."""
    table = _table("reading", "new every, s", "window, s", "delay, s", "sees", "unexplained")
    named: tuple[tuple[str, Counter | PowerField | None], ...] = (
        ("energy counter", found.counter),
        ("instant power", found.power_instant),
        ("average power", found.power_average),
    )
    for name, part in named:
        if part is None:
            table.add_row(cell(name), *[cell(NOT_KNOWN)] * 5)
            continue
        window_s = delay_s = None
        every_s = part.tick_s if isinstance(part, Counter) else part.update_s
        if isinstance(part, PowerField):
            window_s, delay_s = part.window_s, part.delay_s
        values = (name, digits(every_s), plain(window_s), plain(delay_s), _between(part))
        table.add_row(*map(cell, values), cell(_share(part.unexplained)))
    return table


def _share(value: float | None) -> str:
    return NOT_KNOWN if value is None else f"{digits(value * 100, 2)} %"


def _between(part: Counter | PowerField) -> str:
    """The share seen, and for the counter what it may be as well."""
    if not isinstance(part, Counter) or part.share_between is None:
        return _share(part.share_seen)
    low, high = (digits(share * 100, 2) for share in part.share_between)
    return f"{_share(part.share_seen)} ({low} to {high})"


def _facts(found: Calibration) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = [
        (
            "looks",
            f"{found.looks}, every {digits(found.look_s * 1e3)} ms, {digits(found.call_s * 1e3)} ms a call",
        )
    ]
    if found.decay is not None:
        rows.append(("after a load", _settling(found)))
    if (block_s := found.block_seconds_at_least()) is not None:
        rows.append(("blocks", f"at least {digits(block_s)} s, which hold {calibration.WANTED_TICKS} ticks"))
    if found.line is not None:
        rows.append(("gain", _line(found)))
    parts = (found.counter, found.power_instant, found.power_average)
    reasons = [(name.replace("_", " "), reason) for name, reason in found.absent.items()]
    reasons += [("not told", part.reason) for part in parts if part is not None and part.reason]
    for name, value in [*rows, *reasons]:
        table.add_row(cell(name), cell(value))
    return table


def _settling(found: Calibration) -> str:
    assert found.decay is not None
    seen = found.decay
    idle = f"idle {digits(seen.idle_w)} W"
    if seen.time_constant_s is None:
        return f"{seen.reason}, {idle}"
    fading = f"fading with {digits(seen.time_constant_s, 2)} s"
    return f"{digits(seen.above_idle_w)} W above idle, {fading}, {idle}"


def _line(found: Calibration) -> str:
    assert found.line is not None
    line = found.line
    offset = f"offset {line.offset_w:+.1f} W" if line.offset_w is not None else f"no offset ({line.reason})"
    return f"the card reads {line.gain:.4f} times what it draws (u {line.relative_gain_u:.2%}), {offset}"


def _stretches(found: Calibration) -> Table:
    table = _table("stretch", "s", "J read", "W read", "J reference")
    line = found.line
    known = line.reference_j if line is not None and len(line.reference_j) == len(found.stretches) else []
    for number, stretch in enumerate(found.stretches):
        reference = digits(known[number], 5) if known else NOT_KNOWN
        watts = digits(stretch.read_j / stretch.seconds, 4)
        values = (stretch.level, digits(stretch.seconds, 4), digits(stretch.read_j, 5), watts, reference)
        table.add_row(*map(cell, values))
    return table
