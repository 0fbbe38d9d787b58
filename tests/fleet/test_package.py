"""A package is as its records and samples say, or it says which of them is not, and why."""

from __future__ import annotations

import hashlib
import json
import random
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bench.compare.record_set import records_below
from bench.errors import RecordError, UsageError
from bench.fleet import opening, package, package_check, signing
from bench.fleet.manifest import NAME, SIGNATURE
from bench.store import results
from bench.view import package as package_view
from bench.view.content import Table
from tests.fleet.planted import new_key, planted, rewritten

H100, L4 = "GPU-aaaaaaaa-0000-0000-0000-00000000h100", "GPU-bbbbbbbb-0000-0000-0000-000000000004"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder of results of two machines whose cards draw 300 W and 70 W."""
    planted(tmp_path / "results", "h100", H100)
    planted(tmp_path / "results", "l4", L4, busy_w=70.0)
    return tmp_path / "results"


def packed(folder: Path, key: signing.SigningKey | None = None) -> Path:
    """The package of a folder."""
    path = folder.parent / "package.zip"
    path.write_bytes(package.packed(records_below(folder).found, key))
    return path


def problems(path: Path) -> dict[str | None, tuple[str, ...]]:
    """What is wrong with the records, by machine."""
    return {each.machine: each.problems for each in package_check.check(opening.open_package(path))}


def test_every_headline_follows_from_the_samples_of_its_machine(two: Path) -> None:
    found = {each.machine: each for each in package_check.check(opening.open_package(packed(two)))}
    assert {machine: each.problems for machine, each in found.items()} == {"h100": (), "l4": ()}
    for machine, truth_j in (("h100", 3000.0), ("l4", 700.0)):
        derived = found[machine].derived
        assert derived is not None
        assert (derived.windows, derived.kept) == (2, 0)
        assert derived.value == pytest.approx(truth_j, rel=5e-4)
        assert found[machine].publication_valid


def test_the_same_records_are_the_same_manifest_but_for_its_time(two: Path) -> None:
    def kept(path: Path) -> dict[str, Any]:
        with zipfile.ZipFile(path) as archive:
            manifest: dict[str, Any] = json.loads(archive.read(NAME))
        return manifest | {"created": None}

    assert kept(packed(two)) == kept(packed(two))


def _one_joule_more(content: bytes) -> bytes:
    text = json.loads(content)
    text["blocks"][1]["energy"][f"gpu:{H100}"]["gross_j"] += 1.0
    return json.dumps(text).encode()


def _another_card(content: bytes) -> bytes:
    return content.replace(H100.encode(), b"GPU-cccccccc-0000-0000-0000-000000000000")


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("h100-0000h100/bloom.json", _one_joule_more, "not those of the manifest's digest"),
        ("h100.parquet", lambda content: content[:-40] + bytes(40), "not those of the manifest's digest"),
        ("h100-0000h100/bloom.json", _another_card, "not those of the manifest's digest"),
    ],
)
def test_one_changed_byte_is_found_and_costs_its_own_record_alone(
    two: Path, name: str, change: Callable[[bytes], bytes], says: str
) -> None:
    found = problems(rewritten(packed(two), name, change))
    assert found["l4"] == ()
    assert says in " ".join(found["h100"])


def test_one_joule_of_a_block_is_found_where_the_digest_was_made_anew(two: Path) -> None:
    found = problems(rewritten(packed(two), "h100-0000h100/bloom.json", _one_joule_more, digest=True))
    assert found["l4"] == ()
    assert "its headline is 3000 J a page, and its blocks give 3000.5" in " ".join(found["h100"])


def test_one_sample_is_found_where_the_digest_was_made_anew(two: Path, tmp_path: Path) -> None:
    def one_sample(content: bytes) -> bytes:
        before, after = tmp_path / "before.parquet", tmp_path / "after.parquet"
        before.write_bytes(content)
        with duckdb.connect() as connection:
            connection.execute(f"create table samples as select * from '{before}'")
            connection.execute("update samples set energy_j = energy_j + 50 where rowid = 1200")
            connection.execute(f"copy samples to '{after}' (format parquet)")
        return after.read_bytes()

    found = problems(rewritten(packed(two), "traces/h100.parquet", one_sample, digest=True))
    assert found["l4"] == ()
    assert f"the counter of gpu:{H100} falls in block 0 of its trace" in " ".join(found["h100"])


def _slightly_more(content: bytes) -> bytes:
    """All joules and figures 0.3 % up, so that the record agrees with itself."""
    record = results.from_json(content.decode(), "here")
    text = json.loads(content)
    for block in text["blocks"]:
        for energy in block["energy"].values():
            energy["gross_j"] *= 1.003
    value = record.headline()
    assert value is not None
    for scope in text["figures"]["energy_per_unit_j"].values():
        for end in ("value", "low", "high"):
            scope["gross"][end] *= 1.003
    return json.dumps(text).encode()


def test_a_record_that_agrees_with_itself_and_with_new_digests_is_not_what_its_samples_say(two: Path) -> None:
    found = problems(rewritten(packed(two), "h100-0000h100/bloom.json", _slightly_more, digest=True))
    assert found["l4"] == ()
    assert any("its samples give" in each for each in found["h100"]), found["h100"]


def test_a_card_that_its_node_has_not_seen_is_named(two: Path) -> None:
    found = problems(rewritten(packed(two), "h100-0000h100/bloom.json", _another_card, digest=True))
    assert any("its node has not seen" in each or "does not cover" in each for each in found["h100"])


@pytest.mark.parametrize(
    ("of", "key", "value", "says"),
    [
        ("record", "publication_valid", False, "publication_valid is True in the record and False"),
        ("record", "command", "python -m bench run llama", "command is 'python -m bench run bloom-560m'"),
        ("record", "expected_gpus", "H200:8", "expected_gpus is None in the record and 'H200:8'"),
        ("record", "unit", "image", "unit is 'page' in the record"),
        ("record", "label", "llama", "in the record and 'llama' in the manifest"),
        ("node", "machine", "h200", "it is of the machine h100 (0000h100), and its node is h200 (0000h100)"),
        ("card", "name", "NVIDIA H200", f"it metered NVIDIA Sample {H100}, and its node has not seen that"),
        ("card", "uuid", "GPU-other", f"it metered NVIDIA Sample {H100}, and its node has not seen that"),
    ],
)
def test_a_manifest_that_says_more_than_the_record_is_refused(
    two: Path, of: str, key: str, value: object, says: str
) -> None:
    def change(content: bytes) -> bytes:
        manifest = json.loads(content)
        (node,) = [node for node in manifest["nodes"] if node["machine"] == "h100"]
        {"record": node["records"][0], "node": node, "card": node["gpus"][0]}[of][key] = value
        return json.dumps(manifest).encode()

    found = problems(rewritten(packed(two), NAME, change))
    assert found.pop("l4") == ()
    ((problem,),) = found.values()
    assert says in problem


def test_a_file_that_is_missing_or_not_named_is_a_fault(two: Path) -> None:
    path = packed(two)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../etc/extra", b"x")
    assert opening.open_package(path).faults == {"../../etc/extra": "it is not in the manifest"}
    assert problems(path) == {"h100": (), "l4": ()}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda _: b"[]", "manifest.json: : Input should be"),
        (lambda _: b"{", "is not JSON"),
        (lambda content: content.replace(b"joulebench/package/1", b"joulebench/package/9"), "schema"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_one_sentence(
    two: Path, change: Callable[[bytes], bytes], says: str
) -> None:
    with pytest.raises(RecordError, match=says):
        opening.open_package(rewritten(packed(two), NAME, change))


def test_no_more_is_unpacked_than_is_read(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(two)
    monkeypatch.setattr(opening, "MOST_BYTES", 1000)
    with pytest.raises(RecordError, match=r"unpacks to .* bytes, more than is read"):
        opening.open_package(path)


def _archive(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_file_that_unpacks_to_very_much_more_is_refused_unread(tmp_path: Path) -> None:
    bomb = _archive(tmp_path / "bomb.zip", {NAME: b"{}", "a/b.json": bytes(300_000_000)})
    assert bomb.stat().st_size < 400_000
    begun = time.process_time()
    with pytest.raises(RecordError, match=r"a/b\.json unpacks to more than 200 times its size"):
        opening.open_package(bomb)
    assert time.process_time() - begun < 1


def test_other_compressions_and_endless_lists_of_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lzma = _archive(tmp_path / "lzma.zip", {NAME: b"{}"}, zipfile.ZIP_LZMA)
    with pytest.raises(RecordError, match="compressed in another way"):
        opening.open_package(lzma)
    many = _archive(tmp_path / "many.zip", {NAME: b"{}"} | {f"{n}": b"" for n in range(66_000)})
    with pytest.raises(RecordError, match="more files than a package may have"):
        opening.open_package(many)
    monkeypatch.setattr(opening, "DIRECTORY_BYTES", 100)
    with pytest.raises(RecordError, match="more files than a package may have"):
        opening.open_package(_archive(tmp_path / "few.zip", {NAME: b"{}", "a" * 90: b""}))


def test_a_file_that_states_another_size_than_it_has_is_a_fault(two: Path) -> None:
    path = packed(two)
    with zipfile.ZipFile(path) as archive:
        entry = next(each for each in archive.infolist() if each.filename.endswith("bloom.json"))
    content = bytearray(path.read_bytes())
    at = content.rfind(entry.filename.encode()) - 46 + 24  # its uncompressed size in the list of files
    content[at : at + 4] = (entry.file_size - 50).to_bytes(4, "little")
    path.write_bytes(content)
    assert opening.open_package(path).faults == {
        entry.filename: "its contents are not those of the manifest's digest"
    }


def test_a_package_is_checked_a_piece_at_a_time(two: Path) -> None:
    note = random.Random(1).randbytes(80_000_000)
    path = _archive(two.parent / "large.zip", {}, zipfile.ZIP_STORED)
    with zipfile.ZipFile(packed(two)) as small, zipfile.ZipFile(path, "w") as archive:
        manifest = json.loads(small.read(NAME))
        manifest["files"]["a/note.bin"] = {"bytes": len(note), "sha256": hashlib.sha256(note).hexdigest()}
        archive.writestr(NAME, json.dumps(manifest))
        archive.writestr("a/note.bin", note)
        for name in small.namelist():
            if name != NAME:
                archive.writestr(name, small.read(name))
    del note
    tracemalloc.start()
    try:
        assert opening.open_package(path).faults == {}
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key that signs."""
    return new_key(tmp_path / "key.pem")


def test_a_signed_package_names_its_key_and_a_changed_manifest_is_refused(two: Path, key: Path) -> None:
    path = packed(two, signing.load(key))
    assert opening.open_package(path).signed_by == signing.public(key)
    changed = rewritten(path, NAME, lambda content: content.replace(b'"ok"', b'"OK"', 1))
    with pytest.raises(RecordError, match="The manifest is not the one that was signed"):
        opening.open_package(changed)
    with pytest.raises(RecordError, match="The signature cannot be read"):
        opening.open_package(rewritten(packed(two, signing.load(key)), SIGNATURE, lambda _: b"{}"))


def test_a_file_that_is_no_key_says_how_to_make_one(two: Path) -> None:
    with pytest.raises(UsageError, match="not an ed25519 private key"):
        signing.load(next(two.glob("*/bloom.json")))


def test_a_file_that_no_record_names_is_checked_too(two: Path) -> None:
    def with_a_note(content: bytes) -> bytes:
        manifest = json.loads(content)
        manifest["files"]["note.txt"] = {"bytes": 1, "sha256": "0" * 64}
        return json.dumps(manifest).encode()

    opened = opening.open_package(rewritten(packed(two), NAME, with_a_note))
    assert opened.faults == {"note.txt": "it is in the manifest and not in the package"}


def test_a_package_names_the_cards_of_one_machine_where_they_differ(tmp_path: Path) -> None:
    for index, (name, uuid) in enumerate((("one", H100), ("two", L4))):
        path = planted(tmp_path / "results", name, uuid)
        text = json.loads(path.read_text())
        text["machine"] |= {"name": "rack", "id": "rack"}
        text["machine"]["gpus"][0]["index"] = index
        path.with_name(f"{name}.json").write_text(json.dumps(text))
        path.unlink()
    opened = opening.open_package(packed(tmp_path / "results"))
    section = package_view.package_section(opened, list(package_check.check(opened)))
    (shown,) = (part for part in section.parts if isinstance(part, Table))
    assert [str(row.cells[1]) for row in shown.rows] == ["rack, GPU 0", "rack, GPU 1"]
