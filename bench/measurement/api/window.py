"""One metered stretch of a program's own work.

    with meter.window(units=8) as window:
        pipe(prompts)
    print(window.energy_j, window.valid, window.reasons)

The values are there once the block has ended, also where the work raised an error: then the window is
invalid. What could not be had is `None`, with the reason in `absent`.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, SupportsFloat

from bench.core.block import Block
from bench.core.energy import FigureKind
from bench.core.notebook import NotebookTable
from bench.core.scope import MeteredScope
from bench.errors import UsageError
from bench.measurement.api.metering import Metering, named
from bench.measurement.api.rules import judged
from bench.measurement.blocks import with_net
from bench.meters.metered_window import OpenWindow

WINDOW = "window"
"""The unit where a caller names none: then a window is one unit."""


class Window(NotebookTable):
    """Measurement between the edges of a `with` block, once it has ended.

    Inside: everything the metered domains drew between the two edges, at which the device is synchronised.
    Outside: the rest before and after, the look at idle, CodeCarbon's own calls. A value that could not be
    had is `None`, with the reason in `absent`. Joules are gross unless the name has `net`; times are seconds.

        with bench.measure(units=8, unit="image") as window:
            images = pipe(prompts)
        window.energy_j, window.energy_per_unit_j, window.valid
    """

    def __init__(
        self, metering: Metering, unit: str, units: SupportsFloat | None, *, closes: bool = False
    ) -> None:
        self.unit = unit
        self._units = number(units) if units is not None else (1.0 if unit == WINDOW else None)
        self._uncounted: str | None = None
        self._metering = metering
        self._closes = closes
        self._opened: OpenWindow | None = None
        self._metered: Block | None = None

    def __enter__(self) -> Window:
        if self._opened is not None:
            raise UsageError("A window is opened once.", "Ask the meter for another: `meter.window()`.")
        try:
            self._opened = self._metering.begin()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._opened is not None, "entered before it is left"
        failure = error
        try:
            if error is None:
                self._metering.synchronise()
        except BaseException as late:  # work that was queued in the window and failed only now
            failure = late
            raise
        finally:
            try:
                self._metered = self._metering.end(self._opened, failure)
            finally:
                self._release()

    def rest(self) -> None:
        """Call before each batch of work in step with itself; mostly it returns at once.

        Some sensors see a part of every tenth of a second, and batches that keep step with that are seen at
        their peaks alone, or never. Every 2 s this waits up to 0.1 s, until another point of the sensor's
        period, once the work so far is done. Joules and time of the rests are taken out of the figures.
        """
        if self._opened is None or self.closed:
            raise UsageError("A rest is a part of an open window.", "Call it inside the `with` block.")
        self._metering.rest()

    def _release(self) -> None:
        if self._closes:
            self._metering.close()

    @property
    def closed(self) -> bool:
        """Whether the window has ended and its values can be read."""
        return self._metered is not None

    @property
    def units(self) -> float | None:
        """Number of units made, such as 8 images; may be set inside the block or after it."""
        return self._units

    @units.setter
    def units(self, count: SupportsFloat) -> None:
        self._units, self._uncounted = number(count), None

    def count(self, units: Callable[[Any], SupportsFloat], returned: object) -> None:
        """Set `units` to what a function counts in what the work returned.

        The work is done and its outcome must not be lost, so nothing is raised: without a count, the window
        is invalid, with the cause in `reasons`.
        """
        try:
            self.units = units(returned)
        except Exception as error:  # noqa: BLE001 - the boundary: the caller's own counting
            why = error.message.rstrip(".") if isinstance(error, UsageError) else named(error)
            self._units, self._uncounted = None, f"counting the units of what was returned: {why}"

    @property
    def block(self) -> Block:
        """Everything known of the window, as a block of a record: domains, CodeCarbon, what was observed."""
        if self._metered is None:
            raise UsageError(
                "The window has not ended, so nothing is known of it yet.", "Read it after its `with` block."
            )
        observed = self._metered.observed.model_copy()
        if self._uncounted:
            observed.uncounted = self._uncounted
        counted = self._metered.model_copy(update={"units": self._units, "observed": observed})
        return with_net(judged(counted), self._idle_w())

    def _idle_w(self) -> dict[str, float]:
        running = self._metering.running
        return running.idle.power_w if running and running.idle else {}

    def _why_no_idle(self) -> str:
        running = self._metering.running
        reason = running.absent.get("idle") if running else None
        return f"the idle power is not known ({reason or 'idle_seconds=0, or no reading'})"

    @property
    def valid(self) -> bool:
        """Whether the figure may be believed."""
        return self.block.valid

    @property
    def reasons(self) -> list[str]:
        """Reasons for an invalid window: observation, limit, meaning, remedy."""
        return self.block.reasons

    @property
    def scope(self) -> MeteredScope:
        """Coverage of the joules: the metered cards, or, without one, the host."""
        return self.block.scope or "host"

    @property
    def kind(self) -> FigureKind:
        """Whether the joules are `measured`, `estimated` by a model of power, or a sum of both (`mixed`)."""
        return self.block.joules(self.scope).kind

    @property
    def duration_s(self) -> float:
        """Seconds between the edges."""
        return self.block.duration_s

    @property
    def energy_j(self) -> float | None:
        """Joules of the whole window."""
        return self.block.joules(self.scope).gross_j

    @property
    def net_j(self) -> float | None:
        """Joules of the whole window without what the same domains draw when idle."""
        return self.block.joules(self.scope).net_j

    @property
    def energy_per_unit_j(self) -> float | None:
        """Joules for each of the `units`."""
        return self._per_unit(self.energy_j)

    @property
    def net_per_unit_j(self) -> float | None:
        """Net joules for each of the `units`."""
        return self._per_unit(self.net_j)

    @property
    def absent(self) -> dict[str, str]:
        """Reason for each value of `None`, by its name."""
        block, reasons = self.block, {}
        lacking = [energy.reason for energy in block.energy.values() if energy.gross_j is None]
        if self.energy_j is None:
            reasons["energy_j"] = next(filter(None, lacking), "no domain gave a reading")
        if self.net_j is None:
            reasons["net_j"] = reasons.get("energy_j", self._why_no_idle())
        for name, total in (("energy_per_unit_j", "energy_j"), ("net_per_unit_j", "net_j")):
            if not self._units:
                given = f"units were not given: set `units` to how many of {self.unit} were made"
                reasons[name] = self._uncounted or given
            elif total in reasons:
                reasons[name] = reasons[total]
        return reasons

    def _per_unit(self, joules: float | None) -> float | None:
        return joules / self._units if joules is not None and self._units else None

    def __repr__(self) -> str:
        if not self.closed:
            return "<Window, not closed>"
        joules = "no reading" if self.energy_j is None else f"{self.energy_j:.4g} J"
        state = "valid" if self.valid else f"invalid ({' '.join(self.reasons)})"
        return f"<Window {joules} in {self.duration_s:.4g} s, {self.scope}, {self.kind}, {state}>"


def number(units: SupportsFloat) -> float:
    """The count as a number. Raises UsageError for what is none."""
    try:
        value = math.nan if isinstance(units, bool | str | bytes) else float(units)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not 0 <= value < math.inf:
        raise UsageError(
            f"units={reprlib.repr(units)} is not a count.", "Use the number of pages, images, ... made."
        )
    return value
