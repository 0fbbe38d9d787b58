"""Shares of the joules: phases of the work, roles of a server, domains of the machine, idle power."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from bench.compare.record_set import StoredRecord
from bench.core.domain import Domain
from bench.core.record import Record
from bench.stats.figures import counting
from bench.view import charts
from bench.view.content import Chart, Section, Table, TableRow, clean, columns, table
from bench.view.report.footer import METERED, footer, nature
from bench.view.report.like_cards import representatives
from bench.view.report.report_data import ReportData
from bench.view.short_names import short_labels

DRAWN = 24
"""Cases in a chart. The table beneath has all of them."""

Shares = dict[str, float]

VIEWS = {
    "phases": "Phases: share of the joules (of the time where a phase is too short to be metered)",
    "roles": "Roles of a server's nodes: share of the joules at the headline's scope",
    "domains": "Domains: share of the joules at the widest scope",
    "idle": "Idle: share that the loaded machine would have drawn with nothing asked",
}


def section(data: ReportData) -> Section | None:
    """A chart and a table for each of the views that any record can fill."""
    parts: list[Table | Chart] = []
    for name, title in VIEWS.items():
        rows = [(found, shares) for found in data.newest if (shares := _shares(name, found.record))]
        parts += _parts(name, title, rows)
    if not parts:
        return None
    lead = (
        "Of the gross joules of the newest record of each case. Shares show where, not how much: see the "
        "joules of each case."
    )
    return Section("Where the joules go", (lead, *parts), id="shares")


def _parts(name: str, title: str, rows: Sequence[tuple[StoredRecord, Shares]]) -> Iterator[Table | Chart]:
    if not rows:
        return
    yield _chart(name, title, rows)
    parts = list(dict.fromkeys(part for _, shares in rows for part in shares))
    numbers = [f"#{part}, %" for part in parts]
    made = []
    for found, shares in rows:
        percent = (100 * shares[part] if part in shares else None for part in parts)
        about_case = found.record.label, str(found.record.machine.name)
        made.append(TableRow((*about_case, *percent), found.digest))
    yield table(columns("case", "machine", *numbers), made, title, f"shares-{name}-table")


def _chart(name: str, title: str, rows: Sequence[tuple[StoredRecord, Shares]]) -> Chart:
    """The newest rows, one for all cards of a model."""
    models = representatives(found for found, _ in rows)
    kept = [(found, shares) for found, shares in rows if found.digest in models]
    shown = kept[:DRAWN]
    short = short_labels([found for found, _ in shown], models)
    labels = [_labelled(short[found.digest], found.record) for found, _ in shown]
    drawn = [
        {"label": label, "part": part, "share": share, "position": position}
        for label, (_, shares) in zip(labels, shown, strict=True)
        for position, (part, share) in enumerate(shares.items())
    ]
    about = title if len(kept) <= DRAWN else f"{title}; the {DRAWN} newest of {len(kept)}"
    about += "; of like cards the one with the median joules" if len(kept) < len(rows) else ""
    share, part, label = max(
        (share, part, labels[n]) for n, (_, s) in enumerate(shown) for part, share in s.items()
    )
    takeaway = f"The largest part: {part}, {share:.0%} of {label}"
    foot = footer(((found, _kind(found.record)) for found, _ in shown), (), METERED)
    draw = partial(charts.stacked, drawn, "share of the whole")
    return Chart(f"shares-{name}", about, draw, f"shares-{name}-table", takeaway, foot)


def _labelled(label: str, record: Record) -> str:
    """The label with what the record is where that is not a metered model."""
    natures = nature(record, _kind(record))
    return f"{label} ({natures})" if natures else label


def _kind(record: Record) -> str:
    """Kind of the joules at the headline's scope; of a record without one, `measured`."""
    scope = record.figures.headline_scope
    figure = record.figures.energy_per_unit_j.get(scope) if scope else None
    return figure.kind if figure and figure.kind else "measured"


def _shares(view: str, record: Record) -> Shares:
    views = {"phases": _phases, "roles": _roles, "domains": _domains, "idle": _idle}
    return views[view](record)


def _phases(record: Record) -> Shares:
    """The record's figures of its phases, and the rest."""
    figures = record.figures
    found = figures.phase_energy_share or figures.phase_time_share
    what = "joules" if figures.phase_energy_share else "time"
    named = {f"{clean(phase, 40)} ({what})": share for phase, share in found.items()}
    rest = 1 - sum(named.values())
    return named | ({f"rest ({what})": rest} if named and rest > 0 else {})


def _roles(record: Record) -> Shares:
    """Each role's part, and that of nodes without one; empty where a node has no joules."""
    scope = record.figures.headline_scope
    nodes = record.figures.served.per_node_j if record.figures.served else {}
    sums: Shares = {}
    for node in record.machine.nodes if scope and record.machine.roles else ():
        figure = nodes.get(node, {}).get(scope or "")
        if figure is None or figure.gross is None:
            return {}
        role = clean(record.machine.roles.get(node, "no role"), 40)
        sums[role] = sums.get(role, 0.0) + figure.gross.value
    whole = sum(sums.values())
    return {role: joules / whole for role, joules in sums.items()} if whole > 0 else {}


def _domains(record: Record) -> Shares:
    """Each domain's part where there are several of them; cards are summed."""
    used = counting(record.blocks)
    sums: Shares = {}
    for block in used:
        for name, energy in block.energy.items():
            if energy.gross_j is None:
                return {}
            part = f"{Domain.parse(name).prefix} ({energy.kind})"
            sums[part] = sums.get(part, 0.0) + energy.gross_j
    total = sum(sums.values())
    return {part: joules / total for part, joules in sums.items()} if len(sums) > 1 and total > 0 else {}


def _idle(record: Record) -> Shares:
    """Gross minus net over gross, at the headline's scope."""
    scope = record.figures.headline_scope
    figure = record.figures.energy_per_unit_j.get(scope) if scope else None
    if figure is None or figure.gross is None or figure.net is None or figure.gross.value <= 0:
        return {}
    idle = 1 - figure.net.value / figure.gross.value
    return {"idle": idle, "the work": 1 - idle} if 0 <= idle <= 1 else {}
