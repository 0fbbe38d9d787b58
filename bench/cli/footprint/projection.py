"""`bench footprint projection RECORD|ID...`: joules of one token or image as those of a deployment."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from bench.cli import completing, options, written_form
from bench.cli.record_arguments import named_rates
from bench.errors import UsageError
from bench.footprint.grid import choose
from bench.footprint.projection import Projection, ProjectionAssumptions, project
from bench.footprint.rates import EnergyRate, assumed
from bench.view import json_document
from bench.view.documents.projection import document
from bench.view.footprint.projection import sections

SCALABLE = ("token", "image")
"""Units of a number per week."""
NUMBER = "A number, LOW..HIGH, or a bundled factor."


@click.command("projection")
@click.argument("names", nargs=-1, required=True, metavar="RECORD|ID...", shell_complete=completing.records)
@click.option("--tokens-per-week", metavar="NUMBER", help=f"{NUMBER} [default: service.aggregator.tokens]")
@click.option("--images-per-week", metavar="NUMBER", help=f"{NUMBER} Needed for images.")
@click.option("--scope", metavar="NAME", help="Of the records: gpu or host. [default: their headline's]")
@click.option(
    "--host", metavar="FACTOR", help=f"Server over its cards, at scope gpu. {NUMBER} [default: host.gemini]"
)
@click.option(
    "--idle-share", metavar="SHARE", help=f"Of the energy, nothing asked. {NUMBER} [default: idle.gemini]"
)
@click.option("--utilisation", metavar="SHARE", help=f"Of a card's time. {NUMBER} [default: utilisation.wu]")
@click.option(
    "--pue", metavar="NUMBER", help=f"Data centre's overhead. {NUMBER} [default: pue.industry.2025]"
)
@click.option(
    "--card-power",
    metavar="WATTS",
    help="Of a card at work. [default: the record's, else cards are left out]",
)
@click.option(
    "--capacity", metavar="GW", help=f"To set the power beside. {NUMBER} [default: capacity.world.2024]"
)
@options.grid_option
@written_form.options("json")
@options.results_option
@options.debug_option
def command(
    names: tuple[str, ...],
    tokens_per_week: str | None,
    images_per_week: str | None,
    scope: str | None,
    grid: str | None,
    as_json: bool,
    results: Path,
    **stated: str | None,
) -> int:
    """Project joules to a deployment: power, cards, MWh and t CO2e a year, share of a data-centre capacity.

    RECORD is a file, a folder, REVISION:PATH, a run's id, latest, or - for standard input; ID a published
    figure in joules per token or image, such as mlenergy3.chat.H100.meta-llama__Llama-3.1-8B-Instruct. Each
    is a deployment of its own.
    """
    weekly = {
        "token": assumed("--tokens-per-week", tokens_per_week, "tokens/week", "service.aggregator.tokens")
    }
    if images_per_week is not None:
        weekly["image"] = assumed("--images-per-week", images_per_week, "images/week", "")
    found: list[Projection] = []
    for rate in _scalable(names, results, scope):
        if rate.made not in weekly:
            raise UsageError(f"{rate.source}: how many images a week?", "State --images-per-week NUMBER.")
        chains = project(rate, weekly[rate.made], _assumptions(stated, grid, rate))
        found.append(Projection(rate, chains))
    volumes = {"tokens_per_week": tokens_per_week, "images_per_week": images_per_week}
    _refuse_without_effect(stated | volumes, found)
    if as_json:
        click.echo(json_document.text(document(found)))
    else:
        written_form.show(sections(found))
    return 0


def _scalable(names: tuple[str, ...], results: Path, scope: str | None) -> Iterable[EnergyRate]:
    """Joules per token or image of every name; none is left out without a word."""
    for name, made in named_rates(names, results, scope).items():
        kept = [rate for rate in made if rate.made in SCALABLE]
        if not kept:
            raise UsageError(
                f"{name}: no joules per token or image.",
                "Name a record of images, or one of text that counts its tokens.",
            )
        yield from kept


def _refuse_without_effect(given: dict[str, str | None], found: list[Projection]) -> None:
    """Refuse an option that no step of any case took up; --capacity and --grid always are."""
    scopes, made = {rate.scope for rate, _ in found}, {rate.made for rate, _ in found}
    counted = any("cards" in chains for _, chains in found)
    whole = scopes == {"facility"}, "every case here is of scope facility"
    cards = not counted, "cards are counted at scope gpu alone, where a card's power is known"
    options_of = {
        "tokens_per_week": ("token" not in made, "no case here is of tokens"),
        "images_per_week": ("image" not in made, "no case here is of images"),
        "host": ("gpu" not in scopes, "no case here is of scope gpu"),
        "idle_share": whole,
        "pue": whole,
        "utilisation": cards,
        "card_power": cards,
    }
    for name, (without_effect, why) in options_of.items():
        if without_effect and given[name] is not None:
            raise UsageError(f"--{name.replace('_', '-')} changes nothing: {why}.", "Leave it out.")


def _assumptions(stated: dict[str, str | None], grid: str | None, rate: EnergyRate) -> ProjectionAssumptions:
    power = None if rate.card_w is None else str(rate.card_w)
    card = stated["card_power"] or power
    return ProjectionAssumptions(
        host=assumed("--host", stated["host"], "1", "host.gemini"),
        idle=assumed("--idle-share", stated["idle_share"], "1", "idle.gemini"),
        utilisation=assumed("--utilisation", stated["utilisation"], "1", "utilisation.wu"),
        pue=assumed("--pue", stated["pue"], "1", "pue.industry.2025"),
        grid=choose(grid),
        capacity=assumed("--capacity", stated["capacity"], "GW", "capacity.world.2024"),
        card_power=None if card is None else assumed("--card-power", card, "W", ""),
    )
