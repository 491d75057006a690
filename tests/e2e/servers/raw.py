"""Remote MCP servers over bare sockets, which answer as well, or as badly, as a tool's name says.

`python raw.py DIARY` prints its port. Paths are servers: /modern; /legacy, with sessions; /locked,
which wants a sign-in; /guarded, which wants `Authorization: Bearer $TOKEN`. Every request is written
to DIARY, one JSON object a line. POST /release lets every `hold` go on. No SDK, one event loop.
"""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]
DIARY = Path(sys.argv[1])
BIG = 2 << 20
TOOLS = (
    "echo",
    "headers",
    "hold",
    "garbage",
    "not-http",
    "wrong-id",
    "wrong-id-event",
    "no-result",
    "two",
    "two-events",
    "early",
    "early-body",
    "never",
    "redirect",
    "status-404",
    "status-500",
    "html-500",
    "locked",
    "forbidden",
    "huge",
    "huge-chunked",
    "huge-event",
    "endless",
    "cut",
    "surrogate",
    "duplicate",
    "nan",
    "deep",
    "batch",
    "batch-event",
    "text-event",
    "gzip",
    "two-lengths",
    "empty",
    "number",
    "no-content",
    "input-required",
    "unknown-type",
    "error",
    "forget",
    "progress",
    "logs",
    "ask-back",
    "impostor",
)


class State:
    """What the servers remember."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.sessions: dict[str, int] = {}
        self.count = 0
        self.stillborn = 0  # how many of the next sessions are forgotten at once
        self.answers: list[Json] = []
        self.answered = asyncio.Event()


def note(**entry: Any) -> None:
    with DIARY.open("a", encoding="utf-8") as diary:
        diary.write(json.dumps(entry) + "\n")


def http(
    body: bytes, status: str = "200 OK", type_: str = "application/json", extra: str = ""
) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: {type_}\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
    )
    return head.encode() + body


def message(id_: Any, **members: Any) -> Json:
    return {"jsonrpc": "2.0", "id": id_, **members}


def dumps(value: Any) -> bytes:
    return json.dumps(value).encode()


def text(value: str) -> Json:
    return {"resultType": "complete", "content": [{"type": "text", "text": value}]}


def event(value: Any) -> bytes:
    data = value if isinstance(value, bytes) else dumps(value)
    return b"event: message\ndata: " + data + b"\n\n"


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def stream(*values: Any) -> bytes:
    return STREAM + b"".join(chunk(event(value)) for value in values) + b"0\r\n\r\n"


class Hangup(Exception):
    """Close the connection now."""


Writer = asyncio.StreamWriter


def fixed(name: str, id_: Any) -> bytes | None:
    """Answers that are only bytes."""
    good = dumps(message(id_, result=text("good")))
    table: dict[str, bytes] = {
        "garbage": http(b"<html>hello</html>"),
        "not-http": b"hello, this is no HTTP\r\n\r\n",
        "wrong-id": http(dumps(message(424242, result=text("another's")))),
        "wrong-id-event": stream(message(424242, result=text("another's"))),
        "no-result": http(dumps(message(id_))),
        "two": http(good) + http(dumps(message(id_, result=text("smuggled")))),
        "two-events": stream(
            message(id_, result=text("good")), message(id_, result=text("second"))
        ),
        "redirect": http(b"", "307 Temporary Redirect", extra="location: /elsewhere\r\n"),
        "status-404": http(b"not here", "404 Not Found", "text/plain"),
        "status-500": http(
            dumps(message(id_, error={"code": -32603, "message": "broken"})), "500 Oops"
        ),
        "html-500": http(b"<h1>Oops</h1>", "500 Oops", "text/html"),
        "locked": http(b"", "401 Unauthorized", extra="www-authenticate: Bearer\r\n"),
        "forbidden": http(b"", "403 Forbidden"),
        "huge": http(dumps(message(id_, result=text("x" * BIG)))),
        "huge-chunked": (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
            + chunk(dumps(message(id_, result=text("x" * BIG)))) + b"0\r\n\r\n"
        ),
        "huge-event": stream(message(id_, result=text("x" * BIG))),
        "cut": stream({"jsonrpc": "2.0", "method": "notifications/message", "params": {}}),
        "surrogate": http(good.replace(b"good", b"a\\ud800b")),
        "duplicate": http(good.replace(b'"content"', b'"content": [], "content"')),
        "nan": http(good.replace(b'"good"', b"NaN")),
        "deep": http(good.replace(b'"good"', b"[" * 200 + b"]" * 200)),
        "batch": http(b"[" + good + b"]"),
        "batch-event": stream([message(id_, result=text("good"))]),
        "text-event": stream("hello"),
        "gzip": http(good, extra="content-encoding: gzip\r\n"),
        "two-lengths": http(good, extra="content-length: 7\r\n"),
        "empty": http(b""),
        "number": http(b"5"),
        "no-content": b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n",
        "input-required": http(
            dumps(message(id_, result={"resultType": "input_required", "inputRequests": {}}))
        ),
        "unknown-type": http(dumps(message(id_, result={"resultType": "surprise"}))),
        "error": http(
            dumps(message(id_, error={"code": -33050, "message": "its own", "data": {"x": [1]}}))
        ),
        "impostor": http(
            dumps(message(id_, error={"code": 31001, "message": "no", "data": {"reason": "auth.missing"}}))
        ),
    }  # fmt: skip
    return table.get(name)


class Conversation:
    """One connection."""

    def __init__(self, state: State, reader: asyncio.StreamReader, writer: Writer) -> None:
        self.state = state
        self.reader = reader
        self.writer = writer

    async def run(self) -> None:
        try:
            while await self.one():
                pass
        except (Hangup, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writer.close()

    async def one(self) -> bool:
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:] if line)}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        note(method=method, path=path, headers=headers, body=body.decode())
        answer = await self.answer(method, path, headers, body)
        self.writer.write(answer)
        await self.writer.drain()
        return True

    async def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        if path == "/release":
            self.state.release.set()
            return http(b"{}")
        if path == "/locked":
            return http(b"", "401 Unauthorized", extra='www-authenticate: Bearer realm="x"\r\n')
        if path == "/guarded" and headers.get("authorization") != f"Bearer {os.environ['TOKEN']}":
            return http(b"", "401 Unauthorized")
        if path == "/legacy":
            return await self.legacy(method, headers, body)
        asked = json.loads(body)
        if asked["method"] == "server/discover":
            found = {
                "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}, "logging": {}}
            }  # fmt: skip
            return http(dumps(message(asked["id"], result={"resultType": "complete", **found})))
        return await self.serve(asked, headers)

    async def legacy(self, method: str, headers: dict[str, str], body: bytes) -> bytes:
        session = headers.get("mcp-session-id", "")
        if method == "DELETE":
            self.state.sessions.pop(session, None)
            return http(b"")
        asked = json.loads(body)
        if asked.get("method") == "initialize":
            self.state.count += 1
            made = f"session-{self.state.count}"
            if self.state.stillborn:
                self.state.stillborn -= 1
            else:
                self.state.sessions[made] = 0
            result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}}
            result["serverInfo"] = {"name": "raw", "version": "1"}
            answer = dumps(message(asked["id"], result=result))
            return http(answer, extra=f"mcp-session-id: {made}\r\n")
        if not session:
            error = {"code": -32000, "message": "Bad Request: Server not initialized"}
            return http(dumps(message(None, error=error)), "400 Bad Request")
        if session not in self.state.sessions:
            error = {"code": -32001, "message": "Session not found"}
            return http(dumps(message(None, error=error)), "404 Not Found")
        if "id" not in asked or "method" not in asked:
            if "method" not in asked:
                self.state.answers.append(asked)
                self.state.answered.set()
            return b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
        self.state.sessions[session] += 1
        return await self.serve(asked, headers)

    async def serve(self, asked: Json, headers: dict[str, str]) -> bytes:
        id_ = asked["id"]
        if asked["method"] == "tools/list":
            tools = [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]
            result = {"resultType": "complete", "tools": tools, "ttlMs": 0, "cacheScope": "public"}
            return http(dumps(message(id_, result=result)))
        if asked["method"] != "tools/call":
            return http(dumps(message(id_, result={})))
        return await self.tool(asked["params"]["name"], asked, headers)

    async def tool(self, name: str, asked: Json, headers: dict[str, str]) -> bytes:
        id_, state = asked["id"], self.state
        answer = fixed(name, id_)
        if answer is not None:
            return answer
        arguments = asked["params"].get("arguments") or {}
        match name:
            case "headers":
                return http(dumps(message(id_, result=text(json.dumps(headers)))))
            case "hold":
                note(holding=id_)
                await self.until(state.release)
            case "never":
                note(never=id_)
                await self.until(asyncio.Event())
            case "early":
                raise Hangup
            case "early-body":
                self.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
                raise Hangup
            case "endless":
                self.writer.write(STREAM)
                with contextlib.suppress(ConnectionError):
                    while True:
                        self.writer.write(chunk(b": still here\n\n"))
                        await self.writer.drain()
                        await asyncio.sleep(0.05)
            case "forget":
                state.sessions.pop(headers.get("mcp-session-id", ""), None)
                state.stillborn = arguments.get("stillborn", 0)
            case "progress":
                return self.progress(asked)
            case "logs":
                said = [
                    {"jsonrpc": "2.0", "method": "notifications/message",
                     "params": {"level": level, "data": level}}
                    for level in ("debug", "warning")
                ]  # fmt: skip
                return stream(*said, message(id_, result=text("logged")))
            case "ask-back":
                return await self.ask_back(id_)
        return http(dumps(message(id_, result=text(json.dumps(arguments)))))

    def progress(self, asked: Json) -> bytes:
        token = asked["params"].get("_meta", {}).get("progressToken")
        steps = [(token, 1), (token, 2), ("somebody-else's", 3), (token, 2), (token, 4)]
        told = [
            {"jsonrpc": "2.0", "method": "notifications/progress",
             "params": {"progressToken": which, "progress": step}}
            for which, step in steps
        ]  # fmt: skip
        return stream(*told, message(asked["id"], result=text("done")))

    async def ask_back(self, id_: Any) -> bytes:
        """Send requests on the stream of the call, and tell what was answered to them."""
        self.state.answers.clear()
        self.writer.write(STREAM)
        for asked, method in (("p", "ping"), ("s", "sampling/createMessage")):
            self.writer.write(chunk(event(message(asked, method=method, params={}))))
        while len(self.state.answers) < 2:
            self.state.answered.clear()
            await self.state.answered.wait()
        answers = json.dumps(sorted(self.state.answers, key=lambda a: str(a["id"])))
        return chunk(event(message(id_, result=text(answers)))) + b"0\r\n\r\n"

    async def until(self, happened: asyncio.Event) -> None:
        """Wait for it, or note that the other side has closed the connection."""
        waiting = asyncio.ensure_future(happened.wait())
        closed = asyncio.ensure_future(self.reader.read(1))
        await asyncio.wait({waiting, closed}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if closed.done():
            note(closed=True)
            raise Hangup
        closed.cancel()


async def main() -> None:
    state = State()
    server = await asyncio.start_server(
        lambda r, w: Conversation(state, r, w).run(), "127.0.0.1", 0, limit=8 << 20
    )
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


asyncio.run(main())
