"""First sight of a release: a short README, and one version in package, citation and changelog."""

from __future__ import annotations

import re

import yaml

import bench
from tests.support.processes import ROOT

MOST_WORDS = 600


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= MOST_WORDS


def test_the_version_is_cited_and_has_a_dated_section_of_the_changelog() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = dict(re.findall(r"^## (\d\S*), (\d{4}-\d\d-\d\d)$", changelog, flags=re.M))
    assert cited["version"] == bench.__version__
    assert released[bench.__version__] == str(cited["date-released"])


def test_the_changelog_begins_with_what_is_not_released() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## (.*)$", changelog, flags=re.M)
    assert first is not None
    assert first[1] == "Unreleased"
