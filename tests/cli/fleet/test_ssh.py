"""Machines over ssh: each runs the suite, what is complete is fetched, a lost one costs itself alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Typed
from tests.cli.fleet.programs import program


@pytest.fixture
def machines(programs: Path, tmp_path: Path) -> Path:
    """Folders that are machines' homes, with an ssh and an rsync that know no other way to them."""
    program(
        programs,
        "ssh",
        'while [ "$1" != -- ]; do shift; done\n'
        f'cd {tmp_path}/machines/"$2" 2>/dev/null || exit 255\nexec bash -c "$3"',
    )
    program(
        programs,
        "rsync",
        'source="${@: -2:1}"; target="${@: -1}"\n'
        f'exec cp -r "{tmp_path}/machines/${{source%%:*}}/${{source#*:}}." "$target"',
    )
    for host, status in (("a", 0), ("b", 3)):
        checkout = tmp_path / "machines" / host / "my bench"
        (checkout / "results" / host).mkdir(parents=True)
        (checkout / "results" / host / "record.json").write_text(host, encoding="utf-8")
        (checkout / "python").write_text(f'#!/bin/bash\necho "{host} was asked: $*"\nexit {status}\n')
        (checkout / "python").chmod(0o755)
    return tmp_path


def test_every_machine_runs_the_suite_and_its_records_come_back(typed: Typed, machines: Path) -> None:
    asked = ["fleet", "ssh", "a,b", "paper", "--folder", "my bench", "--python", "./python", "--run=--quick"]
    done = typed(*asked, "--results", machines / "here")
    assert done.status == 3
    assert "a  a was asked: -m bench run paper --resume --quick" in done.err
    assert "b  done, status 3, records fetched" in done.err
    found = sorted((machines / "here").glob("*/record.json"))
    assert [path.read_text(encoding="utf-8") for path in found] == ["a", "b"]


def test_a_machine_that_cannot_be_reached_costs_itself_alone(typed: Typed, machines: Path) -> None:
    asked = ["fleet", "ssh", "a,gone", "paper", "--folder", "my bench", "--python", "./python"]
    done = typed(*asked, "--results", machines / "here")
    assert done.status == 1
    assert "gone  ssh cannot reach it, or lost it (status 255); the same command goes on there" in done.err
    assert (machines / "here" / "a" / "record.json").is_file()


def test_what_is_no_machine_is_refused(typed: Typed) -> None:
    for hosts in ("-oProxyCommand=x", ",", " "):
        assert typed("fleet", "ssh", "--", hosts, "paper").status == 2


def test_without_ssh_it_says_so(typed: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    done = typed("fleet", "ssh", "a", "paper", "--results", tmp_path)
    assert done.status == 2
    assert "ssh is not installed" in done.err
