"""Machines over ssh: each runs the suite, what is complete is fetched, a lost one costs itself alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Typed
from tests.cli.fleet.programs import program
from tests.support.processes import wait_until


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
        interpreter(checkout, f'echo "{host} was asked: $*"\nexit {status}')
    return tmp_path


def interpreter(checkout: Path, of_bench: str) -> None:
    """A Python of a checkout, which does that in place of `-m bench`."""
    guard = f'if [ "$1" = -I ]; then exec {sys.executable} "$@"; fi'
    program(checkout, "python", f"{guard}\n{of_bench}")


def test_every_machine_runs_the_suite_and_its_records_come_back(typed: Typed, machines: Path) -> None:
    asked = ["fleet", "ssh", "a,b", "paper", "--folder", "my bench", "--python", "./python", "--run=--quick"]
    done = typed(*asked, "--results", machines / "here")
    assert done.status == 3
    assert "a  a was asked: -m bench run paper --resume --quick" in done.err
    assert "b  done, status 3, records fetched" in done.err
    found = sorted((machines / "here").glob("*/record.json"))
    assert [path.read_text(encoding="utf-8") for path in found] == ["a", "b"]


def test_a_run_is_inside_the_container_and_asks_for_its_cards(
    typed: Typed, machines: Path, programs: Path
) -> None:
    program(programs, "enter", f'echo "entered $1" >> {machines}/entered; shift 2; exec "$@"')
    asked = ["fleet", "ssh", "a", "paper", "--folder", "my bench", "--python", "./python", "--gpu", "H100:8"]
    done = typed(*asked, "--container", "enter 'my image' --", "--results", machines / "here")
    assert done.status == 0
    assert "a  a was asked: -m bench run paper --resume --expect-gpu H100:8" in done.err
    assert (machines / "entered").read_text() == "entered my image\n", "once, for all of it"
    assert "quotes do not match" in typed(*asked, "--container", "enter 'my").err
    assert "is not MODEL or MODEL:COUNT" in typed("fleet", "ssh", "a", "paper", "--gpu", ":8").err


def test_ctrl_c_reaches_a_run_in_a_container(machines: Path, programs: Path) -> None:
    """A container's own process stays beside its run, and passes standard input on."""
    program(programs, "enter", '"$@"')
    process = started(machines, SILENT.format(group=machines / "group"), "--container", "enter")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert (machines / "here" / "a" / "second.json").read_text() == "kept\n"


def test_a_machine_that_cannot_be_reached_costs_itself_alone(typed: Typed, machines: Path) -> None:
    asked = ["fleet", "ssh", "a,gone", "paper", "--folder", "my bench", "--python", "./python"]
    done = typed(*asked, "--results", machines / "here")
    assert done.status == 1
    assert "gone  ssh cannot reach it, or lost it (status 255); the same command goes on there" in done.err
    assert (machines / "here" / "a" / "record.json").is_file()


def started(machines: Path, of_bench: str, *more: str) -> subprocess.Popen[str]:
    """The command on machine a, which does that in place of `-m bench`; the run has begun."""
    interpreter(machines / "machines" / "a" / "my bench", of_bench)
    asked = ["fleet", "ssh", "a", "paper", "--folder", "my bench", "--python", "./python"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *asked, *more, "--results", machines / "here"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert wait_until((machines / "group").exists, 30)
    return process


SILENT = """
trap 'echo kept > "results/a/second.json"; exit 130' INT
echo $$ > {group}.part; sleep 300 & echo $! > {group}.child; mv {group}.part {group}; wait"""
"""A run that never prints, with a process of its own, which writes what is complete at its Ctrl-C."""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_silent_run_there_and_fetches_what_it_kept(machines: Path, end: int) -> None:
    process = started(machines, SILENT.format(group=machines / "group"))
    process.send_signal(end)  # to the program alone: the terminal's own would reach its group
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "a  done, status 130, records fetched" in err
    assert (machines / "here" / "a" / "second.json").read_text() == "kept\n"
    assert wait_until(lambda: not alive(machines / "group.child"), 10), "its child is ended too"


def test_a_run_ends_there_where_the_command_here_was_killed(machines: Path) -> None:
    process = started(machines, SILENT.format(group=machines / "group"))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert wait_until(lambda: not alive(machines / "group"), 10)
    assert wait_until(lambda: not alive(machines / "group.child"), 10)


def alive(number: Path) -> bool:
    """Whether the process of that number is there, other than as one whose end was not asked about."""
    stat = Path("/proc") / number.read_text().strip() / "stat"
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_is_no_machine_is_refused(typed: Typed) -> None:
    for hosts in ("-oProxyCommand=x", ",", " "):
        assert typed("fleet", "ssh", "--", hosts, "paper").status == 2


def test_without_ssh_it_says_so(typed: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    done = typed("fleet", "ssh", "a", "paper", "--results", tmp_path)
    assert done.status == 2
    assert "ssh is not installed" in done.err
