"""What `bench run --node` refuses before it asks an agent."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import invocation
from tests.cli.conftest import Typed, words
from tests.support.processes import ROOT

URL = "http://127.0.0.1:9/v1"
NODE = ("--node", "prefill=127.0.0.1:9")
SERVED = ("--workload", "concurrency:4")
MIXED = """
  mixed:
    doc: A window of a server, and a model that is loaded here.
    cases:
      - {model: tiny, workload: {kind: concurrency, load: 4, producer: endpoint}}
      - {model: tiny}
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """Models with a command that starts their server."""
    text = (ROOT / "tests/support/served/models.yaml").read_text(encoding="utf-8")
    path = tmp_path / "models.yaml"
    path.write_text(text + MIXED, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("tiny", *SERVED),
            "one that is started here draws on this machine. Start the server, and add --end",
        ),
        (("mixed", "--endpoint", URL), "asks no server. Add --workload single"),
        (("tiny", *SERVED, "--endpoint", URL, "--gpus", "0"), "--gpus names cards of this machine"),
        (("tiny", *SERVED, "--endpoint", URL, "--node", "Decode=a:1"), "is not a role of small letters"),
        (("--pair", "tiny", "tiny", *SERVED, "--endpoint", URL), "--node and --pair exclude each other"),
        (("tiny", *SERVED, "--fleet", "127.0.0.1:9"), "--fleet takes no --pair, --endpoint, --node"),
    ],
)
def test_what_no_node_can_meter_is_one_sentence(
    typed: Typed, catalogue: Path, words: tuple[str, ...], says: str
) -> None:
    done = typed("run", *words, *NODE, "--models", catalogue, "--dry-run")
    assert done.status == 2
    assert says in " ".join(done.err.split())
    assert "Traceback" not in done.err


def test_the_help_names_the_agent_as_this_program_was_started(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(invocation.VARIABLE, "scripts/bench")
    assert "its agent (`scripts/bench fleet meter`)" in words(typed("run", "--help"))
    monkeypatch.setenv(invocation.VARIABLE, "joulebench")
    assert "its agent (`joulebench fleet meter`)" in words(typed("run", "--help"))
    assert "for `joulebench run --node` of another machine" in words(typed("fleet", "meter", "--help"))
