"""Completion of a calibration by an outside meter's joules: what `bench calibrate --reference-joules` does.

    run(ReferencePlan(ReferenceReading((4210.0, 11020.0, 18350.0), 0.02), "0"), context)    # CalibratedCard

Nothing is loaded: the stretches were run before, by a `CalibrationPlan` with `reference_s`.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.calibrate.reference import sensor_line
from bench.core.calibration import Calibration
from bench.errors import UsageError
from bench.machine.provenance import now_utc
from bench.measurement.calibration_plan import CalibratedCard, calibrate_command, chosen_cards, require_one
from bench.measurement.context import NoteListener, RunContext
from bench.measurement.instruments import Instruments
from bench.meters.gpu import Gpu
from bench.stats.budget.gains import GAIN_U
from bench.store import calibration


@dataclass(frozen=True)
class ReferenceReading:
    """An outside meter's joules of each stretch, or their sum, with its relative error."""

    joules: tuple[float, ...]
    error: float
    supply_efficiency: float | None = None
    """Of the power supply between card and meter; `None`: the meter is not at the wall."""


@dataclass(frozen=True)
class ReferencePlan:
    """Complete one card's calibration, by default of the card that a run would use."""

    reading: ReferenceReading
    gpus: str | None = None

    def measure(self, instruments: Instruments, context: RunContext[NoteListener]) -> CalibratedCard:
        """Draw the sensor's line and save it. Raises BenchError.

        A reading that leaves the gain less certain than that of any card without one changes nothing.
        """
        cards = chosen_cards(instruments.drivers, self.gpus)
        require_one(cards)
        (gpu,) = cards
        folder = instruments.open_folder().path
        before = calibration.load(folder, gpu.uuid)
        if before is None or not before.stretches:
            stretches = calibrate_command(context.results, gpu.index, "--reference-seconds 60")
            raise UsageError(
                f"No stretches are known of {gpu.name} ({gpu.uuid}).", f"Let your meter count: {stretches}"
            )
        completed = self._completed(before, gpu, context.listener)
        if completed is not before:
            calibration.save(folder, completed)
        return CalibratedCard(gpu.index, completed, calibration.path_of(folder, gpu.uuid))

    def _completed(self, before: Calibration, gpu: Gpu, listener: NoteListener) -> Calibration:
        """The calibration with its line, or as it was, with a note, where the meter is too uncertain."""
        reading, earlier = self.reading, before.line
        line = sensor_line(
            before.stretches, reading.joules, reading.error, now_utc(), reading.supply_efficiency
        )
        if line.relative_gain_u < max(GAIN_U, earlier.relative_gain_u if earlier else 0.0):
            return before.model_copy(update={"line": line})
        kept = "the line drawn before is kept" if earlier else "no line is drawn"
        listener.note(
            f"gpu {gpu.index}: this reference leaves the gain uncertain by {line.relative_gain_u:.2%}, where "
            f"it is {GAIN_U:.2%} without any; so {kept}. A meter with a smaller error would help."
        )
        return before
