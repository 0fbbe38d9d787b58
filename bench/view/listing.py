"""Sections of `list`: suites and models, what fits this machine, and why the rest does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bench.machine.placement import counted
from bench.view.content import Cell, SectionPart, Table, columns, table

if TYPE_CHECKING:
    from bench.catalog.models import Suite
    from bench.measurement.listing import ListedModel, ModelListing

ASIDE = ("licence", "why not")
MODELS = columns("model", "makes", "#parameters", "#bf16", "weights", "fits", *ASIDE, aside=ASIDE)
SUITES = columns("suite", "#cases", "what it is")


def parts(found: ModelListing, suites: Mapping[str, Suite]) -> Iterator[SectionPart]:
    """The machine, a table of suites, a table of models, and the command that measures one."""
    yield f"Here: {machine(found)}"
    yield ""
    yield _suites(suites)
    yield ""
    yield table(MODELS, map(_cells, found.models))
    yield ""
    yield "Measure one with: python -m bench run NAME"


def machine(found: ModelListing) -> str:
    """The devices that work would use, and their memory."""
    memory = f"{found.memory_bytes / 1e9:.0f} GB"
    if found.device == "cuda":
        return f"{counted(found.visible)}, {memory}"
    metered = f", metering {', '.join(found.named)}" if found.named else ""
    why = f" ({found.no_cards})" if found.no_cards else ""
    return f"CPU, {memory} of memory{metered}{why}"


def weights(listed: ListedModel) -> list[str]:
    """Kinds of weights that a model can have: `hub`, `random`."""
    kinds = {"hub": listed.on_hub, "random": bool(listed.model.architecture or listed.model.parts)}
    return [kind for kind, has in kinds.items() if has]


def _suites(suites: Mapping[str, Suite]) -> Table:
    return table(SUITES, ((name, len(suite.cases), suite.doc) for name, suite in suites.items()))


def _cells(listed: ListedModel) -> tuple[Cell, ...]:
    model = listed.model
    return (
        listed.name,
        model.unit,
        f"{model.parameters_b:g} B",
        f"{model.memory_gb:g} GB",
        " ".join(weights(listed)),
        "yes" if listed.why_not is None else "no",
        f"{model.licence}, gated" if model.gated else model.licence,
        listed.why_not or "",
    )
