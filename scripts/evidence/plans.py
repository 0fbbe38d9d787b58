"""Named plans: which parts a machine that is borrowed for minutes does, in which order.

    chosen(parts, "half-hour", ())          # the parts of a plan
    chosen(parts, None, ("sensor", "aa"))   # parts by name

`first` shows whether everything works; `half-hour` yields the figures that are worth most; `more` goes on
from there and ends with every part that is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.errors import UsageError
from scripts.evidence.parts import Part

ACCESS = "access"
PLANS: dict[str, tuple[str, ...]] = {
    "first": (ACCESS, "attention", "doctor", "sensor-short", "first-case"),
    "half-hour": (
        ACCESS,
        "sensor",
        "sdxl-round-1",
        "bloom-7b1-round-1",
        "sd3.5-medium-round-1",
        "beside",
        "flux.1-dev-round-1",
        "llama-3.1-8b-instruct-batch-32-round-1",
        "sdxl-round-2",
        "calibrate",
    ),
    "more": (
        ACCESS,
        "bloom-7b1-round-2",
        "bloom-7b1-static-cache-compile-compile-mode-default",
        "pixart-sigma-round-1",
        "cost",
        "aa",
        "ceilings",
    ),
}
"""Names of parts in order. `more` ends with all others."""
EVERYTHING = "more"


def chosen(parts: Sequence[Part], plan: str | None, names: Sequence[str]) -> tuple[Part, ...]:
    """The parts of a plan, or those with these names; without either, every plan one after the other.

    Raises UsageError for an unknown name, and for a plan and names at once.
    """
    if plan and names:
        raise UsageError("--plan and --parts exclude each other.", "Give one of them.")
    by_name = {part.name: part for part in parts}
    if names:
        unknown = [name for name in names if name not in by_name]
        if unknown:
            raise UsageError(
                f"{', '.join(unknown)}: unknown part.", "`scripts/gpu-evidence plan` lists the parts."
            )
        return tuple(by_name[name] for name in dict.fromkeys((ACCESS, *names)) if name in by_name)
    wanted = PLANS[plan] if plan else [name for own in PLANS.values() for name in own]
    ordered = [by_name[name] for name in dict.fromkeys(wanted) if name in by_name]
    if plan in (None, EVERYTHING):
        ordered += [part for part in parts if part.name not in wanted and part.name not in _planned_before()]
    return tuple(ordered)


def _planned_before() -> set[str]:
    """Parts of the plans before the last, which it does not repeat."""
    return {name for plan, names in PLANS.items() if plan != EVERYTHING for name in names}
