"""What `bawn up` says: where to call, how to get in, and what is protected and what is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bawn.app.starting import Interpreters, Starter
from bawn.cli.up import welcome
from bawn.config.load import Loaded, load
from bawn.errors import Misconfigured
from tests.unit.cli.gates import FakeGate


def loaded(place: Path, text: str) -> Loaded:
    """A configuration."""
    path = place / "bawn.yaml"
    path.write_text(text)
    return load(path, {})


def test_the_welcome_names_the_endpoint_the_servers_and_the_way_in(tmp_path: Path) -> None:
    text = "servers: {files: {command: [x]}, far: {url: 'http://127.0.0.1:9/'}}\n"
    said = welcome(loaded(tmp_path, text), ["files"])
    assert "bawn is up." in said
    assert "http://127.0.0.1:8811/mcp " in said
    assert "files, far" in said
    assert f"bawn token --sub you --role developer --config {tmp_path / 'bawn.yaml'}" in said
    assert "Unconfined, with your rights (`bawn status` says why): files." in said
    assert "Not protected" in said


def test_where_all_are_confined_nothing_is_said_to_be_unconfined(tmp_path: Path) -> None:
    assert "nconfined" not in welcome(loaded(tmp_path, ""), [])
    assert "none yet" in welcome(loaded(tmp_path, ""), [])


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        ("{mode: none}", "everybody on this machine may call"),
        ("{mode: oidc, issuers: [{issuer: 'https://idp.example.com'}]}", "authorization server"),
    ],
)
def test_every_mode_of_identity_tells_where_tokens_come_from(
    tmp_path: Path, identity: str, said: str
) -> None:
    assert said in welcome(loaded(tmp_path, f"identity: {identity}\n"), [])


def test_what_cannot_be_served_is_told_line_by_line_with_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(
        found: Loaded, starter: Starter, *, insecure_no_auth: bool, locked: bool
    ) -> None:
        assert insecure_no_auth
        assert not locked
        raise Misconfigured("listen: taken", "state: not yours")

    monkeypatch.setattr(sys.modules["bawn.cli.up"], "_run", failing)
    monkeypatch.setattr("bawn.telemetry.logs.configure", lambda *_: None)
    monkeypatch.setattr("bawn.app.starting.begin", Interpreters)  # nothing is forked from here
    gate = FakeGate(tmp_path, monkeypatch)
    shown = gate.run("up", "--insecure-no-auth")
    assert shown.exit_code == 2
    assert shown.output.splitlines() == ["bawn: listen: taken", "bawn: state: not yours"]
