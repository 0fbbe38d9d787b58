"""How one look of `bench watch` is drawn for a person, live or as the sum at its end."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.cli.sourced import from_whom, given
from bench.cli.tables import J_PER_WH, cell
from bench.cli.watch_lines import grams
from bench.report.numbers import digits, duration, plain

if TYPE_CHECKING:
    from bench.footprint.reference import Factor
    from bench.runner.live import Card, DomainLook, Look, Total, UserLook

MINUTE_S = 60.0
BARS = "▁▂▃▄▅▆▇█"
WIDE, NARROW = 110, 78
"""From so many columns on, each domain has its Wh and grams; below so many, neither minute nor clocks."""
NOW, MEAN = "W now", "mean W"
SPARK_NARROW, SPARK_WIDE = 10, 24


class View:
    """Looks as pictures, with each domain's last minute remembered."""

    def __init__(self, grid: Factor, *, contained: bool) -> None:
        self._grid = grid
        self._contained = contained
        self._minutes: dict[str, deque[tuple[float, float]]] = {}

    def remember(self, look: Look) -> None:
        """Keep the watts of a tick for the line of the last minute."""
        for each in look.domains:
            minute = self._minutes.setdefault(each.domain, deque())
            if each.power_w is not None:
                minute.append((look.elapsed_s, each.power_w))
            while minute and minute[0][0] < look.elapsed_s - MINUTE_S:
                minute.popleft()

    def picture(self, look: Look, columns: int, *, hint: str = "", mean: bool = False) -> Group:
        """A look with the power now, or with its `mean` since the start.

        Sums come first, so that a low terminal loses processes, then domains, and never these.
        """
        parts: list[object] = [cell(f"joulebench watch, {duration(look.elapsed_s)}. {hint}"), Text()]
        if look.totals:
            parts += [self._totals(look, mean=mean), cell(grid_note(self._grid)), Text()]
        if look.domains:
            parts += [self._domains(look, columns, mean=mean), Text()]
        parts += [Padding(cell(line), (0, 0, 0, 2)) for each in look.domains for line in self._notes(each)]
        parts += [cell(f"{name}: not read: {reason}") for name, reason in look.absent.items()]
        return Group(*parts)  # type: ignore[arg-type]

    def _totals(self, look: Look, *, mean: bool) -> Table:
        made = Table(box=None, header_style="bold", pad_edge=False)
        for name in ("scope", MEAN if mean else NOW, "J", "Wh", "g CO2e"):
            made.add_column(name, justify="left" if name == "scope" else "right", no_wrap=True)
        made.add_column("kind")
        for scope, total in look.totals.items():
            power_w = total.mean_w if mean else total.power_w
            made.add_row(*map(cell, (scope, plain(power_w), *self._sums(total.energy_j), _kind(total))))
        return made

    def _sums(self, energy_j: float | None) -> tuple[str, str, str]:
        """Joules, watt-hours, grams."""
        watt_hours = None if energy_j is None else energy_j / J_PER_WH
        return plain(energy_j, 4), plain(watt_hours), plain(grams(energy_j, self._grid))

    def _domains(self, look: Look, columns: int, *, mean: bool) -> Table:
        names = [MEAN if mean else NOW, "last minute", "J", "Wh", "g CO2e"]
        names += ["°C", "SM/mem MHz", "busy"] if any(each.card for each in look.domains) else []
        too_much = [*(("Wh", "g CO2e") if columns < WIDE else ())]
        too_much += ["last minute", "SM/mem MHz", "busy"] if columns < NARROW else []
        names = [name for name in names if name not in too_much]
        made = Table(box=None, header_style="bold", pad_edge=False)
        made.add_column("", overflow="ellipsis", no_wrap=True)
        for name in names:
            made.add_column(name, justify="left" if name == "last minute" else "right", no_wrap=True)
        for each in look.domains:
            made.add_row(cell(each.label), *map(cell, self._row(each, look, names, mean=mean)))
        return made

    def _row(self, each: DomainLook, look: Look, names: Sequence[str], *, mean: bool) -> Iterable[str]:
        joules, watt_hours, carbon_g = self._sums(each.energy_j)
        values = {
            names[0]: plain(each.mean_w if mean else each.power_w),
            "last minute": self._spark(each, look, SPARK_WIDE if "Wh" in names else SPARK_NARROW),
            "J": joules,
            "Wh": watt_hours,
            "g CO2e": carbon_g,
        }
        if card := each.card:
            values["°C"] = _whole(card.temperature_c)
            values["SM/mem MHz"] = f"{_whole(card.sm_clock_mhz)}/{_whole(card.memory_clock_mhz)}"
            values["busy"] = f"{_whole(card.utilisation_percent)} %"
        return [values.get(name, "") for name in names]

    def _spark(self, each: DomainLook, look: Look, cells: int) -> str:
        """The last minute from nothing to its highest power; a blank where nothing is known."""
        minute = self._minutes.get(each.domain, ())
        highest = max((watts for _, watts in minute), default=0.0)
        slots: list[list[float]] = [[] for _ in range(cells)]
        for at_s, watts in minute:
            ago = (look.elapsed_s - at_s) / MINUTE_S
            slots[max(0, cells - 1 - math.floor(ago * cells))].append(watts)
        means = [sum(slot) / len(slot) if slot else None for slot in slots]
        return "".join(
            " " if mean is None or not highest else BARS[min(7, int(mean / highest * 8))] for mean in means
        )

    def _notes(self, each: DomainLook) -> Iterable[str]:
        """What is behind a row: why something is not there, why a card is slow, and who is on it."""
        name = each.label if each.card is None else f"GPU {each.card.index}"
        if each.lost_s:
            yield f"{name}: {digits(each.lost_s)} s have no joules: {each.reason}"
        elif each.reason:
            yield f"{name}: {each.reason}"
        if each.power_source == "sensor":
            yield f"{name}: W are the card's own readings; its counter tells nothing now"
        if each.card is None:
            return
        if each.card.throttle:
            yield f"{name}: throttled: {', '.join(each.card.throttle)}"
        if each.card.note:
            yield f"{name}: {each.card.note}"
        for user in each.card.users or ():
            yield f"{name}: {self._user(user, each.card, each.energy_j)}"

    def _user(self, user: UserLook, card: Card, energy_j: float | None) -> str:
        """A process: its name, memory, share of the SMs, and joules or why there are none."""
        name = user.name or "name not visible from here"
        memory = "" if user.memory_bytes is None else f", {user.memory_bytes / 1e9:.1f} GB"
        share = ", SM share not told" if user.sm_percent is None else f", {user.sm_percent:.0f} % of the SMs"
        joules = f"{plain(user.energy_j, 4)} J"
        if user.reason:
            joules = f"— J ({user.reason})"
        elif card.users and len(card.users) == 1 and _same(user.energy_j, energy_j):
            inside = " that this container can see" if self._contained else ""
            joules += f", all of it: only process {user.pid}{inside} was on this card"
        return f"process {user.pid} ({name}){memory}{share}, {joules}"


def grid_note(grid: Factor) -> str:
    """Which grid the grams are of."""
    year = f" {grid.year}" if grid.year else ""
    return f"g CO2e: {grid.region or grid.id}{year}, {given(grid)}, {from_whom(grid)}."


def _same(mine_j: float | None, all_j: float | None) -> bool:
    return mine_j is not None and all_j is not None and math.isclose(mine_j, all_j)


def _kind(total: Total) -> str:
    kind = "measured + estimated" if total.kind == "mixed" else total.kind
    return f"{kind}; {total.reason}" if total.reason else kind


def _whole(value: float | None) -> str:
    return "—" if value is None else f"{value:.0f}"
