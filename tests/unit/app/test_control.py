from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bawn.app.control import Control, NotRunningError, ask
from bawn.app.process import ChildFailedError
from bawn.errors import Misconfigured
from bawn.storage import StateDirectory


class FakeSupervisor:
    """Obeys; `trouble` is raised by a reload."""

    def __init__(self) -> None:
        self.state = SimpleNamespace(socket=Path)
        self.trouble: Exception | None = None
        self.stopped = False

    def status(self) -> dict[str, Any]:
        return {"pids": {"supervisor": 1}}

    async def reload(self, *, by_owner: bool) -> str:
        assert by_owner
        if self.trouble is not None:
            raise self.trouble
        return "applied: limits.body"

    def stop(self) -> None:
        self.stopped = True


async def obeyed(supervisor: FakeSupervisor, asked: object) -> dict[str, Any]:
    """The answer to an order."""
    return await Control(cast(Any, supervisor))._do(json.dumps(asked).encode())


async def test_the_owners_orders_are_obeyed() -> None:
    supervisor = FakeSupervisor()
    assert await obeyed(supervisor, {"do": "status"}) == {"pids": {"supervisor": 1}}
    assert await obeyed(supervisor, {"do": "reload"}) == {"done": "applied: limits.body"}
    assert not supervisor.stopped
    assert await obeyed(supervisor, {"do": "stop"}) == {"done": "stopping"}
    assert supervisor.stopped


@pytest.mark.parametrize(
    "trouble",
    [Misconfigured("line 3: one", "line 4: two"), ChildFailedError("no"), OSError(11, "again")],
)
async def test_a_reload_that_fails_is_answered(trouble: Exception) -> None:
    supervisor = FakeSupervisor()
    supervisor.trouble = trouble
    assert await obeyed(supervisor, {"do": "reload"}) == {"error": str(trouble)}


@pytest.mark.parametrize("asked", [{"do": "no such"}, {"do": ["stop"]}, {}, [], "stop", None])
async def test_anything_else_is_refused(asked: object) -> None:
    supervisor = FakeSupervisor()
    assert "expected one of" in (await obeyed(supervisor, asked))["error"]
    assert not supervisor.stopped


def test_where_no_gate_ever_ran_there_is_none_to_ask(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="no gate has run"):
        ask(tmp_path / "state", "status")
    assert not (tmp_path / "state").exists()


def test_where_no_gate_runs_there_is_none_to_ask(tmp_path: Path) -> None:
    StateDirectory(tmp_path / "state")
    with pytest.raises(NotRunningError, match="no gate runs"):
        ask(tmp_path / "state", "status")


def test_a_state_that_others_can_write_is_not_used(tmp_path: Path) -> None:
    StateDirectory(tmp_path / "state").path.chmod(0o777)
    with pytest.raises(Misconfigured, match="others can use"):
        ask(tmp_path / "state", "status")
