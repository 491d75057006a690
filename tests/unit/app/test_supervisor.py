from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from bawn.app import crew as crew_module
from bawn.app import force as force_module
from bawn.app import supervisor as module
from bawn.app.cuts import CutList
from bawn.app.listeners import Listeners
from bawn.app.orders import RunnerOrder, StewardOrder, WorkOrder
from bawn.app.process import ChildFailedError
from bawn.app.starting import Interpreters, Starter
from bawn.app.supervisor import StoppingError, Supervisor
from bawn.barrier.edition import Cut, Edition, decode
from bawn.barrier.follower import Follower
from bawn.barrier.shelf import Shelf
from bawn.config import trust
from bawn.config.load import load
from bawn.errors import BawnError, Misconfigured, Refused

REMOTE = "workers: 2\nservers: {far: {url: 'http://127.0.0.1:9/'}}\n"
LOCAL = "workers: 2\nservers: {files: {command: [x]}}\n"


FIRST = b"the first"
FIRST_VIEW = sha256(FIRST).hexdigest()


class FakeOsProcess:
    """What a `Process` holds: a pid, and an end that a test brings about."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended = asyncio.Event()

    async def wait(self) -> int:
        await self.ended.wait()
        return -9


OFFSET = 40
"""A forked child knows what it was given by other numbers."""


class FakeProcess:
    """Stands for `app.process.Process`; `failing` names children whose orders fail."""

    all: ClassVar[list[FakeProcess]] = []
    failing: ClassVar[dict[str, Exception]] = {}
    pids: ClassVar[Iterable[int]] = itertools.count(100)
    draining: ClassVar[asyncio.Event | None] = None
    stuck: ClassVar[set[str]] = set()
    first_view: ClassVar[str | None] = FIRST_VIEW

    def __init__(
        self, name: str, on_news: Callable[[Any], None], descriptors: tuple[int, ...]
    ) -> None:
        self.name = name
        self.on_news = on_news
        self.born = 0.0
        self.process = FakeOsProcess(next(iter(self.pids)))
        self.orders: list[Any] = []
        self.ready = False
        self.stopped = False
        self.asked = 0
        self.posted: list[Any] = []
        self.descriptors = descriptors

    def post(self, message: Any) -> None:
        self.posted.append(message)
        if "ticket" in message:
            asyncio.get_running_loop().call_soon(self.on_news, {"settled": message["ticket"]})

    @classmethod
    async def start(
        cls,
        starter: Starter,
        name: str,
        module: str,
        descriptors: Sequence[int],
        on_news: Callable[[Any], None] = lambda news: None,
    ) -> FakeProcess:
        cls.all.append(cls(name, on_news, tuple(d + OFFSET for d in descriptors)))
        return cls.all[-1]

    async def tell(self, order: Any, seconds: float) -> None:
        self.orders.append(order)
        await asyncio.sleep(0)
        if self.name in self.failing:
            raise self.failing[self.name]
        if isinstance(order, StewardOrder) and self.first_view is not None:
            if self.first_view == FIRST_VIEW:
                (Path(order.state) / "run/editions" / FIRST_VIEW).write_bytes(FIRST)
            self.on_news({"view": self.first_view})
        self.ready = True

    async def stop(self, seconds: float) -> None:
        self.stopped = True
        if self.draining is not None and self.name.startswith("worker") and seconds > 1:
            await self.draining.wait()
        self.process.ended.set()

    def close(self) -> None:
        """Nothing is held."""

    @property
    def ended(self) -> bool:
        return self.process.ended.is_set()

    def ask_alive(self) -> int:
        self.asked += 1
        return self.asked - 1 if self.name in self.stuck else 0

    def kill(self) -> None:
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
    FakeProcess.stuck, FakeProcess.first_view = set(), FIRST_VIEW

    def listeners(config: Any, unix: Path, old: Listeners | None, before: Any) -> Any:
        return old or Listeners(*[FakeSocket() for _ in range(3)])  # type: ignore[arg-type]

    monkeypatch.setattr(module, "Process", FakeProcess)
    monkeypatch.setattr(crew_module, "Process", FakeProcess)
    monkeypatch.setattr(module, "open_listeners", listeners)
    monkeypatch.setattr(crew_module, "_BACKOFF_FIRST", 0.001)
    monkeypatch.setattr(trust, "require", lambda found: None)


REQUIRE = trust.require


class Gate:
    """A supervisor on fakes, running."""

    def __init__(self, place: Path, text: str) -> None:
        self.path = place / "bawn.yaml"
        self.path.write_text(f"state: ./state\n{text}")
        self.supervisor = Supervisor(load(self.path, {}), Interpreters(), insecure_no_auth=False)
        self.started = asyncio.Event()
        self.running = asyncio.create_task(self.supervisor.run(self.started.set))

    async def begin(self) -> Gate:
        """Wait until it serves."""
        await asyncio.wait_for(self.started.wait(), 30)
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
        await asyncio.wait_for(self.running, 30)
        await asyncio.sleep(0)
        assert all(child.stopped or child.process.ended.is_set() for child in FakeProcess.all)


def children(name: str) -> list[FakeProcess]:
    """The children of this name, in the order of their starts."""
    return [child for child in FakeProcess.all if child.name == name]


def served(child: FakeProcess, order: int = -1) -> list[str]:
    """The servers of an order."""
    config: dict[str, Any] = json.loads(bytes(child.orders[order].config))
    return list(config["servers"])


def pids(up: Gate) -> list[int]:
    """The processes that the status tells of."""
    told = up.supervisor.status()["pids"]
    return [told["runner"], told["steward"], *told["workers"]]


async def until(true: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0)


# ── start and end ───────────────────────────────────────────────────────────────────────────────


async def test_the_runner_is_started_first_and_only_for_local_servers(tmp_path: Path) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    assert FakeProcess.all[0].name == "runner"
    assert sorted(child.name for child in FakeProcess.all[1:]) == [
        "steward",
        "worker 0",
        "worker 1",
    ]
    orders = {child.name: child.orders[0] for child in FakeProcess.all}
    run, steward, work = orders["runner"], orders["steward"], orders["worker 1"]
    assert isinstance(run, RunnerOrder)
    assert isinstance(steward, StewardOrder)
    assert isinstance(work, WorkOrder)
    assert run.socket == work.runner == steward.runner
    assert work.base == run.base == steward.base == str(tmp_path)
    assert (work.slot, work.workers, work.epoch, steward.epoch) == (1, 2, 1, 1)
    assert str(tmp_path / "state") in run.hide
    assert run.guard == [str(tmp_path / "bawn.yaml")]
    assert (work.listeners, work.management) == ([43, 43], 43), "the numbers that the child has"
    assert msgspec.json.encode(work)
    await up.end()
    FakeProcess.all.clear()
    (tmp_path / "b").mkdir()
    up = await Gate(tmp_path / "b", REMOTE).begin()
    assert not children("runner")
    await up.end()


async def test_callers_are_shut_out_first_then_the_worker_ends_and_then_the_runner(
    tmp_path: Path,
) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    listeners: Any = up.supervisor._listeners
    FakeProcess.draining = asyncio.Event()
    up.supervisor.stop()
    (runner,), (worker,) = children("runner"), children("worker 0")
    await until(lambda: worker.stopped and children("worker 1")[0].stopped)
    assert listeners.data.closed
    assert listeners.unix.closed
    assert listeners.management.closed
    await asyncio.sleep(0)
    assert not runner.stopped
    FakeProcess.draining.set()
    await asyncio.wait_for(up.running, 30)
    assert runner.stopped


@pytest.mark.parametrize("name", ["runner", "steward", "worker 0", "worker 1"])
@pytest.mark.parametrize("trouble", [ChildFailedError("no"), Misconfigured("bad")])
async def test_a_gate_that_cannot_start_leaves_no_child(
    tmp_path: Path, name: str, trouble: BawnError
) -> None:
    FakeProcess.failing = {name: trouble}
    up = Gate(tmp_path, LOCAL)
    with pytest.raises(type(trouble)):
        await asyncio.wait_for(up.running, 30)
    assert not up.started.is_set()
    assert all(child.stopped for child in FakeProcess.all)


# ── what dies ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["runner", "steward", "worker 0", "worker 1"])
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
    others = {"runner", "steward", "worker 0", "worker 1"} - {name}
    assert all(len(children(other)) == 1 for other in others)
    await up.end()


@pytest.mark.parametrize("name", ["runner", "steward", "worker 0", "worker 1"])
@pytest.mark.parametrize("trouble", [ChildFailedError("no"), Misconfigured("bad"), OSError("no")])
async def test_what_does_not_start_is_tried_again(
    tmp_path: Path, name: str, trouble: Exception
) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    FakeProcess.failing = {name: trouble}
    children(name)[-1].process.ended.set()
    await until(lambda: len(children(name)) >= 3)
    FakeProcess.failing = {}
    await until(lambda: children(name)[-1].process.pid in pids(up))
    assert len(children(name)[-1].orders) == 1
    await up.end()


@pytest.mark.parametrize("name", ["steward", "worker 1"])
async def test_what_lives_and_does_not_move_is_killed_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(crew_module, "PULSE", 0.001)
    up = await Gate(tmp_path, REMOTE).begin()
    await until(lambda: children("worker 0")[0].asked > 2 * crew_module.MISSED)
    FakeProcess.stuck = {name}
    await until(lambda: children(name)[0].process.ended.is_set())
    FakeProcess.stuck = set()
    await until(lambda: len(children(name)) > 1)
    assert len(children("worker 0")) == 1
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
    children("worker 0")[0].process.ended.set()
    await told.wait()
    await up.end()
    await until(lambda: children("worker 0")[1].stopped)


# ── reload ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_new_crew_serves_before_the_old_one_ends(tmp_path: Path) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    FakeProcess.draining = asyncio.Event()
    up.write(REMOTE + "limits: {page: 7}\n")
    assert await up.reload(by_owner=False) == "applied: limits.page"
    old, new = children("worker 0")
    await until(lambda: old.stopped)
    assert up.supervisor.status()["pids"]["workers"][0] == new.process.pid
    assert not new.stopped
    FakeProcess.draining.set()
    await up.end()


async def test_an_unchanged_file_changes_nothing(tmp_path: Path) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    up.write("# a remark\n" + REMOTE)
    assert await up.reload() == "nothing changed"
    assert len(children("worker 0")) == 1
    await up.end()


async def test_what_needs_the_owner_waits_for_the_owner(tmp_path: Path) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    up.write("workers: 2\nservers: {files: {command: [y]}}\nlimits: {page: 7}\n")
    told = await up.reload(by_owner=False)
    assert told == "waiting for `bawn reload`: servers.files.command"
    assert len(children("worker 0")) == 1
    assert len(children("runner")[0].orders) == 1
    assert await up.reload() == "applied: servers.files.command, limits.page"
    assert len(children("runner")[0].orders) == 2
    assert len(children("worker 0")) == 2
    await up.end()


@pytest.mark.parametrize("trouble", [ChildFailedError("no"), Misconfigured("bad"), OSError("no")])
async def test_what_one_worker_cannot_serve_leaves_the_old_crew_and_its_servers(
    tmp_path: Path, trouble: Exception
) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    up.write(LOCAL.replace("}}", "}, more: {command: [y]}}"))
    FakeProcess.failing = {"worker 1": trouble}
    with pytest.raises(type(trouble)):
        await up.reload()
    (runner,), (old, failed) = children("runner"), children("worker 0")
    assert served(runner, 1) == ["files", "more"]
    assert served(runner) == ["files"]
    assert failed.stopped
    assert not old.stopped
    assert up.supervisor.status()["pids"]["workers"][0] == old.process.pid
    FakeProcess.failing = {}
    assert await up.reload() == "applied: servers.more"
    await up.end()


async def test_a_bad_file_is_refused_as_it_was_read(tmp_path: Path) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    up.write("servers: [\n")
    with pytest.raises(Misconfigured):
        await up.reload()
    assert len(children("worker 0")) == 1
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
    await up.reload()
    children("worker 0")[1].process.ended.set()
    await until(lambda: len(children("worker 0")) == 3)
    FakeProcess.draining.set()
    await up.end()


async def test_the_end_waits_for_a_worker_that_still_finishes(tmp_path: Path) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    FakeProcess.draining = asyncio.Event()
    up.write(LOCAL + "limits: {page: 7}\n")
    await up.reload()
    up.supervisor.stop()
    await until(lambda: children("worker 0")[1].stopped)
    await asyncio.sleep(0.01)
    assert not up.running.done()
    assert not children("runner")[0].stopped
    FakeProcess.draining.set()
    await asyncio.wait_for(up.running, 30)


# ── what is in force ──


def in_force(up: Gate) -> Edition:
    """What workers read at the barrier."""
    _, digest = up.supervisor.places.barrier().read()
    return decode(up.supervisor.places.shelf().get(digest.hex()))


async def test_a_view_of_the_steward_is_put_in_force_at_once(tmp_path: Path) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    name = up.supervisor.places.shelf().put(b"a view")
    children("steward")[0].on_news({"view": name})
    assert in_force(up) == Edition(1, 2, name)
    again = up.supervisor.places.shelf().put(b"another")
    children("steward")[0].on_news({"view": again})
    assert in_force(up).view == again
    await up.end()


async def test_a_reload_is_in_force_when_the_whole_crew_serves_and_not_before(
    tmp_path: Path,
) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    shelf = up.supervisor.places.shelf()
    children("steward")[0].on_news({"view": shelf.put(b"old")})
    up.write(REMOTE.replace("workers: 2", "workers: 3"))
    FakeProcess.failing = {"worker 2": ChildFailedError("no")}
    with pytest.raises(ChildFailedError):
        await up.reload()
    assert in_force(up).epoch == 1
    FakeProcess.failing = {}
    reloading = asyncio.create_task(up.reload())
    await until(lambda: len(children("steward")) == 3 and children("steward")[2].ready)
    children("steward")[2].on_news({"view": shelf.put(b"new")})
    assert in_force(up).view == shelf.put(b"old")
    await reloading
    assert in_force(up) == Edition(3, 3, shelf.put(b"new"))
    children("steward")[0].on_news({"view": shelf.put(b"late")})  # one that is retired
    assert in_force(up).view == shelf.put(b"new")
    await up.end()


async def test_a_new_crew_goes_on_with_what_is_in_doubt_and_with_what_was_decided_meanwhile(
    tmp_path: Path,
) -> None:
    """A server that has said that it has changed gets no call by way of a reload."""
    up = await Gate(tmp_path, REMOTE).begin()
    children("steward")[0].on_news({"doubted": ["far"]})
    up.write(REMOTE.replace("workers: 2", "workers: 3"))
    await up.reload()
    assert in_force(up) == Edition(2, 3, FIRST_VIEW, doubted=("far",))
    steward = children("steward")[1]
    [order] = steward.orders
    assert order.doubted == ["far"]
    await until(lambda: len(steward.posted) == 2)  # before it was put in force, and just after
    assert [each["pins"] for each in steward.posted] == ["", ""]
    assert children("steward")[0].posted == []
    await up.end()


async def test_a_cut_is_in_force_when_it_is_acknowledged_and_outlives_the_gate(
    tmp_path: Path,
) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    cut = Cut("server", "far", 1.0, "it leaks")
    up.supervisor.force.cut(cut)
    assert in_force(up).cuts == (cut,)
    await up.end()
    up = await Gate(tmp_path, REMOTE).begin()
    children("steward")[-1].on_news({"view": up.supervisor.places.shelf().put(b"view")})
    assert in_force(up).cuts == (cut,)
    assert up.supervisor.force.restore(lambda each: each.name == "far") == 1
    assert in_force(up).cuts == ()
    await up.end()


async def test_nothing_of_a_run_is_left_when_it_has_ended(tmp_path: Path) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    children("steward")[0].on_news({"view": up.supervisor.places.shelf().put(b"a view")})
    await up.end()
    assert {path.name for path in up.supervisor.state.run.iterdir()} <= {"sockets", ".lock"}


# ── a disk that is full ──


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Whether editions can be written down: `full(True)` says they cannot."""
    put = Shelf.put

    def no_room(self: Shelf, content: bytes) -> str:
        raise OSError(28, "No space left on device")

    return lambda yes: monkeypatch.setattr(Shelf, "put", no_room if yes else put)


Full = Callable[[bool], None]


async def test_what_cannot_be_put_in_force_is_neither_cut_nor_restored_later(
    tmp_path: Path, full: Full
) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    up.supervisor.force.cut(Cut("server", "far", 1.0))
    before = in_force(up)
    full(True)
    with pytest.raises(OSError, match="No space"):
        up.supervisor.force.cut(Cut("principal", "eve", 1.0))
    with pytest.raises(OSError, match="No space"):
        up.supervisor.force.restore(lambda each: True)
    full(False)
    assert CutList(up.supervisor.state).all == up.supervisor.force.cuts.all == before.cuts
    up.supervisor.force.renew_ring()
    assert in_force(up).cuts == before.cuts
    await up.end()


async def test_to_cut_everything_needs_no_room_and_is_written_down_when_there_is_some(
    tmp_path: Path, full: Full, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(force_module, "AGAIN", 0.001)
    up = await Gate(tmp_path, REMOTE).begin()
    places, cut = up.supervisor.places, Cut("gate", "", 1.0)
    worker = Follower(places.barrier(), places.shelf(), 1)
    full(True)
    assert not up.supervisor.force.cut(cut)
    with pytest.raises(Refused):
        worker.catch_up()
    children("steward")[0].on_news({"view": FIRST_VIEW})
    await asyncio.sleep(0.01)
    with pytest.raises(Refused):
        worker.catch_up()
    full(False)
    await until(lambda: places.barrier().read()[1] != bytes(32))
    assert in_force(up).cuts == CutList(up.supervisor.state).all == (cut,)
    assert up.supervisor.force.restore(lambda each: True) == 1
    assert in_force(up).cuts == CutList(up.supervisor.state).all == ()
    await up.end()


async def test_a_view_that_could_not_be_put_in_force_is_when_there_is_room(
    tmp_path: Path, full: Full, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(force_module, "AGAIN", 0.001)
    up = await Gate(tmp_path, REMOTE).begin()
    name = up.supervisor.places.shelf().put(b"a view")
    full(True)
    children("steward")[0].on_news({"view": name})
    await asyncio.sleep(0.01)
    assert in_force(up).view == FIRST_VIEW
    full(False)
    await until(lambda: in_force(up).view == name)
    await up.end()


async def test_a_reload_that_cannot_be_put_in_force_leaves_the_old_crew(
    tmp_path: Path, full: Full
) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    up.write(LOCAL + "limits: {page: 7}\n")
    before = {path.name for path in (tmp_path / "state/run/editions").iterdir()}
    full(True)
    with pytest.raises(OSError, match="No space"):
        await up.reload()
    full(False)
    assert {path.name for path in (tmp_path / "state/run/editions").iterdir()} == before
    old, failed = children("worker 0")
    assert failed.stopped
    assert not old.stopped
    assert in_force(up).epoch == 1
    assert up.supervisor.loaded.config.limits.page != 7
    assert await up.reload() == "applied: limits.page"
    assert in_force(up).epoch == 3
    await up.end()


# ── races of start, reload and end ──


async def test_a_view_that_is_not_there_is_never_put_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up = await Gate(tmp_path, REMOTE).begin()
    children("steward")[0].on_news({"view": "1" * 64})
    assert in_force(up).view == FIRST_VIEW
    later = up.supervisor.places.shelf().put(b"later")
    children("steward")[0].on_news({"view": later})
    assert in_force(up).view == later
    (tmp_path / "state/run/editions" / later).unlink()
    up.supervisor.force.cut(Cut("server", "far", 1.0))  # workers have it already
    assert in_force(up).cuts
    FakeProcess.first_view = "2" * 64
    up.write(REMOTE + "limits: {page: 7}\n")
    with pytest.raises(ChildFailedError, match="not there"):
        await up.reload()
    assert in_force(up).epoch == 1
    await up.end()


@pytest.mark.parametrize("at", ["start", "reload"])
async def test_a_crew_whose_steward_makes_no_view_does_not_serve(tmp_path: Path, at: str) -> None:
    if at == "start":
        FakeProcess.first_view = None
        with pytest.raises(ChildFailedError, match="no view"):
            await asyncio.wait_for(Gate(tmp_path, REMOTE).running, 30)
        return
    up = await Gate(tmp_path, REMOTE).begin()
    FakeProcess.first_view = None
    up.write(REMOTE + "limits: {page: 7}\n")
    with pytest.raises(ChildFailedError, match="no view"):
        await up.reload()
    assert in_force(up) == Edition(1, 2, FIRST_VIEW)
    assert not children("worker 0")[0].stopped
    await up.end()


def endless(monkeypatch: pytest.MonkeyPatch, name: str) -> asyncio.Event:
    """Children of this name never get ready; the event tells that one was told."""
    told, tell = asyncio.Event(), FakeProcess.tell

    async def hang(self: FakeProcess, order: Any, seconds: float) -> None:
        if self.name == name:
            told.set()
            await asyncio.Event().wait()
        await tell(self, order, seconds)

    monkeypatch.setattr(FakeProcess, "tell", hang)
    return told


@pytest.mark.parametrize("name", ["runner", "steward", "worker 1"])
async def test_a_gate_that_is_told_to_end_while_it_starts_does_not_wait_to_have_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    told = endless(monkeypatch, name)
    up = Gate(tmp_path, LOCAL)
    await told.wait()
    await up.end()
    assert not up.started.is_set()
    assert {path.name for path in up.supervisor.state.run.iterdir()} <= {"sockets", ".lock"}


@pytest.mark.parametrize("name", ["runner", "steward", "worker 1"])
async def test_a_gate_that_is_told_to_end_gives_up_a_reload_and_leaves_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    told = endless(monkeypatch, name)
    up.write(LOCAL + "limits: {page: 7}\n")
    reloading = asyncio.create_task(up.reload())
    await told.wait()
    await up.end()
    with pytest.raises(StoppingError):
        await reloading
    assert {path.name for path in up.supervisor.state.run.iterdir()} <= {"sockets", ".lock"}


async def test_a_reload_waits_for_the_start(tmp_path: Path) -> None:
    up = Gate(tmp_path, LOCAL)
    await until(lambda: bool(children("runner")))
    up.write(LOCAL + "limits: {page: 7}\n")
    reloading = asyncio.create_task(up.reload())
    await up.begin()
    assert len(children("worker 0")) == 1
    assert await reloading == "applied: limits.page"
    assert len(children("runner")) == 1
    await up.end()


# ── a runner that does not move ──


async def test_a_runner_that_gives_no_sign_of_life_is_killed_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew_module, "PULSE", 0.001)
    up = await Gate(tmp_path, LOCAL).begin()
    FakeProcess.stuck = {"runner"}
    await until(lambda: children("runner")[0].process.ended.is_set())
    FakeProcess.stuck = set()
    await until(lambda: len(children("runner")) > 1)
    assert len(children("worker 0")) == 1
    await up.end()


async def test_a_runner_that_does_not_go_back_after_a_failed_reload_is_replaced(
    tmp_path: Path,
) -> None:
    up = await Gate(tmp_path, LOCAL).begin()
    up.write(LOCAL.replace("}}", "}, more: {command: [y]}}"))
    FakeProcess.failing = {"worker 1": ChildFailedError("first"), "runner": ChildFailedError("no")}
    with pytest.raises(ChildFailedError):
        await up.reload()
    FakeProcess.failing = {}
    await until(lambda: len(children("runner")) > 1 and bool(children("runner")[-1].orders))
    assert served(children("runner")[-1]) == ["files"]
    await up.end()


# ── policies ────────────────────────────────────────────────────────────────────────────────────

ALL = '@id("all") permit(principal, action, resource);'
NONE = '@id("none") forbid(principal, action, resource);'


def _orders(name: str) -> list[Any]:
    return [child.orders[-1] for child in children(name)]


async def test_policies_change_with_the_owners_reload_alone(tmp_path: Path) -> None:
    directory = tmp_path / "policies"
    directory.mkdir()
    rule = directory / "a.cedar"
    rule.write_text(ALL)
    text = REMOTE + "policy: ./policies\n"
    gate = await Gate(tmp_path, text).begin()
    version = gate.supervisor.status()["policy"]["version"]
    rule.write_text(NONE)
    gate.write(text + "limits: {idle: 5}\n")
    await gate.reload(by_owner=False)
    [first, second] = _orders("worker 0")
    assert first.policy == second.policy
    assert gate.supervisor.status()["policy"]["version"] == version
    assert "the policies" in await gate.reload()
    assert _orders("worker 0")[-1].policy.files == (("a.cedar", NONE),)
    assert _orders("steward")[-1].policy.files == (("a.cedar", NONE),)
    assert gate.supervisor.status()["policy"]["version"] != version
    await gate.end()


async def test_a_broken_set_of_policies_never_replaces_a_good_one(tmp_path: Path) -> None:
    directory = tmp_path / "policies"
    directory.mkdir()
    (directory / "a.cedar").write_text(ALL)
    gate = await Gate(tmp_path, REMOTE + "policy: ./policies\n").begin()
    version = gate.supervisor.status()["policy"]["version"]
    (directory / "b.cedar").write_text("permit(")
    with pytest.raises(Misconfigured):
        await gate.reload()
    assert len(children("worker 0")) == 1
    assert gate.supervisor.status()["policy"]["version"] == version
    await gate.end()


async def test_a_directory_that_lost_its_rules_does_not_put_the_built_in_ones_in_force(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "policies"
    directory.mkdir()
    (directory / "a.cedar").write_text(NONE)
    gate = await Gate(tmp_path, REMOTE + "policy: ./policies\n").begin()
    version = gate.supervisor.status()["policy"]["version"]
    (directory / "a.cedar").unlink()
    with pytest.raises(Misconfigured, match=r"no \.cedar file any more"):
        await gate.reload()
    assert gate.supervisor.status()["policy"]["version"] == version
    await gate.end()
