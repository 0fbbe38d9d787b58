"""`bench ab` beside a card of known power: the ratio of two commands, its verdict, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.cli import invoke
from bench.compare.record_key import entry_of
from bench.compare.record_set import StoredRecord
from bench.core.repetition import Pair
from bench.measurement import instruments
from bench.view.printable import printable
from tests.cli.conftest import Typed
from tests.standin import StandIn
from tests.support.metering import QuietCodeCarbon
from tests.support.own_windows import result

WATTS = 300.0


@pytest.fixture
def card(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A card that draws `WATTS`, in this process."""
    standin.load(0, 0, WATTS)
    standin.attach()
    monkeypatch.setattr(instruments, "CodeCarbon", lambda *_: QuietCodeCarbon())
    yield standin
    standin.detach()


@pytest.mark.slow
def test_twice_the_seconds_at_one_power_are_twice_the_joules(card: StandIn, typed: Typed) -> None:
    done = typed(
        "ab", "--runs", "5", "--warmup", "0", "--gpus", "0", "-o", "ab.json", "--", "sleep 1.2", "sleep 2.4"
    )
    assert done.status == 1, done.err
    assert done.out.startswith("1 worse.\nA: sleep 1.2\nB: sleep 2.4\n")
    written = json.loads(Path("ab.json").read_text())
    a, b = written["a"], written["b"]
    ratio = b["pair"]["ratio"]
    assert ratio["value"] == pytest.approx(2.0, rel=0.02)
    assert ratio["n"] == 5
    assert a["figures"]["energy_per_unit_j"]["gpu"]["gross"]["value"] == pytest.approx(1.2 * WATTS, rel=0.03)
    order = a["pair"]["order"]
    assert (order.count("A"), order.count("B"), order[:4] in ("ABBA", "BAAB")) == (5, 5, True)

    again = typed("compare", "ab.json@A", "ab.json@B", "--json")
    assert again.status == 1, again.err
    (found,) = json.loads(again.out)["comparisons"]
    assert found["rows"][0]["ratio"]["value"] == pytest.approx(ratio["value"])
    assert typed("compare", "ab.json@A", "ab.json@B", "--fail-on", "energy:150%").status == 0
    back = typed("compare", "ab.json@B", "ab.json@A")
    assert (back.status, back.out.startswith("1 better.\n")) == (0, True)
    assert typed("validate", "ab.json").out.startswith("2 whole records, 0 not.")
    assert "sleep 2.4" in typed("show", "ab.json").out


@pytest.mark.parametrize(
    ("commands", "seen"),
    [
        (("true", "sh -c 'echo lost >&2; exit 3'"), "Command B ended with status 3"),
        (("sh -c 'kill -9 $$'", "true"), "Command A ended by signal 9"),
        (("true", "no-such-program x"), 'Command "no-such-program" was not found'),
        (("true", "echo 'open"), "Command B cannot be split into words: No closing quotation"),
        (("", "true"), "Command A is empty"),
        (("true",), "ab takes two commands, each quoted as one argument; there is one. For example: ab --"),
        (("sleep", "1", "sleep", "2"), "there are 4. For example: ab -- 'sleep 1' 'sleep 2'"),
    ],
)
def test_a_command_that_cannot_be_measured_is_one_sentence(
    typed: Typed, commands: tuple[str, ...], seen: str
) -> None:
    done = typed("ab", "-o", "ab.json", "--", *commands)
    assert (done.status, done.out, Path("ab.json").exists()) == (2, "", False)
    assert seen in done.err


def test_a_command_of_several_lines_is_shown_as_it_is_typed() -> None:
    assert printable("sh -c 'a\nb\tc' \x1b[31m") == "sh -c 'a\\nb\\tc' \ufffd[31m"


def test_what_a_command_prints_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    assert invoke(["ab", "--", "echo heard", "sh -c 'exit 1'"]) == 2
    out, err = capfd.readouterr()
    assert (out, err.startswith("heard\n")) == ("", True)


def watched(path: Path, joules: float, command: list[str]) -> Path:
    """The lines of `watch -o` around a command: two looks, and the end with its result."""
    tick = {"schema": "joulebench/watch/1", "event": "tick"}
    unnamed = result(joules).model_copy(update={"name": None})
    end = tick | {"event": "end", "command": command, "result": unnamed.as_dict()}
    path.write_text("".join(json.dumps(line) + "\n" for line in (tick, tick, end)))
    return path


def test_compare_reads_what_watch_wrote(typed: Typed, tmp_path: Path) -> None:
    before = watched(tmp_path / "a.jsonl", 300.0, ["./old"])
    after = watched(tmp_path / "b.jsonl", 330.0, ["./new"])
    apart = typed("compare", before, after)
    assert (apart.status, "name: ./old, ./new" in apart.out) == (3, True)
    meant = typed("compare", before, after, "--vary", "name")
    assert (meant.status, meant.out.startswith("1 worse.\n")) == (1, True)
    assert typed("compare", before, watched(tmp_path / "c.jsonl", 300.0, ["./old"])).status == 0
    assert typed("validate", before, after).out.startswith("2 whole records, 0 not.")


def test_lines_of_watch_without_a_command_are_one_sentence(typed: Typed, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"schema": "joulebench/watch/1", "event": "end", "own_share": 0.1}\n')
    done = typed("show", path)
    assert (done.status, done.out) == (2, "")
    assert "lines of watch without a command's result" in done.err


def test_two_commands_are_no_measure_of_the_machines_noise() -> None:
    """Only the same command on both sides is an A/A pair."""
    pair = Pair(side="A", other="./new", other_hash="run ./new", id="1", order="AB")
    one = result(300.0).model_copy(update={"name": "./old", "unit": "run", "pair": pair})
    assert not entry_of(StoredRecord(one, "a", "1")).twin
    same = pair.model_copy(update={"other": "./old", "other_hash": one.work_key})
    assert entry_of(StoredRecord(one.model_copy(update={"pair": same}), "a", "2")).twin
