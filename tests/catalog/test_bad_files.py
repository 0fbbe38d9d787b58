"""A file that is no catalogue is refused in one sentence that names it, whatever it holds, and soon."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.catalog.loading import find, load
from bench.errors import CatalogError
from tests.catalog.sample import SAMPLE, changed, line_of, loaded, refusal, write

NOT_YAML = {
    "tab": (changed("    unit: image", "\tunit: image"), "\tunit", "found character '\\t'"),
    "unclosed bracket": (
        changed("{model: painter}", "{model: painter"),
        "    measure:",
        "expected ',' or '}'",
    ),
    "list in a mapping": (changed("  country: USA", "  country: USA\n  - x"), "  - x", "not valid YAML"),
    "alias": (changed("country: USA", "country: *here"), "country", "anchors and aliases"),
    "anchor": (changed("country: USA", "country: &here USA"), "country", "anchors and aliases"),
    "merge key": (changed("  country: USA", "  <<: {country: USA}"), "  <<:", "'<<' under `defaults`"),
    "tag": (changed("country: USA", "country: !!str USA"), "country", "tags (!) are not used"),
    "tag of Python": (changed("country: USA", "country: !!python/name:os.system"), "country", "tags (!)"),
    "tag that cannot hold": (changed("country: USA", "country: !!timestamp x"), "country", "tags (!)"),
    "second document": (f"{SAMPLE}---\n{SAMPLE}", "---", "a second document begins here"),
    "number as key": (changed("  country: USA", "  1: USA"), "  1:", "'1' under `defaults` is not text"),
    "truth as key": (changed("  country: USA", "  true: USA"), "  true:", "is not text"),
    "nothing as key": (changed("  country: USA", "  ~: USA"), "  ~:", "is not text"),
    "list as key": (
        changed("  country: USA", "  ? [a, b]\n  : USA"),
        "  ? [a",
        "a list or mapping, not text",
    ),
    "NUL": (changed("country: USA", "country: U\0A"), "country", "special characters are not allowed"),
    "open quote": (changed("country: USA", 'country: "USA'), "", "that begins on line 5"),
    "deep brackets": (changed("country: USA", "country: " + "[" * 10_000), "country", "nested more than 50"),
    "deep closed brackets": (
        changed("country: USA", "country: " + "[" * 10_000 + "]" * 10_000),
        "country",
        "nested more than 50",
    ),
    "deep mappings": (changed("country: USA", "country: " + "{a: " * 10_000), "country", "nested more than"),
    "billion laughs": (
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
        "a:",
        "anchors and aliases",
    ),
}

NOT_A_CATALOGUE = {
    "empty": ("", "the file is empty"),
    "only a comment": ("# nothing\n", "the file is empty"),
    "nothing": ("~\n", "found None, expected keys with their values"),
    "a list": ("- a\n- b\n", "expected keys with their values"),
    "a sentence": ("hello\n", "found 'hello', expected keys with their values"),
    "a number": ("7\n", "found 7, expected keys with their values"),
}


@pytest.mark.parametrize(("text", "line", "says"), NOT_YAML.values(), ids=NOT_YAML)
def test_what_is_not_plain_yaml_is_refused_with_its_line(
    text: str, line: str, says: str, tmp_path: Path
) -> None:
    path = write(tmp_path, text)
    begun = time.monotonic()
    message = refusal(path)
    assert time.monotonic() - begun < 5
    assert message.startswith(f"{path}:{line_of(line, text) if line else ''}")
    assert says in message
    assert message.isprintable()


@pytest.mark.parametrize(("text", "says"), NOT_A_CATALOGUE.values(), ids=NOT_A_CATALOGUE)
def test_a_file_that_holds_no_catalogue_is_refused(text: str, says: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    message = refusal(path)
    assert message.startswith(f"{path}:1: ")
    assert says in message


def test_a_key_that_stands_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    text = changed("  country: USA", "  country: USA\n  country: IND")
    path = write(tmp_path, text)
    first = line_of("country: USA", text)
    assert refusal(path).startswith(
        f"{path}:{first + 1}: the key `defaults.country` appears twice (first on line {first})."
    )


@pytest.mark.parametrize("content", [b"\x7fELF\x02\x01\x01\x00\xff\xfe", SAMPLE.encode("utf-16")])
def test_a_binary_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, content)
    message = refusal(path)
    assert message.startswith(f"{path}: not a text file")
    assert "--models" in message


def test_a_file_too_large_for_a_catalogue_is_refused_unread(tmp_path: Path) -> None:
    path = write(tmp_path, SAMPLE + "# x\n" * 200_000)
    begun = time.monotonic()
    assert "too large for a catalogue" in refusal(path)
    assert time.monotonic() - begun < 1


def test_a_file_without_end_is_refused() -> None:
    assert refusal(Path("/dev/zero")).startswith("/dev/zero: more than")


def test_a_missing_file_is_named_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    assert refusal(path).startswith(f"{path}: no such file.")
    assert "--models FILE" in refusal(path)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).startswith(f"{tmp_path}: cannot be read: Is a directory.")


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(self: Path, *arguments: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    path = write(tmp_path)
    monkeypatch.setattr(Path, "open", deny)
    assert refusal(path).startswith(f"{path}: cannot be read: Permission denied.")


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbf" + SAMPLE.replace("\n", "\r\n").encode())
    assert list(load(path).models) == list(loaded(tmp_path).models)


def test_the_catalogue_of_the_current_folder_is_found_before_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = find()
    assert shipped.is_file()
    write(tmp_path)
    assert find().resolve() == (tmp_path / "models.yaml").resolve() != shipped.resolve()
    assert find(Path("named.yaml")) == Path("named.yaml")


def test_an_installation_without_any_catalogue_says_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bench.catalog.loading.__file__", str(tmp_path / "a" / "b" / "loading.py"))
    with pytest.raises(CatalogError, match=r"Name one with --models FILE\."):
        find()
