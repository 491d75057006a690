"""bawn's data path in one process, without a socket: bytes into the edge, bytes out of it.

A real worker but for three things: the transport under uvicorn's protocol is a list of bytes, the
HTTP client answers at once with a canned reply, and there is no supervisor. Identity, roles, audit
(on disk), metrics and the View are the real ones. `python -m bench.path` obeys `ab.py`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import uvloop

import bawn
from bawn.ports import HttpReply, HttpRequest
from bench import calls

_SIZE: Final = 200
_CALLERS: Final = 16
_TOOL: Final = f"mock__{calls.TOOL}"
_WARM: Final = 2_000
_PATIENCE: Final = 60.0  # seconds for one batch
_HEAD: Final = b"HTTP/1.1 200 "
_TAIL: Final = b'"}],"isError":false}}'
_TEXT: Final = b'"result":{"resultType":"complete","content":[{"type":"text","text":"'


_WORDS: Final = 3 * b"Three parcels wait at the north door until the courier has signed for them. "
_DEFINED: Final[dict[str, Any]] = {
    "description": "Returns a text of this size that begins with the mark.",
    "inputSchema": {
        "type": "object",
        "properties": {"size": {"type": "integer", "minimum": 1}, "mark": {"type": "string"}},
        "required": ["size", "mark"],
    },
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
}
"""As mock/message.c says it: what is looked at in a call depends on it."""


class CannedClient:
    """Stands for `PooledClient`: the mock's answers, without a server and without waiting."""

    def __init__(self, *unused: object) -> None:
        self._headers = {b"content-type": b"application/json"}

    async def send(self, request: HttpRequest) -> HttpReply:
        """Answer as mock/message.c does; tools/call quickly, since that is what is timed."""
        body = request.body
        if b'"method":"tools/call"' in body:
            id_ = body[: body.index(b',"method"')]
            start = body.index(b'"mark":"') + 8
            mark = body[start : body.index(b'"', start)]
            text = (mark + b" " + _WORDS)[:_SIZE]
            return HttpReply(200, self._headers, b"%b,%b%b%b" % (id_, _TEXT, text, _TAIL))
        return HttpReply(200, self._headers, _listed(body))

    async def aclose(self) -> None:
        """Nothing is held."""


def _listed(body: bytes) -> bytes:
    asked = json.loads(body)
    found: dict[str, Any] = {"resultType": "complete", "ttlMs": 60_000, "cacheScope": "public"}
    if asked["method"] == "tools/list":
        names = [calls.TOOL, *(f"{calls.TOOL}_{n}" for n in range(1, 20))]
        found["tools"] = [{"name": name, **_DEFINED} for name in names]
    else:
        found |= {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
    message = {"jsonrpc": "2.0", "id": asked["id"], "result": found}
    return json.dumps(message, separators=(",", ":")).encode()


async def assemble(place: Path) -> tuple[Callable[[], asyncio.Protocol], str]:
    """The one place that knows how bawn is put together: what makes connections, and a token."""
    from bawn.app import assemble as rooms_of
    from bawn.app import worker
    from bawn.app.front import DataFront
    from bawn.app.places import Places
    from bawn.barrier import edition, views
    from bawn.config import Config
    from bawn.identity.embedded import open_embedded
    from bawn.model import View
    from bawn.steward import Steward
    from bawn.storage.directory import StateDirectory
    from bawn.transport.edge import edge_with

    vars(rooms_of)["PooledClient"] = CannedClient
    settings = {"servers": {"mock": {"url": "http://127.0.0.1:9/mcp"}}}
    config = Config.model_validate_json(json.dumps(settings))
    state = StateDirectory(place)
    places = Places(state)
    barrier, shelf, compiled = places.begin(), places.shelf(), list[View]()
    seat = rooms_of.Place(1, 0, 1)
    rooms = rooms_of.assemble(config, place, state, "", seat, insecure_no_auth=False)
    steward = Steward(config, rooms.upstreams, compiled.append)
    await steward.start(10.0)
    await steward.stop()
    whole = edition.Edition(1, 1, shelf.put(views.dump(compiled[-1])))
    barrier.publish(bytes.fromhex(shelf.put(edition.encode(whole))))
    front = DataFront(rooms)
    edge = edge_with(config.limits, worker._peer, mcp=front.mcp)
    server = worker._server(front, edge)
    server.config.load()
    issuer = open_embedded(config.base_url, config.identity.leeway, state)

    def connection() -> asyncio.Protocol:
        return edge(server.config, server.server_state, {})

    return connection, issuer.mint("bench", ["developer"], 86_400)


class Caller(asyncio.Transport):
    """One connection of a caller: sends the next request when the answer to the last one is whole."""

    def __init__(self, protocol: asyncio.Protocol, requests: list[bytes]) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._requests = requests
        self._sent = -1
        self._left = 0
        self._done: asyncio.Future[None] | None = None
        self.answer = b""
        protocol.connection_made(self)

    def call(self, times: int) -> asyncio.Future[None]:
        """Make so many calls, one after another."""
        self._left, self._done = times, self._loop.create_future()
        self._loop.call_soon(self._next)
        return self._done

    @property
    def request(self) -> bytes:
        """The request that was sent last."""
        return self._requests[self._sent % len(self._requests)]

    def _next(self) -> None:
        self.answer = b""
        self._sent += 1
        self._protocol.data_received(self.request)

    def write(self, data: Any) -> None:
        """Take a part of an answer."""
        self.answer += data
        if not self.answer.startswith(_HEAD):
            self.close()
        if not self.answer.endswith(_TAIL):
            return
        self._left -= 1
        if self._left:
            self._loop.call_soon(self._next)
        elif self._done is not None:
            self._done.set_result(None)

    def is_closing(self) -> bool:
        """Callers stay."""
        return False

    def close(self) -> None:
        """The other side gave up: then there is nothing to measure."""
        if self._done is not None and not self._done.done():
            self._done.set_exception(ConnectionError(self.answer.decode(errors="replace")))

    def pause_reading(self) -> None:
        """It never sends more than one request at a time."""

    def resume_reading(self) -> None:
        """It never sends more than one request at a time."""

    def get_write_buffer_size(self) -> int:
        """Answers are taken at once."""
        return 0


def request(id_: int, token: str) -> bytes:
    """One whole HTTP request."""
    body = calls.body(id_, _TOOL, _SIZE, f"call-{id_}")
    fields = {**calls.headers(_TOOL, token), "Content-Length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in fields.items()]
    head = "\r\n".join(["POST /mcp HTTP/1.1", "Host: 127.0.0.1:8811", *lines, "", ""])
    return head.encode() + body


class DataPath:
    """The assembled path, warm."""

    def __init__(self, callers: list[Caller]) -> None:
        self._callers = callers

    @classmethod
    async def open(cls, place: Path) -> DataPath:
        """Put it together, see that it answers rightly, and let it run a little."""
        connection, token = await assemble(place)
        callers = []
        for number in range(_CALLERS):
            first = 1 + 64 * number
            requests = [request(id_, token) for id_ in range(first, first + 64)]
            callers.append(Caller(connection(), requests))
        warm = cls(callers)
        await warm.cost(len(callers))
        for caller in callers:
            _check(caller)
        await warm.cost(_WARM)
        # as a worker does once it serves
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        return warm

    async def cost(self, total: int) -> float:
        """CPU time of this process for one of `total` calls, in microseconds."""
        each = total // len(self._callers)
        begun = time.process_time_ns()
        async with asyncio.timeout(_PATIENCE):
            await asyncio.gather(*(caller.call(each) for caller in self._callers))
        return (time.process_time_ns() - begun) / 1e3 / (each * len(self._callers))


def _check(caller: Caller) -> None:
    body = caller.answer.partition(b"\r\n\r\n")[2]
    message = json.loads(caller.request.partition(b"\r\n\r\n")[2])
    mark = message["params"]["arguments"]["mark"]
    wrong = calls.problem(json.loads(body), message["id"], _SIZE, mark)
    if wrong:
        raise SystemExit(f"bench: the path answers wrongly: {wrong}")


async def _obey(place: Path) -> None:
    """Say which bawn this is, then the cost of as many calls as each line of the input asks for."""
    warm = await DataPath.open(place)
    print(Path(bawn.__file__).parent, flush=True)
    for line in sys.stdin:
        print(await warm.cost(int(line)), flush=True)


def main() -> None:
    """Run as a child of `ab.py`."""
    with TemporaryDirectory(prefix="bawn-path-") as place:
        uvloop.run(_obey(Path(place)))


if __name__ == "__main__":
    main()
