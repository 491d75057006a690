"""A server whose definitions stand in a file and are read again for each list.

`python drifting.py modern|legacy stdio|http BOOK`. The book is {"tools": […], "prompts": […], "templates": […],
"instructions": "…", "announce": true}; where it says `announce`, a change of the file is told to all who listen,
and else is silent. Each call is a line in BOOK.calls. Over HTTP the port is the first line of the output.
"""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Json = dict[str, Any]
Tell = Callable[[Json], None]

ERA, TRANSPORT, BOOK = sys.argv[1], sys.argv[2], Path(sys.argv[3])
LISTS = {
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/templates/list": "templates",
    "resources/list": "resources",
}
NAMED = {"templates": "resourceTemplates"}
CHANGED = ("tools", "prompts", "resources")
META = "io.modelcontextprotocol/"
TICK = 0.02


def book() -> Json:
    """What is offered now."""
    found: Json = json.loads(BOOK.read_text())
    return found


def called(what: str) -> None:
    """Write down that a call arrived."""
    with Path(f"{BOOK}.calls").open("a") as calls:
        calls.write(f"{what}\n")


def capabilities() -> Json:
    """All lists change."""
    changing = {"listChanged": True}
    return {"tools": changing, "prompts": changing, "resources": changing, "completions": {}}


def answer(method: str, params: Json) -> Json | None:
    """The result of a request; None for what is not known."""
    now = book()
    if method in LISTS:
        listed = LISTS[method]
        return {NAMED.get(listed, listed): now.get(listed, []), "ttlMs": 0, "cacheScope": "private"}
    if method == "server/discover":
        return {
            "supportedVersions": ["2026-07-28"],
            "capabilities": capabilities(),
            "serverInfo": {"name": "drifting", "version": "1"},
            "instructions": now.get("instructions", ""),
            "ttlMs": 0,
            "cacheScope": "private",
        }
    if method == "initialize":
        return {
            "protocolVersion": "2025-11-25",
            "capabilities": capabilities(),
            "serverInfo": {"name": "drifting", "version": "1"},
            "instructions": now.get("instructions", ""),
        }
    if method == "tools/call":
        called(f"tool {params['name']}")
        return {"content": [{"type": "text", "text": "done"}]}
    if method == "prompts/get":
        called(f"prompt {params['name']}")
        return {"messages": []}
    if method == "resources/read":
        called(f"resource {params['uri']}")
        return {"contents": [{"uri": params["uri"], "text": "x"}]}
    return {} if method in ("ping", "logging/setLevel") else None


def respond(message: Json) -> Json | None:
    """The response to a message, if it is a request that this era knows."""
    if "id" not in message:
        return None
    method = message["method"]
    strange = method == ("initialize" if ERA == "modern" else "server/discover")
    result = None if strange else answer(method, message.get("params") or {})
    if result is None:
        error = {"code": -32601, "message": "no such method"}
        return {"jsonrpc": "2.0", "id": message["id"], "error": error}
    if ERA == "modern":
        result = {"resultType": "complete", **result}
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


def changes() -> list[Json]:
    """What is said of a change."""
    return [
        {"jsonrpc": "2.0", "method": f"notifications/{each}/list_changed", "params": {}}
        for each in CHANGED
    ]


def stamped(message: Json, id_: object) -> Json:
    """A notification of a listen."""
    return {**message, "params": {**message["params"], "_meta": {META + "subscriptionId": id_}}}


def acknowledged(message: Json) -> Json:
    """The beginning of a listen."""
    wanted = message["params"]["notifications"]
    told = {"method": "notifications/subscriptions/acknowledged"}
    return stamped({"jsonrpc": "2.0", **told, "params": {"notifications": wanted}}, message["id"])


async def watch(tell: Callable[[], None]) -> None:
    """Say so when the book has changed, where it wants that."""
    seen = BOOK.stat().st_mtime_ns
    while True:
        await asyncio.sleep(TICK)
        stamp = BOOK.stat().st_mtime_ns
        if stamp != seen:
            seen = stamp
            if book().get("announce"):
                tell()


# ── standard input and output ──


def speak() -> None:
    """Serve one client."""
    listens: list[object] = []
    out = sys.stdout

    def send(message: Json) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    def announce() -> None:
        for message in changes():
            if ERA == "legacy":
                send(message)
            for id_ in listens:
                send(stamped(message, id_))

    async def run() -> None:
        watching = asyncio.create_task(watch(announce))
        reader = asyncio.StreamReader(limit=1 << 26)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            message = json.loads(line)
            if message.get("method") == "subscriptions/listen" and ERA == "modern":
                listens.append(message["id"])
                send(acknowledged(message))
            elif (response := respond(message)) is not None:
                send(response)
        watching.cancel()

    asyncio.run(run())


# ── HTTP ──


class Site:
    """Everybody who listens, over HTTP."""

    def __init__(self) -> None:
        self.told: set[asyncio.Queue[Json]] = set()
        self.sessions = 0

    def announce(self) -> None:
        for queue in self.told:
            for message in changes():
                queue.put_nowait(message)

    async def events(self, first: list[Json], id_: object = None) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[Json] = asyncio.Queue()
        self.told.add(queue)
        try:
            for message in first:
                yield event(message)
            while True:
                message = await queue.get()
                yield event(message if id_ is None else stamped(message, id_))
        finally:
            self.told.discard(queue)

    async def post(self, request: Request) -> Response:
        message = await request.json()
        method = message.get("method", "")
        if ERA == "modern" and method == "subscriptions/listen":
            events = self.events([acknowledged(message)], message["id"])
            return StreamingResponse(events, media_type="text/event-stream")
        response = respond(message)
        if response is None:
            return Response(status_code=202)
        headers = {}
        if method == "initialize":
            self.sessions += 1
            headers["mcp-session-id"] = f"s{self.sessions}"
        return JSONResponse(response, 404 if "error" in response else 200, headers)

    async def get(self, request: Request) -> Response:
        return StreamingResponse(self.events([]), media_type="text/event-stream")


def event(message: Json) -> bytes:
    """One event of a stream."""
    return b"data: %b\n\n" % json.dumps(message).encode()


async def serve() -> None:
    """Serve whoever connects."""
    site = Site()

    async def mcp(request: Request) -> Response:
        if request.method == "POST":
            return await site.post(request)
        if ERA == "legacy" and request.method == "GET":
            return await site.get(request)
        return Response(status_code=405)

    watching = asyncio.create_task(watch(site.announce))
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", int(sys.argv[4]) if len(sys.argv) > 4 else 0))
    print(listening.getsockname()[1], flush=True)  # noqa: T201
    app = Starlette(routes=[Route("/mcp", mcp, methods=["GET", "POST", "DELETE"])])
    await uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve([listening])
    watching.cancel()


if TRANSPORT == "stdio":
    speak()
else:
    asyncio.run(serve())
