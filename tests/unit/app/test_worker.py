from __future__ import annotations

import asyncio
import os
import signal
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from bawn.app import worker as module
from bawn.app.orders import WorkOrder
from bawn.app.worker import Worker
from bawn.config import Config
from bawn.errors import GATE_NOT_READY, Refused
from bawn.storage import sockets
from tests.fakes import FakeMeter

Story = list[Any]


class FakeServer:
    """Serves until it is told to exit, and then finishes when `finished` is set."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.started = False
        self.crowd = SimpleNamespace(tell=None)
        self.config = SimpleNamespace(http_protocol_class=self)
        self.server_state = SimpleNamespace(connections=set())
        self.finished = asyncio.Event()
        self.finished.set()
        self._exit = asyncio.Event()

    @property
    def should_exit(self) -> bool:
        return self._exit.is_set()

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self.story.append("drain")
        self._exit.set()

    def __call__(self, *given: object) -> None:
        """As the class of its connections."""

    async def serve(self, sockets: list[int]) -> None:
        self.story.append(("serve", sockets))
        self.started = True
        await self._exit.wait()
        await self.finished.wait()


class FakeRooms:
    """The rooms of a worker, as far as it looks at them itself."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.config = Config()
        self.follower = self
        self.meter = FakeMeter()
        self.retired = False
        self.gateway = SimpleNamespace(retire=lambda: None)
        self.places = SimpleNamespace(
            worker=lambda epoch, slot: f"own {epoch} {slot}", shares=lambda epoch: "shares"
        )

    def behind(self) -> bool:
        return True

    def catch_up(self) -> bool:
        self.story.append("caught up")
        if self.retired:
            return False
        if self.story.count("caught up") < 3:
            raise Refused(GATE_NOT_READY)  # as at the first start of a gate
        return True

    async def aclose(self) -> None:
        self.story.append("closed")


class FakeChannel:
    """The channel to a supervisor that lives until `gone` is set."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.gone = asyncio.Event()
        self.told = asyncio.Event()

    async def send(self, message: object) -> None:
        self.story.append(message)
        self.told.set()

    async def until_gone(self) -> None:
        await self.gone.wait()


class House:
    """A worker on fakes, running."""

    def __init__(self, patch: pytest.MonkeyPatch, management: int | None) -> None:
        self.story: Story = []
        self.servers: list[FakeServer] = []
        self.channel = FakeChannel(self.story)
        patch.setattr(module, "_server", self._serve)
        patch.setattr(module, "DataFront", lambda rooms: SimpleNamespace(mcp=None))
        patch.setattr(module, "Acceptor", lambda *given: self.acceptor(given[0]))
        self.shares = SimpleNamespace(tell=lambda count: None)
        patch.setattr(module, "Shares", lambda path, slot, workers: self.shares)
        patch.setattr(module, "PrivateFront", lambda rooms: SimpleNamespace(mcp=None))
        patch.setattr(sockets, "listen", lambda path: path)
        patch.setattr(module, "management", lambda rooms, open_to_all: "probes")
        patch.setattr(module, "socket", SimpleNamespace(socket=lambda fileno: fileno))
        quiet = SimpleNamespace(
            collect=lambda: None, freeze=lambda: None, set_threshold=lambda *_: None
        )
        patch.setattr(module, "gc", quiet)
        order = WorkOrder(
            config=msgspec.Raw(b"{}"), base="/b", state="/s", runner="/r", epoch=3, slot=1,
            workers=2, listeners=[3, 4],
            management=management, insecure_no_auth=False, policy=None,
        )  # fmt: skip
        worker = Worker(order, cast(Any, FakeRooms(self.story)))
        self.running = asyncio.create_task(worker.run(cast(Any, self.channel)))

    def acceptor(self, listening: int) -> Any:
        self.story.append(("accept", listening))
        return SimpleNamespace(close=lambda: self.story.append("accepts no more"))

    def _serve(self, app: str, edge: Any) -> FakeServer:
        self.servers.append(FakeServer(self.story))
        return self.servers[-1]


@pytest.mark.parametrize(
    ("management", "served"),
    [
        (5, [("serve", [4]), ("serve", ["own 3 1"]), ("serve", [5]), ("accept", 3)]),
        (None, [("serve", [4]), ("serve", ["own 3 1"]), ("accept", 3)]),
    ],
)
async def test_a_worker_is_ready_once_it_serves_and_knows_what_is_in_force(
    monkeypatch: pytest.MonkeyPatch, management: int | None, served: Story
) -> None:
    house = House(monkeypatch, management)
    await asyncio.wait_for(house.channel.told.wait(), 30)
    assert house.story == ["caught up", "caught up", "caught up", *served, {"ok": True}]
    told = [each.crowd.tell for each in house.servers]
    assert told == [house.shares.tell, *[None] * (len(told) - 1)]  # of clients' connections alone
    house.channel.gone.set()
    await asyncio.wait_for(house.running, 30)


@pytest.mark.parametrize("how", ["the supervisor is gone", "SIGTERM"])
async def test_a_worker_that_is_to_end_finishes_its_calls_and_then_closes_its_rooms(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    house = House(monkeypatch, 5)
    await asyncio.wait_for(house.channel.told.wait(), 30)
    clients, _, probes = house.servers
    clients.finished.clear()
    if how == "SIGTERM":
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        house.channel.gone.set()
    async with asyncio.timeout(30):
        while not (clients.should_exit and probes.should_exit):
            await asyncio.sleep(0.001)
    assert "closed" not in house.story
    clients.finished.set()
    await asyncio.wait_for(house.running, 30)
    assert house.story[-4:] == ["drain", "drain", "drain", "closed"]
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
