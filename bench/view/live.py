"""View of one look of `bench watch`, live or as the sum at its end.

    view = LiveView(grid, contained=False)
    view.remember(look)                              # at every look
    terminal.text(list(view.sections(look, 100)))    # for a terminal of 100 columns

It remembers each domain's last minute of watts, and computes no joules of its own: these are the snapshot's.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bench.core.quantities import J_PER_KWH, J_PER_WH
from bench.view.content import Cell, Section, Table, columns, table
from bench.view.numbers import digits, duration, plain
from bench.view.sourced import from_whom, given

if TYPE_CHECKING:
    from bench.footprint.bundled_rows import Factor
    from bench.measurement.live import DomainSnapshot, GpuSnapshot, GpuUserSnapshot, ScopeTotal, Snapshot
    from bench.measurement.live.written_tokens import TokenSnapshot

MINUTE_S = 60.0
BARS = "▁▂▃▄▅▆▇█"
WIDE, NARROW = 110, 78
"""Width from which each domain has Wh and grams; width below which minute and clocks are left out."""
NOW, MEAN = "W now", "mean W"
SUMS = ("##J", "#Wh", "#g CO2e")
SPARK_NARROW, SPARK_WIDE = 10, 24


class LiveView:
    """Looks as sections, with each domain's last minute remembered."""

    def __init__(self, grid: Factor, *, contained: bool) -> None:
        self._grid = grid
        self._contained = contained
        self._minutes: dict[str, deque[tuple[float, float]]] = {}

    def remember(self, look: Snapshot) -> None:
        """Keep the watts of a tick for the line of the last minute."""
        for each in look.domains:
            minute = self._minutes.setdefault(each.domain, deque())
            if each.power_w is not None:
                minute.append((look.elapsed_s, each.power_w))
            while minute and minute[0][0] < look.elapsed_s - MINUTE_S:
                minute.popleft()

    def sections(
        self, look: Snapshot, width: int, *, hint: str = "", mean: bool = False
    ) -> Iterator[Section | str]:
        """A look with the power now, or with its `mean` since the start, for a terminal that wide.

        Sums come first, so that a low terminal loses processes, then domains, and never these.
        """
        yield f"joulebench watch, {duration(look.elapsed_s)}. {hint}".rstrip()
        if look.totals:
            yield Section("", (self._totals(look, mean=mean), grid_note(self._grid)))
        if look.tokens is not None:
            yield Section("", tuple(_tokens(look.tokens)))
        if look.domains:
            yield Section("", (self._domains(look, width, mean=mean),))
        remarks = [f"  {line}" for each in look.domains for line in self._notes(each)]
        remarks += [f"{name}: not read: {reason}" for name, reason in look.absent.items()]
        if remarks:
            yield Section("", tuple(remarks))

    def _totals(self, look: Snapshot, *, mean: bool) -> Table:
        rows = (
            (scope, total.mean_w if mean else total.power_w, *sums(total.energy_j, self._grid), _kind(total))
            for scope, total in look.totals.items()
        )
        return table(columns("scope", f"#{MEAN if mean else NOW}", *SUMS, "kind"), rows)

    def _domains(self, look: Snapshot, width: int, *, mean: bool) -> Table:
        heads = columns("", f"#{MEAN if mean else NOW}", "last minute", *SUMS, "#°C", "#SM/mem MHz", "#busy")
        left_out = {*(("Wh", "g CO2e") if width < WIDE else ())}
        left_out |= {"last minute", "SM/mem MHz", "busy"} if width < NARROW else set()
        left_out |= set() if any(each.card for each in look.domains) else {"°C", "SM/mem MHz", "busy"}
        kept = [number for number, head in enumerate(heads) if head.name not in left_out]
        rows = [
            self._row(each, look, SPARK_NARROW if width < WIDE else SPARK_WIDE, mean=mean)
            for each in look.domains
        ]
        return table([heads[n] for n in kept], ([row[n] for n in kept] for row in rows))

    def _row(self, each: DomainSnapshot, look: Snapshot, cells: int, *, mean: bool) -> tuple[Cell, ...]:
        power_w = each.mean_w if mean else each.power_w
        row = (each.label, power_w, self._spark(each, look, cells), *sums(each.energy_j, self._grid))
        if each.card is None:
            return (*row, "", "", "")
        card = each.card
        clocks = f"{_whole(card.sm_clock_mhz)}/{_whole(card.memory_clock_mhz)}"
        return (*row, _whole(card.temperature_c), clocks, f"{_whole(card.utilisation_percent)} %")

    def _spark(self, each: DomainSnapshot, look: Snapshot, cells: int) -> str:
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

    def _notes(self, each: DomainSnapshot) -> Iterable[str]:
        """Details of a row: why something is not there, why a card is slow, and who is on it."""
        name = each.label if each.card is None else f"GPU {each.card.index}"
        if each.lost_s:
            yield f"{name}: {digits(each.lost_s)} s have no joules: {each.reason}"
        elif each.reason:
            yield f"{name}: {each.reason}"
        if each.power_source == "sensor":
            yield f"{name}: W are the card's own readings; its counter gives no power now"
        if each.card is None:
            return
        if each.card.throttle:
            yield f"{name}: throttled: {', '.join(each.card.throttle)}"
        if each.card.note:
            yield f"{name}: {each.card.note}"
        for user in each.card.users or ():
            yield f"{name}: {self._user(user, each.card, each.energy_j)}"

    def _user(self, user: GpuUserSnapshot, card: GpuSnapshot, energy_j: float | None) -> str:
        """A process: its name, memory, share of the SMs, and joules or why there are none."""
        name = user.name or "name not visible from here"
        memory = "" if user.memory_bytes is None else f", {user.memory_bytes / 1e9:.1f} GB"
        share = ", SM share unknown" if user.sm_percent is None else f", {user.sm_percent:.0f} % of the SMs"
        joules = f"{plain(user.energy_j, 4)} J"
        if user.reason:
            joules = f"— J ({user.reason})"
        elif card.users and len(card.users) == 1 and _same(user.energy_j, energy_j):
            inside = " that this container can see" if self._contained else ""
            joules += f", all of it: only process {user.pid}{inside} was on this card"
        return f"process {user.pid} ({name}){memory}{share}, {joules}"


def _tokens(seen: TokenSnapshot) -> Iterator[Table | str]:
    """Tokens since the first look, their pace, and joules over them by scope."""
    heads = columns(
        "tokens", "#since the start", "#per s", *(f"#J/token, {scope}" for scope in seen.j_per_token)
    )
    yield table(heads, [(seen.source, seen.tokens, seen.per_s, *seen.j_per_token.values())])
    if seen.reason:
        yield f"  tokens: {seen.reason}"


def grams(energy_j: float | None, grid: Factor) -> float | None:
    """Grams of CO2e of some joules."""
    return None if energy_j is None else energy_j / J_PER_KWH * grid.range.value


def sums(energy_j: float | None, grid: Factor) -> tuple[Cell, ...]:
    """Cells of SUMS: joules, watt-hours, grams."""
    return energy_j, None if energy_j is None else energy_j / J_PER_WH, grams(energy_j, grid)


def grid_note(grid: Factor) -> str:
    """Grid of the grams."""
    year = f" {grid.year}" if grid.year else ""
    return f"g CO2e: {grid.region or grid.id}{year}, {given(grid)}, {from_whom(grid)}."


def own_cost(share: float) -> str:
    """Cost of watching, in words."""
    return f"Watching took {share * 100:.1f} % of a core, the recorder included."


def _same(mine_j: float | None, all_j: float | None) -> bool:
    return mine_j is not None and all_j is not None and math.isclose(mine_j, all_j)


def _kind(total: ScopeTotal) -> str:
    kind = "measured + estimated" if total.kind == "mixed" else total.kind
    return f"{kind}; {total.reason}" if total.reason else kind


def _whole(value: float | None) -> str:
    return "—" if value is None else f"{value:.0f}"
