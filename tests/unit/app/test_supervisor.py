from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from bawn.app import supervisor as module
from bawn.app.listeners import Listeners
from bawn.app.orders import RunnerOrder, WorkOrder
from bawn.app.process import ChildFailedError
from bawn.app.supervisor import Supervisor
from bawn.config import trust
from bawn.config.load import load
from bawn.errors import BawnError, Misconfigured

REMOTE = "servers: {far: {url: 'http://127.0.0.1:9/'}}\n"
LOCAL = "servers: {files: {command: [x]}}\n"


class FakeOsProcess:
    """What a `Process` holds: a pid, and an end that a test brings about."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended = asyncio.Event()

    async def wait(self) -> int:
        await self.ended.wait()
        return -9


class FakeProcess:
    """Stands for `app.process.Process`; `failing` names children whose orders fail."""

    all: ClassVar[list[FakeProcess]] = []
    failing: ClassVar[dict[str, Exception]] = {}
    pids: ClassVar[Iterable[int]] = itertools.count(100)
    draining: ClassVar[asyncio.Event | None] = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = FakeOsProcess(next(iter(self.pids)))
        self.orders: list[Any] = []
        self.stopped = False

    @classmethod
    async def start(cls, name: str, module: str, descriptors: Iterable[int]) -> FakeProcess:
        cls.all.append(cls(name))
        return cls.all[-1]

    async def tell(self, order: Any, seconds: float) -> None:
        self.orders.append(order)
        await asyncio.sleep(0)
        if self.name in self.failing:
            raise self.failing[self.name]

    async def stop(self, seconds: float) -> None:
        self.stopped = True
        if self.draining is not None and self.name == "worker" and seconds > 1:
            await self.draining.wait()
        self.process.ended.set()


class FakeSocket:
    """A listening socket that is none."""

    def __init__(self) -> None:
        self.closed = False

    def fileno(self) -> int:
        return 3

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeProcess.all, FakeProcess.failing, FakeProcess.draining = [], {}, None

    def listeners(config: Any, unix: Path, old: Listeners | None, before: Any) -> Any:
        return old or Listeners(*[FakeSocket() for _ in range(3)])  # type: ignore[arg-type]

    monkeypatch.setattr(module, "Process", FakeProcess)
    monkeypatch.setattr(module, "open_listeners", listeners)
    monkeypatch.setattr(module, "_BACKOFF_FIRST", 0.001)
    monkeypatch.setattr(trust, "require", lambda found: None)


REQUIRE = trust.require


class Gate:
    """A supervisor on fakes, running."""

    def __init__(self, place: Path, text: str) -> None:
        self.path = place / "bawn.yaml"
        self.path.write_text(f"state: ./state\n{text}")
        self.supervisor = Supervisor(load(self.path, {}), insecure_no_auth=False)
        self.started = asyncio.Event()
        self.running = asyncio.create_task(self.supervisor.run(self.started.set))

    async def begin(self) -> Gate:
        """Wait until it serves."""
        await asyncio.wait_for(self.started.wait(), 5)
        return self

    def write(self, text: str) -> None:
        """Change the file."""
        self.path.write_text(f"state: ./state\n{text}")

    async def reload(self, *, by_owner: bool = True) -> str:
        """Take over the file."""
        return await self.supervisor.reload(by_owner=by_owner)

    async def end(self) -> None:
        """Stop it; every child must have been stopped."""
        self.supervisor.stop()
        await asyncio.wait_for(self.running, 5)
        await asyncio.sleep(0)
        assert all(child.stopped or child.process.ended.is_set() for child in FakeProcess.all)


def children(name: str) -> list[FakeProcess]:
    """The children of this name, in the order of their starts."""
    return [child for child in FakeProcess.all if child.name == name]


def served(child: FakeProcess, order: int = -1) -> list[str]:
    """The servers of an order."""
    config: dict[str, Any] = json.loads(bytes(child.orders[order].config))
    return list(config["servers"])


async def until(true: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


# ── start and end ───────────────────────────────────────────────────────────────────────────────


async def test_the_runner_is_started_before_the_worker_and_only_for_local_servers(
    tmp_path: Path,
) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    assert [child.name for child in FakeProcess.all] == ["runner", "worker"]
    run, work = (child.orders[0] for child in FakeProcess.all)
    assert isinstance(run, RunnerOrder)
    assert isinstance(work, WorkOrder)
    assert run.socket == work.runner
    assert work.base == run.base == str(tmp_path)
    assert msgspec.json.encode(work)
    await up.end()
    FakeProcess.all.clear()
    (tmp_path / "b").mkdir()
    up = await Gate(tmp_path / "b", REMOTE).begin()
    assert [child.name for child in FakeProcess.all] == ["worker"]
    await up.end()


async def test_callers_are_shut_out_first_then_the_worker_ends_and_then_the_runner(
    tmp_path: Path,
) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    listeners: Any = up.supervisor._listeners
    FakeProcess.draining = asyncio.Event()
    up.supervisor.stop()
    (runner,), (worker,) = children("runner"), children("worker")
    await until(lambda: worker.stopped)
    assert listeners.data.closed
    assert listeners.unix.closed
    assert listeners.management.closed
    await asyncio.sleep(0)
    assert not runner.stopped
    FakeProcess.draining.set()
    await asyncio.wait_for(up.running, 5)
    assert runner.stopped


@pytest.mark.parametrize("name", ["runner", "worker"])
@pytest.mark.parametrize("trouble", [ChildFailedError("no"), Misconfigured("bad")])
async def test_a_gate_that_cannot_start_leaves_no_child(
    tmp_path: Path, name: str, trouble: BawnError
) -> None:
    FakeProcess.failing = {name: trouble}
    up = Gate(tmp_path, LOCAL)
    with pytest.raises(type(trouble)):
        await asyncio.wait_for(up.running, 5)
    assert not up.started.is_set()
    assert all(child.stopped for child in FakeProcess.all)


# ── what dies ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["runner", "worker"])
async def test_what_dies_is_started_again_with_the_same_orders(tmp_path: Path, name: str) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    for _ in range(2):
        dead = children(name)[-1]
        dead.process.ended.set()
        await until(lambda dead=dead: children(name)[-1] is not dead)  # type: ignore[misc]
        await until(lambda: bool(children(name)[-1].orders))
    assert len(children(name)) == 3
    assert {bytes(child.orders[0].config) for child in children(name)} == {
        bytes(children(name)[0].orders[0].config)
    }
    other = {"runner": "worker", "worker": "runner"}[name]
    assert len(children(other)) == 1
    await up.end()


@pytest.mark.parametrize("name", ["runner", "worker"])
@pytest.mark.parametrize("trouble", [ChildFailedError("no"), Misconfigured("bad"), OSError("no")])
async def test_what_does_not_start_is_tried_again(
    tmp_path: Path, name: str, trouble: Exception
) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    FakeProcess.failing = {name: trouble}
    children(name)[-1].process.ended.set()
    await until(lambda: len(children(name)) >= 3)
    FakeProcess.failing = {}
    await until(lambda: up.supervisor.status()["pids"][name] == children(name)[-1].process.pid)
    assert len(children(name)[-1].orders) == 1
    await up.end()


async def test_a_gate_that_ends_while_a_worker_is_replaced_ends_that_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    told = asyncio.Event()

    async def endless(self: FakeProcess, order: Any, seconds: float) -> None:
        told.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(FakeProcess, "tell", endless)
    children("worker")[0].process.ended.set()
    await told.wait()
    await up.end()
    await until(lambda: children("worker")[1].stopped)


# ── reload ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_new_worker_serves_before_the_old_one_ends(tmp_path: Path) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    FakeProcess.draining = asyncio.Event()
    up.write(REMOTE + "limits: {page: 7}\n")
    reloading = asyncio.create_task(up.reload(by_owner=False))
    await until(lambda: len(children("worker")) == 2)
    old, new = children("worker")
    await until(lambda: old.stopped)
    assert up.supervisor.status()["pids"]["worker"] == new.process.pid
    assert not reloading.done()
    FakeProcess.draining.set()
    assert await reloading == "applied: limits.page"
    assert not new.stopped
    await up.end()


async def test_an_unchanged_file_changes_nothing(tmp_path: Path) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    up.write("# a remark\n" + REMOTE)
    assert await up.reload() == "nothing changed"
    assert len(children("worker")) == 1
    await up.end()


async def test_what_needs_the_owner_waits_for_the_owner(tmp_path: Path) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    up.write("servers: {files: {command: [y]}}\nlimits: {page: 7}\n")
    told = await up.reload(by_owner=False)
    assert told == "waiting for `bawn reload`: servers.files.command"
    assert len(children("worker")) == 1
    assert len(children("runner")[0].orders) == 1
    assert await up.reload() == "applied: servers.files.command, limits.page"
    assert len(children("runner")[0].orders) == 2
    assert len(children("worker")) == 2
    await up.end()


@pytest.mark.parametrize("trouble", [ChildFailedError("no"), Misconfigured("bad"), OSError("no")])
async def test_what_cannot_be_served_leaves_the_old_worker_and_its_servers(
    tmp_path: Path, trouble: Exception
) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    up.write(LOCAL.replace("}}", "}, more: {command: [y]}}"))
    FakeProcess.failing = {"worker": trouble}
    with pytest.raises(type(trouble)):
        await up.reload()
    (runner,), (old, failed) = children("runner"), children("worker")
    assert served(runner, 1) == ["files", "more"]
    assert served(runner) == ["files"]
    assert failed.stopped
    assert not old.stopped
    assert up.supervisor.status()["pids"]["worker"] == old.process.pid
    FakeProcess.failing = {}
    assert await up.reload() == "applied: servers.more"
    await up.end()


async def test_a_bad_file_is_refused_as_it_was_read(tmp_path: Path) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    up.write("servers: [\n")
    with pytest.raises(Misconfigured):
        await up.reload()
    assert len(children("worker")) == 1
    await up.end()


async def test_the_state_cannot_move_while_the_gate_runs(tmp_path: Path) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    up.path.write_text("state: ./elsewhere\n" + REMOTE)
    with pytest.raises(Misconfigured, match="state"):
        await up.reload()
    await up.end()


async def test_commands_that_nobody_consented_to_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "consents"))
    up = await Gate(tmp_path, REMOTE).begin()
    monkeypatch.setattr(trust, "require", REQUIRE)
    up.write(LOCAL)
    with pytest.raises(Misconfigured, match="consent"):
        await up.reload()
    assert not children("runner")
    await up.end()


async def test_the_first_local_server_brings_the_runner(tmp_path: Path) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    up.write(LOCAL)
    await up.reload()
    assert [served(child) for child in children("runner")] == [["files"]]
    await up.end()


async def test_while_an_old_worker_finishes_the_new_one_is_replaced_when_it_dies(
    tmp_path: Path,
) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    FakeProcess.draining = asyncio.Event()
    up.write(REMOTE + "limits: {page: 7}\n")
    reloading = asyncio.create_task(up.reload())
    await until(lambda: len(children("worker")) == 2 and children("worker")[0].stopped)
    children("worker")[1].process.ended.set()
    await until(lambda: len(children("worker")) == 3)
    assert not reloading.done()
    FakeProcess.draining.set()
    await reloading
    await up.end()


async def test_the_end_waits_for_a_worker_that_still_finishes(tmp_path: Path) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    FakeProcess.draining = asyncio.Event()
    up.write(LOCAL + "limits: {page: 7}\n")
    reloading = asyncio.create_task(up.reload())
    await until(lambda: len(children("worker")) == 2 and children("worker")[0].stopped)
    up.supervisor.stop()
    await until(lambda: children("worker")[1].stopped)
    await asyncio.sleep(0.01)
    assert not up.running.done()
    assert not children("runner")[0].stopped
    FakeProcess.draining.set()
    await asyncio.wait_for(up.running, 5)
    await reloading
