"""`compare`, `accept` and `validate` as they are typed: tables, exit statuses, bad input."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.store import results
from tests.cli.conftest import Typed
from tests.support.factory import block, case, record
from tests.support.sample import pair, run, save

QUIET = (299.0, 301.0, 300.0, 300.5, 299.5)


def quiet(factor: float = 1.0, **more: Any) -> Any:
    """A record whose blocks hardly spread."""
    return record(blocks=[block(joules * factor) for joules in QUIET], **more)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A baseline on disk."""
    return save(tmp_path / "base" / "a.json", quiet())


def head(tmp_path: Path, factor: float, **more: Any) -> Path:
    """The same case after a change of its joules."""
    return save(tmp_path / "head" / "a.json", quiet(factor, **more))


def test_the_table_holds_median_interval_ratio_n_p_and_verdict(
    typed: Typed, base: Path, tmp_path: Path
) -> None:
    done = typed("compare", base, head(tmp_path, 1.1))
    row = next(line for line in done.out.splitlines() if line.strip().startswith("J/page"))
    words = row.split()
    assert row.count("300.0 (") == 1
    assert "330.0 (" in row
    assert "1.100" in words
    assert words[-1] == "worse"
    assert "<0.001" in words
    assert "2.0%" in words
    assert done.status == 1
    assert "fail: energy:0%: " in done.out
    assert done.err == ""


STATUSES = [
    (1.0, (), 0),
    (1.1, (), 1),
    (0.9, (), 0),
    (1.1, ("--fail-on", "energy:15%"), 0),
    (1.1, ("--fail-on", "energy:5%"), 1),
    (1.1, ("--fail-on", "time:5%"), 0),
    (1.1, ("--fail-on", "time:5%", "--fail-on", "energy:5%"), 1),
    (1.0, ("--fail-on", "page:200J"), 1),
    (1.0, ("--fail-on", "page:301J"), 0),
    (1.0, ("--fail-on", "page:300J"), 3),
    (1.0, ("--fail-on", "page:300J", "--strict"), 1),
    (1.0, ("--fail-on", "energy:0.1Wh"), 0),
    (1.0, ("--fail-on", "time:29s"), 1),
    (1.0, ("--fail-on", "power:12W"), 0),
    (1.0, ("--fail-on", "image:900J"), 3),
    (1.0, ("--fail-on", "token:5%"), 3),
]


@pytest.mark.parametrize(("factor", "options", "status"), STATUSES, ids=str)
def test_the_gate_ends_with_the_status_that_a_limit_asks_for(
    factor: float, options: tuple[str, ...], status: int, typed: Typed, base: Path, tmp_path: Path
) -> None:
    done = typed("compare", base, head(tmp_path, factor), *options)
    assert (done.status, done.err) == (status, "")


def test_what_cannot_be_told_is_3_and_with_strict_1(typed: Typed, base: Path, tmp_path: Path) -> None:
    noisy = save(
        tmp_path / "noisy.json", record(blocks=[block(j) for j in (250.0, 400.0, 290.0, 330.0, 300.0)])
    )
    other = save(tmp_path / "other.json", quiet(case=case(dtype="float32")))
    broken = save(tmp_path / "broken.json", quiet(status="invalid", reasons=["foreign process"]))
    for b, says in ((noisy, "unclear"), (other, "dtype: bfloat16, float32"), (broken, "foreign process")):
        done = typed("compare", base, b)
        assert done.status == 3
        assert says in done.out
        assert typed("compare", base, b, "--strict").status == 1


def test_what_has_no_other_side_is_named_and_fails_only_with_strict(
    typed: Typed, base: Path, tmp_path: Path
) -> None:
    save(base.parent / "more.json", quiet(case=case(model="gpt2", batch=2), label="gpt2"))
    b = head(tmp_path, 1.0)
    done = typed("compare", base.parent, b.parent)
    assert done.status == 0
    assert "only in A: gpt2" in done.out
    assert typed("compare", base.parent, b.parent, "--strict").status == 1


def test_json_holds_what_the_table_shows(typed: Typed, base: Path, tmp_path: Path) -> None:
    done = typed("compare", f"before={base}", f"after={head(tmp_path, 1.1)}", "--json")
    found = json.loads(done.out)
    assert (found["schema"], found["status"], done.status) == ("joulebench/compare/1", 1, 1)
    assert (found["a"], found["b"]) == ("before", "after")
    energy = found["comparisons"][0]["rows"][0]
    assert (energy["metric"], energy["verdict"], energy["a"]["median"]) == ("energy", "worse", 300.0)
    assert energy["ratio"]["value"] == pytest.approx(1.1)
    assert energy["ratio"]["method"] == "Welch t"


def test_a_pair_run_is_compared_by_its_pairs_and_is_no_measure_for_itself(
    typed: Typed, tmp_path: Path
) -> None:
    chance = random.Random(1)
    for name, kept in zip("ab", pair(300, 300, chance, fours=8), strict=True):
        save(tmp_path / f"{name}.json", kept)
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    row = json.loads(typed("compare", a, b, "--json").out)["comparisons"][0]["rows"][0]
    assert row["ratio"]["method"] == "paired t"
    assert row["floor_source"] == "default: no A/A pair of this machine"
    folder = tmp_path / "results" / "nvidia-sample-1a2b3c4d"
    for name, kept in zip("ab", pair(300, 303, chance, created="2026-01-01T00:00:00Z"), strict=True):
        save(folder / f"{name}.json", kept)
    row = json.loads(typed("compare", a, b, "--json").out)["comparisons"][0]["rows"][0]
    assert row["floor_source"] == "1 A/A pair of this machine"


def test_a_pair_in_the_results_folder_sets_the_floor(typed: Typed, base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept" / "nvidia-sample-1a2b3c4d"
    for name, kept in zip("ab", pair(300, 360, random.Random(1)), strict=True):
        save(folder / f"{name}.json", kept)
    b = head(tmp_path, 1.1)
    assert typed("compare", base, b).status == 1
    done = typed("compare", base, b, "--results", tmp_path / "kept")
    assert done.status == 0
    assert "same" in done.out


def git(folder: Path, *arguments: str) -> None:
    """Run git without this user's settings."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_committed_baseline_is_read_without_a_checkout(typed: Typed, tmp_path: Path) -> None:
    save(tmp_path / "results" / "m" / "a b's.json", quiet())
    save(tmp_path / "results" / "m" / ".partial" / "x.json", quiet(9.0))
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "baseline")
    save(tmp_path / "results" / "m" / "a b's.json", quiet(1.1))
    done = typed("compare", "main:results", "results")
    assert (done.status, done.err) == (1, "")
    assert typed("compare", "base=main:results/m/a b's.json", "results/m/a b's.json").status == 1
    assert typed("compare", "main:results", "HEAD:results").status == 0
    for wrong in ("nope:results", "main:nothing"):
        failed = typed("compare", wrong, "results")
        assert failed.status == 2
        assert failed.err.startswith(f"Error: {wrong}: not a file, a folder or a git revision")


def test_a_base_without_committed_records_is_told_how_they_get_there(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "README.md").write_text("records come here")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "nothing measured yet")
    save(tmp_path / "results" / "m" / "a.json", quiet())
    done = typed("compare", "main:results", "results", "--fail-on", "energy:5%")
    assert (done.status, done.err) == (
        2,
        "Error: main:results: no records are committed there. Commit those of the base first: "
        "git add results && git commit\n",
    )


def test_the_sides_of_pairs_are_told_apart_within_one_folder(typed: Typed, tmp_path: Path) -> None:
    sides = pair(300, 330, random.Random(4), run_id="20261122t034401-357a5e")
    for side, kept in zip("ab", sides, strict=True):
        save(tmp_path / "records" / f"{side}.json", kept)
    save(tmp_path / "records" / "alone.json", quiet(9.0))
    done = typed("compare", "records@A", "head=records@B", "--fail-on", "energy:5%")
    assert (done.status, done.err) == (1, "")
    assert "A: records@A\nB: head\n" in done.out
    assert "measured in turns" in done.out
    assert "only in" not in done.out, "what was not measured in turns is on no side"
    assert typed("compare", "records@B", "records@A", "--fail-on", "energy:5%").status == 0
    by_id = typed("compare", "20261122t0344@A", "head=20261122t0344@B", "--results", "records")
    assert "A: 20261122t034401-357a5e@A\nB: head\n" in by_id.out
    none = typed("compare", "records/alone.json@A", "records@B")
    assert none.status == 2
    assert none.err == "Error: records/alone.json: it has no record of side A of a pair.\n"
    assert "records@C: no such file" in typed("compare", "records@C", "records@B").err
    (tmp_path / "records").rename(tmp_path / "records@A")
    assert "no side" not in typed("compare", "records@A", "base=records@A").err, "a folder of that name"


def test_an_accepted_change_passes_with_its_reason_and_a_greater_one_does_not(
    typed: Typed, base: Path, tmp_path: Path
) -> None:
    b = head(tmp_path, 1.1)
    assert typed("compare", base, b).status == 1
    done = typed("accept", base, b, "--reason", "fp32 VAE: no more black images")
    assert (done.status, done.err) == (0, "")
    assert str(base.parent / "accepted.yaml") in done.out
    passed = typed("compare", base, b)
    assert passed.status == 0
    assert "fp32 VAE: no more black images" in passed.out
    junit = typed("export", "junit", base, b).out
    assert 'failures="0"' in junit
    assert "fp32 VAE: no more black images" in junit
    summary = typed("export", "github-summary", base, b).out
    assert "worse, accepted 20" in summary
    assert "1 worse, 1 of those worse accepted" in summary
    assert 'failures="0"' not in typed("export", "junit", base, b, "--accepted", tmp_path / "none.yaml").out
    assert typed("compare", base, head(tmp_path, 1.2)).status == 1, "a greater change"
    assert typed("compare", base, head(tmp_path, 1.1), "--fail-on", "net:5%").status == 0, (
        "it was worse as well"
    )
    save(base, quiet(1.0001))
    assert typed("compare", base, head(tmp_path, 1.1)).status == 1, "another baseline"


def test_accepting_needs_something_worse_and_a_reason(typed: Typed, base: Path, tmp_path: Path) -> None:
    b = head(tmp_path, 1.0)
    assert "Nothing is worse" in typed("accept", base, b, "--reason", "x").err
    assert typed("accept", base, b, "--reason", " ").status == 2
    assert typed("accept", base, b).status == 2
    assert not (base.parent / "accepted.yaml").exists()


@pytest.mark.parametrize("content", ["{", "a: 1", "- {metric: energy}", "- 7"], ids=str)
def test_a_damaged_list_of_accepted_changes_is_one_sentence(
    content: str, typed: Typed, base: Path, tmp_path: Path
) -> None:
    (base.parent / "accepted.yaml").write_text(content)
    done = typed("compare", base, head(tmp_path, 1.1))
    assert (done.status, len(done.err.splitlines())) == (2, 1)
    assert "accepted.yaml" in done.err


WHOLE = results.to_json(quiet())
BROKEN: dict[str, tuple[str, str]] = {
    "truncated": (WHOLE[:400], "not a JSON file"),
    "foreign": ('{"benchmarks": []}', "not a record of this version"),
    "a list": ("[]", "not a record of this version"),
    "of the future": (WHOLE.replace("record/1", "record/7"), "written by a newer joulebench"),
    "NaN": (WHOLE.replace("360.0", "NaN"), "NaN is not a number"),
    "empty": ("", "not a JSON file"),
}


@pytest.mark.parametrize(("content", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_one_sentence_and_the_rest_is_compared(
    content: str, says: str, typed: Typed, base: Path, tmp_path: Path
) -> None:
    b = head(tmp_path, 1.0)
    broken = base.parent / 'it\'s "odd" [red].json'
    broken.write_text(content)
    done = typed("compare", base.parent, b.parent)
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert says in done.err
    assert 'it\'s "odd" [red].json' in done.err
    assert "same" in done.out
    head(tmp_path, 1.1)
    assert typed("compare", base.parent, b.parent).status == 1, "a regression weighs more"


def test_an_empty_folder_a_missing_one_and_a_loop_are_sentences(
    typed: Typed, base: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    done = typed("compare", base, tmp_path / "empty")
    assert done.status == 2
    assert "this folder has no records" in done.err
    missing = typed("compare", base, tmp_path / "none")
    assert (missing.status, missing.err.count("\n")) == (2, 1)
    (base.parent / "again").symlink_to(base.parent)
    (base.parent / "self.json").symlink_to(base.parent / "self.json")
    looped = typed("compare", base.parent, head(tmp_path, 1.0).parent)
    assert looped.status == 2
    assert looped.err.count("\n") == 1
    assert "self.json: cannot be read: Too many levels of symbolic links." in looped.err
    assert "same" in looped.out


@pytest.mark.parametrize("name", ["a=b.json", "a b.json", "it's.json", "a:b.json", "[1].json"])
def test_a_file_of_any_name_is_read_with_and_without_a_label(name: str, typed: Typed, tmp_path: Path) -> None:
    path = save(tmp_path / "odd" / name, quiet())
    found = json.loads(typed("compare", path, f"x={path}", "--json").out)
    assert (found["status"], found["a"], found["b"]) == (0, str(path), "x")
    assert found["comparisons"][0]["verdict"] == "same"


@pytest.mark.parametrize("text", ["=x", "x=", "x=y", "-:x", "main:", ":x"])
def test_what_names_nothing_is_wrong_use_in_one_sentence(text: str, typed: Typed, base: Path) -> None:
    done = typed("compare", base, "--", text)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)


def test_a_mix_of_units_compares_each_with_its_own(typed: Typed, base: Path, tmp_path: Path) -> None:
    b = head(tmp_path, 1.0)
    image = case(unit="image", model="sdxl")
    for folder in (base.parent, b.parent):
        save(folder / "image.json", quiet(case=image, label="sdxl"))
    done = typed("compare", base.parent, b.parent, "--fail-on", "page:250J")
    assert done.status == 1
    assert "J/page" in done.out
    assert "J/image" in done.out
    assert typed("compare", base.parent, b.parent, "--fail-on", "image:350J").status == 0


def test_the_same_file_twice_counts_once(typed: Typed, base: Path, tmp_path: Path) -> None:
    (base.parent / "copy.json").write_bytes(base.read_bytes())
    done = typed("compare", base.parent, head(tmp_path, 1.0))
    assert done.status == 0
    assert "the same record as" in done.out


@pytest.mark.parametrize(
    "limit",
    ["energy", "energy:5", "enrgy:5%", "energy:5W", "power:5%", "page:5s", "energy:1..2%", "energy:-5%", ""],
)
def test_a_limit_that_is_none_is_wrong_use(limit: str, typed: Typed, base: Path) -> None:
    done = typed("compare", base, base, "--fail-on", limit)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("sides", [1, 3])
def test_one_or_three_sides_are_wrong_use(sides: int, typed: Typed, base: Path) -> None:
    assert typed("compare", *[base] * sides).status == 2


def test_validate_says_how_many_are_whole_and_what_is_wrong_with_the_rest(
    typed: Typed, base: Path, tmp_path: Path
) -> None:
    done = typed("validate", base)
    assert (done.status, done.out) == (0, "1 whole record, 0 not.\n")
    (base.parent / "broken.json").write_text("{")
    done = typed("validate", base.parent, "--quiet")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)


def test_validate_finds_a_headline_that_was_edited(typed: Typed, tmp_path: Path) -> None:
    path = save(tmp_path / "a.json", run(300, random.Random(1)))
    plain = json.loads(path.read_text())
    gross = plain["figures"]["energy_per_unit_j"]["gpu"]["gross"]
    gross |= {key: gross[key] * 0.9 for key in ("value", "low", "high")}
    path.write_text(json.dumps(plain))
    done = typed("validate", path)
    assert done.status == 2
    assert "its blocks give" in done.err
