"""Records that answer a case already, so that a sweep goes on where it was interrupted.

    found = measured_already(cases, folder, RunConditions.now(machine, placement))     # {2: (record, path)}

A record answers a case where both have the same work, the same cards with the same power limit, driver,
libraries, settings and sources, and where it came to what is asked for now. In doubt the case is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from bench.catalog.cases import Case, Planned
from bench.catalog.identity import case_hash
from bench.core.machine import Machine
from bench.core.record import Record
from bench.core.weights import Weights
from bench.engines.weights.weight_files import fingerprint
from bench.errors import RecordError
from bench.machine import provenance
from bench.machine.placement import Placement
from bench.store import results

SkipMeasured = Literal["sweeps", "all", "none"]
"""Which cases are skipped where they were measured: those of a sweep, all, or none (`--again`)."""
CardsOf = Callable[[Planned], int | None]
"""Number of cards of a case that may be any of those of the run; `None` where it has all of them."""
MOVES_NO_JOULES = frozenset({"HF_HUB_OFFLINE"})
"""Settings in a record that may differ: the origin of weights is in the case."""


@dataclass(frozen=True)
class RunConditions:
    """Everything beside the case that has to be equal for a record to answer it."""

    machine: str | None
    device: str | None
    power_limits_w: Mapping[str, float | None]
    """Of the cards that are metered, by UUID."""
    driver: str | None
    libraries: Mapping[str, str]
    settings: Mapping[str, str]
    sources: str | None

    def met_by(self, record: Record, cards: int | None, *, parallel: bool) -> bool:
        """Whether a record was measured under these conditions, on that number of `cards`, any of them.

        A case that may be `parallel` to others may also have been alone.
        """
        of_record = RunConditions.of_record(record)
        if record.side_by_side is not None and not parallel:
            return False
        if cards is None:
            return of_record == self
        limits_w = of_record.power_limits_w
        among = len(limits_w) == cards and limits_w.items() <= self.power_limits_w.items()
        return among and replace(of_record, power_limits_w=self.power_limits_w) == self

    @classmethod
    def now(cls, machine: Machine, placement: Placement) -> Self:
        """Those of a run that begins."""
        return cls._of(
            machine,
            placement.device,
            [gpu.uuid for gpu in placement.cards],
            provenance.libraries(),
            provenance.worker_settings(placement.cards),
            provenance.sources(),
        )

    @classmethod
    def of_record(cls, record: Record) -> Self:
        """Those that a record was measured under."""
        from_, machine = record.provenance, record.machine
        sources = from_.git.sources if from_.git else None
        return cls._of(machine, machine.device, machine.metered, from_.libraries, from_.environment, sources)

    @classmethod
    def _of(
        cls,
        machine: Machine,
        device: str | None,
        cards: Sequence[str],
        libraries: Mapping[str, str],
        settings: Mapping[str, str],
        sources: str | None,
    ) -> Self:
        limits_w = {str(gpu.uuid): gpu.power_limit_w for gpu in machine.gpus if gpu.uuid in cards}
        kept = {name: value for name, value in settings.items() if name not in MOVES_NO_JOULES}
        return cls(machine.id, device, limits_w, machine.driver, dict(libraries), kept, sources)


def measured_already(
    cases: Sequence[Planned],
    folder: Path,
    conditions: RunConditions,
    *,
    with_outputs: bool = False,
    cards_of: CardsOf = lambda _: None,
    parallel: bool = False,
) -> dict[int, tuple[Record, Path]]:
    """The newest record that answers a case, by the case's place in the list.

    `with_outputs` takes only records that kept their outputs. `parallel` cases may be side by side.
    """

    def answers(record: Record, item: Planned) -> bool:
        alike = conditions.met_by(record, cards_of(item), parallel=parallel) and _is_whole(record, item)
        return alike and bool(record.outputs or not with_outputs)

    return _newest(cases, folder, answers)


def interrupted(
    cases: Sequence[Planned],
    folder: Path,
    conditions: RunConditions,
    *,
    cards_of: CardsOf = lambda _: None,
    parallel: bool = False,
) -> dict[int, tuple[Record, Path]]:
    """The newest record of each case that was interrupted under these conditions, at this point of a sweep.

    One that was interrupted before its cards were metered has no limits of theirs.
    """

    def began(record: Record, item: Planned) -> bool:
        ended_by = record.ended.by if record.ended else None
        if ended_by != "interrupt" or record.pair or record.sweep != item.sweep:
            return False
        if record.machine.metered:
            return conditions.met_by(record, cards_of(item), parallel=parallel)
        of_record = RunConditions.of_record(record)
        return replace(of_record, power_limits_w=conditions.power_limits_w) == conditions

    return _newest(cases, folder, began)


def _newest(
    cases: Sequence[Planned], folder: Path, accepts: Callable[[Record, Planned], bool]
) -> dict[int, tuple[Record, Path]]:
    """The newest record of each case that is accepted, by the case's place in the list."""
    found, by_label = {}, _by_label(folder)
    for at, item in enumerate(cases):
        for record, path in _newest_first(by_label, item.case):
            if accepts(record, item) and _is_of_case(record, item.case):
                found[at] = record, path
                break
    return found


def _by_label(folder: Path) -> Mapping[str, list[Path]]:
    """Files of records by the label in their names; one listing, because a sweep may have 10,000 cases."""
    by_label: dict[str, list[Path]] = {}
    for path in folder.glob("*--*.json"):
        by_label.setdefault(path.name.partition("--")[0], []).append(path)
    return by_label


def _newest_first(by_label: Mapping[str, list[Path]], case: Case) -> Iterator[tuple[Record, Path]]:
    """Records with the label of a case, or with that of half its batch, which memory may have asked for."""
    labels = {results.slug(each.label) for each in (case, case.with_batch(max(1, case.batch // 2)))}
    paths = {path for label in labels for path in by_label.get(label, ())}
    for path in sorted(paths, key=lambda path: path.stem.rpartition("--")[2], reverse=True):
        try:
            yield results.read(path), path
        except RecordError:
            continue  # a broken file answers nothing; `bench validate` names its fault


def _is_whole(record: Record, item: Planned) -> bool:
    """Whether the record came to what is asked for: the target, or as many seconds without reaching it.

    One that was interrupted did not have its seconds, so it has to have reached the target.
    """
    ended, asked = record.ended, item.measure
    if record.status != "ok" or record.pair or ended is None or ended.by == "failure":
        return False
    if ended.quick and not asked.quick:
        return False
    restarts = record.figures.served.restarts if record.figures.served else None
    if (restarts.starts if restarts else 1) < (asked.restarts or 1):
        return False
    target, seconds = asked.target or 0.0, asked.max_seconds or 0.0
    if ended.achieved is not None and ended.achieved <= target:
        return True
    return ended.by != "interrupt" and ended.target <= target and ended.max_seconds >= seconds


def _is_of_case(record: Record, case: Case) -> bool:
    """Whether the record is of this work, or of half its batch because memory did not suffice for it."""
    wanted = _hash(case.as_mapping(), case.weights)
    if wanted is None:
        return False
    asked = record.requested.as_mapping() if record.requested else {}
    return wanted in {
        _hash(mapping, case.weights) for mapping in (record.case.as_mapping(), asked) if mapping
    }


def _hash(mapping: Mapping[str, Any], planned: Weights) -> str | None:
    """The hash of a case as far as it is known before loading; `None` for weights unknown until then.

    The revision `main` is any commit, and a folder has the fingerprint of its files.
    """
    weights = dict(mapping["weights"])
    if planned.kind == "hub" and planned.revision == "main":
        weights["revision"] = None
    if planned.kind == "path" and weights["fingerprint"] is None:
        weights["fingerprint"] = _fingerprint(planned.path or "")
        if weights["fingerprint"] is None:
            return None
    return case_hash({key: value for key, value in mapping.items() if key != "reason"} | {"weights": weights})


@cache
def _fingerprint(folder: str) -> str | None:
    """Fingerprint of a folder's files; `None` for another path, or where they cannot be read."""
    try:
        return fingerprint(Path(folder)) if Path(folder).is_dir() else None
    except OSError:
        return None
