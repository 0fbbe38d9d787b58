"""A whole run: its cases one after the other, and a record for each.

What a case could not do is in its record; the rest go on. An interrupt keeps what is measured and ends the
run.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.catalog.cases import Planned
from bench.core.figures import Carbon
from bench.core.observed import StartConditions
from bench.core.record import Record
from bench.core.recorded import RequestedCase
from bench.errors import EngineError, RecordError
from bench.machine import cooling, provenance
from bench.measurement import build_record
from bench.measurement.build_record import CaseFacts
from bench.measurement.case_state import CaseState
from bench.measurement.fitting import cards_of_case
from bench.measurement.loaded_case import setting
from bench.measurement.outcome import RunOutcome
from bench.measurement.paired import PairedMeasurement, PairSide
from bench.measurement.procedure import measure_case
from bench.measurement.recovery import recover
from bench.measurement.save_trace import INTERRUPTED_MEANWHILE, with_trace, without_trace
from bench.measurement.setup import RunSetup
from bench.store.machine_folder import MachineFolder
from bench.worker.checkouts import Checkout

KEPT_EVERY = 50
"""Of n blocks n // 50 may be unsaved, and of less than 100 none. A record of 400 takes 0.4 s to write."""


class Session:
    """The cases of one run, measured into one machine's folder."""

    def __init__(
        self,
        setup: RunSetup,
        folder: MachineFolder,
        carbon: Carbon,
        command: Sequence[str],
        run_id: str | None = None,
        began_c: Mapping[str, float] | None = None,
        points: frozenset[str] = frozenset(),
    ) -> None:
        """`points` are the hashes of all cases of the run, which may be measured elsewhere or before."""
        self._setup = setup
        self._listener = setup.context.listener
        self._folder = folder
        self._carbon = carbon
        self._command = list(command)
        self._run_id = run_id or provenance.run_id()
        self._began_c = began_c or cooling.temperatures_c(setup.placement.cards)
        self._points = points
        self.outcome = RunOutcome()

    def run(self, planned: Sequence[Planned]) -> RunOutcome:
        """Measure every case. Raises nothing a user can cause."""
        recover(self._folder, self._listener.note)
        for number, item in enumerate(planned, start=1):
            self._listener.case_begins(item.case.label, number, len(planned))
            try:
                self._setup.context.check_stop()
                self._case(item, None, self._cooled(item))
            except KeyboardInterrupt:
                self.outcome.interrupted = True
                break
        return self.outcome

    def run_pairs(
        self, pairs: Sequence[tuple[Planned, Planned]], checkouts: Mapping[PairSide, Checkout]
    ) -> RunOutcome:
        """Measure pairs of cases, each in turns. Raises nothing a user can cause."""
        recover(self._folder, self._listener.note)
        for number, (a, b) in enumerate(pairs, start=1):
            sides: dict[PairSide, Planned] = {"A": a, "B": b}
            at = {side: f" at {checkout.title}" for side, checkout in checkouts.items()}
            label = ", ".join(f"{side} {item.case.label}{at.get(side, '')}" for side, item in sides.items())
            self._listener.case_begins(label, number, len(pairs))
            try:
                self._pair(sides, checkouts)
            except KeyboardInterrupt:
                self.outcome.interrupted = True
            if self.outcome.interrupted:
                break
        return self.outcome

    def _pair(self, sides: dict[PairSide, Planned], checkouts: Mapping[PairSide, Checkout]) -> None:
        """One pair; what stops one side stops both."""
        shared, a = self._facts(None), sides["A"]
        facts = {
            side: replace(shared, provenance=checkouts[side].stated_in(shared.provenance))
            if checkouts
            else shared
            for side in sides
        }
        measurement = PairedMeasurement(
            sides,
            self._setup,
            lambda side: self._keep(sides[side], measurement.states[side], facts[side]),
            checkouts,
        )
        failure: BaseException | None = None
        try:
            start = self._cooled(a)
            for state in measurement.states.values():
                state.start = start
            measurement.measure()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - becomes the records' failure
            failure = error
            traces = [state.trace for state in measurement.states.values() if state.trace]
            self.outcome.traces += traces or [traceback.format_exc()]
        for side, item in sides.items():
            state = measurement.states[side]
            self._save(build_record.record(item, state, self._carbon, facts[side], failure), state)
        self.outcome.interrupted = isinstance(failure, KeyboardInterrupt)

    def _cooled(self, item: Planned) -> StartConditions:
        """Wait until the case's cards are about as cool as when the run began."""
        cards = cards_of_case(item.case, self._setup.placement).cards
        longest_s = setting(item.measure.cool_down_max_seconds)
        start = cooling.cool_down(cards, self._began_c, cooling.CASE_BAND_K, longest_s=0.0)
        if start.within_band:
            return start
        self._setup.stage("cooling down")
        return cooling.cool_down(cards, self._began_c, cooling.CASE_BAND_K, longest_s)

    def _case(self, item: Planned, requested: RequestedCase | None, start: StartConditions) -> None:
        """One case; once more with half the batch where the memory did not suffice the first time."""
        facts = self._facts(requested)
        state = CaseState(item.case, start=start)
        failure: BaseException | None = None
        try:
            measure_case(item, self._setup, state, lambda: self._keep(item, state, facts))
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the rest of the cases go on
            failure = error
            self.outcome.traces.append(state.trace or traceback.format_exc())
        batch = item.case.batch
        if isinstance(failure, EngineError) and failure.out_of_memory and batch > 1 and requested is None:
            smaller = replace(item, case=item.case.with_batch(batch // 2))
            failed = build_record.record(item, state, self._carbon, facts, failure)
            is_own_case = smaller.case.as_mapping()["hash"] in self._points
            if any(not block.warmup for block in failed.blocks):
                self._save(failed, state, is_last=is_own_case)
            self._folder.discard_partial(failed)
            if is_own_case:
                self._leave_out(
                    item.case.label, f"out of memory; batch {batch // 2} is measured as its own case"
                )
                return
            self._listener.note(f"Out of memory with batch {batch}; trying {batch // 2}.")
            asked = RequestedCase.model_validate(item.case.as_mapping() | {"reason": failure.message})
            self._case(smaller, asked, start)
            return
        self._save(build_record.record(item, state, self._carbon, facts, failure), state)
        if isinstance(failure, KeyboardInterrupt):
            raise failure

    def _leave_out(self, label: str, reason: str) -> None:
        self.outcome.too_large[label] = f"{reason}."
        self._listener.note(f"Left out: {label}: {reason}.")

    def _facts(self, requested: RequestedCase | None) -> CaseFacts:
        machine = self._setup.instruments.machine.model_copy()
        machine.device = self._setup.placement.device
        began = provenance.collect(self._command, self._setup.placement.cards)
        began.expected_gpus = str(self._setup.expected_gpus) if self._setup.expected_gpus else None
        return CaseFacts(
            created=provenance.now_utc(),
            run_id=self._run_id,
            machine=machine,
            provenance=began,
            requested=requested,
            side_by_side=self._setup.side_by_side,
        )

    def _keep(self, item: Planned, state: CaseState, facts: CaseFacts) -> None:
        """Save what there is, in case this process is killed; a full disk is reported later, by `save`.

        Of many blocks a fiftieth may be lost: each record has all of them, so that saving takes ever longer.
        """
        if len(state.blocks) % max(1, len(state.blocks) // KEPT_EVERY):
            return
        with contextlib.suppress(OSError):
            self._folder.save_partial(build_record.record(item, state, self._carbon, facts))

    def _save(self, record: Record, state: CaseState, *, is_last: bool = True) -> None:
        """Write a case's record, then its samples. `is_last` is false where the case is tried once more."""
        folder = self._folder.path
        record = build_record.relative_outputs(record, folder)
        stem = self._folder.file_name(record).removesuffix(".json")
        records = self.outcome.records
        records.append((record, None))
        try:
            # Samples of hours take seconds to pack: the record is saved and told of first, in case the
            # process ends.
            safe = without_trace(record, INTERRUPTED_MEANWHILE)
            path = self._folder.save(safe)
            records[-1] = safe, path
            if is_last:
                self._listener.case_done(safe, path)
            record = with_trace(record, state, self._setup.instruments.recorder, folder, stem)
            self._folder.save(record)
            records[-1] = record, path
        except RecordError as error:
            self._listener.note(str(error))
            kept, written = records[-1]
            if written is not None and not written.is_file():  # its folder was removed since
                records[-1] = kept, None
