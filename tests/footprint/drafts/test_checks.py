"""Checks of drafts: what each accepts, that no shell is between, and what is an error and not a rejection."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.footprint.drafts.checks import parse
from bench.footprint.drafts.languages import language_of
from bench.footprint.drafts.outputs import Draft

TEXT = "Dear Ada, the ferry is late and the sea is rough. It was a long day for all of us."


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    path = tmp_path / "a draft; touch hacked.txt"
    path.write_text(TEXT, encoding="utf-8")
    return Draft(0, path)


@pytest.mark.parametrize(
    ("check", "accepts"),
    [
        ("length=20", True),
        ("length=10..20", True),
        ("length=..19", False),
        ("length=21..", False),
        ("language=en", True),
        ("language=de", False),
        ("regex=^Dear .*ferry", True),
        ("regex=^ferry", False),
        (f"command={sys.executable} -c 'import sys; sys.exit(\"ferry\" not in sys.stdin.read())'", True),
        (f"command={sys.executable} -c 'import sys; sys.exit(\"train\" not in sys.stdin.read())'", False),
        (f"command={sys.executable} -c 'import sys; sys.exit(len(sys.argv) != 2)' {{path}}", True),
        ("python=own_check:short", True),
        ("python=own_check:long", False),
    ],
)
def test_a_check_accepts_or_rejects(
    draft: Draft, check: str, accepts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (draft.path.parent / "own_check.py").write_text(
        "def short(text):\n    return len(text) < 1000\n\n\ndef long(text):\n    return not short(text)\n"
    )
    monkeypatch.chdir(draft.path.parent)
    assert parse(check).accepts(draft) is accepts


def test_a_command_is_run_without_a_shell(draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(draft.path.parent)
    echo = parse(f"command={sys.executable} -c pass {{path}} ; touch planted $(touch planted)")
    assert echo.accepts(draft)
    assert sorted(path.name for path in draft.path.parent.iterdir()) == [draft.path.name]


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ("lenght=3", 'Unknown check "lenght". Did you mean "length"?'),
        ("length", "The check length has no value."),
        ("length=some", "length=some: not a number of words."),
        ("length=9..3", "9 is more than 3"),
        ("language=xx", 'Unknown language "xx"'),
        ("regex=(", "regex=(: missing )"),
        ("command='", "No closing quotation"),
        ("python=module", "no function is named"),
        ("python=json:load5", 'json has no function load5. Did you mean "load'),
        ("python=json:xyz", "json has no function xyz. Write it like python=module:function."),
        ("python=no_such_module_here:f", "No module named 'no_such_module_here'"),
    ],
)
def test_a_mistake_in_a_check_is_a_sentence(check: str, says: str) -> None:
    with pytest.raises(BenchError) as raised:
        parse(check)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ("command=/no/such/program", "cannot be started: /no/such/program: No such file"),
        (f"command={sys.executable} -c 'import sys; sys.exit(\"bad\")'", None),
        (
            f"command={sys.executable} -c 'import sys; sys.stderr.write(\"oops\"); sys.exit(3)'",
            "status 3 for",
        ),
        ("python=json:loads", "python=json:loads failed for"),
        ("python=builtins:len", "returned 82"),
    ],
)
def test_a_check_that_itself_goes_wrong_is_an_error(draft: Draft, check: str, says: str | None) -> None:
    if says is None:  # sys.exit with a text ends with 1, which rejects
        assert not parse(check).accepts(draft)
        return
    with pytest.raises(BenchError) as raised:
        parse(check).accepts(draft)
    assert says in str(raised.value)


def test_a_picture_is_not_read_as_a_text(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    with pytest.raises(BenchError, match=r"a\.png is not a text"):
        parse("length=3").accepts(Draft(0, tmp_path / "a.png"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Hund ist in dem Garten und die Katze schläft auf dem Dach.", "de"),
        ("Le chat est sur le toit de la maison et il ne veut pas descendre.", "fr"),
        ("El perro está en la casa y los niños juegan con una pelota en el jardín.", "es"),
        ("海上生明月，天涯共此时。", "zh"),
        ("The cat is on the roof of the house, and it was there for a day.", "en"),
        ("xqz 123 blorp glim", None),
        ("", None),
    ],
)
def test_a_language_is_known_by_its_commonest_words(text: str, language: str | None) -> None:
    assert language_of(text) == language
