"""Cases side by side: each in a process of its own, on cards that no other case has meanwhile.

    outcome = measured_side_by_side(plan, instruments, context)        # `bench run --parallel`

A process calls `run` with a plan of one case, so the case is measured by the same procedure as alone. This
process has the locks of cards and folder, gives each case its cards, and shows what the others report. What
all cases share, the host, is metered for none of them.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from bench.catalog.cases import Planned
from bench.errors import PrerequisiteError, UsageError
from bench.machine import cooling, provenance
from bench.machine.card_pool import CardPool
from bench.machine.host_memory import HostMemory, host_memory_bytes
from bench.machine.locks import lock_names
from bench.machine.placement import Placement, place
from bench.measurement.case_process import ENDINGS, CaseProcess
from bench.measurement.cases_beside import CasesBeside, CaseTimes
from bench.measurement.context import RunContext, RunListener
from bench.measurement.fitting import holding, host_bytes, why_not
from bench.measurement.forecast import forecast_side_by_side
from bench.measurement.instruments import Instruments
from bench.measurement.outcome import GivenUp, RunOutcome
from bench.measurement.preflight import require_software
from bench.measurement.recovery import recover
from bench.meters.gpu import Gpu
from bench.store import results

if TYPE_CHECKING:
    from bench.measurement.case_plan import CasePlan

LONGEST_INTERRUPT_S = 60.0
"""For how long cases at work are waited for after an interrupt, before their processes are killed."""
LOOK_S = 1.0
"""Interval of looks at the stop signal while no process reports."""


def measured_side_by_side(
    plan: CasePlan, instruments: Instruments, context: RunContext[RunListener]
) -> RunOutcome:
    """Measure the plan's cases on cards of their own. Raises BenchError where nothing can begin."""
    placement = place(instruments.drivers, plan.gpus, plan.device)
    require_cards(placement)
    plan.require_here(placement, instruments)
    require_software([item.case for item in plan.cases], placement)
    instruments.lock(lock_names(placement))  # for all cases: none is lost to another run between two
    folder = instruments.open_folder()
    recover(folder, context.listener.note)
    plan = replace(
        plan,
        run_id=plan.run_id or provenance.run_id(),
        parallel=False,
        skip="none",
        began_c=cooling.temperatures_c(placement.visible),
    )
    needed = [cards_needed(item, CardPool(placement)) for item in plan.cases]
    context.listener.note(
        forecast_side_by_side(plan.cases, needed, len(placement.visible)).sentence + ", side by side."
    )
    outcome = _SideBySideRun(plan, placement, context, needed).measured()
    for path in folder.recover():  # of processes that were killed
        outcome.records.append((results.read(path), path))
    return outcome


def require_cards(placement: Placement) -> None:
    """Raise UsageError where cases could not have cards of their own."""
    if placement.device == "cpu" or len(placement.visible) < 2:
        where = "the CPU" if placement.device == "cpu" else "one card"
        raise UsageError(
            f"--parallel gives each case cards of its own, and the work is on {where}.",
            "Name several cards with --gpus, or leave out --parallel.",
        )


def cards_needed(item: Planned, pool: CardPool) -> int:
    """The fewest cards of a pool that hold a case."""
    return pool.fewest(holding(item.case), item.case.replicas)


class _SideBySideRun:
    """Cases that wait, processes at work, and what came of those that ended."""

    def __init__(
        self,
        plan: CasePlan,
        placement: Placement,
        context: RunContext[RunListener],
        needed: Sequence[int],
    ) -> None:
        self._plan, self._placement, self._context = plan, placement, context
        self._pool = CardPool(placement)
        self._memory = HostMemory(host_memory_bytes())
        self._waits_for_memory = set[int]()
        self._times = CaseTimes(
            [item.case.label for item in plan.cases], [gpu.uuid for gpu in placement.visible]
        )
        self._waiting = dict(enumerate(plan.cases))
        self._needed = needed
        self._running: dict[Connection, CaseProcess] = {}
        self._outcomes: dict[int, RunOutcome] = {}
        self._given_up: dict[str, GivenUp] = {}

    def measured(self) -> RunOutcome:
        """Measure all cases; an interrupt ends those at work, as it ends a single one."""
        # Interrupted between two lines it would lose a process or a report: `_ready` alone heeds signals.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        try:
            interrupted = self._until_done()
        finally:
            for case in self._running.values():
                case.interrupt()
            for case in self._running.values():
                case.end()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        done = [self._outcomes[at] for at in sorted(self._outcomes)]
        return RunOutcome(
            records=[record for outcome in done for record in outcome.records],
            given_up=self._given_up,
            too_large={label: reason for outcome in done for label, reason in outcome.too_large.items()},
            interrupted=interrupted or any(outcome.interrupted for outcome in done),
            traces=[trace for outcome in done for trace in outcome.traces],
        )

    def _until_done(self) -> bool:
        """Run until no case waits or runs; whether that was by an interrupt."""
        interrupted_s: float | None = None
        while self._waiting or self._running:
            try:
                if interrupted_s is None:
                    self._context.check_stop()
                    self._start_what_fits()
                ready = self._ready()
            except KeyboardInterrupt:
                interrupted_s = time.monotonic()
                self._waiting.clear()
                for case in self._running.values():
                    case.interrupt()
                continue
            self._take_in(ready)
            if interrupted_s is not None and time.monotonic() - interrupted_s > LONGEST_INTERRUPT_S:
                break
        return interrupted_s is not None

    def _ready(self) -> list[Connection]:
        """Connections with a report, after a second at most. Raises KeyboardInterrupt."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        try:
            ready = wait(list(self._running), LOOK_S)
            return [connection for connection in self._running if connection in ready]
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)

    def _start_what_fits(self) -> None:
        """Start each waiting case, in order, whose cards are free; a smaller one may pass a larger one."""
        for at, item in list(self._waiting.items()):
            if not self._memory.takes(host_bytes(item.case)):
                self._say_that_it_waits(at, item)
                continue
            cards = self._pool.take(self._needed[at], holding(item.case))
            if cards is None:
                self._memory.give_back(host_bytes(item.case))
                continue
            del self._waiting[at]
            started = self._started(at, item, cards)
            self._running[started.connection] = started
        if not self._running:  # all cards are free, so these cases fit nowhere
            for item in self._waiting.values():
                reason = f"it {why_not(item.case, self._placement)}."
                self._give_up(item.case.label, GivenUp(reason, PrerequisiteError.exit_status))
            self._waiting.clear()

    def _say_that_it_waits(self, at: int, item: Planned) -> None:
        """Say once of a case that the host's memory, not its cards, keeps it waiting."""
        if at in self._waits_for_memory:
            return
        self._waits_for_memory.add(at)
        need_gb, taken_gb, total_gb = (
            of / 1e9 for of in (host_bytes(item.case), self._memory.taken_bytes, self._memory.total_bytes)
        )
        self._context.listener.note(
            f"{item.case.label} waits: it needs about {need_gb:.0f} GB of the host's memory, and the cases "
            f"at work about {taken_gb:.0f} of {total_gb:.0f} GB."
        )

    def _started(self, at: int, item: Planned, cards: tuple[Gpu, ...]) -> CaseProcess:
        others = tuple(gpu.uuid for gpu in self._placement.visible if gpu not in cards)
        plan = replace(
            self._plan.alone(item),
            gpus=",".join(gpu.uuid for gpu in cards),
            of_larger_run=True,
            side_by_side=CasesBeside(self._times, at, others)
            if len(self._plan.cases) > 1 and others
            else None,
        )
        named = ", ".join(str(gpu.index) for gpu in cards)
        place = f"[{at + 1}/{len(self._plan.cases)}]"
        self._context.listener.note(f"{place} {item.case.label} on GPU {named}")
        self._times.begins(at, cards)
        return CaseProcess(at, item.case.label, cards, plan, self._context.results)

    def _take_in(self, reports: Sequence[Connection]) -> None:
        """Show what processes report, and take in what has ended."""
        listener = self._context.listener
        for ready in reports:
            case = self._running[ready]
            listener.turn_to(case.label, case.at + 1, len(self._plan.cases))
            ended = case.report_to(listener)
            if ended is None:
                continue
            del self._running[ready]
            self._times.ends(case.at)
            self._pool.give_back(case.cards)
            self._memory.give_back(host_bytes(self._plan.cases[case.at].case))
            if isinstance(ended, RunOutcome):
                self._outcomes[case.at] = ended
            else:
                self._give_up(case.label, ended)

    def _give_up(self, label: str, case: GivenUp) -> None:
        self._given_up[label] = case
        self._context.listener.note(f"{label} was not measured: {case.reason}")
