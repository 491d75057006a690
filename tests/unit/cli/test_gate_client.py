from __future__ import annotations

import httpx2
import pytest
import typer

from bawn.cli.gate_client import Where, answer, gate


def client(status: int, content: bytes) -> httpx2.Client:
    reply = httpx2.Response(status, content=content)
    return httpx2.Client(base_url="http://gate", transport=httpx2.MockTransport(lambda _: reply))


def test_an_answer_is_an_object() -> None:
    assert answer(client(200, b'{"a": 1}'), "GET", "/x") == {"a": 1}


@pytest.mark.parametrize(
    ("status", "content", "code"),
    [
        (403, b'{"error": "integrity.decider", "message": "no"}', 1),
        (404, b'{"error": "http.not_found", "message": "nothing"}', 2),
        (200, b"<html>", 2),
        (500, b"[]", 1),
    ],
)
def test_a_refusal_is_said_and_ends_the_command(
    status: int, content: bytes, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        answer(client(status, content), "GET", "/x")
    assert ended.value.exit_code == code
    assert capsys.readouterr().err.startswith("bawn: ")


@pytest.mark.parametrize("url", ["http://gate.example.com", "ftp://gate", "https://"])
def test_a_token_goes_nowhere_where_others_could_read_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAWN_TOKEN", "secret")
    with pytest.raises(typer.Exit), gate(Where(None, url, None)):
        raise AssertionError("it was let through")
