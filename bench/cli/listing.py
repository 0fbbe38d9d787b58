"""`python -m bench list`: what can be measured, what fits this machine, and why the rest does not.

With `--systems`: the systems that the papers name, and what answers for each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bench.catalog.models import Catalogue
from bench.cli import options, written_form
from bench.view import json_document


@click.command("list")
@click.option("--systems", "by_system", is_flag=True, help="Systems that the papers name, and their models.")
@options.models_option
@options.gpus_option
@options.device_option
@written_form.options("json")
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
    from bench.view.documents.systems import document
    from bench.view.systems import sections

    rows = represented(catalogue.models)
    if as_json:
        click.echo(json_document.text(document(rows)))
    else:
        written_form.show(sections(rows))


def _show_models(catalogue: Catalogue, gpus: str | None, device: Any, as_json: bool) -> None:
    from bench.measurement.listing import listing
    from bench.view.documents.listing import document
    from bench.view.listing import parts

    found = listing(catalogue, gpus, device)
    if as_json:
        click.echo(json_document.text(document(found, catalogue.suites)))
    else:
        written_form.show(parts(found, catalogue.suites))
