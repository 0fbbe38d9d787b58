"""Cases measured side by side: each in a thread of its own, with its own worker, cards and meters.

    outcome = SideBySide(session).run(planned)

Threads share the recorder and the folder of results. A case's worker is started and ended by the case's
thread, so it never outlives it. Events of cases reach the listener one at a time, with the case's number.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.catalog.cases import Planned
from bench.core.record import Record
from bench.core.side_by_side import CaseBeside
from bench.machine.placement import on_cards
from bench.measurement.context import BlockDone, RunContext, RunListener, StopSignal
from bench.measurement.lanes import in_order, startable
from bench.measurement.outcome import RunOutcome
from bench.measurement.recovery import recover
from bench.measurement.session import Session
from bench.measurement.shared_host import CasesUnderWay
from bench.meters.gpu import Gpu
from bench.meters.recorder import Recorder

LOOK_S = 0.2
"""Interval of looks at the stop signal while cases run."""


@dataclass(frozen=True)
class _Stop:
    """Set where the whole run is to end, or these cases."""

    whole: StopSignal
    own: threading.Event = field(default_factory=threading.Event)

    def is_set(self) -> bool:
        return self.own.is_set() or self.whole.is_set()

    def wait(self, timeout: float) -> bool:
        return self.own.wait(timeout) or self.whole.is_set()


class _CaseListener:
    """The run's listener as one of several cases has it: one event at a time, with the case's number."""

    def __init__(self, listener: RunListener, lock: threading.RLock, place: str) -> None:
        self._listener, self._lock, self._place = listener, lock, place

    def follow(self, recorder: Recorder, gpus: Sequence[Gpu]) -> None:
        """The run follows all cards already."""

    def case_begins(self, label: str, number: int, total: int) -> None:
        with self._lock:
            self._listener.case_begins(label, number, total)

    def note(self, text: str) -> None:
        with self._lock:
            self._listener.note(f"{self._place} {text}")

    def stage(self, text: str) -> None:
        with self._lock:
            self._listener.stage(f"{self._place} {text}")

    def meanwhile(self) -> None:
        if self._lock.acquire(blocking=False):  # another case's redraw does as well
            try:
                self._listener.meanwhile()
            finally:
                self._lock.release()

    def block_done(self, done: BlockDone) -> None:
        with self._lock:
            self._listener.block_done(replace(done, place=self._place))

    def case_done(self, record: Record, path: Path) -> None:
        with self._lock:
            self._listener.case_done(record, path)


class SideBySide:
    """The cases of one run, as many at a time as there are cards for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._setup = session.setup
        self._under_way = CasesUnderWay()
        self._stop = _Stop(self._setup.context.stop)
        self._lock = threading.RLock()
        self._ended: queue.Queue[tuple[tuple[Gpu, ...], RunOutcome, BaseException | None]] = queue.Queue()
        self._fault: BaseException | None = None
        self.outcome = session.outcome

    def run(self, planned: Sequence[Planned]) -> RunOutcome:
        """Measure every case. Raises nothing a user can cause."""
        recover(self._session.folder, self._setup.note)
        pool = self._setup.placement.cards
        waiting, free, running, begun = list(range(len(planned))), list(pool), 0, 0
        while running or (waiting and not self._stop.is_set()):
            try:
                while not self._stop.is_set() and (found := startable(waiting, planned, free, pool)):
                    at, cards = found
                    waiting.remove(at)
                    free = [gpu for gpu in free if gpu not in cards]
                    running, begun = running + 1, begun + 1
                    self._start(planned[at], cards, begun, len(planned))
                if (cards_back := self._next_end()) is not None:
                    running -= 1
                    free = in_order([*free, *cards_back], pool)
            except KeyboardInterrupt:
                self._stop.own.set()
        self.outcome.interrupted |= self._stop.is_set() and self._fault is None
        if self._fault is not None:
            raise self._fault
        return self.outcome

    def _start(self, item: Planned, cards: tuple[Gpu, ...], number: int, total: int) -> None:
        case = threading.Thread(target=self._measure, args=(item, cards, number, total), name=item.case.label)
        case.start()

    def _measure(self, item: Planned, cards: tuple[Gpu, ...], number: int, total: int) -> None:
        """One case, in its own thread."""
        outcome, fault = RunOutcome(), None
        own = self._under_way.begin(item.case, cards)
        try:
            listener = _CaseListener(self._setup.context.listener, self._lock, f"[{number}/{total}]")
            context: RunContext[RunListener] = RunContext(self._setup.context.results, listener, self._stop)
            beside = self._beside(own)
            setup = replace(self._setup, context=context, placement=on_cards(cards), beside=beside)
            session = self._session.another(setup)
            outcome = session.outcome
            session.measure(item, number, total)
        except BaseException as error:  # noqa: BLE001 - a fault of this program, raised again by the run's thread
            fault = error
        finally:
            self._under_way.end(own)
            self._ended.put((cards, outcome, fault))

    def _beside(self, own: int) -> Callable[[], list[CaseBeside]]:
        return lambda: self._under_way.beside(own)

    def _next_end(self) -> tuple[Gpu, ...] | None:
        """The cards of a case that has ended; `None` where none has for a while."""
        try:
            cards, outcome, fault = self._ended.get(timeout=LOOK_S)
        except queue.Empty:
            return None
        self.outcome.records += outcome.records
        self.outcome.traces += outcome.traces
        self.outcome.interrupted |= outcome.interrupted
        if fault is not None:
            self._fault = fault
            self._stop.own.set()
        return cards
