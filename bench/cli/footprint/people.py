"""`python -m bench footprint people`: what a person's page or image takes, by every method, side by side.

Minutes and hours of sound, speech and film are also given per second, the unit of the models that make them.
"""

from __future__ import annotations

import click

from bench.cli import options, written_form
from bench.footprint.humans import select
from bench.footprint.work_units import without_people
from bench.view import json_document
from bench.view.documents.people import document
from bench.view.footprint.people import brief, sections


@click.command("people")
@click.option(
    "--unit", metavar="UNIT", help="page or image (both, unless given), audio_second, music_minute, film, ..."
)
@click.option(
    "--region", metavar="NAME", help="Only people of this region: US, India, China, EU27, World, UK."
)
@click.option("--method", metavar="NAME", help="Only this method: top-down, work-hours, equipment, ...")
@options.all_option
@written_form.options("json")
@options.debug_option
def command(unit: str | None, region: str | None, method: str | None, everything: bool, as_json: bool) -> int:
    """List human baselines: what a person's page or image takes, by every method, side by side."""
    found, absent = select(unit, region, method), without_people(unit)
    if as_json:
        click.echo(json_document.text(document(found, absent)))
    else:
        shown = sections if everything else brief
        written_form.show(shown(found, absent))
    return 0
