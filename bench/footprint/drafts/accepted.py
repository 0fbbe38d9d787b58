"""Account of a record's drafts until one was accepted: a file of its own, `joulebench/drafts/1`.

    accepted = accepted_drafts(record, drafts, verdicts, ["length=200..300"])
    accepted.attempts.value           # drafts for one that is accepted
    accepted.j_per_accepted_item      # with the judge's joules, where a model judged

`read(path)` gives it back, for `footprint scenario --drafts FILE`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from bench.core.figures import Estimate
from bench.core.model import Count, SchemaModel
from bench.core.record import Record
from bench.core.scope import MeteredScope
from bench.core.untrusted import text_in
from bench.errors import RecordError, UsageError
from bench.footprint.drafts.checks import DraftCheck
from bench.footprint.drafts.outputs import Draft, distinct
from bench.stats.acceptance import AcceptedShare, attempts, per_accepted, together
from bench.store import results

SCHEMA = "joulebench/drafts/1"


class AcceptedDrafts(SchemaModel):
    """Drafts of one record, how many were accepted and by what, and what an accepted one took."""

    schema_name: Literal["joulebench/drafts/1"] = Field("joulebench/drafts/1", alias="schema")
    label: str
    """The case in words."""
    hash: str
    unit: str
    accepted_by: list[str]
    """The checks, the judge, or the raters."""
    drafts: Count
    tried: Count
    """Distinct drafts with a verdict: the number of independent trials."""
    accepted: Count
    rejected_by: dict[str, Count] = Field(default_factory=dict)
    """By check: distinct drafts that it rejects, alone or with others."""
    share_low: float
    share_high: float
    attempts: Estimate | None
    scope: MeteredScope | None
    j_per_draft: Estimate | None
    """Gross, of the writing model."""
    judge_j_per_draft: Estimate | None = None
    j_per_accepted_item: Estimate | None
    j_per_accepted_unit: Estimate | None
    """By units: of pages, those of 250 words."""
    notes: list[str] = Field(default_factory=list)

    @property
    def share(self) -> float:
        """Accepted drafts over all that were tried."""
        return self.accepted / self.tried


def checked(drafts: Sequence[Draft], checks: Sequence[DraftCheck]) -> tuple[dict[str, bool], dict[str, int]]:
    """Verdict by a draft's digest, where all checks have to accept it; and rejections by check."""
    found, rejected = {}, {check.text: 0 for check in checks}
    for draft in drafts:
        accepts = {check.text: check.accepts(draft) for check in checks}
        found[draft.digest] = all(accepts.values())
        for text, accepted in accepts.items():
            rejected[text] += not accepted
    return found, rejected


def accepted_drafts(
    record: Record,
    drafts: list[Draft],
    verdicts: Mapping[str, bool],
    by: Sequence[str],
    *,
    rejected: Mapping[str, int] | None = None,
    judge: Record | None = None,
) -> AcceptedDrafts:
    """The account of a record's drafts. Raises UsageError where no draft has a verdict."""
    trials = distinct(drafts)
    decided = [verdicts[draft.digest] for draft in trials if draft.digest in verdicts]
    if not decided:
        raise UsageError(f"{record.label}: none of its {len(trials)} distinct drafts has a verdict.")
    share = AcceptedShare.of(sum(decided), len(decided))
    scope, notes = record.figures.headline_scope, []
    if len(decided) < len(trials):
        notes.append(f"{len(trials) - len(decided)} of {len(trials)} distinct drafts have no verdict.")
    if not share.accepted:
        notes.append(f"No draft was accepted: at least {1 / share.high:.3g} attempts, at 95 %.")
    item_j, unit_j = (
        figures[scope].gross if scope in figures else None
        for figures in (record.figures.energy_per_item_j, record.figures.energy_per_unit_j)
    )
    judge_j = _judge_j(judge, scope) if judge is not None else None
    whole_j = together(item_j, judge_j) if item_j and judge_j else item_j
    # A judge reads drafts, not units: its joules go to the units that a draft has.
    whole_unit_j = _scaled(unit_j, whole_j.value / item_j.value) if unit_j and whole_j and item_j else None
    return AcceptedDrafts(
        label=record.label,
        hash=record.case.hash,
        unit=record.unit,
        accepted_by=list(by),
        drafts=len(drafts),
        tried=share.tried,
        accepted=share.accepted,
        rejected_by=dict(rejected or {}),
        share_low=share.low,
        share_high=share.high,
        attempts=attempts(share),
        scope=scope,
        j_per_draft=item_j,
        judge_j_per_draft=judge_j,
        j_per_accepted_item=per_accepted(whole_j, share) if whole_j else None,
        j_per_accepted_unit=per_accepted(whole_unit_j, share) if whole_unit_j else None,
        notes=notes,
    )


def _judge_j(judge: Record, scope: MeteredScope | None) -> Estimate:
    figure = judge.figures.energy_per_item_j.get(scope) if scope else None
    if figure is None or figure.gross is None:
        raise UsageError(
            f"The judge's record {judge.label} has no joules at scope `{scope}`.",
            "Measure it on this machine.",
        )
    return figure.gross


def _scaled(found: Estimate, factor: float) -> Estimate:
    low, high = (None if end is None else end * factor for end in (found.low, found.high))
    return Estimate(value=found.value * factor, low=low, high=high, n=found.n)


def read(path: Path) -> AcceptedDrafts:
    """An account from its file. Raises RecordError with what is wrong with it."""
    try:
        return AcceptedDrafts.model_validate(results.parse(text_in(path)))
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"])) or "the file"
        raise RecordError(
            f"{path}: not an account of drafts: {at}: {first['msg']}.",
            "`footprint drafts -o FILE` writes one.",
        ) from error
    except ValueError as error:
        raise RecordError(f"{path}: not a JSON file: {error}.") from error
