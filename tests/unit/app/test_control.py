from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bawn.app import control as module
from bawn.app.control import Control, NotRunningError, ask
from bawn.app.process import ChildFailedError
from bawn.barrier.edition import Cut
from bawn.errors import Misconfigured
from bawn.storage import StateDirectory


class FakeSupervisor:
    """Obeys; `trouble` is raised by a reload."""

    def __init__(self) -> None:
        self.places = SimpleNamespace(control=Path("control.sock"))
        self.trouble: Exception | None = None
        self.stopped = False
        self.force = self
        self.cuts: Any = SimpleNamespace(all=())
        self.ring = 0
        self.considered: list[str] = []

    def status(self) -> dict[str, Any]:
        return {"pids": {"supervisor": 1}}

    async def reload(self, *, by_owner: bool) -> str:
        assert by_owner
        if self.trouble is not None:
            raise self.trouble
        return "applied: limits.body"

    def stop(self) -> None:
        self.stopped = True

    def cut(self, cut: Cut) -> bool:
        if self.trouble is not None:
            raise self.trouble
        self.cuts.all = (*self.cuts.all, cut)
        return True

    def restore(self, wanted: Callable[[Cut], bool]) -> int:
        if self.trouble is not None:
            raise self.trouble
        lifted = [cut for cut in self.cuts.all if wanted(cut)]
        self.cuts.all = tuple(cut for cut in self.cuts.all if not wanted(cut))
        return len(lifted)

    def renew_ring(self) -> None:
        self.ring += 1

    async def reconsider(self, server: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.considered.append(server)


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


async def test_what_was_approved_is_put_in_force_or_it_is_said_that_it_is_not_yet() -> None:
    supervisor = FakeSupervisor()
    asked = {"do": "pins", "server": "files"}
    assert await obeyed(supervisor, asked) == {"done": "in force"}
    assert supervisor.considered == ["files"]
    supervisor.trouble = ChildFailedError("no steward")
    assert "no steward" in (await obeyed(supervisor, asked))["error"]


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


async def test_a_cut_is_made_and_lifted_by_what_it_names() -> None:
    supervisor = FakeSupervisor()
    for name in ("files", "issues"):
        cut = {"do": "cut", "kind": "server", "name": name, "why": "it leaks"}
        assert await obeyed(supervisor, cut) == {"done": "cut", "kept": True}
    told = (await obeyed(supervisor, {"do": "cuts"}))["cuts"]
    assert [(c["kind"], c["name"], c["why"]) for c in told] == [
        ("server", "files", "it leaks"),
        ("server", "issues", "it leaks"),
    ]
    assert all(c["since"] > 0 for c in told)
    one = {"do": "restore", "kind": "server", "name": "files"}
    assert await obeyed(supervisor, one) == {"done": "restored", "lifted": 1}
    assert await obeyed(supervisor, one) == {"done": "restored", "lifted": 0}
    assert await obeyed(supervisor, {"do": "restore"}) == {"done": "restored", "lifted": 1}


@pytest.mark.parametrize(
    "wrong", [{}, {"kind": "all", "name": ""}, {"kind": "server"}, {"kind": "server", "name": 1}]
)
async def test_a_cut_of_nothing_known_is_refused(wrong: dict[str, Any]) -> None:
    supervisor = FakeSupervisor()
    assert "nothing was cut" in (await obeyed(supervisor, {"do": "cut", **wrong}))["error"]
    assert supervisor.cuts.all == ()


async def test_a_cut_that_cannot_be_kept_is_not_acknowledged() -> None:
    supervisor = FakeSupervisor()
    supervisor.trouble = OSError(28, "No space left on device")
    cut = {"do": "cut", "kind": "gate", "name": ""}
    assert "No space" in (await obeyed(supervisor, cut))["error"]
    assert "No space" in (await obeyed(supervisor, {"do": "restore"}))["error"]


async def test_changed_keys_are_read_again() -> None:
    supervisor = FakeSupervisor()
    assert await obeyed(supervisor, {"do": "keys"}) == {"done": "read again"}
    assert supervisor.ring == 1


async def test_keys_that_workers_could_not_be_told_of_are_said_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(self: FakeSupervisor) -> None:
        raise OSError(28, "No space left on device")

    assert await obeyed(FakeSupervisor(), {"do": "keys"}) == {"done": "read again"}
    monkeypatch.setattr(FakeSupervisor, "renew_ring", full)
    assert "No space left" in (await obeyed(FakeSupervisor(), {"do": "keys"}))["error"]


async def test_a_cut_begins_when_it_is_made_whatever_is_asked() -> None:
    # an infinite number has no form in the file that outlives the gate, nor in an edition
    supervisor = FakeSupervisor()
    asked = b'{"do": "cut", "kind": "server", "name": "files", "since": 1e999}'
    await Control(cast(Any, supervisor))._do(asked)
    assert supervisor.cuts.all[0].since < 1e12


async def test_who_says_nothing_is_not_listened_to_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENCE", 0.01)
    supervisor = FakeSupervisor()
    supervisor.places = SimpleNamespace(control=tmp_path / "control.sock")
    async with await Control(cast(Any, supervisor)).serve():
        reader, writer = await asyncio.open_unix_connection(tmp_path / "control.sock")
        writer.write(b'{"do"')
        assert await asyncio.wait_for(reader.read(), 30) == b""
        writer.close()


async def test_an_order_that_nests_without_end_and_an_end_leave_nothing(tmp_path: Path) -> None:
    supervisor = FakeSupervisor()
    supervisor.places = SimpleNamespace(control=tmp_path / "control.sock")
    control = Control(cast(Any, supervisor))
    serving = await control.serve()
    troubles: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
    for line in (b"[" * 50_000, b"\xff", b"x" * 100_000, b""):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "control.sock")
        writer.write(line + b"\n")
        assert await reader.read() == b"" or not line
        writer.close()
    assert not troubles
    serving.close()
    control.close()
    assert list(tmp_path.iterdir()) == []
