"""The metering of a program's own work: instruments that start with its first window.

They stay for all windows after it. A lock of the machine is held for a window only: see `window_lock`.
"""

from __future__ import annotations

import numbers
import reprlib
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.catalog.grid import country_factor
from bench.core.block import Block
from bench.core.calibration import Calibration
from bench.core.figures import Carbon
from bench.core.machine import Machine
from bench.core.provenance import Provenance
from bench.core.secrets import masked
from bench.errors import MeterError, UsageError
from bench.machine import provenance
from bench.machine.gpu_processes import OwnWork
from bench.machine.locks import lock_names_of
from bench.machine.placement import hidden_cards, named_cards, visible_cards
from bench.measurement import blocks
from bench.measurement.api.clock import refuse_frozen_clock
from bench.measurement.api.window_lock import WindowLock
from bench.measurement.api.work import synchronise_torch
from bench.measurement.idle import IdlePower, settling_s, watch_idle
from bench.measurement.instruments import Instruments
from bench.meters.gpu import Gpu
from bench.meters.gpus import GpuDrivers
from bench.meters.meter_set import MeterSet
from bench.meters.metered_window import MeteredWindow, OpenWindow
from bench.worker.dealiasing import Rests, shift

SETTLE_S = 2.0
"""Rest before idle is measured: clocks stay high for a while after work."""

DAY_S = 86400

GpuSelection = str | int | Sequence[str | int] | None


@dataclass(frozen=True)
class MeterSettings:
    """Options of a caller; see `Meter`."""

    gpus: GpuSelection
    idle_seconds: float
    country: str
    synchronise: Callable[[], object] | None
    results: Path

    def __post_init__(self) -> None:
        seconds: object = self.idle_seconds
        number = isinstance(seconds, numbers.Real) and not isinstance(seconds, bool)
        if not number or not 0 <= self.idle_seconds <= DAY_S:
            raise UsageError(
                f"idle_seconds={reprlib.repr(seconds)} is not a length of time in seconds.",
                "Use 5, or 0 to leave idle out.",
            )
        if self.synchronise is not None and not callable(self.synchronise):
            raise UsageError(
                f"synchronise={self.synchronise!r} cannot be called.",
                "Give a function that returns when the device is done.",
            )
        if self.gpus is not None and not all(map(_is_name, _names(self.gpus))):
            raise UsageError(
                f"gpus={self.gpus!r} names no cards.", 'Use "0", "0,1", [0, 1] or a UUID; () for none.'
            )


@dataclass(frozen=True)
class RunningMeter:
    """Parts of a meter that has started."""

    drivers: GpuDrivers
    meter_set: MeterSet
    work: OwnWork
    gpus: tuple[Gpu, ...]
    machine: Machine
    provenance: Provenance
    carbon: Carbon
    idle: IdlePower | None
    calibrated: Sequence[Calibration | None]
    """Calibration of each card."""
    absent: dict[str, str]


class Metering:
    """Opens and closes windows in turn; lets go of everything with `close`, or when the program ends."""

    def __init__(self, settings: MeterSettings) -> None:
        self._settings = settings
        self._held = ExitStack()
        self._lock = threading.Lock()
        self._closed = False
        self._rests = Rests(None)
        self._rested = 0
        self._window_lock: WindowLock | None = None
        self.running: RunningMeter | None = None
        weakref.finalize(self, self._held.close)

    def close(self) -> None:
        """End the recorder and let go of the driver. What has been measured stays readable."""
        self._closed = True
        self._held.close()

    def synchronise(self) -> None:
        """Wait until the work given to the cards so far is done."""
        (self._settings.synchronise or synchronise_torch)()

    def begin(self) -> OpenWindow:
        """Open a window around what comes next. Raises UsageError where one is open already."""
        if self._closed:
            raise UsageError("This meter is closed.", "Make a new bench.Meter.")
        refuse_frozen_clock()
        if not self._lock.acquire(blocking=False):
            raise UsageError(
                "A window of this meter is open already.",
                "Close it first, or give the other window a bench.Meter of its own.",
            )
        try:
            self.synchronise()
            running = self._ready()
            self._hold(running.gpus)
            running.work.begins(running.gpus)
            running.meter_set.settle_before()
            self._rests = Rests(shift(running.calibrated, self._rested))
            return running.meter_set.open()
        except BaseException:
            self._let_go()
            raise

    def rest(self) -> None:
        """Between batches: rest where it is time to, so that the work does not keep step with a sensor."""
        self._rests.before_batch(self.synchronise)

    def end(self, opened: OpenWindow, failure: BaseException | None) -> Block:
        """Close the window: the card is left alone a while longer, unless the work failed."""
        running = self._begun()
        try:
            window = running.meter_set.close(opened)
            if failure is None:
                window = running.meter_set.remove_tick_error(window, self._rests.taken_ns)
            self._rested += len(self._rests.taken_ns)
            block = _block(running, window, self._rests.taken_s, failure)
            self._hold(running.gpus).add_to(block.observed)
            return block
        finally:
            self._let_go()

    def _hold(self, gpus: Sequence[Gpu]) -> WindowLock:
        """The machine's locks of these cards, held until the window that is open, or opens, has ended."""
        lock = self._window_lock or WindowLock(lock_names_of(gpus), self._settings.results)
        self._window_lock = lock
        return lock

    def _let_go(self) -> None:
        """Let the next window open, and others measure."""
        lock, self._window_lock = self._window_lock, None
        if lock is not None:
            lock.release()
        self._lock.release()

    def _ready(self) -> RunningMeter:
        self.running = running = self.running or self._start()
        if not running.meter_set.recorder.alive:
            raise MeterError("The recorder process has ended.", "Make a new bench.Meter.")
        return running

    def _begun(self) -> RunningMeter:
        assert self.running is not None, "a window has been opened"
        return self.running

    def _start(self) -> RunningMeter:
        settings = self._settings
        left_out: list[str] = []
        with ExitStack() as starting:
            carbon = country_factor(settings.country).carbon
            instruments = starting.enter_context(Instruments(settings.results, left_out.append))
            work = OwnWork(instruments.drivers)
            gpus = metered(instruments.drivers, work, settings.gpus)
            others = self._hold(gpus).other
            instruments.start(gpus)
            meter_set = starting.enter_context(instruments.meter_set(gpus, settings.country))
            machine = instruments.machine
            machine.metered = [gpu.uuid for gpu in gpus]
            if meter_set.energy_sources:
                machine.energy_sources = meter_set.energy_sources
            calibrated = [instruments.calibrations.get(gpu.uuid) for gpu in gpus]
            absent = meter_set.absent | ({"calibration": " ".join(left_out)} if left_out else {})
            if not gpus and settings.gpus is None and (hidden := hidden_cards(instruments.drivers)):
                absent["gpu"] = hidden
            origin = provenance.surroundings(gpus)
            origin.created = provenance.now_utc()
            idle = None
            if settings.idle_seconds and others is None:
                idle = watch_idle(meter_set, settling_s(SETTLE_S, calibrated), settings.idle_seconds)
            elif settings.idle_seconds:
                absent["idle"] = f"it was not looked at: {str(others).rstrip('.')}"
            self._held.push(starting.pop_all())
        return RunningMeter(
            instruments.drivers, meter_set, work, gpus, machine, origin, carbon, idle, calibrated, absent
        )


def metered(drivers: GpuDrivers, work: OwnWork, gpus: GpuSelection) -> tuple[Gpu, ...]:
    """The cards named, else those that this program computes on, else all that it may use."""
    if gpus is None:
        return work.cards() or visible_cards(drivers)
    names = _names(gpus)
    return named_cards(drivers, ",".join(map(str, names)), "gpus") if names else ()


def _names(gpus: str | int | Sequence[str | int]) -> Sequence[str | int]:
    return gpus if isinstance(gpus, Sequence) and not isinstance(gpus, str) else [gpus]


def _is_name(card: object) -> bool:
    """Whether it may be an index, a UUID, or some of them with commas."""
    if isinstance(card, str):
        return all(part.strip() for part in card.split(","))
    return isinstance(card, numbers.Integral) and not isinstance(card, bool)


def named(error: BaseException) -> str:
    """An error on one line: its class, and its message if it has one."""
    text = masked(" ".join(str(error).split()))[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _block(
    running: RunningMeter, window: MeteredWindow, rest_s: float, failure: BaseException | None
) -> Block:
    """The window as a block of a record, units and net joules still missing, not judged yet."""
    recorder = running.meter_set.recorder
    observed = blocks.observe(recorder, running.gpus, window)
    running.work.add_to(observed, running.gpus)
    observed.recorder_ended = not recorder.alive
    if failure is not None:
        observed.failure = named(failure)
    block = Block(
        start_ns=window.start_ns,
        end_ns=window.end_ns,
        batches=1,
        items=1,
        units=None,
        warmup=False,
        valid=True,
        rest_s=rest_s,
        energy=window.energy,
        codecarbon=blocks.task(window),
        observed=observed,
    )
    return blocks.without_rests(block, window, running.idle.power_w if running.idle else {})
