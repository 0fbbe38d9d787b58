"""Checks of a scenario's statements before it is computed: units, scopes, parts that are whole.

    scenario = build(find("tomlinson2024"))

Every mistake is a CatalogError with its file and line, or its option.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from bench.core.near_names import nearest
from bench.errors import BenchError, CatalogError
from bench.footprint.chain import MACHINE_SCOPES
from bench.footprint.scenarios.draft import OPTIONAL, ScenarioDraft, part_of
from bench.footprint.scenarios.inputs import StatedNumbers, figure, resolve, state
from bench.footprint.scenarios.model import PARAMETERS
from bench.footprint.scenarios.scenario import Scenario
from bench.footprint.scenarios.units import answer_of

METHODS = {
    "top-down": frozenset({"person.footprint", "person.hours"}),
    "equipment": frozenset({"person.power", "person.grid"}),
}
"""Ways to count the person, by deciding inputs: different questions; their answers are not added."""

NEEDED = ("person.work", "model.energy", "model.grid", "model.prompts")

OUTSIDE: dict[str, tuple[str, ...]] = {
    "gpu": ("model.host", "model.pue"),
    **dict.fromkeys(MACHINE_SCOPES, ("model.pue",)),
    "facility": (),
    "unknown": (),
}
"""Scopes of energy at work, and the inputs that bring in what each leaves out. No other input may: it could
count twice."""

IDLE_MAY_BE_INSIDE = ("facility", "unknown")
"""Scopes at which a source may have allocated the energy of idle machines."""

Found = TypeVar("Found")


def build(draft: ScenarioDraft) -> Scenario:
    """The scenario, checked. Raises CatalogError."""
    name, text, made, leaves_out, _ = draft.about
    for key in NEEDED:
        if key not in draft.entries:
            raise CatalogError(f"{name}: `{key}` is missing: {PARAMETERS[key].about}.")
    energy = _at(draft, "model.energy", partial(state, draft.entries["model.energy"]))
    answer = _at(draft, "model.energy", partial(answer_of, energy.unit, made))
    _check_scope(draft, energy.scope)
    _check_idle(draft, energy)
    _check_device(draft, energy)
    _check_answers(draft, answer)
    _check_parts(draft)
    _check_grids(draft)
    inputs = {
        key: _at(draft, key, partial(resolve, key, draft.entries[key], made, answer))
        for key in PARAMETERS
        if key in draft.entries
    }
    counted = set(map(part_of, inputs))
    absent = tuple(part for part in OPTIONAL if part not in counted)
    said = (*leaves_out, *draft.caveats())
    return Scenario(name, text, made, _method(draft), str(energy.scope), inputs, absent, said)


def _at(draft: ScenarioDraft, key: str, work: Callable[[], Found]) -> Found:
    """Result of `work`; its mistakes with their place."""
    try:
        return work()
    except BenchError as error:
        raise CatalogError(f"{draft.places[key]}: {key}: {error.message}", error.remedy) from error


def _method(draft: ScenarioDraft) -> str:
    stated = frozenset(draft.entries) & frozenset().union(*METHODS.values())
    for name, keys in METHODS.items():
        if stated == keys:
            return name
    ways = " or by ".join(" and ".join(sorted(keys, reverse=True)) for keys in METHODS.values())
    found = ", ".join(sorted(stated)) or "neither"
    raise CatalogError(
        f"{draft.about.name}: a person is counted by {ways}; here is {found}.", "Methods are never mixed."
    )


def _check_scope(draft: ScenarioDraft, scope: str | None) -> None:
    """Notes on what the energy leaves out, and on nothing that it may include already."""
    place = draft.places["model.energy"]
    if scope is None or scope not in OUTSIDE:
        found = "states no `scope`" if scope is None else f"is of scope `{scope}`"
        raise CatalogError(
            f"{place}: model.energy {found}; one of {', '.join(OUTSIDE)} belongs here.",
            nearest(scope, OUTSIDE) if scope else None,
        )
    for key in ("model.host", "model.pue"):
        needed, stated = key in OUTSIDE[scope], key in draft.entries
        about = PARAMETERS[key].about
        if needed and not stated:
            raise CatalogError(
                f"{place}: energy of scope `{scope}` needs `{key}` ({about}).",
                f"--set {key}=1 leaves it out, knowingly.",
            )
        if stated and not needed:
            raise CatalogError(
                f"{draft.places[key]}: energy of scope `{scope}` may include `{key}` already ({about}).",
                f"It is applied once: take it out (--set {key}=none).",
            )


def _check_idle(draft: ScenarioDraft, energy: StatedNumbers) -> None:
    """The empty machine is counted once: by `idle.share`, or in the energy itself."""
    if "idle.share" not in draft.entries:
        return
    if energy.idle_inside:
        seen = f"the energy of {', '.join(energy.ids)} includes the empty machine's already"
    elif energy.scope in IDLE_MAY_BE_INSIDE:
        seen = f"energy of scope `{energy.scope}` may include the empty machine's already"
    else:
        return
    raise CatalogError(
        f"{draft.places['idle.share']}: {seen}.", "It is applied once: take `idle` out (--set idle=none)."
    )


def _check_device(draft: ScenarioDraft, energy: StatedNumbers) -> None:
    """The time of a device is its energy over its own power, not a server's energy over a card's power."""
    key = "embodied.power"
    if key not in draft.entries:
        return
    power = _at(draft, key, partial(state, draft.entries[key]))
    if power.scope not in (None, energy.scope):
        raise CatalogError(
            f"{draft.places[key]}: power of scope `{power.scope}` gives no time from energy of scope "
            f"`{energy.scope}`.",
            "State power of that scope, or leave the part out (--set embodied=none).",
        )


def _check_answers(draft: ScenarioDraft, answer: str) -> None:
    made, key, place = draft.about.unit, "model.answers", draft.places["model.energy"]
    if answer == made and key in draft.entries:
        raise CatalogError(f"{place}: its energy is that of a {made} already.", f"Take `{key}` out.")
    if answer != made and key not in draft.entries:
        raise CatalogError(
            f"{place}: its energy is that of one {answer}: `{key}` is missing.", f"Such as 2 {answer}/{made}."
        )


def _check_grids(draft: ScenarioDraft) -> None:
    """Refuse grid factors of several kinds: one side by life cycle, the other at the stacks."""
    kinds: dict[str, str] = {}
    for key in (key for key in draft.entries if key.endswith(".grid")):
        for name in _at(draft, key, partial(state, draft.entries[key])).ids:
            kind = getattr(figure(name), "kind", None)
            if kind not in (None, "unknown"):
                kinds[key] = str(kind)
    if len(set(kinds.values())) > 1:
        seen = " and ".join(f"{key} of {kind}" for key, kind in kinds.items())
        raise CatalogError(
            f"{draft.places[list(kinds)[-1]]}: grid factors of several kinds: {seen}.",
            "Take both of one kind: they differ by what they count, not by the electricity.",
        )


def _check_parts(draft: ScenarioDraft) -> None:
    for part in OPTIONAL:
        keys = [key for key in PARAMETERS if part_of(key) == part]
        stated = [key for key in keys if key in draft.entries]
        missing = [key for key in keys if key not in stated]
        if stated and missing:
            raise CatalogError(
                f"{draft.places[stated[0]]}: `{part}` is counted whole: `{missing[0]}` is missing "
                f"({PARAMETERS[missing[0]].about}).",
                f"Or leave the part out: --set {part}=none.",
            )
