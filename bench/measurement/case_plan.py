"""Cases to measure, one after the other or two in turns: what `bench run` does.

    run(CasePlan(cases, gpus="0"), context).exit_status         # an `RunOutcome`
    run(PairPlan(((a, b),)), context).records                   # two records, with the ratio of their joules

What is taken first: where the work runs, what every case needs of the machine's software, the locks, the
folder of results, recorder and calibrations. So what is missing is reported before anything is written.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from bench.catalog.cases import Planned
from bench.catalog.grid import CountryFactor, country_factor
from bench.core.machine import Machine
from bench.core.record import Record
from bench.errors import UsageError
from bench.machine.card_pool import CardPool
from bench.machine.expected_gpus import OTHER_CARDS, ExpectedGpus, require
from bench.machine.locks import lock_names
from bench.machine.placement import Placement, place, visible_cards
from bench.measurement.cases_beside import CasesBeside
from bench.measurement.context import RunContext, RunListener
from bench.measurement.fitting import cards_of_pair, number_of_some
from bench.measurement.forecast import forecast
from bench.measurement.instruments import Instruments
from bench.measurement.measured_already import (
    RunConditions,
    SkipMeasured,
    interrupted,
    measured_already,
)
from bench.measurement.outcome import RunOutcome
from bench.measurement.paired import PairSide
from bench.measurement.preflight import require_software
from bench.measurement.recovery import recover_before_skipping
from bench.measurement.session import Session
from bench.measurement.setup import RunSetup
from bench.measurement.side_by_side import cards_needed, measured_side_by_side
from bench.meters.gpus import GpuDrivers
from bench.meters.nodes.address import NodeAddress
from bench.meters.nodes.messages import TOKEN_VARIABLE
from bench.meters.nodes.serving_nodes import ServingNodes
from bench.store.results import slug
from bench.worker import producers
from bench.worker.checkouts import Checkout

OTHER_NODES = "Name other nodes with --node, or start their agents with other --gpus."


@dataclass(frozen=True, kw_only=True)
class _PlanOfCases(ABC):
    """Settings of all cases of a run.

    `gpus` and `device` are decided upon where the run is, `command` is how it was asked for.
    """

    gpus: str | None = None
    device: Literal["auto", "cuda", "cpu"] = "auto"
    country: str = "USA"
    remote_code: frozenset[str] = frozenset()
    save_outputs: bool = False
    endpoint: str | None = None
    command: tuple[str, ...] = ("run",)
    expected_gpus: ExpectedGpus | None = None
    """Cards that the run has to have; others are refused."""
    nodes: tuple[NodeAddress, ...] = ()
    """Nodes of the server, whose agents meter in place of this machine."""
    run_id: str | None = None
    """Run that these cases complete; `None` for a new one."""
    side_by_side: CasesBeside | None = None
    """Other cases of the run that other processes measure meanwhile, on other cards."""
    of_larger_run: bool = False
    """Whether the process that started this one has the locks, and has looked at all cards of the run."""
    began_c: Mapping[str, float] | None = None
    """Temperatures of cards as the run began, by UUID; `None` for those of now."""
    points: frozenset[str] = frozenset()
    """Hashes of all cases of the run, of which these may be a part."""

    @abstractmethod
    def _needing_software(self) -> Iterator[Planned]:
        """The cases that are measured by this program's own code and environment."""

    @abstractmethod
    def _announcement(self, device: Literal["cuda", "cpu"]) -> str | None:
        """One line before it begins."""

    @abstractmethod
    def _measured(self, session: Session) -> RunOutcome:
        """Measure all of it."""

    def _measure_all(self, instruments: Instruments, context: RunContext[RunListener]) -> RunOutcome:
        """Measure into the machine's folder. Raises BenchError where nothing can begin."""
        grid = country_factor(self.country)
        # Cards of this machine may be a node's, locked by its agent.
        placement = Placement("cpu") if self.nodes else place(instruments.drivers, self.gpus, self.device)
        if not self.nodes:
            self.require_here(placement, instruments)
        require_software([item.case for item in self._needing_software()], placement)
        with ExitStack() as held:
            serving = None
            if self.nodes:
                serving = held.enter_context(ServingNodes(self.nodes, os.environ.get(TOKEN_VARIABLE, "")))
                self._require_cards(serving.cards, OTHER_NODES)
            return self._measure_at(placement, serving, grid, instruments, context)

    def require_here(self, placement: Placement, instruments: Instruments) -> None:
        """Raise PrerequisiteError where this machine has other cards than the run has to have."""
        if not self.of_larger_run:
            here = placement.named or visible_cards(instruments.drivers)
            self._require_cards([card.name for card in here], OTHER_CARDS)

    def _require_cards(self, names: Sequence[str], way_out: str) -> None:
        if self.expected_gpus is not None:
            require(self.expected_gpus, names, way_out)

    def _measure_at(
        self,
        placement: Placement,
        nodes: ServingNodes | None,
        grid: CountryFactor,
        instruments: Instruments,
        context: RunContext[RunListener],
    ) -> RunOutcome:
        if not self.of_larger_run:
            instruments.lock(lock_names(placement))
        folder = instruments.open_folder(of_locked_run=self.of_larger_run)
        instruments.start(placement.cards)
        context.listener.follow(instruments.recorder, placement.cards)
        setup = RunSetup(
            instruments=instruments,
            context=context,
            placement=placement,
            country=grid.code,
            remote_code=self.remote_code,
            save_outputs=folder.outputs() if self.save_outputs else None,
            endpoint=self.endpoint,
            logs=folder.path / "logs",
            expected_gpus=self.expected_gpus,
            nodes=nodes,
            side_by_side=self.side_by_side,
        )
        if (line := self._announcement(placement.device)) is not None:
            context.listener.note(line)
        session = Session(setup, folder, grid.carbon, self.command, self.run_id, self.began_c, self.points)
        return self._measured(session)


class EarlierRecords(NamedTuple):
    """Records of cases of a plan from before, by the case's place."""

    measured: dict[int, tuple[Record, Path]]
    """Of cases that need not be measured again."""
    interrupted: dict[int, tuple[Record, Path]]
    """Of cases that are measured again."""

    @property
    def run_id(self) -> str | None:
        """The run to go on with: that of all measured, else of all interrupted; `None` for several."""
        ids = {record.run_id for record, _ in (self.measured or self.interrupted).values()}
        return ids.pop() if len(ids) == 1 else None


@dataclass(frozen=True)
class CasePlan(_PlanOfCases):
    """Cases, one after the other, without those that were measured already and may be skipped."""

    cases: tuple[Planned, ...]
    skip: SkipMeasured = "none"
    parallel: bool = False
    """Whether cases are measured side by side, each on cards of its own."""

    def measure(self, instruments: Instruments, context: RunContext[RunListener]) -> RunOutcome:
        """Measure what is left. Without that, nothing is started or written but what killed runs left."""
        if self.resumes:
            recover_before_skipping(context.results, str(instruments.identity.name), context.listener.note)
        earlier = self.earlier(lambda: instruments.identity, instruments.drivers, context.results)
        found = earlier.measured
        if found:
            context.listener.note(
                f"{len(found)} of {len(self.cases)} cases were measured already and are skipped; "
                "--again measures them anew."
            )
        left = tuple(item for at, item in enumerate(self.cases) if at not in found)
        outcome = RunOutcome()
        if left:
            points = self.points or hashes(self.cases)
            completed = replace(self, cases=left, run_id=self.run_id or earlier.run_id, points=points)
            measured = measured_side_by_side if self.parallel else CasePlan._measure_all
            outcome = measured(completed, instruments, context)
        outcome.skipped = list(found.values())
        return outcome

    def alone(self, item: Planned) -> CasePlan:
        """One of its cases, for a process or node of its own, with the point that could be half its batch."""
        half = replace(item, case=item.case.with_batch(item.case.batch // 2))
        return replace(self, cases=(item,), points=self.points & hashes([half]))

    @property
    def resumes(self) -> bool:
        """Whether the same command goes on where this one stops."""
        return self.skip == "all" or (self.skip == "sweeps" and any(item.sweep for item in self.cases))

    def earlier(
        self, machine_now: Callable[[], Machine], drivers: GpuDrivers, results: Path
    ) -> EarlierRecords:
        """The records that answer cases of this plan, and those of cases that were interrupted."""
        may_skip = [
            at
            for at, item in enumerate(self.cases)
            if self.skip == "all" or (self.skip == "sweeps" and item.sweep)
        ]
        if not may_skip or self.nodes:  # other nodes may be there by now
            return EarlierRecords({}, {})
        machine = machine_now()
        placement = place(drivers, self.gpus, self.device)
        conditions = RunConditions.now(machine, placement)
        cards_of = (
            partial(cards_needed, pool=CardPool(placement))
            if self.parallel
            else partial(number_of_some, placement=placement)
        )
        folder = results / slug(str(machine.name))
        cases = [self.cases[at] for at in may_skip]
        found = measured_already(
            cases,
            folder,
            conditions,
            with_outputs=self.save_outputs,
            cards_of=cards_of,
            parallel=self.parallel,
        )
        left = {at: item for at, item in enumerate(cases) if at not in found}
        begun = interrupted(
            list(left.values()), folder, conditions, cards_of=cards_of, parallel=self.parallel
        )
        places = [may_skip[at] for at in left]
        return EarlierRecords(
            {may_skip[at]: record for at, record in found.items()},
            {places[at]: record for at, record in begun.items()},
        )

    def _needing_software(self) -> Iterator[Planned]:
        yield from self.cases

    def _announcement(self, device: Literal["cuda", "cpu"]) -> str | None:
        if self.of_larger_run:  # which has announced all of its cases
            return None
        safe = "the same command resumes" if self.resumes else "complete cases are kept"
        return f"{forecast(self.cases, device).sentence}; Ctrl-C is safe, {safe}."

    def _measured(self, session: Session) -> RunOutcome:
        return session.run(self.cases)


def hashes(cases: Iterable[Planned]) -> frozenset[str]:
    """Identity of each case, as planned."""
    return frozenset(item.case.as_mapping()["hash"] for item in cases)


@dataclass(frozen=True)
class PairPlan(_PlanOfCases):
    """Pairs of cases, each measured in turns; with `checkouts`, each case by the code of either.

    A checkout has an environment of its own, and has answered from it.
    """

    pairs: tuple[tuple[Planned, Planned], ...]
    checkouts: Mapping[PairSide, Checkout] = field(default_factory=dict)

    def measure(self, instruments: Instruments, context: RunContext[RunListener]) -> RunOutcome:
        """Measure all pairs. Raises BenchError where nothing can begin."""
        return self._measure_all(instruments, context)

    def require_here(self, placement: Placement, instruments: Instruments) -> None:
        """As of cases; raises UsageError where the sides of a pair would have other cards each."""
        super().require_here(placement, instruments)
        for a, b in self.pairs:
            cards_of_pair(a.case, b.case, placement)

    def _needing_software(self) -> Iterator[Planned]:
        """None with checkouts, but for a case that their code does not make. Raises UsageError for that."""
        for item in (item for pair in self.pairs for item in pair):
            if not self.checkouts:
                yield item
            elif not producers.of(item.case.workload).LOADS_HERE:
                raise UsageError(
                    f"{item.case.label} is not made by a checkout's code, so checkouts make no pair.",
                    "Measure a case of a worker, or pair two cases.",
                )

    def _announcement(self, _device: Literal["cuda", "cpu"]) -> None:
        """None: how long a pair takes follows from both sides' spread."""

    def _measured(self, session: Session) -> RunOutcome:
        return session.run_pairs(self.pairs, self.checkouts)
