"""What `bench run --fleet` refuses before it looks for a cluster."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Typed

AT = ("--fleet", "127.0.0.1:9")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("smoke", "--every-node"), "--every-node needs --fleet ADDRESS."),
        (("tiny-bloom", *AT, "--pair", "tiny-bloom", "tiny-bloom"), "--fleet takes no --pair"),
        (AT, "--fleet needs the name of a suite or model."),
        (("no-such-model", *AT), "no-such-model"),
        (("smoke", *AT), "No Ray cluster answers at 127.0.0.1:9"),
    ],
)
def test_what_no_fleet_can_do_is_one_sentence(typed: Typed, words: tuple[str, ...], says: str) -> None:
    if "smoke" in words and "127.0.0.1:9" in words:
        pytest.importorskip("ray", reason="the extra `fleet` is not installed")
    done = typed("run", *words)
    assert done.status == 2
    assert says in done.err
