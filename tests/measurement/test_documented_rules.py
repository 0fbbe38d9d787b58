"""docs/validity.md names every rule that can set a block aside, and no other."""

from __future__ import annotations

import re

from bench.measurement.served_rules import SERVED_RULES
from bench.measurement.validity import RULES
from tests.support.processes import ROOT

TEXT = (ROOT / "docs" / "validity.md").read_text(encoding="utf-8").partition("## When")[0]


def test_every_rule_is_in_the_table_and_no_other() -> None:
    own = {rule.name for rule in RULES} - {rule.name for rule in SERVED_RULES}
    assert set(re.findall(r"^\| `([^`]+)` \|", TEXT, flags=re.M)) == own


def test_rules_of_a_servers_load_are_named() -> None:
    assert all(f"`{rule.name}`" in TEXT for rule in SERVED_RULES)
