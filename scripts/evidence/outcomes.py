"""What a part's records make of it: an invalid one fails it; a run that was cut short may have a good one.

judge(tried, Path(".evidence/results"))     # sets its status and its last output
recover(Path(".evidence"), state)           # records of killed runs, given to the parts that they belong to
"""

from __future__ import annotations

from pathlib import Path

from bench.errors import RecordError
from bench.store import results as store
from bench.store.machine_folder import MachineFolder
from scripts.evidence.parts import RESULTS, TRIAL
from scripts.evidence.state import State, Try

OUTPUT_CHARS = 600


def records_in(folder: Path) -> set[str]:
    """Records so far, as paths below a folder of results."""
    return {str(path.relative_to(folder)) for path in folder.glob("*/*.json")}


def judge(tried: Try, folder: Path) -> None:
    """Set the status of a part by its records; without any it stays."""
    reasons, statuses, reached = [], [], []
    for name in tried.records:
        try:
            record = store.read(folder / name)
        except RecordError as error:
            reasons.append(str(error))
            statuses.append("failed")
            continue
        statuses.append(record.status)
        reached.append(record.reached_target)
        reasons += [] if record.status == "ok" else [f"{record.label}: {record.why}"]
    if reasons:
        tried.status = "failed" if tried.status != "interrupted" else tried.status
        tried.last_output = "\n".join(reasons)[-OUTPUT_CHARS:]
    elif statuses and tried.status == "interrupted":
        tried.status = "done" if all(reached) else "inconclusive"


def recover(work: Path, state: State) -> dict[str, Try]:
    """Save what killed runs had measured as records, and judge the parts that had begun them.

    Done before any other part begins, whose records would else be mixed with theirs. Raises PrerequisiteError
    where a run still goes on.
    """
    parts: dict[str, Try] = {}
    for results in (work / RESULTS, work / TRIAL):
        own: dict[str, Try] = {}
        for folder in sorted({path.parent.parent for path in results.glob("*/.partial/*.json")}):
            with MachineFolder(results, folder.name) as machine:
                for path in machine.recover():
                    own |= _given(path, str(path.relative_to(results)), state)
        for tried in own.values():
            judge(tried, results)
        parts |= own
    return parts


def _given(path: Path, name: str, state: State) -> dict[str, Try]:
    """The part that was running when a record was begun, with the record added; empty if it is done."""
    created = store.read(path).created
    running = [
        (part, tried)
        for card in state.cards.values()
        for part, tried in card.parts.items()
        if tried.began <= created and tried.status in ("begun", "interrupted")
    ]
    if not running:
        return {}
    part, tried = max(running, key=lambda pair: pair[1].began)
    tried.status = "interrupted"
    tried.records = [*tried.records, name]
    return {part: tried}
