"""The verbs as a newcomer meets them: help, mistakes, exit statuses, and what is not loaded for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import bench
from bench.cli.lazy_group import PIPE_CLOSED
from bench.cli.suggesting import nearest
from bench.cli.verbs import ALL, SECTIONS, TOP, VERBS
from tests.cli.commands import command
from tests.cli.conftest import Typed
from tests.cli.loading import ROOT, loaded_by

HEAVY = ("pydantic", "rich", "torch", "numpy", "pynvml", "scipy", "yaml", "psutil", "codecarbon")


def test_the_module_runs_and_its_help_names_every_verb() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "python -m bench" in done.stdout
    for section in SECTIONS:
        assert f"\n{section}:\n" in done.stdout
    lines = done.stdout.splitlines()
    assert all(f"  {name:{max(map(len, TOP))}}  {verb.about}" in lines for name, verb in TOP.items())
    assert max(map(len, lines)) <= 79


@pytest.mark.parametrize("group", [path for path, verb in ALL.items() if verb.verbs])
def test_the_help_of_a_group_names_its_verbs_one_a_line(group: str, typed: Typed) -> None:
    done = typed(group, "--help")
    assert (done.status, done.err) == (0, "")
    lines = [line.split(maxsplit=1) for line in done.out.partition("Verbs:\n")[2].splitlines()]
    assert lines == [[name, verb.about] for name, verb in ALL[group].verbs.items()]


def test_a_full_disk_behind_stdout_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bench", "list"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "Error: the output cannot be written: No space left on device.\n"


@pytest.mark.parametrize("arguments", [("--help",), ("footprint", "--help"), ("humans",)], ids=" ".join)
def test_help_and_an_unknown_verb_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    status, modules = loaded_by(*arguments)
    assert status == (0 if "--help" in arguments else 2)
    assert not modules & set(HEAVY)


@pytest.mark.parametrize("arguments", [("list",), ("show", "none.json"), ("run", "--help")], ids=str)
def test_no_verb_loads_torch_before_it_measures(arguments: tuple[str, ...]) -> None:
    _, modules = loaded_by(*arguments)
    assert not modules & {"torch", "transformers", "diffusers"}


def test_the_version_is_the_packages(typed: Typed) -> None:
    done = typed("--version")
    assert (done.status, done.err) == (0, "")
    assert bench.__version__ in done.out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_every_option_has_help(verb: str, typed: Typed) -> None:
    done = typed(*verb.split(), "--help")
    assert (done.status, done.err) == (0, "")
    runs = command(verb)
    assert runs.name == verb.rpartition(" ")[2]
    assert runs.help
    assert len(runs.help.splitlines()[0]) > 10
    assert runs.help.split()[0] == VERBS[verb].about.split()[0]
    for parameter in runs.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.opts[0] in done.out


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("lst", "list"),
        ("shwo", "show"),
        ("rum", "run"),
        ("RUN", "run"),
        ("people", "footprint people"),
        ("footprnt", "footprint"),
        ("roofline sho", "roofline show"),
        ("footprint peple", "footprint people"),
        ("footprint peaks", "roofline peaks"),
        ("humans", "footprint people"),
        ("peak", "roofline peaks"),
        ("limits", "roofline show"),
        ("figures", "charts"),
        ("project", "footprint projection"),
    ],
)
def test_an_unknown_verb_suggests_the_nearest(wrong: str, meant: str, typed: Typed) -> None:
    done = typed(*wrong.split())
    assert (done.status, done.out) == (2, "")
    assert f'Unknown command "{wrong}". Did you mean `python -m bench {meant}`?' in done.err


def slips(path: str) -> set[str]:
    """A verb's name with one letter left out."""
    name = path.rpartition(" ")[2]
    return {name[:at] + name[at + 1 :] for at in range(len(name))}


@pytest.mark.parametrize("path", ALL)
def test_a_verb_with_a_slip_or_without_its_group_is_found(path: str) -> None:
    within, _, name = path.rpartition(" ")
    for slip in slips(path):
        found = nearest(slip, within)
        assert slip in TOP or found == path or (found and slip in slips(found)), slip  # eport: export, report
    assert name in TOP or nearest(name) == path


def test_a_verb_near_to_nothing_lists_them_all(typed: Typed) -> None:
    done = typed("zzzzzz")
    assert done.status == 2
    assert all(verb in done.err for verb in VERBS)
    inside = typed("footprint", "zzzzzz")
    assert inside.status == 2
    assert f"Known: {', '.join(verb for verb in VERBS if verb.startswith('footprint '))}.\n" in inside.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--no-such-option",),
        ("list", "--no-such-option"),
        ("show",),
        ("show", "a.json", "b.json"),
        ("list", "--device", "tpu"),
        ("run", "--batch", "0"),
        ("run", "--batch", "two"),
        ("run", "--size", "7"),
        ("run", "--target", "200%"),
        ("run", "--weights", "path:/no/such/folder"),
        ("run", "--weights", "mine"),
    ],
    ids=" ".join,
)
def test_wrong_use_is_one_sentence_on_stderr_and_status_2(arguments: tuple[str, ...], typed: Typed) -> None:
    done = typed(*arguments)
    assert (done.status, done.out) == (2, "")
    assert len([line for line in done.err.splitlines() if line.startswith("Error: ")]) == 1
    assert "Traceback" not in done.err


def test_no_verb_at_all_shows_the_help(typed: Typed) -> None:
    done = typed()
    assert "Measure:" in done.out + done.err


def test_an_error_shows_its_traceback_only_with_debug(typed: Typed, tmp_path: Path) -> None:
    missing = tmp_path / "none.json"
    assert "Traceback" not in typed("show", missing).err
    debugged = typed("show", missing, "--debug")
    assert "Traceback" in debugged.err
    assert f"Error: {missing}: no such file or folder." in debugged.err
    assert debugged.status == 2


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("footprint", "--help"), ("run", "--help"), ("footprint", "published")],
    ids=" ".join,
)
def test_stdout_closed_early_is_status_141(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    line = [sys.executable, "-m", "bench", *arguments]
    done = subprocess.run(line, stdout=writer, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (PIPE_CLOSED, b"")
