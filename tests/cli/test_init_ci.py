"""`bench init ci`: its workflows parse, call what exists, and are never written over by chance."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

import joulebench_pytest
from bench.cli.init_ci import FILES
from tests.cli.commands import find
from tests.cli.conftest import Typed
from tests.support.processes import ROOT

FOLDER = Path(".github/workflows")
ON = True
"""YAML 1.1 reads the key `on` as a truth value."""


@pytest.fixture
def workflows(typed: Typed) -> dict[str, dict[Any, Any]]:
    """The files written, parsed."""
    done = typed("init", "ci")
    assert (done.status, done.out.split()) == (0, [str(FOLDER / name) for name in FILES])
    assert "variable JOULEBENCH" in done.err
    return {name: yaml.safe_load((FOLDER / name).read_text()) for name in FILES}


def steps(workflow: dict[Any, Any]) -> list[str]:
    (job,) = workflow["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


def test_each_call_of_ours_exists_and_each_line_is_bash(workflows: dict[str, dict[Any, Any]]) -> None:
    for workflow in workflows.values():
        called = set()
        for text in steps(workflow):
            assert "${{" not in text, "data, or it is run as code"
            done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")
            for match in re.finditer(r"-m bench ([^|;&>)\n]+)", text):
                context, words = find(shlex.split(match[1]))
                called.add(context.command.name)
                known = {name for each in context.command.params for name in each.opts}
                typed = words[: words.index("--")] if "--" in words else words
                assert not [word for word in typed if word.startswith("-") and word not in known]
        assert called == {"doctor", "ab"}


def test_the_plugins_options_exist(workflows: dict[str, dict[Any, Any]]) -> None:
    source = Path(joulebench_pytest.__file__).read_text()
    for name, workflow in workflows.items():
        used = set(re.findall(r"--energy-[a-z]+", "\n".join(steps(workflow))))
        judged = {"--energy-fail"} if name == "energy-gpu.yml" else set()
        assert used == {"--energy-save", "--energy-compare"} | judged
        assert all(f'"{option}"' in source for option in used)


def step(workflow: dict[Any, Any], begins: str) -> str:
    (job,) = workflow["jobs"].values()
    (found,) = (each["run"] for each in job["steps"] if each.get("name", "").startswith(begins))
    return str(found)


def ended(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A step run as a runner does."""
    summary = {"GITHUB_STEP_SUMMARY": str(folder / "summary")}
    return subprocess.run(
        ["bash", "-e", "-c", text],
        cwd=folder,
        env=os.environ | environment | summary,
        text=True,
        capture_output=True,
        check=False,
    )


def pretended(folder: Path, side: str, text: str) -> None:
    """A side whose Python does this instead."""
    python = folder / side / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{text}\n")
    python.chmod(0o755)


AB = {"LIMIT": "energy:5%", "GPUS": "0"}


@pytest.mark.parametrize(("ab", "status", "said"), [(0, 0, 0), (1, 1, 0), (2, 2, 0), (3, 0, 1)])
@pytest.mark.parametrize("name", FILES)
def test_worse_in_turns_fails_and_inconclusive_warns(
    workflows: dict[str, dict[Any, Any]], tmp_path: Path, name: str, ab: int, status: int, said: int
) -> None:
    for side in ("base", "head"):
        pretended(tmp_path, side, f'echo "$@" >> log; case "$*" in *"bench ab"*) exit {ab} ;; esac')
    done = ended(
        step(workflows[name], "one command"), tmp_path, COMMAND=".venv/bin/python -m 'my work'", **AB
    )
    assert (done.returncode, done.stdout.count("::warning::")) == (status, said), done.stderr
    assert (tmp_path / "base" / "log").read_text() == "-m my work\n"
    asked = (tmp_path / "log").read_text()
    assert "env -C base .venv/bin/python -m 'my work' env -C head .venv/bin/python -m 'my work'" in asked


@pytest.mark.parametrize("head", [0, 1])
@pytest.mark.parametrize("name", FILES)
def test_a_base_on_which_the_command_fails_judges_nothing(
    workflows: dict[str, dict[Any, Any]], tmp_path: Path, name: str, head: int
) -> None:
    pretended(tmp_path, "base", "exit 5")
    pretended(tmp_path, "head", f"exit {head}")
    done = ended(step(workflows[name], "one command"), tmp_path, COMMAND=".venv/bin/python -m pytest", **AB)
    assert (done.returncode != 0, "::warning::" in done.stdout) == (head != 0, True), done.stderr


@pytest.mark.parametrize("saves", [True, False])
@pytest.mark.parametrize(("ends", "status"), [(0, 0), (1, 1), (3, 0)])
@pytest.mark.parametrize("name", FILES)
def test_tests_of_a_base_without_energy_leave_those_of_head(
    workflows: dict[str, dict[Any, Any]], tmp_path: Path, name: str, ends: int, status: int, saves: bool
) -> None:
    pretended(tmp_path, "base", "mkdir .energy" if saves else "exit 5")
    pretended(tmp_path, "head", f'echo "$@" > log; exit {ends}')
    done = ended(step(workflows[name], "tests"), tmp_path)
    assert done.returncode == (status if saves else ends), done.stderr
    assert ("--energy-compare" in (tmp_path / "head" / "log").read_text()) == saves


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("", 1),
        ("joulebench[pytest]", 1),
        ("joulebench[pytest] @ git+https://host/owner/joulebench@1a2b3c", 0),
        ("/wheels/joulebench-0.1.0-py3-none-any.whl", 0),
    ],
)
def test_nothing_is_taken_from_a_package_index(
    workflows: dict[str, dict[Any, Any]], tmp_path: Path, source: str, status: int
) -> None:
    for workflow in workflows.values():
        assert workflow["env"]["JOULEBENCH"] == "${{ vars.JOULEBENCH }}"
        assert steps(workflow)[0] == step(workflow, "where joulebench comes from")
        done = ended(steps(workflow)[0], tmp_path, JOULEBENCH=source)
        assert (done.returncode, "::error::Set the variable JOULEBENCH" in done.stdout) == (
            status,
            bool(status),
        )


def test_files_and_docs_state_one_gate(workflows: dict[str, dict[Any, Any]]) -> None:
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    for name in workflows:
        assert "# Gate: worse in turns fails the job, inconclusive warns." in (FOLDER / name).read_text()
    assert "| worse in turns fails, inconclusive warns |" in page


def test_strangers_code_never_runs_on_a_machine_of_yours(workflows: dict[str, dict[Any, Any]]) -> None:
    (job,) = workflows["energy-gpu.yml"]["jobs"].values()
    assert "self-hosted" in job["runs-on"]
    assert set(workflows["energy-gpu.yml"][ON]) == {"push", "workflow_dispatch"}
    assert all(workflow["permissions"] == {"contents": "read"} for workflow in workflows.values())


def test_files_of_a_user_are_kept_unless_force_is_given(typed: Typed) -> None:
    FOLDER.mkdir(parents=True)
    mine = FOLDER / FILES[1]
    mine.write_text("mine")
    done = typed("init", "ci")
    assert (done.status, done.out, mine.read_text()) == (2, "", "mine")
    assert "--force" in done.err
    assert not (FOLDER / FILES[0]).exists()
    assert typed("init", "ci", "--force").status == 0
    assert mine.read_text() != "mine"


def test_ab_takes_two_commands_with_options_before_them() -> None:
    context, words = find(["ab", "--runs", "5", "--", "true", "true"])
    assert [each.nargs for each in context.command.params if isinstance(each, click.Argument)] == [-1]
    assert words[-2:] == ["true", "true"]
