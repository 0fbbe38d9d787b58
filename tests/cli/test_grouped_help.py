"""The help of `run` in groups: each option once, in one of them."""

from __future__ import annotations

import re

from bench.cli.grouped_help import GROUPS, MODALITIES
from tests.cli.commands import command
from tests.cli.conftest import Typed


def test_each_option_of_run_is_in_one_group(typed: Typed) -> None:
    done = typed("run", "--help")
    assert done.status == 0
    titles = re.findall(r"^([A-Z].*) options:$", done.out, re.MULTILINE)
    assert titles == [*GROUPS, MODALITIES]
    options = {name for each in command("run").params for name in each.opts if name.startswith("--")}
    listed = re.findall(r"^  (?:-h, )?(--[a-z-]+)", done.out, re.MULTILINE)
    assert sorted(listed) == sorted({*options, "--help"})
