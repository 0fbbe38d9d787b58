"""`bench watch --per token` beside cards of known power and a client that counts."""

from __future__ import annotations

import json
import time

import pytest

from bench.measurement import instruments
from bench.measurement.live import written_tokens
from tests.cli.conftest import Typed
from tests.standin import StandIn
from tests.support.metering import QuietCodeCarbon

WATTS, TOKENS_PER_S = 300.0, 100.0


def test_joules_a_token_are_the_cards_watts_over_the_pace(
    standin: StandIn, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.load(0, 0, WATTS)
    standin.attach()
    monkeypatch.setattr(instruments, "CodeCarbon", lambda *_: QuietCodeCarbon())
    # A client that counts evenly, by the clock itself: a thread that writes a file would be late under load.
    monkeypatch.setattr(written_tokens, "_in_file", lambda _: time.monotonic() * TOKENS_PER_S)
    try:
        done = typed(
            "watch", "--gpus", "0", "--for", "6s", "--interval", "1s", "--per", "token", "--from", "tokens"
        )
    finally:
        standin.detach()
    assert done.status == 0, done.err
    last = json.loads(done.out.splitlines()[-1])
    assert last["event"] == "end"
    # Joules lag by a tick of the counter, 0.1 s of the five seconds between the first look and the last.
    assert last["tokens"]["j_per_token"]["gpu"] == pytest.approx(WATTS / TOKENS_PER_S, rel=0.06)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--per", "token"), "--per token and --from belong together."),
        (("--from", "http://localhost:1"), "--per token and --from belong together."),
        (("--per", "token", "--from", "x", "--csv"), "--per token has no rows of CSV"),
        (("--per", "token", "--from", "x", "--", "true"), "is not for a COMMAND"),
    ],
)
def test_contradictions_are_one_sentence(typed: Typed, options: tuple[str, ...], says: str) -> None:
    done = typed("watch", *options)
    assert done.status == 2
    assert says in done.err
