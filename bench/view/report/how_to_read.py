"""Guide to a report: what is inside a figure, what is not, and how to make it again."""

from __future__ import annotations

from bench.footprint.bundled_rows import SCOPES
from bench.view.content import Section
from bench.view.report.report_data import ReportData

SENTENCES = (
    "Inside a figure: whole batches, from prompts on the host to finished output on the host, the device "
    "synchronised at both edges of each block.",
    "Outside: loading the model, warm-up (kept and marked, never averaged in), idling before and after, "
    "counting words, saving files.",
    "Gross joules are everything metered in that time; net is gross without the idle power of the same "
    "machine with the model loaded. Figures here are gross unless marked as net.",
    "A page is 250 words, an image one image at the case's size and steps, good or bad: quality is "
    "not judged.",
    "Random weights: the true architecture with random numbers. Joules are valid for the shape; the output "
    "is meaningless, and no case with random weights is ranked with one that has a model's own. They are "
    "shown beside people and published figures only with --shapes. Toy models never are: they show that "
    "the path works.",
    "Measured: read from a meter. Estimated: a model of power replaces a meter. Mixed: a sum of both. "
    "Published: others' figures. Each is drawn in its own way, and never added without a note.",
    "An interval is 95 %. `same machine`: the spread of the blocks. `absolute`: with the card's own error, "
    "to be used when machines are compared.",
    "An invalid record stays in the tables with its reason, and enters no figure.",
    "To make a figure again: the command of each case is in its details, with all versions.",
)


def section(data: ReportData) -> Section:
    """The same words for every report, and what this one depends on."""
    scopes = tuple(f"Scope {name}: {about}." for name, about in SCOPES.items())
    settings = tuple(data.settings.sentences())
    return Section("How to read this", (*SENTENCES, *scopes, *settings), data.notes, "reading")
