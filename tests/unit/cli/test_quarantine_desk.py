"""Both ends of `bawn quarantine` tell the same, and the owner's acts without a gate are in its audit."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from bawn.cli.gate_client import Where
from bawn.cli.quarantine_desk import GateDesk, StoreDesk, desk
from bawn.console.quarantine import as_json
from bawn.model import Detection, Item, Kind, Severity
from bawn.ports import Found
from bawn.storage import StateDirectory
from bawn.storage.quarantine import Held, Quarantine
from tests.approving import ADA

TOOL = Item(Kind.TOOL, "mail", "read", "mail__read", {"name": "read"})
FOUND = (Found("", Detection("output/x", Severity.HIGH, 0, 4, "e"), "quarantine"),)


@pytest.fixture
def where(tmp_path: Path) -> Where:
    (tmp_path / "bawn.yaml").write_text("state: ./state\n")
    return Where(tmp_path / "bawn.yaml", None, None)


def put(where: Where) -> tuple[StateDirectory, Held]:
    assert where.config is not None
    state = StateDirectory(where.config.parent / "state")
    return state, Quarantine(state, 14).put(ADA, TOOL, "tools/call", "7" * 32, FOUND, {"a": 1})


def test_without_a_gate_it_is_the_store_and_none_starts_meanwhile(where: Where) -> None:
    state, held = put(where)
    with desk(where) as found:
        assert isinstance(found, StoreDesk)
        assert found.listed() == [as_json(held)]
        assert found.one(held.handle, content=True)["result"] == {"a": 1}
        with pytest.raises(Exception, match="in use"), state.hold():
            pass


def test_with_a_gate_it_is_the_gate(where: Where) -> None:
    state, _ = put(where)
    with state.hold(), desk(where) as found:
        assert isinstance(found, GateDesk)


def test_what_cannot_be_recorded_does_not_happen(
    where: Where, capsys: pytest.CaptureFixture[str]
) -> None:
    state, held = put(where)
    with desk(where) as found:
        state.audit.rmdir()
        state.audit.write_text("")  # where the audit should be: nobody can write it, root neither
        for act in (found.release, found.discard):
            with pytest.raises(typer.Exit):
                act(held.handle)
    state.audit.unlink()
    assert "audit.unavailable" in capsys.readouterr().err
    assert Quarantine(state, 14).facts(held.handle) == held


def test_a_token_goes_with_a_url(where: Where) -> None:
    with pytest.raises(typer.Exit) as caught, desk(where._replace(token_file="t")):
        pass
    assert caught.value.exit_code == 2
