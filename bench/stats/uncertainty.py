"""Uncertainty of a headline: a budget in the sense of the GUM (JCGM 100:2008).

Pure arithmetic on a record: needs neither torch nor a GPU.

    found = of(record)
    found.gross.same_card     # against the same card at like power: without gain, offset, models
    found.gross.absolute      # against other cards and machines: with everything

Inside: what spoils joules per unit at the headline's scope, gross and net. Outside: whether other prompts
would cost more (these blocks repeat a fixed set), and any scope beyond the headline's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.core.block import Block
from bench.core.budget import Autocorrelation, Budget, BudgetInput, ComparedWith, Expanded, Uncertainty
from bench.core.domain import Domain
from bench.core.machine import Machine
from bench.core.measurement import Measurement
from bench.core.source import RAPL_GAIN, GainPrior
from bench.stats.budget import gains, gum
from bench.stats.budget.evidence import LARGEST, BudgetEvidence, is_number
from bench.stats.budget.inputs import INPUTS
from bench.stats.figures import CONFIDENCE, counting, summed


def of(record: Measurement) -> Uncertainty:
    """The budgets of a record's headline, from its blocks; `absent` has the reason for a missing one."""
    figures = record.figures
    scope = figures.headline_scope
    if scope is None:
        reason = figures.absent.get("energy_per_unit_j", "the record has no headline figure")
        return Uncertainty(absent={"gross": reason, "net": reason})
    figure = figures.energy_per_unit_j[scope]
    budgets: dict[str, Budget | None] = {}
    absent = {}
    for which in ("gross", "net"):
        found = _evidence(record, tuple(figure.domains), net=which == "net")
        budgets[which] = _budget(found) if isinstance(found, BudgetEvidence) else None
        if isinstance(found, str):
            absent[which] = figure.reason or found
    return Uncertainty(scope=scope, gross=budgets["gross"], net=budgets["net"], absent=absent)


def _evidence(record: Measurement, domains: tuple[str, ...], *, net: bool) -> BudgetEvidence | str:
    """Evidence of the budget, or the reason for its absence."""
    blocks = counting(record.blocks)
    gross_j, net_j = summed(blocks, domains, "gross_j"), summed(blocks, domains, "net_j")
    joules = net_j if net else gross_j
    if not blocks or not domains or gross_j is None or joules is None:
        return "a block lacks a reading"
    if not _can_be_reckoned_with(blocks, joules, record):
        return "the record has impossible numbers"
    return BudgetEvidence(
        blocks=tuple(blocks),
        domains=domains,
        values_j=tuple(total / (block.units or 1.0) for total, block in zip(joules, blocks, strict=True)),
        net=net,
        idle=record.idle,
        gpu_names=_gpu_names(record.machine),
        calibrations={Domain.gpu(uuid).text: kept for uuid, kept in record.machine.calibration.items()},
        gains=_gains(record.machine),
        card_sources=_card_sources(record.machine),
    )


def _can_be_reckoned_with(blocks: Sequence[Block], joules: Sequence[float], record: Measurement) -> bool:
    """Whether a file, which may have been edited, still describes a measurement."""
    idle = [watts for seen in record.idle.values() for watts in (seen.power_w, seen.before, seen.after)]
    energies = [
        joules
        for block in blocks
        for energy in block.energy.values()
        for joules in (
            energy.gross_j,
            energy.edge_u_j,
            energy.edge_common_u_j,
            energy.rests_j,
            energy.rests_u_j,
            energy.clock_u_j,
        )
    ]
    numbers = [*joules, *idle, *energies, *(block.units for block in blocks)]
    return all(block.work_s > 0 and (block.units or 0) > 1 / LARGEST for block in blocks) and all(
        number is None or is_number(number) for number in numbers
    )


def _gpu_names(machine: Machine) -> dict[str, str]:
    """The cards' names by domain, as far as the record has them."""
    return {Domain.gpu(gpu.uuid).text: gpu.name for gpu in machine.gpus if gpu.name}


def _gains(machine: Machine) -> dict[str, GainPrior]:
    """Gain errors of its energy sources, as the record has them; records once stored none."""
    read = {name: source.gain for name, source in machine.energy_sources.items()}
    return {"rapl": RAPL_GAIN} | {name: gain for name, gain in read.items() if gain is not None}


def _card_sources(machine: Machine) -> dict[str, str]:
    """The energy source of each domain, where the record names one."""
    return {domain: name for name, source in machine.energy_sources.items() for domain in source.domains}


def _budget(evidence: BudgetEvidence) -> Budget:
    inputs = [line for draw in INPUTS for line in draw(evidence)]
    absent: dict[str, str] = {}
    correction_j = gains.correction_j(evidence)
    same_card = _expanded(evidence.value_j, inputs, "same_card", absent)
    absolute = _expanded(evidence.value_j + (correction_j or 0.0), inputs, "absolute", absent)
    return Budget(
        value=evidence.value_j,
        n=evidence.n,
        correction_j=correction_j,
        inputs=inputs,
        same_card=same_card,
        absolute=absolute,
        lag1=_lag1(evidence.values_j),
        absent=absent,
    )


def _expanded(
    value_j: float, inputs: Sequence[BudgetInput], result: ComparedWith, absent: dict[str, str]
) -> Expanded | None:
    """All inputs of one result, added as squares, at 95 % coverage; `None` where one of them is not known."""
    terms = []
    for line in inputs:
        if result not in line.enters:
            continue
        if line.contribution_j is None:
            absent[result] = f"{line.name}: {line.reason}"
            return None
        terms.append(gum.Term(line.contribution_j, math.inf if line.dof is None else line.dof))
    combined, factor = gum.expansion(terms, CONFIDENCE)
    half = factor * combined.standard
    return Expanded(
        value=value_j,
        low=value_j - half,
        high=value_j + half,
        standard_uncertainty_j=combined.standard,
        coverage_factor=factor,
        dof=None if math.isinf(combined.dof) else combined.dof,
    )


def _lag1(values_j: Sequence[float]) -> Autocorrelation:
    n = len(values_j)
    found, widened = gum.lag1(values_j), 1.0
    reason = None
    if found is None:
        reason = "fewer than 3 blocks" if n < 3 else "all blocks are equal"
    elif (widened := gum.widening(found, n)) == 1.0:
        reason = "not significantly different from 0"
        if n < gum.NEEDED_FOR_WIDENING:
            reason = f"fewer than {gum.NEEDED_FOR_WIDENING} blocks"
        elif found < -2 / math.sqrt(n):
            reason = "negative: using it would narrow the interval"
    return Autocorrelation(value=found, n=n, limit=2 / math.sqrt(n), widened_by=widened, reason=reason)
