"""Record of a case, built from its state: whole, failed, or in progress.

    built = record(planned, state, carbon, facts)                  # after each block, and at the end
    failed = record(planned, state, carbon, facts, failure)        # keeps every block measured until then

One function builds all three, so that a crash loses no block and a figure is derived in one way. Fewer valid
blocks than asked for make a record invalid. An interrupt does not, once there are enough of them; nor does an
idle power that differs before and after, which is a reason beside the figure.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Literal

from bench.catalog.cases import Planned
from bench.core.block import Block, Idle
from bench.core.domain import Domain
from bench.core.energy import complete_sum
from bench.core.figures import Carbon
from bench.core.machine import Machine
from bench.core.provenance import Provenance
from bench.core.record import Record
from bench.core.recorded import Failure, RecordedCase, RecordedEngine, RequestedCase
from bench.core.repetition import StopInfo
from bench.core.secrets import masked
from bench.core.side_by_side import SideBySide
from bench.errors import BenchError, EngineError
from bench.measurement import stopping
from bench.measurement.blocks import with_net
from bench.measurement.case_state import CaseState
from bench.measurement.cases_beside import CasesBeside
from bench.measurement.idle import combine
from bench.measurement.node_metering import machine_of
from bench.stats import pairs, token_figures, uncertainty
from bench.stats.figures import counting, derive
from bench.stats.neighbours import neighbour_figures
from bench.stats.served import served_figures

IDLE_DRIFT_LIMIT = 0.05
"""Largest difference between idle before and after, as a share of the domain's mean power in the blocks."""

UNEVEN_LIMIT = 0.05
"""Largest share of the blocks' time in which not all replicas work."""


@dataclass(frozen=True)
class CaseFacts:
    """Facts about a case as it began."""

    created: str
    run_id: str
    machine: Machine
    provenance: Provenance
    requested: RequestedCase | None = None
    side_by_side: CasesBeside | None = None


def record(
    planned: Planned,
    progress: CaseState,
    carbon: Carbon,
    facts: CaseFacts,
    failure: BaseException | None = None,
) -> Record:
    """The record of a case, from what was known as it began and what was seen since."""
    idle = combine(progress.before, progress.after)
    idle_w = {domain: seen.power_w for domain, seen in idle.items() if seen.power_w is not None}
    blocks = [with_net(block, idle_w) for block in progress.blocks]
    measured = [block for block in blocks if not block.warmup]
    status, reasons = _status(planned, measured, failure)
    reasons += _idle_drift(idle, measured)
    result = Record(
        status=status,
        reasons=reasons,
        label=progress.case.label,
        created=facts.created,
        run_id=facts.run_id,
        case=RecordedCase.model_validate(progress.case.as_mapping()),
        requested=facts.requested,
        engine=_engine(progress),
        loading=progress.loading,
        start=progress.start,
        pair=progress.pair,
        side_by_side=_beside(facts.side_by_side, measured),
        blocks=blocks,
        idle=idle,
        figures=derive(blocks, carbon, per_token=progress.case.modality.per_token),
        carbon=carbon,
        ended=_ended(planned, progress, measured, failure),
        failure=_failure(progress, failure) if status == "failed" else None,
        machine=_metered(facts.machine, progress),
        provenance=facts.provenance,
        absent=progress.absent,
        outputs=[str(path) for path in progress.outputs],
        sweep=planned.sweep,
    )
    result.figures.uncertainty = uncertainty.of(result)
    result.figures.tokens = token_figures.of(result)
    result.figures.served = served_figures(blocks, result.machine.roles)
    result.figures.neighbours = neighbour_figures(blocks)
    result.reasons += [*_nodes_unread(result), *_uneven_replicas(result)]
    return result


def _beside(others: CasesBeside | None, measured: list[Block]) -> SideBySide | None:
    """The other cases that were at work during these blocks, as known now."""
    return None if others is None else others.during([(block.start_ns, block.end_ns) for block in measured])


def _metered(machine: Machine, progress: CaseState) -> Machine:
    """The machine with the cards that were metered, and what read the other domains."""
    if progress.nodes is not None:
        return machine_of(progress.nodes)
    metered = machine.model_copy()
    metered.metered = [gpu.uuid for gpu in progress.gpus]
    if progress.energy_sources:
        metered.energy_sources = progress.energy_sources
    return metered


def _status(
    planned: Planned, measured: list[Block], failure: BaseException | None
) -> tuple[Literal["ok", "invalid", "failed"], list[str]]:
    valid = [block for block in measured if block.valid]
    floor = planned.measure.min_blocks or 0
    # An interrupt takes nothing from blocks that are complete: with enough of them the figure is valid.
    complete = isinstance(failure, KeyboardInterrupt) and len(valid) >= max(1, floor)
    if failure is not None and not complete:
        return "failed", [_sentence(failure)]
    reasons = sorted({reason for block in measured for reason in block.reasons})
    if len(valid) < floor:
        return "invalid", [f"{len(valid)} of {len(measured)} blocks are valid, {floor} are needed.", *reasons]
    return "ok", reasons


def _idle_drift(idle: dict[str, Idle], measured: list[Block]) -> list[str]:
    """Warning if idle power changed so much between both looks that net joules mean little."""
    warnings, used = [], counting(measured)
    for domain, seen in idle.items():
        joules = complete_sum(block.energy[domain].gross_j for block in used if domain in block.energy)
        seconds = sum(block.work_s for block in used if domain in block.energy)
        if seen.before is None or seen.after is None or joules is None:
            continue
        if abs(seen.after - seen.before) > IDLE_DRIFT_LIMIT * joules / seconds:
            warnings.append(
                f"idle drifted: {domain} went from {seen.before:.3g} to {seen.after:.3g} W, so net joules of "
                f"scope {Domain.parse(domain).scope} mean little. Leave the machine alone while it measures."
            )
    return warnings


def _nodes_unread(result: Record) -> list[str]:
    """Reason, node by node, why the joules of the whole server are absent."""
    used = counting(result.blocks)
    unread: dict[str, list[str]] = {}
    for block in used:
        for node in {e.node for e in block.energy.values() if e.node and e.gross_j is None}:
            reasons = (e.reason for e in block.energy.values() if e.node == node and e.gross_j is None)
            unread.setdefault(node, []).append(next(filter(None, reasons), "no reading"))
    return [
        f"{reasons[0]} ({node}, {len(reasons)} of {len(used)} blocks), so a sum over all nodes is absent. "
        "figures.served.per_node_j has those that were metered."
        for node, reasons in sorted(unread.items())
    ]


def _uneven_replicas(result: Record) -> list[str]:
    """Warning if not all replicas worked for much of the time: joules of waiting cards are in the figure."""
    used = counting(result.blocks)
    seen = [block.observed.replicas for block in used]
    shares = [each.uneven_share for each in seen if each and each.uneven_share is not None]
    if not shares or fmean(shares) <= UNEVEN_LIMIT:
        return []
    return [
        f"replicas uneven: in {fmean(shares):.0%} of the time not all of the {result.case.replicas} worked "
        f"(limit {UNEVEN_LIMIT:.0%}), so joules of waiting cards are in the figure. "
        "Let a block have more batches, with --block-seconds."
    ]


def _sentence(failure: BaseException) -> str:
    if isinstance(failure, KeyboardInterrupt):
        return "The run was interrupted."
    if isinstance(failure, BenchError):
        return masked(failure.message)
    return masked(f"{type(failure).__name__}: {failure}")


def _engine(progress: CaseState) -> RecordedEngine | None:
    if progress.ready is None:
        return None
    ready = asdict(progress.ready)
    ready["device_uuids"] = list(progress.ready.device_uuids)
    return RecordedEngine.model_validate(ready)


def _ended(
    planned: Planned, progress: CaseState, measured: list[Block], failure: BaseException | None
) -> StopInfo:
    by: Literal["target", "max_seconds", "failure", "interrupt"] = progress.ended_by or "failure"
    if failure is not None:
        by = "interrupt" if isinstance(failure, KeyboardInterrupt) else "failure"
    achieved = _achieved(progress, measured)
    return StopInfo(
        by=by,
        target=planned.measure.target or 0.0,
        max_seconds=planned.measure.max_seconds or 0.0,
        achieved=achieved,
        warmup_by=progress.warmup_by,
        quick=bool(planned.measure.quick),
        block=progress.block_length,
    )


def _achieved(progress: CaseState, measured: list[Block]) -> float | None:
    """The relative half width that the repeats came to: of a pair's ratio, else of the headline."""
    if progress.pair is None:
        return stopping.half_width(measured)
    ratio = progress.pair.ratio
    return ratio.relative_half_width if ratio and ratio.n >= pairs.LEAST else None


def _failure(progress: CaseState, failure: BaseException | None) -> Failure | None:
    if failure is None:
        return None
    if isinstance(failure, KeyboardInterrupt):
        return Failure(
            stage="interrupted", message=_sentence(failure), last_words=progress.last_words or None
        )
    stage = failure.stage if isinstance(failure, EngineError) else "measure"
    result = Failure(stage=stage, message=_sentence(failure))
    if isinstance(failure, BenchError) and failure.remedy:
        result.remedy = masked(failure.remedy)
    if isinstance(failure, EngineError):
        result.out_of_memory, result.missing = failure.out_of_memory, failure.missing
    if progress.last_words:
        result.last_words = progress.last_words
    return result


def relative_outputs(kept: Record, folder: Path) -> Record:
    """The record with its output files named relative to its folder, where they are below it."""
    names = []
    for name in kept.outputs:
        path = Path(name)
        names.append(str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path))
    return kept.model_copy(update={"outputs": names})
