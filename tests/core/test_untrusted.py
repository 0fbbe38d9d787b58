"""Text from elsewhere: whatever is in it, there is a value or a ValueError, soon."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from bench.core.untrusted import bytes_in, inside, json_of, text_in, yaml_of

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "it has an alias"),
        ("[" * 200_000, "nested more than 64 deep"),
        ("a: !!python/object/apply:os.getcwd []", "it has a tag"),
        ("a: [1, 2", "expected"),
        ("a: \x00", "control characters"),
    ],
)
def test_a_trap_in_yaml_is_a_sentence(text: str, says: str) -> None:
    begun = time.process_time()
    with pytest.raises(ValueError, match=says) as caught:
        yaml_of(text)
    assert "\n" not in str(caught.value)
    assert time.process_time() - begun < 2


def test_deep_json_is_a_sentence_and_plain_text_a_value() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        json_of("[" * 200_000)
    assert json_of(b'{"a": [1, null]}') == {"a": [1, None]}
    assert yaml_of("a: [1, null, 2026-01-31]")["a"][:2] == [1, None]


def test_a_short_text_of_many_values_is_refused_before_it_is_built() -> None:
    begun = time.process_time()
    for content in ("[" + "[]," * 1_100_000 + "[]]", b"[" + b"{}," * 1_100_000 + b"{}]"):
        with pytest.raises(ValueError, match="more than 2,000,000 values"):
            json_of(content)
    with pytest.raises(ValueError, match="more than 600,000 parts"):
        yaml_of("- a\n" * 700_000)
    assert time.process_time() - begun < 20
    assert len(json_of("[" + "1," * 900_000 + "1]")) == 900_001


def test_a_file_without_end_is_read_up_to_its_bound(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="larger than 1 MB"):
        bytes_in(Path("/dev/zero"), 1_000_000)
    (tmp_path / "a").write_bytes(b"a\r\nb")
    assert text_in(tmp_path / "a") == "a\nb"
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"from a pipe",))
    writer.start()
    assert text_in(tmp_path / "pipe") == "from a pipe"
    writer.join()


def test_a_name_in_a_document_leads_to_its_own_folder_or_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    (folder / "sub").mkdir(parents=True)
    (folder / "out").symlink_to(tmp_path)
    (folder / "up").symlink_to("sub")
    assert inside(folder, "a.txt") == folder / "a.txt"
    assert inside(folder, "up/../sub/a.txt") == folder / "sub" / "a.txt"
    for name in ("../a.txt", "/etc/passwd", "out/a.txt", "sub/../../a.txt", "/dev/zero", ".." + "/.." * 40):
        assert inside(folder, name) is None, name
    with pytest.raises(ValueError, match="null"):
        inside(folder, "a\0b")


@pytest.mark.parametrize("number", ["9" * 20, "1" + "0" * 400, "-" + "9" * 25])
def test_an_integer_of_more_than_64_bits_is_refused_and_digits_in_a_text_are_not(number: str) -> None:
    with pytest.raises(ValueError, match=r"^a\.1\.b: a whole number of more than 64 bits"):
        json_of(f'{{"a": [1, {{"b": {number}}}]}}'.encode())
    assert json_of(f'{{"a": "{number}", "b": 0.{"3" * 30}}}')["a"] == number
