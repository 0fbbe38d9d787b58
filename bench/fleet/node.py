"""One machine of a fleet: what it is, which cases it has measured, and one case after another.

    runner = NodeRunner("~/.cache/joulebench/fleet")
    runner.describe(plan).refusals            # by the case's place: why it cannot be made here
    runner.measure(plan)                      # MeasuredFiles: records, traces, outputs as bytes

It calls `bench.measurement.run` and nothing else that measures, so a case is measured as it would be alone.
Everything that goes in and out pickles.
"""

from __future__ import annotations

import functools
import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Concatenate, ParamSpec, TypeVar

import bench
from bench.core.record import Record
from bench.core.secrets import masked
from bench.core.words import counted
from bench.doctor.examine import DoctorReport, examine
from bench.errors import INTERNAL_FAULT, BenchError, PrerequisiteError, RecordError
from bench.machine import provenance
from bench.machine.expected_gpus import require, why_elsewhere, why_other_node
from bench.machine.locks import holder, lock_names_of
from bench.machine.placement import place, visible_cards
from bench.measurement.case_plan import CasePlan
from bench.measurement.context import BlockDone, RunContext
from bench.measurement.possible_cases import why_impossible
from bench.measurement.run import run
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.recorder import Recorder
from bench.store import results
from bench.store.results import slug

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def faults_masked(
    answer: Callable[Concatenate[NodeRunner, Given], Answer],
) -> Callable[Concatenate[NodeRunner, Given], Answer]:
    """Mask an error's text where it arises: who asks has another environment, with other secrets."""

    @functools.wraps(answer)
    def answers(node: NodeRunner, /, *args: Given.args, **named: Given.kwargs) -> Answer:
        try:
            return answer(node, *args, **named)
        except BenchError as error:
            raise PrerequisiteError(masked(error.message), error.remedy and masked(error.remedy)) from None
        except Exception as error:  # noqa: BLE001 - the asker gets a sentence, without this node's secrets
            raise PrerequisiteError(fault(error)) from None

    return answers


@dataclass(frozen=True)
class NodeFacts:
    """A machine: its name, cards and code, and its answer for each case of a plan, by the place."""

    name: str
    cards: tuple[str, ...]
    version: str
    sources: str
    refusals: dict[int, str]
    measured: frozenset[int]

    def labelled(self, plan: CasePlan, labels: Mapping[str, str]) -> NodeFacts:
        """The same, where its node has these labels: cases for others are refused."""
        others = {at: why_other_node(item.place, labels) for at, item in enumerate(plan.cases)}
        refused = {at: reason for at, reason in others.items() if reason is not None}
        return replace(self, refusals={**self.refusals, **refused}, measured=self.measured - refused.keys())

    @property
    def summary(self) -> str:
        """The machine, its cards, and how many cases it cannot make or has measured."""
        parts = [self.name, counted(len(self.cards), "card")]
        parts += [f"cannot make {counted(len(self.refusals), 'case')}"] if self.refusals else []
        parts += [f"has measured {counted(len(self.measured), 'case')}"] if self.measured else []
        return ", ".join(parts)


@dataclass(frozen=True)
class MeasuredFiles:
    """Files of the records of one case by their paths in a folder of results; the error where none began."""

    files: dict[str, bytes] = field(default_factory=dict)
    records: tuple[str, ...] = ()
    interrupted: bool = False
    error: str | None = None
    exit_status: int = 0
    summary: str = ""
    """What was measured and what came of it, in words."""
    too_large: dict[str, str] = field(default_factory=dict)
    """As in `RunOutcome`."""


class NodeRunner:
    """Measures on the machine that it is made on."""

    def __init__(self, folder: str) -> None:
        """`folder` is of this machine: ~ and variables are replaced."""
        self._folder = Path(os.path.expandvars(folder)).expanduser()
        self._stop = Event()
        self._listener = _LastLine()

    @faults_masked
    def describe(self, plan: CasePlan) -> NodeFacts:
        """This machine, and the cases that it cannot make or has measured. Raises BenchError."""
        with GpuDrivers() as drivers:
            machine = provenance.machine(drivers)
            placement = place(drivers, plan.gpus, plan.device)
            cards = [card.name for card in placement.named or visible_cards(drivers)]
            elsewhere = {at: why_elsewhere(item.place, cards) for at, item in enumerate(plan.cases)}
            reasons = {
                at: elsewhere[at] or why_impossible(item.case, placement)
                for at, item in enumerate(plan.cases)
            }
            if plan.expected_gpus is not None:
                try:
                    require(plan.expected_gpus, cards)
                except BenchError as error:
                    reasons = dict.fromkeys(range(len(plan.cases)), error.message)
            measured = plan.earlier(lambda: machine, drivers, self._folder).measured
            return NodeFacts(
                name=str(machine.name),
                cards=tuple(gpu.name for gpu in drivers.gpus),
                version=bench.__version__,
                sources=provenance.sources(),
                refusals={at: reason for at, reason in reasons.items() if reason is not None},
                measured=frozenset(at for at in measured if elsewhere[at] is None),
            )

    @faults_masked
    def findings(self, gpus: str | None) -> DoctorReport:
        """What this machine can measure, as `bench doctor` finds it. Raises BenchError."""
        return examine(gpus, None, self._folder)

    @faults_masked
    def holders(self) -> dict[str, str]:
        """Measurements that hold a card or the CPU of this machine now, in words, by what they hold."""
        with GpuDrivers() as drivers:
            held = {name: holder(name) for name in lock_names_of(drivers.gpus)}
        return {name: by for name, by in held.items() if by is not None}

    def measure(self, plan: CasePlan) -> MeasuredFiles:
        """Measure the plan, and return the files of its records, also of those measured already."""
        try:
            return self._measured(plan)
        except BenchError as error:
            return MeasuredFiles(error=masked(str(error)), exit_status=error.exit_status)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not cost the machine its other cases
            return MeasuredFiles(error=fault(error), exit_status=INTERNAL_FAULT)

    def _measured(self, plan: CasePlan) -> MeasuredFiles:
        outcome = run(plan, RunContext(self._folder, self._listener, self._stop))
        files: dict[str, bytes] = {}
        paths = [(record, path) for record, path in [*outcome.skipped, *outcome.records] if path is not None]
        for record, path in paths:
            files |= self._files(record, path)
        names = tuple(str(path.relative_to(self._folder)) for _, path in paths)
        return MeasuredFiles(
            files,
            names,
            outcome.interrupted,
            exit_status=outcome.exit_status,
            summary=self._listener.line,
            too_large=outcome.too_large,
        )

    def stop(self) -> None:
        """End what is being measured as Ctrl-C does; what is complete is kept."""
        self._stop.set()

    def progress(self) -> str:
        """What it does now."""
        return self._listener.line

    def _files(self, record: Record, path: Path) -> dict[str, bytes]:
        """A record's file and those that it names, from inside its folder."""
        names = [path.name, *([record.trace] if record.trace else []), *record.outputs]
        beside = [path.parent / name for name in names]
        return {str(each.relative_to(self._folder)): each.read_bytes() for each in beside if each.is_file()}


class _LastLine:
    """A `RunListener` that keeps what was said last."""

    def __init__(self) -> None:
        self.line = "idle"
        self._case = ""

    def note(self, text: str) -> None:
        """Nothing: what is worth knowing is in the records."""

    def follow(self, recorder: Recorder, gpus: Sequence[Gpu]) -> None:
        """Nothing to draw."""

    def case_begins(self, label: str, number: int, total: int) -> None:
        """A case starts."""
        del number, total
        self._case = self.line = label

    def turn_to(self, label: str, number: int, total: int) -> None:
        """The next lines are of this case."""
        self.case_begins(label, number, total)

    def stage(self, text: str) -> None:
        """What the case enters."""
        self.line = f"{self._case}: {text}"

    def meanwhile(self) -> None:
        """Nothing to redraw."""

    def block_done(self, done: BlockDone) -> None:
        """A measured block has ended."""
        self.line = f"{self._case}: block {done.number} of at least {done.at_least}"

    def case_done(self, record: Record, path: Path) -> None:
        """A record was written."""
        del path
        self.line = f"{record.label}: {record.status}"


def fault(error: BaseException) -> str:
    """The sentence for an error that joulebench did not expect on a node."""
    last_line = masked(traceback.format_exception_only(error)[-1].strip())
    return f"A fault in joulebench on this node: {last_line}."


def write(folder: Path, measured: MeasuredFiles) -> list[Path]:
    """Write a node's files below a folder of results; returns the paths of the records.

    A file of the same name and content stays as it is. Raises RecordError where one cannot be written.
    """
    root = folder.resolve()
    for name, content in measured.files.items():
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise RecordError(f"A node sent the file {name!r}, which leads out of {folder}.")
        try:
            if not path.is_file() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                results.write_atomically(path, content)
        except OSError as error:
            raise RecordError(
                f"{path}: cannot be written: {error.strerror}.",
                "The node keeps it: the same command fetches it.",
            ) from error
    return [root / name for name in measured.records if name in measured.files]


def folder_of(results_folder: Path, facts: NodeFacts) -> Path:
    """Where a machine's records are in a folder of results."""
    return results_folder / slug(facts.name)
