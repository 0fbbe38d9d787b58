"""Secrets of the environment are masked in records, tracebacks and errors."""

from __future__ import annotations

import html
import json
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import click
import markupsafe
import pytest

from bench.cli import cli, invoke
from bench.core.recorded import Failure
from bench.core.secrets import masked
from bench.measurement.api.metering import named
from bench.store.machine_folder import MachineFolder
from bench.view import standalone, terminal
from bench.view.content import Table, TableRow, clean, columns
from bench.view.markdown import escaped
from bench.view.terminal import Room, prose
from tests.support import factory

TOKEN, PASSWORD, KEY = "hf_planted0123456789", "planted-password", "sk-planted+0123/456"
PROXY = f"http://me:{PASSWORD}@proxy.example.org:3128"


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("HTTPS_PROXY", PROXY)


def text_with_all() -> str:
    return f"{TOKEN} {KEY} {PROXY} {PASSWORD} Bearer abcdef https://h/v1?a=1&api_key=planted-query"


def test_no_narrow_column_and_no_cut_shows_a_piece_of_a_secret() -> None:
    """Once cut, it is no longer found."""
    rows = (TableRow(("m", f"model {TOKEN} of others")),)
    narrow = "\n".join(terminal.lines([Table(columns("name", "a long text"), rows)], Room(18, 18)))
    assert TOKEN[:6] not in narrow
    assert "***" in narrow
    for longest in (20, 30, 300):
        text = f"{'x ' * (longest // 2 - 4)}{TOKEN} and so on {'y ' * 300}"
        assert TOKEN[:6] not in clean(text, longest)
        assert "***" in clean(text, longest)


def test_a_picture_has_no_secret_in_its_packed_texts() -> None:
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    image = pytest.importorskip("PIL.Image")
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="20"><text y="15">WORDS</text></svg>'
    png = standalone.png(drawn, caption=f"model {TOKEN}", data=f"a,{KEY}\n")
    opened = image.open(BytesIO(png))
    assert (opened.info["Description"], opened.info["Comment"]) == ("model ***", "a,***\n")
    shown = standalone.png(drawn.replace("WORDS", TOKEN))
    assert shown == standalone.png(drawn.replace("WORDS", "***")), "pixel for pixel"


def assert_without_secrets(text: str) -> None:
    for secret in (TOKEN, KEY, PASSWORD, "abcdef", "planted-query"):
        assert secret not in text


def test_secrets_are_masked_and_other_words_stay() -> None:
    shown = masked(text_with_all())
    assert_without_secrets(shown)
    assert "http://***@proxy.example.org:3128" in shown
    assert "https://h/v1?a=1&api_key=***" in shown
    for text in ("http://localhost:8000/v1?n=1", "max_tokens=20 of hf_xet", "a@b.org", "--seed 1"):
        assert masked(text) == text


def test_a_secret_is_masked_as_urls_json_and_pages_write_it(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "planted \"horse\" & 'ä'"
    monkeypatch.setenv("SMTP_PASS", secret)
    as_page = (html.escape(secret), str(markupsafe.escape(secret)), secret.replace('"', '""'))
    for written in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], *as_page):
        assert masked(f"said {written}.") == "said ***."
    assert masked(json.dumps({"a": secret}, ensure_ascii=False)) == '{"a": "***"}'


@pytest.mark.parametrize("secret", ["my_secret_word", 'hf_pl#an|ted "q" & <b> \\ *x*', "it's [one] {two}!"])
def test_a_secret_is_masked_as_markdown_writes_it(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("DEPLOY_SECRET", secret)
    assert masked(f"said {escaped(secret)}.") == "said ***."
    assert masked(escaped(json.dumps(secret)[1:-1])) == "***"


def test_a_secret_of_several_words_is_masked_where_it_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASS", "planted horse  staple")
    lines = [*prose(f"{'x' * 50} said planted horse staple", 70, "  ")]
    assert len(lines) == 2
    assert masked("\n".join(lines)).split() == ["x" * 50, "said", "***"]


def test_what_stands_before_a_secret_may_be_markdown() -> None:
    assert masked(escaped("--hf_token planted")) == r"--hf\_token ***"
    assert masked(escaped("https://h/v1?a=1&api_key=planted")) == r"https://h/v1?a=1&amp;api\_key=***"
    assert masked(escaped("http://some_one:planted@h")) == "http://***@h"


def test_a_key_may_begin_like_a_path_and_a_path_is_no_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OBJECT_STORE_SECRET", "/planted/battery+0123==")
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent.1"))
    assert masked(f"/planted/battery+0123== {tmp_path}/agent.1") == f"*** {tmp_path}/agent.1"


def test_an_author_is_no_secret_and_an_authorization_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_AUTHOR_NAME", "AUTHOR", "GIT_AUTHOR_DATE"):
        monkeypatch.setenv(name, "measurement")
    for name, value in (
        ("REGISTRY_AUTH", "planted-1"),
        ("AUTHORIZATION", "planted-2"),
        ("OAUTH", "planted-3"),
    ):
        monkeypatch.setenv(name, value)
    assert masked("a measurement planted-1 planted-2 planted-3") == "a measurement *** *** ***"


def test_a_record_has_no_secret_of_the_environment(tmp_path: Path) -> None:
    record = factory.record(status="failed", reasons=[text_with_all()])
    record.provenance.command = text_with_all()
    record.failure = Failure(stage="load", message=text_with_all(), last_words=text_with_all())
    with MachineFolder(tmp_path, "m") as folder:
        folder.save_partial(record)
        folder.save(record)
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert any("***" in text for text in written)
    assert_without_secrets("".join(written))


def test_a_windows_failure_has_no_secret() -> None:
    assert named(RuntimeError(f"refused {TOKEN}")) == "RuntimeError: refused ***"


@pytest.mark.parametrize("error", [RuntimeError, click.UsageError])
def test_an_error_and_its_traceback_show_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error(text_with_all())

    monkeypatch.setattr(cli, "main", fail)
    assert invoke(["list", "--debug"]) in {2, 70}
    shown = capsys.readouterr().err
    assert "***" in shown
    assert_without_secrets(shown)
