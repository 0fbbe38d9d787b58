"""A model as judge of drafts: prompts for it, and its verdicts from the outputs of its own record.

1. `footprint drafts RECORD --judge-prompts judge.yaml` writes a prompt for each distinct draft.
2. `run JUDGE --prompts judge.yaml --save-outputs` measures the judge like any text: it has its own joules.
3. The first command with `--judge RECORD` reads its verdicts, and adds its joules to those of each draft.

An output of the judge belongs to the draft of its prompt's number; one that begins with neither word is not a
verdict, and its draft is left out, with a note.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from bench.catalog.prompts import prompts
from bench.core.modalities.text import TextOptions
from bench.core.record import Record
from bench.errors import UsageError
from bench.footprint.drafts.outputs import Draft, kept

TASK = (
    "The text below was ordered. Can it be taken as it is? Answer with one word first, ACCEPT or "
    "REJECT, and then a short reason."
)
_VERDICT = re.compile(r"\W*(accept|reject)", re.IGNORECASE)


def judge_prompts(drafts: list[Draft], task: str = TASK) -> str:
    """A file of prompts for the judge, one a draft, in their order."""
    entries = [{"text": f"{task}\n\n{draft.text}"} for draft in drafts]
    return yaml.safe_dump({"version": 1, "prompts": entries}, allow_unicode=True, sort_keys=False, width=110)


def verdicts(drafts: list[Draft], judge: Record, place: Path, prompts_file: Path) -> dict[str, bool]:
    """By a draft's digest, as far as the judge gave one.

    Raises UsageError where the judge was not asked about these drafts.
    """
    asked = prompts("text", TextOptions(new_tokens=1, prompts=str(prompts_file)))
    if (judge.case.prompts or {}).get("sha256") != asked.sha256:
        raise UsageError(f"{place}: this judge was asked other prompts than {prompts_file.name}.")
    texts = asked.texts
    if len(texts) != len(drafts) or not all(
        text.endswith(draft.text) for text, draft in zip(texts, drafts, strict=True)
    ):
        raise UsageError(
            f"{prompts_file.name} is about other drafts.", "Write it anew with --judge-prompts FILE."
        )
    found = {}
    for said in kept(judge, place):
        verdict = _VERDICT.match(said.text)
        if verdict is not None:
            found[drafts[said.number % len(drafts)].digest] = verdict[1].lower() == "accept"
    return found
