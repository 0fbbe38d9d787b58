"""`python -m bench calibrate`: how this machine's cards measure themselves, found with a generated load."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import options, reference_options, written_form
from bench.cli.notes import Notes
from bench.cli.signals import end_like_ctrl_c
from bench.view import calibration as view

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
    callback=reference_options.parse_joules,
    metavar="LIST",
    help="What your meter counted in the stretches of the last such run: idle,middle,high, or their sum.",
)
@click.option(
    "--reference-error",
    callback=options.parse_fraction,
    metavar="FRACTION",
    help=f"How far your meter and its reading may be off. [default: {reference_options.ERROR:.0%}]",
)
@click.option(
    "--supply-efficiency",
    type=options.Finite(min=0.3, max=1),
    help="Your meter is at the wall, behind a power supply of this efficiency, such as 0.92.",
)
@written_form.options("json")
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
) -> int:
    """Characterise a card's sensor, about two minutes a card; no setting is changed.

    Without --gpus: the card that a run would use. With --reference-joules nothing is loaded: the numbers
    complete what the last run with --reference-seconds began.
    """
    from bench.measurement.calibration_plan import CalibrationPlan, calibrate_command
    from bench.measurement.context import RunContext
    from bench.measurement.reference_plan import ReferencePlan
    from bench.measurement.run import run
    from bench.store.results import to_json

    end_like_ctrl_c()
    context = RunContext(results, Notes())
    reference = reference_options.reading_of(reference_joules, reference_error, supply_efficiency)
    if reference is not None:
        reference_options.refuse_load(
            {"--reference-seconds": reference_seconds, "--load-seconds": load_seconds}
        )
        calibrated = [run(ReferencePlan(reference, gpus), context)]
    else:
        calibrated = run(CalibrationPlan(load_seconds or LOAD_S, gpus, reference_seconds), context)
    if as_json:
        click.echo("".join(to_json(card.calibration) for card in calibrated), nl=False)
        return 0
    for index, found, path in calibrated:
        then = calibrate_command(results, index, "--reference-joules IDLE,MIDDLE,HIGH")
        written_form.show(view.sections(found, then))
        click.echo(path)
    return 0
