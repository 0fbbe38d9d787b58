"""`bench init ci`: its workflows parse, call what exists, and are never written over by chance."""

from __future__ import annotations

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

FOLDER = Path(".github/workflows")
ON = True
"""YAML 1.1 reads the key `on` as a truth value."""


@pytest.fixture
def workflows(typed: Typed) -> dict[str, dict[Any, Any]]:
    """The files written, parsed."""
    done = typed("init", "ci")
    assert (done.status, done.out.split()) == (0, [str(FOLDER / name) for name in FILES])
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
    for workflow in workflows.values():
        used = set(re.findall(r"--energy-[a-z]+", "\n".join(steps(workflow))))
        assert used == {"--energy-save", "--energy-compare", "--energy-fail"}
        assert all(f'"{option}"' in source for option in used)


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
    context, _ = find(["ab", "--runs", "5", "--", "true", "true"])
    assert [each.nargs for each in context.command.params if isinstance(each, click.Argument)] == [2]
