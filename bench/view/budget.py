"""The uncertainty of a record's headline, input by input: for `show --budget`, and for a case of the page."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bench.core.budget import Autocorrelation, Budget, BudgetInput, Uncertainty
from bench.core.measurement import Measurement
from bench.view.content import Cell, Section, Table, Written, columns, table
from bench.view.numbers import NOT_KNOWN, digits, plain, rounded

RESULTS = (("same_card", "same card, like power"), ("absolute", "absolute"))
LEGEND = (
    "u: standard uncertainty of the input. c: sensitivity, joules per unit of output for each of the input's "
    "unit. |c|u: its share of the figure. dof: degrees of freedom. in: the results it enters, s same card, "
    "a absolute. *: assumed, not observed or specified. k: coverage factor."
)


def sections(record: Measurement, found: Uncertainty) -> Iterator[Section | str]:
    """Sections for gross and net; a source common to both is given once."""
    unit, said = record.unit, set[str]()
    for which in ("gross", "net"):
        budget: Budget | None = getattr(found, which)
        if budget is None:
            yield f"No budget for {which} J per {unit}: {found.absent.get(which, 'not known')}."
            continue
        title = f"{which.capitalize()} J per {unit}, scope {found.scope}: {plain(budget.value, 4)}"
        inputs, results = tables(budget, unit, said)
        yield Section(title, (inputs, "", results, *_remarks(budget, unit)))
        said |= {line.source for line in budget.inputs}
    if said:
        yield Section("", (LEGEND,))


def tables(budget: Budget, unit: str, said: set[str] | None = None) -> tuple[Table, Table]:
    """Tables of the inputs, without sources in `said`, and of the results."""
    each = f"J/{unit[:16]}"
    heads = columns(
        "input",
        "type",
        "distribution",
        "#u",
        "#c",
        f"#|c|u, {each}",
        "#%",
        "#dof",
        "in",
        "source",
        aside=("source",),
    )
    inputs = (_input(line, said or set()) for line in budget.inputs)
    heads_of_results = columns("95 %", f"#{each}", "#from", "#to", "#±", "#k", "#dof")
    return (
        table(heads, inputs, "", "budget"),
        table(heads_of_results, (_result(budget, key, name) for key, name in RESULTS), "", "expanded"),
    )


def _input(line: BudgetInput, said: set[str]) -> tuple[Cell, ...]:
    text = f"{line.source}." if line.source not in said else ""
    if line.reason and not line.enters:
        text = f"{text} Not in the results: {line.reason}.".lstrip()
    return (
        f"{line.name}{' *' if line.assumed else ''}",
        line.type,
        line.distribution,
        Written(_with_unit(line.standard_uncertainty, line.unit), line.standard_uncertainty),
        line.sensitivity,
        line.contribution_j,
        None if line.relative is None else Written(f"{line.relative * 100:.2f}", line.relative * 100),
        None if line.contribution_j is None else _dof(line.dof),
        "".join(result[0] for result, _ in RESULTS if result in line.enters) or None,
        text,
    )


def _with_unit(value: float | None, unit: str) -> str:
    """`0.289 tick`, `2.89 %` for a relative one, or a dash."""
    if value is None:
        return NOT_KNOWN
    return f"{digits(value * 100)} %" if unit == "1" else f"{digits(value)} {unit}"


def _result(budget: Budget, key: str, name: str) -> tuple[Cell, ...]:
    found = budget.same_card if key == "same_card" else budget.absolute
    if found is None:
        return (name, *[None] * 6)
    half = found.relative_half_width
    width = None if half is None else Written(f"±{digits(half * 100, 2)} %", half * 100)
    texts = rounded(found.value, found.low, found.high)[:3]
    ends = [Written(*each) for each in zip(texts, (found.value, found.low, found.high), strict=True)]
    return (name, *ends, width, found.coverage_factor, _dof(found.dof))


def _remarks(budget: Budget, unit: str) -> Iterator[str]:
    if budget.correction_j is not None:
        shift = f"{budget.correction_j / budget.value:+.2%}, " if budget.value else ""
        yield (
            f"corrected in absolute alone: {shift}{budget.correction_j:+.3g} J per {unit}, because the card "
            "was calibrated"
        )
    yield from (
        f"No result for {name}: {budget.absent[key]}." for key, name in RESULTS if key in budget.absent
    )
    yield _lag1(budget.lag1)


def _dof(dof: float | None) -> Cell:
    """Degrees of freedom, rounded down; `∞` if infinite, or from 10,000 on."""
    if dof is None or dof >= 1e4:
        return Written("∞")
    return Written(str(math.floor(dof * 10) / 10).removesuffix(".0"), dof)


def _lag1(found: Autocorrelation) -> str:
    if found.value is None:
        return f"lag-1 autocorrelation: {NOT_KNOWN} ({found.reason})"
    used = found.reason or f"run to run is widened by {found.widened_by:.2f}"
    limit = "" if found.limit is None else f", limit ±{found.limit:.2f}"
    return f"lag-1 autocorrelation of {found.n} blocks: {found.value:+.2f}{limit} ({used})"
