"""Fitness of a record's figure to be published as that of its model, apart from its status.

    reasons(record, traced=True)      # [] or ["quick", "no-trace"]

A record can be `ok` and unfit: a toy, a first look, a figure without a commit.
"""

from __future__ import annotations

from bench.core.record import Record
from bench.footprint.excluded_models import is_toy

CODES = {
    "not-ok": "its status is not ok",
    "toy": "it only shows that the path works",
    "random-weights": "its weights are random numbers: true of the architecture, not of the model's output",
    "quick": "it is a first look, with a wide target",
    "estimated": "joules of its scope are estimated, not metered",
    "no-trace": "no samples are kept beside it",
    "no-commit": "the commit of the code that measured is not known",
    "changed-code": "files of the code differed from the commit",
    "no-card": "no metered card is named",
}
"""Reason codes, with what they mean."""


def reasons(record: Record, *, traced: bool) -> list[str]:
    """Codes of all that makes the record's figure unfit; none where it is fit.

    `traced`: whether its samples are there, too.
    """
    git, scope = record.provenance.git, record.figures.headline_scope
    headline = record.figures.energy_per_unit_j.get(scope) if scope else None
    applies = {
        "not-ok": record.status != "ok" or record.headline() is None,
        "toy": is_toy(record),
        "random-weights": record.random_weights,
        "quick": bool(record.ended and record.ended.quick),
        "estimated": headline is not None and headline.kind != "measured",
        "no-trace": not traced,
        "no-commit": record.provenance.commit is None,
        "changed-code": bool(git and git.dirty),
        "no-card": not record.machine.metered_gpus,
    }
    return [code for code in CODES if applies[code]]
