"""The server of gossip.py over HTTP: prints its port; serves /modern/SCHEME and /legacy/SCHEME.

What a request brings about is an event stream. A legacy session has one stream of its own at a time,
the newest: the protocol lets a server say each thing on one stream only.
"""

import asyncio
import json
import os
from typing import Any

from tests.e2e.servers.gossip import Gossip, Json, Session

Head = dict[str, str]


class Stream:
    """One reply under way, as an event stream."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.over = asyncio.Event()
        self._writer = writer
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )

    def send(self, message: Json) -> None:
        """Say something; an answer is the last of it."""
        if self.over.is_set():
            return
        data = b"data: %b\n\n" % json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        if "method" not in message:
            self.over.set()

    async def stand(self, reader: asyncio.StreamReader) -> bool:
        """Wait for the end; whether the caller is still there."""
        over, gone = asyncio.create_task(self.over.wait()), asyncio.create_task(reader.read(1))
        await asyncio.wait({over, gone}, return_when=asyncio.FIRST_COMPLETED)
        here = self.over.is_set()
        self.over.set()
        over.cancel()
        gone.cancel()
        await asyncio.wait({gone})
        if here:
            self._writer.write(b"0\r\n\r\n")
        return here


class Site:
    """All servers, by path."""

    def __init__(self) -> None:
        self._servers: dict[str, Gossip] = {}

    def server(self, path: str) -> Gossip:
        if path not in self._servers:
            _, era, scheme = path.split("/")
            self._servers[path] = Gossip(scheme, modern=era == "modern")
        return self._servers[path]

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.rstrip().split("\r\n")
                method, path, _ = first.split(" ")
                named = {k.lower(): v.strip() for k, _, v in (one.partition(":") for one in lines)}
                body = await reader.readexactly(int(named.get("content-length", "0")))
                if not await self.serve(method, self.server(path), named, body, reader, writer):
                    return
                await writer.drain()
        except (OSError, EOFError):
            pass  # the gate went away
        finally:
            writer.close()

    async def serve(
        self, method: str, server: Gossip, head: Head, body: bytes,
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
    ) -> bool:  # fmt: skip
        """Answer one request; whether the connection goes on."""
        name = head.get("mcp-session-id", "")
        message = json.loads(body) if body else {}
        if server.modern:
            session = Session()
        elif message.get("method") == "initialize":
            name = os.urandom(8).hex()
            session = server.sessions[name] = Session()
        elif name not in server.sessions:
            return plain(writer, "404 Not Found" if name else "400 Bad Request")
        else:
            session = server.sessions[name]
        if method == "GET" and not server.modern:
            stream = Stream(writer)
            session.aside = stream.send
            return await stream.stand(reader)
        if method == "DELETE":
            server.sessions.pop(name, None)
            return plain(writer, "200 OK")
        if method != "POST":
            return plain(writer, "405 Method Not Allowed")
        if server.modern and message.get("method") == "initialize":
            return plain(writer, "400 Bad Request", too_old(message["id"]))
        if message.get("method") in ("initialize", "server/discover", "ping", "tools/list"):
            found: list[Json] = []
            server.hear(session, message, found.append)
            extra = f"mcp-session-id: {name}\r\n" if name else ""
            return plain(writer, "200 OK", found[0], extra)
        if "id" not in message or "method" not in message:
            server.hear(session, message, ignore)
            return plain(writer, "202 Accepted")
        stream = Stream(writer)
        server.hear(session, message, stream.send)
        here = await stream.stand(reader)
        listens = server.listens
        for key in [key for key, (_, _, send) in listens.items() if send == stream.send]:
            del listens[key]
        return here


def plain(
    writer: asyncio.StreamWriter, status: str, message: Json | None = None, extra: str = ""
) -> bool:
    """A reply that is no stream."""
    body = b"" if message is None else json.dumps({"jsonrpc": "2.0", **message}).encode()
    kind = "content-type: application/json\r\n" if body else ""
    head = f"HTTP/1.1 {status}\r\n{kind}{extra}content-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    return True


def too_old(id_: Any) -> Json:
    """A modern server's answer to `initialize`."""
    data = {"supported": ["2026-07-28"], "requested": "a handshake"}
    return {
        "id": id_,
        "error": {"code": -32022, "message": "Unsupported protocol version", "data": data},
    }


def ignore(message: Json) -> None:
    """Notifications and answers bring about nothing on their own request."""


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.start_server(Site().converse, "127.0.0.1", 0, limit=1 << 20, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
