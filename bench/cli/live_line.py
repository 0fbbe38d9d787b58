"""Live line below a run's progress: power and state of the metered cards.

It is made from what the recorder has written anyway; the cards are not asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.progress import Progress as Bar
from rich.progress import ProgressColumn, Task
from rich.table import Column
from rich.text import Text

from bench.meters.gpu import Gpu
from bench.meters.gpu_status import gpu_status
from bench.meters.recorder import Recorder
from bench.meters.running_energy import RunningEnergy
from bench.view.numbers import digits, plain


class LiveLine:
    """The cards of a run, and their joules since its current case began."""

    def __init__(self, recorder: Recorder, gpus: Sequence[Gpu]) -> None:
        self._recorder, self._gpus = recorder, tuple(gpus)
        self.begin()

    def begin(self) -> None:
        """Count from now on."""
        self._tally = RunningEnergy(self._recorder, self._gpus, time.monotonic_ns())

    def line(self) -> str:
        """Every card, one after the other."""
        now_ns = time.monotonic_ns()
        counted = self._tally.advance(now_ns)
        return " | ".join(self._card(gpu, counted[gpu.domain].energy_j, now_ns) for gpu in self._gpus)

    def _card(self, gpu: Gpu, energy_j: float | None, now_ns: int) -> str:
        """`GPU 0 612 W now, 64 °C, power-cap, 12300 J in this case`; what is not known is left out."""
        seen = gpu_status(self._recorder, gpu.index, now_ns)
        parts = [f"GPU {gpu.index} {plain(seen.power_w)} W now"]
        if seen.temperature_c is not None:
            parts.append(f"{seen.temperature_c:.0f} °C")
        parts += seen.throttle or ()
        if energy_j is not None:
            parts.append(f"{digits(energy_j, 4)} J in this case")
        return ", ".join(parts)


class HeadFirst(ProgressColumn):
    """What changes, then the case's name; a narrow terminal cuts from the end."""

    def get_table_column(self) -> Column:
        """A column of one line."""
        return Column(no_wrap=True, overflow="ellipsis")

    def render(self, task: Task) -> Text:
        """The text to draw."""
        return Text.assemble(task.description, "  ", (str(task.fields["case"]), "dim"))


class BarWithLine(Bar):
    """The bar, and a line below it."""

    below = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """The text to draw."""
        yield from super().get_renderables()
        if self.below:
            yield Text(self.below, style="dim", no_wrap=True, overflow="ellipsis")
