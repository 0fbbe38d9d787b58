"""`python -m bench roofline peaks`: bytes and operations a second that a device of this machine reaches."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click
from rich.table import Table

from bench.cli import options
from bench.cli.interrupts import end_like_ctrl_c
from bench.cli.tables import cell, render
from bench.records import ceilings
from bench.records.ceilings import Ceilings
from bench.report.numbers import NOT_KNOWN, plain


@click.command("peaks")
@options.results_option
@options.gpus_option
@options.device_option
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
@options.debug_option
def command(
    results: Path,
    gpus: str | None,
    device: Literal["auto", "cuda", "cpu"],
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> int:
    """Measure memory bandwidth and matrix rate, a minute a device; `roofline show` sets records beside them.

    Without --gpus: the card that a run would use, or the CPU where there is none. No setting is changed.
    """
    from bench.meters.nvml import Nvml
    from bench.records.store import MachineFolder, to_json
    from bench.runner import ceilings as procedure
    from bench.runner import provenance
    from bench.runner.devices import place
    from bench.runner.exclusive import alone, subjects

    end_like_ctrl_c()
    with Nvml() as nvml:
        placement = place(nvml, gpus, device)
        machine = provenance.machine(nvml)
        with (
            alone(subjects(placement), results, partial(click.echo, err=True)),
            MachineFolder(results, str(machine.name)) as folder,
        ):
            found = procedure.measure(placement, machine)
            paths = [ceilings.save(folder.path, each) for each in found]
    if as_json:
        click.echo("".join(map(to_json, found)), nl=False)
        return 0
    click.echo(render(_table(found), *_notes(found)), nl=False)
    for path in paths:
        click.echo(path)
    return 0


def _table(found: Iterable[Ceilings]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    rates = ("bfloat16", "float16", "float32")
    for name in ("device", "copy GB/s", "read GB/s", *(f"{rate} TFLOP/s" for rate in rates)):
        table.add_column(name, justify="left" if name == "device" else "right", no_wrap=True)
    for each in found:
        values: list[Any] = [
            f"{each.name} {each.device}",
            plain(each.copy_gb_per_s),
            plain(each.read_gb_per_s),
        ]
        values += [plain(each.matrix_tflops.get(rate)) for rate in rates]
        table.add_row(*map(cell, values))
    return table


def _notes(found: Iterable[Ceilings]) -> Iterable[object]:
    for each in found:
        for dtype, reason in each.absent.items():
            yield cell(f"{each.name}: {dtype} {NOT_KNOWN}: {reason}")
    yield cell("Best of several rounds, random numbers; 1 GB is 10⁹ bytes, 1 TFLOP 10¹² operations.")
