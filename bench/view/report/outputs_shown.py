"""The outputs that cases kept, shown openly in one section of the page, and bounded in size together.

Each is in the page once: the details of a case show a copy of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bench.view.content import CaseDetails, KeptOutput

LARGEST_TOGETHER = 16_000_000
"""Characters of all outputs in a page: some ten films, 30 sounds or 200 small pictures."""
FULL = "the page is full; it is beside its record"


def within_bounds(cases: Iterable[CaseDetails]) -> Iterator[CaseDetails]:
    """The cases, newest first, whose outputs fit into a page; of the others their names and the reason."""
    left = LARGEST_TOGETHER
    for case in cases:
        kept = []
        for output in case.outputs:
            size = sum(map(len, filter(None, (output.text, output.image, output.audio, output.video))))
            kept.append(output if size <= left else KeptOutput(output.name, reason=FULL))
            left -= size if size <= left else 0
        yield replace(case, outputs=tuple(kept))
