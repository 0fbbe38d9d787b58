"""From kept outputs to attempts and joules per accepted item."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.footprint.drafts.accepted import accepted_drafts, checked, read
from bench.footprint.drafts.checks import parse
from bench.footprint.drafts.outputs import distinct, kept
from bench.store.results import to_json
from tests.support import factory
from tests.support.kept_outputs import LONG, stored

TEXTS = [f"{LONG * (1 + i % 2)} Number {'x' * i}." for i in range(10)]
"""Half of them are short, and all of them differ."""


def test_half_of_the_drafts_cost_twice_the_joules(tmp_path: Path) -> None:
    path, record = stored(tmp_path, TEXTS)
    drafts = kept(record, path)
    found, rejected = checked(distinct(drafts), [parse("length=25.."), parse("language=en")])
    account = accepted_drafts(record, drafts, found, ["length=25..", "language=en"], rejected=rejected)
    assert (account.drafts, account.tried, account.accepted) == (10, 10, 5)
    assert account.rejected_by == {"length=25..": 5, "language=en": 0}
    assert account.attempts is not None
    assert account.attempts.value == 2.0
    assert account.j_per_accepted_item is not None
    assert account.j_per_accepted_item.value == pytest.approx(600.0)
    assert account.j_per_accepted_item.low is not None
    assert account.j_per_accepted_item.low < 2 * 300.0 / 1.3
    (tmp_path / "drafts.json").write_text(to_json(account))
    assert read(tmp_path / "drafts.json") == account


def test_equal_outputs_are_one_trial_and_blocks_that_do_not_count_have_none(tmp_path: Path) -> None:
    path, record = stored(tmp_path, ["same"] * 4 + ["other"])
    record.blocks[5].valid = False
    drafts = kept(record, path)
    assert [draft.number for draft in drafts] == [0, 1, 2, 3]
    assert [draft.number for draft in distinct(drafts)] == [0]


def test_without_an_accepted_draft_there_is_a_lower_bound_and_no_figure(tmp_path: Path) -> None:
    path, record = stored(tmp_path, TEXTS)
    drafts = kept(record, path)
    found, _ = checked(drafts, [parse("regex=never")])
    account = accepted_drafts(record, drafts, found, ["regex=never"])
    assert account.attempts is None
    assert account.j_per_accepted_item is None
    assert account.notes == ["No draft was accepted: at least 3.24 attempts, at 95 %."]


def test_outputs_are_taken_from_beside_their_record_alone(tmp_path: Path) -> None:
    """A sheet is passed on to raters, and its record may have come from anyone."""
    (tmp_path / "secret-block1-0-0.txt").write_text("a key")
    (tmp_path / "in").mkdir()
    path, record = stored(tmp_path / "in", TEXTS)
    (path.parent / "link-block1-0-0.txt").symlink_to(tmp_path / "secret-block1-0-0.txt")
    for name in (
        "../secret-block1-0-0.txt",
        f"{tmp_path}/secret-block1-0-0.txt",
        "link-block1-0-0.txt",
        "a\0-block1-0-0.txt",
    ):
        with pytest.raises(BenchError, match="is not beside it"):
            kept(record.model_copy(update={"outputs": [name]}), path)
    os.mkfifo(path.parent / "pipe-block1-0-0.txt")
    with pytest.raises(BenchError, match="is not a file"):
        kept(record.model_copy(update={"outputs": ["pipe-block1-0-0.txt"]}), path)


def test_a_record_without_outputs_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="--save-outputs"):
        kept(factory.record(), tmp_path / "a.json")
