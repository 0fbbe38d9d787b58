"""The instruments of a measurement, opened in one place and in one order.

    with Instruments(results, note) as instruments:     # the driver
        instruments.lock(lock_names(placement))         # PrerequisiteError: another run measures there
        folder = instruments.open_folder()              # the machine's folder of results, with its lock
        instruments.start(placement.cards)              # recorder, calibrations
        with instruments.meter_set(gpus, "USA") as meter_set: # CodeCarbon, warmed; windows
            ...

Locks come before anything that costs time or draws power, and CodeCarbon last: which cards are metered may be
known only when the model is loaded. All of it is closed in the opposite order.
Each measurement takes the steps that it needs: a view (`watch`) neither locks nor writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType

from bench.calibrate import calibrations, delays_s
from bench.core.calibration import Calibration
from bench.core.machine import Machine
from bench.core.temporary import sweep
from bench.machine import provenance
from bench.machine.locks import Note, exclusive_use
from bench.meters.codecarbon import CodeCarbon
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.meter_set import MeterSet
from bench.meters.recorder import Recorder
from bench.store.machine_folder import MachineFolder
from bench.store.results import slug


class Instruments:
    """Instruments of this machine, open for the life of a `with` block or until `close`."""

    def __init__(self, results: Path, note: Note) -> None:
        self.results = results
        self.calibrations: dict[str, Calibration] = {}
        """By UUID, of the cards that were calibrated."""
        self._note = note
        self._recorder: Recorder | None = None
        self._held = ExitStack()
        self.drivers = self._held.enter_context(GpuDrivers())

    def __enter__(self) -> Instruments:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all of it, what was opened last first."""
        self._held.close()

    @cached_property
    def identity(self) -> Machine:
        """This machine: its name, cards, processor."""
        return provenance.machine(self.drivers)

    @property
    def machine(self) -> Machine:
        """The same as in a record, with the calibrations that are used."""
        machine = self.identity.model_copy()
        if self.calibrations:
            machine.calibration = self.calibrations
        return machine

    @property
    def recorder(self) -> Recorder:
        """The recorder, once it is started."""
        assert self._recorder is not None, "started before it is read"
        return self._recorder

    def lock(self, names: Iterable[str]) -> None:
        """Hold cards and CPU for this measurement. Raises PrerequisiteError where another one does."""
        self._held.enter_context(exclusive_use(names, self.results, self._note))

    def open_folder(self, *, of_locked_run: bool = False) -> MachineFolder:
        """The machine's folder of results, writable and locked. Raises PrerequisiteError."""
        name = str(self.identity.name)
        return self._held.enter_context(MachineFolder(self.results, name, of_locked_run=of_locked_run))

    def start(self, cards: Iterable[Gpu]) -> None:
        """Sweep up after killed runs, start the recorder, and look up what calibrations found of these cards.

        Raises MeterError without a recorder, RecordError for a calibration that cannot be read.
        """
        sweep()
        self._recorder = self._held.enter_context(Recorder())
        if chosen := tuple(cards):
            folder = self.results / slug(str(self.identity.name))
            self.calibrations = calibrations(folder, chosen, self._note)

    @contextmanager
    def codecarbon(self, country: str, gpus: Sequence[Gpu] = ()) -> Iterator[CodeCarbon]:
        """CodeCarbon for these cards and the host, warmed, which takes a second or two.

        Where it does not read one of the cards it is given none: its sum would not be that of ours.
        """
        programs = [gpu.facts.codecarbon_program for gpu in gpus]
        read = [gpu.number for gpu in gpus] if all(programs) else []
        with closing(CodeCarbon(country, read, [*filter(None, programs)])) as codecarbon:
            yield codecarbon

    @contextmanager
    def meter_set(
        self, gpus: Sequence[Gpu], country: str, host_absent: str | None = None
    ) -> Iterator[MeterSet]:
        """All meters of these cards and of the host, unless its energy is absent for a reason."""
        with self.codecarbon(country, gpus) as codecarbon:
            delay_s = delays_s(self.calibrations)
            yield MeterSet(self.drivers, self.recorder, codecarbon, tuple(gpus), delay_s, host_absent)
