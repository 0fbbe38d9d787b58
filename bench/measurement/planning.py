"""Plan of a run: the cases of a catalogue to measure on this machine.

placement = place(drivers, None, "auto")
names = [default_suite(catalogue, drivers, placement, note)]
cases = fitting(plan(catalogue, names, Overrides()), placement, note, catalogue)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.catalog.cases import Case, Overrides, Planned, plan
from bench.catalog.loading import unknown
from bench.catalog.models import Catalogue
from bench.errors import PrerequisiteError, UsageError
from bench.machine.placement import Placement, hidden_cards
from bench.measurement.fitting import why_not
from bench.meters.gpus import GpuDrivers

SEE = "`python -m bench list` shows what fits."


def note_hidden_cards(drivers: GpuDrivers, placement: Placement, note: Callable[[str], None]) -> None:
    """Say which cards CUDA_VISIBLE_DEVICES keeps from a run that named none."""
    if not placement.named and (hidden := hidden_cards(drivers)):
        effect = "The work runs on the CPU, because " if placement.device == "cpu" else ""
        note(f"{effect}{hidden}.")


def default_suite(
    catalogue: Catalogue, drivers: GpuDrivers, placement: Placement, note: Callable[[str], None]
) -> str:
    """The suite that is measured where none is named, noted with the reason. Raises UsageError."""
    suite = "paper" if placement.device == "cuda" else "smoke"
    why = f"the work runs on {placement.visible[0].name}" if placement.visible else "the work runs on the CPU"
    if drivers.absent:
        why = f"this machine has no {drivers.vendors} GPU ({drivers.absent})"
    note(f"Suite `{suite}`, because {why}. `python -m bench list` shows the others.")
    if suite not in catalogue.suites:
        raise unknown("suite", suite, catalogue.suites)
    return suite


def fitting(
    planned: Sequence[Planned],
    placement: Placement,
    note: Callable[[str], None],
    catalogue: Catalogue,
    times: int = 1,
) -> list[Planned]:
    """The cases that fit, loaded `times` times at once.

    One named by itself must fit; one of a suite is left out with a note. Raises PrerequisiteError.
    """
    kept = []
    for item in planned:
        reason = why_not(item.case, placement, times)
        if reason is None:
            kept.append(item)
        elif item.case.suite is None:
            way_out = _way_out(item.case, catalogue, placement, times)
            raise PrerequisiteError(f"{item.case.label} does not fit: it {reason}.", way_out)
        else:
            note(f"Left out: {item.case.label}, because it {reason}.")
    if not kept:
        raise PrerequisiteError("None of the chosen cases fits this machine.", SEE)
    return kept


def why_not_by_default(catalogue: Catalogue, name: str, placement: Placement) -> str | None:
    """Reason why a model cannot run here as the catalogue has it, or `None`.

    `list` shows it, and a refusal of the same model refers to it.
    """
    try:
        (planned,) = plan(catalogue, [name], Overrides())
        return why_not(planned.case, placement)
    except UsageError as error:  # an option that only the command line gives, or a producer that is not here
        return str(error)


def _way_out(case: Case, catalogue: Catalogue, placement: Placement, times: int) -> str:
    """A batch that fits, the case as the catalogue has it, or the list, which then shows why it cannot."""
    batch = case.batch
    while batch > 1:
        batch //= 2
        if why_not(case.with_batch(batch), placement, times) is None:
            return f"Use --batch {batch}."
    if times == 1 and why_not_by_default(catalogue, case.name, placement) is None:
        return f"{case.name} fits as models.yaml has it: leave out the options that differ."
    return SEE
