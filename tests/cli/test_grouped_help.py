"""The help of `run` in groups: each option once, in one of them."""

from __future__ import annotations

import re

import yaml

from bench.cli.grouped_help import GROUPS, MODALITIES
from tests.cli.commands import command
from tests.cli.conftest import Typed
from tests.support.processes import ROOT


def test_each_option_of_run_is_in_one_group(typed: Typed) -> None:
    done = typed("run", "--help")
    assert done.status == 0
    titles = re.findall(r"^([A-Z].*) options(?: \(.*\))?:$", done.out, re.MULTILINE)
    assert titles == [*GROUPS, MODALITIES]
    options = {name for each in command("run").params for name in each.opts if name.startswith("--")}
    listed = re.findall(r"^  (?:-h, )?(--[a-z-]+)", done.out, re.MULTILINE)
    assert sorted(listed) == sorted({*options, "--help"})


def test_defaults_of_the_catalogue_are_shown_with_their_values(typed: Typed) -> None:
    measure = yaml.safe_load((ROOT / "models.yaml").read_text(encoding="utf-8"))["defaults"]["measure"]
    shown = " ".join(typed("run", "--help").out.split())
    assert f"such as 2%. [default: {100 * measure['target']:g}%]" in shown
    assert f"Longest look at idle power. [x>=1] [default: {measure['idle_seconds']}]" in shown
    assert f"(never before 5 blocks). [x>0] [default: {measure['max_seconds']}]" in shown
    assert "Seed of the order. [default: 0" in shown
