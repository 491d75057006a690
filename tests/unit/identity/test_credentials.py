"""What goes out to a server: our own credential, whole, or nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.config import Auth, Server
from bawn.errors import Misconfigured
from bawn.identity.credentials import headers


def remote(token: str | None) -> Server:
    auth = Auth(type="bearer", token=token) if token else Auth()
    return Server(url="https://mcp.example.com/mcp", auth=auth)


def test_a_server_without_auth_gets_no_credential(tmp_path: Path) -> None:
    assert headers(remote(None), tmp_path) == ()
    assert headers(Server(command=("true",)), tmp_path) == ()


def test_a_bearer_token_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISSUES", "s3cret.~+/=")
    assert headers(remote("${env:ISSUES}"), tmp_path) == (
        (b"authorization", b"Bearer s3cret.~+/="),
    )


def test_a_file_is_found_from_the_configurations_directory(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "token").chmod(0o600)
    assert headers(remote("${file:token}"), tmp_path)[0][1] == b"Bearer s3cret"


@pytest.mark.parametrize(
    "value", ["two words", "a\r\nX-Admin: 1", "a\nb", "a\x7f", "tökén", " s3cret", "s3cret "]
)
def test_what_cannot_stand_in_a_header_is_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("ISSUES", value)
    with pytest.raises(Misconfigured) as caught:
        headers(remote("${env:ISSUES}"), tmp_path)
    assert value.strip() not in str(caught.value)


def test_a_reference_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="ABSENT"):
        headers(remote("${env:ABSENT}"), tmp_path)
