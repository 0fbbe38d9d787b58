"""`python -m bench list`: what can be measured, what fits this machine, and why the rest does not.

With `--systems`: the systems that the papers name, and what answers for each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench.catalog.case_pieces import on_hub
from bench.catalog.cases import Overrides, plan
from bench.catalog.models import Catalogue
from bench.cli import options
from bench.errors import UsageError
from bench.view import json_document, systems, terminal
from bench.view.content import Cell, Table, columns, table


@click.command("list")
@click.option("--systems", "by_system", is_flag=True, help="Systems that the papers name, and their models.")
@options.models_option
@options.gpus_option
@options.device_option
@options.json_option
@options.debug_option
def command(by_system: bool, models: Path | None, gpus: str | None, device: Any, as_json: bool) -> int:
    """List suites and models, what fits this machine, and why the rest does not."""
    catalogue = options.load_catalogue(models)
    if by_system:
        _show_systems(catalogue, as_json)
    else:
        _show_models(catalogue, gpus, device, as_json)
    return 0


def _show_systems(catalogue: Catalogue, as_json: bool) -> None:
    from bench.footprint.listing import represented

    rows = represented(catalogue.models)
    if as_json:
        click.echo(json_document.text({"systems": systems.as_json(rows)}))
    else:
        click.echo(terminal.text(systems.sections(rows)), nl=False)


def _show_models(catalogue: Catalogue, gpus: str | None, device: Any, as_json: bool) -> None:
    from bench.machine.placement import place
    from bench.meters.gpus import GpuDrivers

    with GpuDrivers() as drivers:
        placement = place(drivers, gpus, device)
        rows = []
        for name, model in catalogue.models.items():
            rows.append(
                {
                    "model": name,
                    "unit": model.unit,
                    "family": model.family,
                    "parameters_b": model.parameters_b,
                    "memory_gb": model.memory_gb,
                    "licence": model.licence,
                    "gated": model.gated,
                    "weights": [kind for kind, has in _weights(catalogue, model) if has],
                    "fits": (reason := _unfit(catalogue, name, placement)) is None,
                    "why_not": reason,
                }
            )
        place_text = _place(drivers, placement)
    if as_json:
        suites = {name: suite.doc for name, suite in catalogue.suites.items()}
        click.echo(json_document.text({"machine": place_text, "suites": suites, "models": rows}))
        return
    shown = (f"Here: {place_text}", "", _suites(catalogue), "", _models(rows))
    click.echo(terminal.text((*shown, "", "Measure one with: python -m bench run NAME")), nl=False)


def _unfit(catalogue: Any, name: str, placement: Any) -> str | None:
    """The reason why a model cannot run here as the catalogue has it, or `None`."""
    from bench.measurement.fitting import why_not

    try:
        (planned,) = plan(catalogue, [name], Overrides())
        return why_not(planned.case, placement)
    except UsageError as error:  # an option that only the command line gives, or a producer that is not here
        return str(error)


def _weights(catalogue: Any, model: Any) -> list[tuple[str, bool]]:
    return [("hub", on_hub(catalogue, model)), ("random", bool(model.architecture or model.parts))]


def _place(drivers: Any, placement: Any) -> str:
    from bench.measurement.fitting import available_bytes

    memory = f"{available_bytes(placement) / 1e9:.0f} GB"
    if placement.device == "cuda":
        return f"{', '.join(gpu.name for gpu in placement.visible)}, {memory}"
    metered = f", metering {', '.join(gpu.name for gpu in placement.named)}" if placement.named else ""
    why = f" (no {drivers.vendors} GPU: {drivers.absent})" if drivers.absent else ""
    return f"CPU, {memory} of memory{metered}{why}"


def _suites(catalogue: Any) -> Table:
    rows = ((name, len(suite.cases), suite.doc) for name, suite in catalogue.suites.items())
    return table(columns("suite", "#cases", "what it is"), rows)


def _models(rows: list[dict[str, Any]]) -> Table:
    aside = ("licence", "why not")
    heads = columns("model", "makes", "#parameters", "#bf16", "weights", "fits", *aside, aside=aside)
    return table(heads, map(_model, rows))


def _model(row: dict[str, Any]) -> tuple[Cell, ...]:
    return (
        row["model"],
        row["unit"],
        f"{row['parameters_b']:g} B",
        f"{row['memory_gb']:g} GB",
        " ".join(row["weights"]),
        "yes" if row["fits"] else "no",
        f"{row['licence']}, gated" if row["gated"] else row["licence"],
        row["why_not"] or "",
    )
