"""Account of one window of a load: what is recorded of the answers in it.

account = account_of(answers, moments, terms, lag, stated)
account.batches, account.shares, account.checks, account.window
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.core.served import ServedWindow
from bench.engines.base import OutputCheck, PhaseEdges
from bench.worker.messages import Batch
from bench.worker.serving import counts
from bench.worker.serving.apis import MEDIA
from bench.worker.serving.client import Answer
from bench.worker.serving.counts import AnswerCount
from bench.worker.serving.loads import CLOSED
from bench.worker.serving.media import wave_seconds
from bench.worker.serving.observed_window import observed_window
from bench.worker.serving.server_metrics import StatedLoad
from bench.worker.serving.terms import Terms
from bench.worker.serving.windows import Moments

LENGTH_OFF = 0.05
"""By how much prompts may miss the length asked for, as the server counts it."""


@dataclass(frozen=True)
class Account:
    """Requests that lie in a window, wholly or in part, and what their client saw."""

    batches: tuple[Batch, ...]
    shares: tuple[float, ...]
    """Of each one's tokens: those that came in the window. None of pictures and clips, whose time counts."""
    checks: tuple[OutputCheck, ...]
    outputs: tuple[bytes, ...]
    window: ServedWindow


def account_of(
    answers: Sequence[Answer],
    moments: Moments,
    terms: Terms,
    lag: Sequence[tuple[int, float]],
    stated: StatedLoad,
) -> Account:
    """Count what is in a window. A failed request has joules in it and no tokens: it made nothing."""
    start_ns, end_ns = moments.start_ns, moments.end_ns
    inside = [a for a in answers if a.sent_ns < end_ns and (a.end_ns or end_ns) > start_ns]
    if terms.api in MEDIA:
        return _of_media(inside, moments, terms, lag, stated)
    counted = [a for a in inside if (a.failure is None or a.failure == CLOSED) and a.pieces_ns]
    by = counts.tokens_by(counted, terms.counter)
    tallies = [counts.count(a, by, terms.counter, moments) for a in counted]
    phased = terms.workload.kind == "single"
    window = observed_window(inside, counted, tallies, moments, terms, lag, stated)
    window.output_tokens_by = by
    return Account(
        batches=tuple(_batch(answer, moments, phased=phased) for answer in counted),
        shares=tuple(tally.share for tally in tallies),
        checks=tuple(_check(a, tally, terms) for a, tally in zip(counted, tallies, strict=True)),
        outputs=tuple(answer.text.encode() for answer in counted),
        window=window,
    )


def _of_media(
    inside: Sequence[Answer],
    moments: Moments,
    terms: Terms,
    lag: Sequence[tuple[int, float]],
    stated: StatedLoad,
) -> Account:
    """Pictures or clips, each by the share of its time in the window; one that is cut off made nothing."""
    counted = [answer for answer in inside if answer.whole]
    window = observed_window(inside, counted, (), moments, terms, lag, stated)
    seconds = [wave_seconds(a.content) for a in counted] if terms.api == "speech" else []
    checks = [OutputCheck(seconds=(each,)) for each in seconds] or [OutputCheck() for _ in counted]
    return Account(
        batches=tuple(_batch(answer, moments, phased=False) for answer in counted),
        shares=(),
        checks=tuple(checks),
        outputs=tuple(answer.content for answer in counted),
        window=window,
    )


def _batch(answer: Answer, moments: Moments, *, phased: bool) -> Batch:
    """A request as a batch of one. One alone on the server has phases; those of many lie over each other."""
    end_ns = answer.end_ns or moments.end_ns + 1
    within = moments.start_ns <= answer.sent_ns and end_ns <= moments.end_ns
    phases: tuple[PhaseEdges, ...] = ()
    if phased and within and answer.first_ns is not None:
        phases = (
            PhaseEdges("prefill", answer.sent_ns, answer.first_ns),
            PhaseEdges("decode", answer.first_ns, end_ns),
        )
    # One that was closed by the client made no whole item: it never counts among those that ended here.
    return Batch(answer.sent_ns, end_ns if answer.whole else max(end_ns, moments.end_ns + 1), 1, phases)


def _check(answer: Answer, tally: AnswerCount, terms: Terms) -> OutputCheck:
    problems = []
    usage = answer.usage
    if answer.whole and terms.workload.ends == "length" and tally.tokens != terms.new_tokens and usage:
        problems.append(_wrong_length(answer, tally, terms))
    wanted = terms.workload.prompt_tokens
    if wanted and usage and usage.input_tokens and abs(usage.input_tokens / wanted - 1) > LENGTH_OFF:
        problems.append(f"A prompt had {usage.input_tokens} tokens, {wanted} were asked for.")
    words = len(answer.text.split()) if terms.real_weights else None
    if words == 0 and answer.whole:
        problems.append("An answer has no words.")
    return OutputCheck((tally.tokens,), None if words is None else (words,), problems=tuple(problems))


def _wrong_length(answer: Answer, tally: AnswerCount, terms: Terms) -> str:
    """Sentence on an answer of another length than asked for: the server ended it, or counts it wrongly."""
    wanted = terms.new_tokens
    seen = tally.counted or len(answer.pieces_ns)
    if abs(seen - wanted) <= max(1.0, counts.DISAGREE * wanted):
        had = f"our tokenizer counts {seen}" if tally.counted else f"it came in {seen} pieces"
        return f"The server states {tally.tokens} tokens of an answer, and {had} ({wanted} were asked for)."
    had = f"An answer has {tally.tokens} tokens ({answer.finish})"
    return f"{had}, {wanted} were asked for: the server ended it."
