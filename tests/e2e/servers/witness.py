"""An MCP server that remembers who told it what, and writes down every call that reached it.

`witness.py stdio DIARY` speaks 2025-06-18 on standard input and output; `witness.py http DIARY`
prints its port and serves /modern, and /legacy with sessions, each with a memory of its own. With
`family` after that it has a grandchild, forked twice, in a session of its own, deaf to SIGTERM and
to the end of input. Its process is called w-BIRTH, the grandchild's gc-BIRTH: process ids differ
between namespaces, names do not.

The tool `tell` takes {who, nonce, data, seal}; the answer has all of it and what this memory knows.
Starts fast: a fleet of them runs at once, so nothing is imported that is not needed.
"""

import json
import os
import sys
import zlib
from typing import Any

Json = dict[str, Any]
BIRTH = os.urandom(4).hex()
DIARY = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
TOOLS = [{"name": "tell", "inputSchema": {"type": "object"}}]


def note(**entry: Any) -> None:
    """One line, whole, among those of all other witnesses."""
    os.write(DIARY, json.dumps({"birth": BIRTH, **entry}).encode() + b"\n")


def sealed(*parts: Any) -> str:
    return f"{zlib.crc32(json.dumps(parts, sort_keys=True).encode()):08x}"


class Memory:
    """What one process, or one session, was told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.facts: dict[str, str] = {}

    def tell(self, params: Json) -> Json:
        """The result of a call."""
        asked = params.get("arguments") or {}
        who, nonce, data, seal = (str(asked.get(key)) for key in ("who", "nonce", "data", "seal"))
        if seal != sealed(who, nonce, data):
            return said("the request was corrupted on its way", bad=True)
        note(reached=nonce, trace=trace(params), memory=self.name)
        before, self.facts[who] = self.facts.get(who), nonce
        told: Json = {
            "who": who, "nonce": nonce, "data": data, "before": before,
            "known": sorted(self.facts), "memory": self.name, "cwd": CWD,
        }  # fmt: skip
        return said(json.dumps({**told, "seal": sealed(told)}))


def trace(params: Json) -> str:
    """The trace id that the call carries."""
    parent = (params.get("_meta") or {}).get("traceparent")
    return parent[3:35] if isinstance(parent, str) else ""


def said(text: str, *, bad: bool = False) -> Json:
    made: Json = {"resultType": "complete", "content": [{"type": "text", "text": text}]}
    return {**made, "isError": True} if bad else made


CWD = os.getcwd()  # noqa: PTH109 - pathlib takes longer to import than all the rest


def answer(message: Json, memory: Memory) -> Json:
    """The response to a request of either era."""
    method = message.get("method")
    result: Json | None = None
    if method == "initialize":
        result = {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "witness", "version": "1"},
        }
    elif method == "tools/list":
        result = {"resultType": "complete", "tools": TOOLS, "ttlMs": 0, "cacheScope": "public"}
    elif method == "tools/call":
        result = memory.tell(message["params"])
    elif method == "ping":
        result = {}
    response: Json = {"jsonrpc": "2.0", "id": message["id"]}
    if result is None:
        return {**response, "error": {"code": -32601, "message": "Method not found"}}
    return {**response, "result": result}


def found(message: Json) -> Json:
    """What a modern server says of itself."""
    result = {
        "resultType": "complete", "supportedVersions": ["2026-07-28"],
        "capabilities": {"tools": {}}, "ttlMs": 1000, "cacheScope": "public",
    }  # fmt: skip
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


def too_old(message: Json) -> Json:
    """A modern server's answer to `initialize`."""
    data = {"supported": ["2026-07-28"], "requested": message["params"].get("protocolVersion")}
    error = {"code": -32022, "message": "Unsupported protocol version", "data": data}
    return {"jsonrpc": "2.0", "id": message["id"], "error": error}


# ── on standard input and output ────────────────────────────────────────────────────────────────


def stdio() -> None:
    memory = Memory(f"process {BIRTH}")
    while line := sys.stdin.buffer.readline():
        message = json.loads(line)
        if "id" in message and "method" in message:
            sys.stdout.buffer.write(json.dumps(answer(message, memory)).encode() + b"\n")
            sys.stdout.buffer.flush()


def call_myself(name: str) -> None:
    with open("/proc/self/comm", "w", encoding="ascii") as comm:  # noqa: PTH123
        comm.write(name)


def have_a_grandchild() -> None:
    """It keeps every descriptor it inherited, the pipes to the gate among them."""
    import signal

    if child := os.fork():
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    call_myself(f"gc-{BIRTH}")
    while True:
        signal.pause()


# ── over HTTP ───────────────────────────────────────────────────────────────────────────────────


async def http() -> None:
    import asyncio

    modern = Memory("modern")
    sessions: dict[str, Memory] = {}

    def serve(path: str, method: str, session: str, body: bytes) -> tuple[str, str, bytes]:
        """Status, further headers, body."""
        if method == "DELETE":
            sessions.pop(session, None)
            return "200 OK", "", b""
        try:
            message = json.loads(body)
        except ValueError:
            return "400 Bad Request", "", b""
        if "id" not in message:
            return "202 Accepted", "", b""
        if path == "/modern":
            asked = message.get("method")
            made = {"server/discover": found, "initialize": too_old}.get(asked)
            reply = made(message) if made else answer(message, modern)
            return "200 OK", "", json.dumps(reply).encode()
        if message.get("method") == "initialize":
            session = os.urandom(8).hex()
            sessions[session] = Memory(f"session {session}")
            reply = answer(message, sessions[session])
            return "200 OK", f"mcp-session-id: {session}\r\n", json.dumps(reply).encode()
        if not session:
            return "400 Bad Request", "", b"{}"
        if session not in sessions:
            return "404 Not Found", "", b"{}"
        return "200 OK", "", json.dumps(answer(message, sessions[session])).encode()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.rstrip().split("\r\n")
                method, path, _ = first.split(" ")
                named = {k.lower(): v.strip() for k, _, v in (one.partition(":") for one in lines)}
                body = await reader.readexactly(int(named.get("content-length", "0")))
                status, extra, made = serve(path, method, named.get("mcp-session-id", ""), body)
                kind = "content-type: application/json\r\n" if made else ""
                head = f"HTTP/1.1 {status}\r\n{kind}{extra}content-length: {len(made)}\r\n\r\n"
                writer.write(head.encode() + made)
                await writer.drain()
        except (OSError, ValueError, EOFError, asyncio.LimitOverrunError):
            pass  # what a misbehaving proxy lets through is no request
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


def main() -> None:
    call_myself(f"w-{BIRTH}")
    note(start=os.getpid())
    if "family" in sys.argv:
        have_a_grandchild()
    if sys.argv[1] == "http":
        import asyncio

        asyncio.run(http())
    else:
        stdio()


main()
