"""Load with proof: every call is marked, and every answer is held against its mark.

The servers are those of servers/witness.py. An answer must belong to its request and its principal,
and the memory that gave it may know nobody who does not share it. Nothing else counts as an answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from statistics import quantiles
from typing import Any, Final
from urllib.parse import quote

from bawn.model import Json
from bawn.protocol import versions
from tests.e2e.caller import META, mirrored
from tests.e2e.wire import Address, Answer, Wire

HANDSHAKE: Final = versions.HANDSHAKE[0]
RUN: Final = int.from_bytes(os.urandom(4))
"""Marks the calls of this process apart from those of any other."""


class Kind(StrEnum):
    """What became of a call."""

    OK = "ok"
    ERROR = "error"  # a JSON-RPC error; `what` is its reason id
    HTTP = "http"  # a status without a JSON-RPC answer
    RESET = "reset"  # the connection broke, as it does when a worker dies: may be tried again
    CORRUPT = "corrupt"  # damaged between server and gate, where nothing could notice
    WRONG = "wrong"  # somebody else's answer, or somebody else's data: never
    LOST = "lost"  # no answer at all: never


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as callers see it; `shared` when its memory may know every principal.

    `own` when each connection has a memory of its own, `noisy` when a proxy may change bytes of its
    answers.
    """

    name: str
    shared: bool = False
    own: bool = False
    noisy: bool = False

    @property
    def server(self) -> str:
        """The server behind it."""
        return self.name.partition("__")[0]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call: when it began and ended (`time.monotonic`), and what became of it."""

    kind: Kind
    what: str
    tool: str
    who: str
    nonce: str
    began: float
    ended: float
    connection: int | None = None  # this end's port, once there was a TCP connection
    local: bool = False  # over the Unix socket


@dataclass(slots=True)
class Tally:
    """What became of all calls."""

    counts: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one call."""
        what = "" if outcome.kind in (Kind.OK, Kind.WRONG) else outcome.what
        self.counts[outcome.kind, what] += 1
        if outcome.kind is Kind.WRONG:
            self.wrong.append(outcome.what)

    def of(self, kind: Kind) -> int:
        """How many calls ended so."""
        return sum(number for (found, _), number in self.counts.items() if found is kind)

    def shown(self) -> str:
        """The counts in one line."""
        named = sorted((f"{k.value} {w}".strip(), n) for (k, w), n in self.counts.items())
        return ", ".join(f"{name}: {number}" for name, number in named)


@dataclass(frozen=True, slots=True)
class Person:
    """A principal with data of its own; `project` is sent where the connection is a Unix socket."""

    name: str
    token: str
    project: str | None = None

    @property
    def data(self) -> str:
        """What only this principal's answers may carry."""
        return sha256(f"{RUN}|{self.name}".encode()).hexdigest()[:16]


class Client:
    """One connection of one principal, modern or legacy."""

    def __init__(
        self, person: Person, address: Address, *, legacy: bool = False, patience: float = 30.0
    ) -> None:
        self.person = person
        self.legacy = legacy
        self._wire = Wire(address)
        self._local = isinstance(address, Path)
        self._patience = patience
        self._session: str | None = None
        self._made = 0
        self._mark = zlib.crc32(f"{person.name}|{person.project}|{id(self)}".encode())
        given = {"host": "localhost", "authorization": f"Bearer {person.token}"}
        if person.project is not None:
            given["bawn-project"] = quote(person.project)
        if not isinstance(address, Path):
            given["host"] = f"{address[0]}:{address[1]}"
        self._head = given

    @property
    def port(self) -> int | None:
        """This end's TCP port."""
        return self._wire.local_port

    def close(self) -> None:
        """Let go of the connection."""
        self._wire.close()

    async def call(self, tool: Tool) -> Outcome:
        """One call, judged."""
        self._made += 1
        nonce = f"{RUN:08x}{self._mark:08x}{self._made:016x}"
        began, port = time.monotonic(), self.port
        try:
            kind, what = await self._called(tool, nonce)
        except TimeoutError:
            kind, what = Kind.LOST, f"no answer from {tool.server}"
        except (OSError, EOFError) as broken:
            kind, what = Kind.RESET, type(broken).__name__
        except ValueError as broken:
            kind, what = Kind.WRONG, f"{self.person.name} {tool.name}: not HTTP: {broken}"
        ended = time.monotonic()
        return Outcome(
            kind, what, tool.name, self.person.name, nonce, began, ended, port, self._local
        )

    async def _called(self, tool: Tool, nonce: str) -> tuple[Kind, str]:
        if self.legacy and self._session is None:
            begun = await self._begin(nonce)
            if begun is not None:
                return begun
        arguments = {"who": self.person.name, "nonce": nonce, "data": self.person.data}
        arguments["seal"] = sealed(*arguments.values())
        params: Json = {"name": tool.name, "arguments": arguments}
        answer = await self._send("tools/call", params, nonce)
        message = decoded(answer.body)
        kind, what = self._judge(tool, nonce, answer.status, message)
        if what == "session.unknown":
            self._session = None
        return kind, what

    async def _begin(self, nonce: str) -> tuple[Kind, str] | None:
        """Initialize; what became of it when that was not a session."""
        info = {"name": "load", "version": "1"}
        params: Json = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": info}
        answer = await self._send("initialize", params, nonce)
        if answer.status == 200 and "mcp-session-id" in answer.headers:
            self._session = answer.headers["mcp-session-id"]
            return None
        return refusal(answer.status, decoded(answer.body))

    async def _send(self, method: str, params: Json, nonce: str) -> Answer:
        parent = {"traceparent": f"00-{nonce}-{nonce[16:]}-01"}
        headers = {**self._head, "content-type": "application/json"}
        if self.legacy:
            meta = parent
            headers["accept"] = "application/json, text/event-stream"
            if self._session is not None:
                headers |= {"mcp-session-id": self._session, "mcp-protocol-version": HANDSHAKE}
        else:
            meta = META | parent
            headers |= mirrored(method, params)
        message = {
            "jsonrpc": "2.0",
            "id": nonce,
            "method": method,
            "params": {**params, "_meta": meta},
        }
        body = json.dumps(message).encode()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST /mcp HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
        return await self._wire.exchange(head.encode() + body, self._patience)

    def _judge(self, tool: Tool, nonce: str, status: int, message: Json | None) -> tuple[Kind, str]:
        if message is None or "result" not in message:
            if message is not None and message.get("id") not in (nonce, None):
                return Kind.WRONG, f"{self.person.name} asked as {nonce}, was answered {message}"
            return refusal(status, message)
        fault = self._fault(tool, nonce, message)
        if fault is None:
            return Kind.OK, ""
        if fault == Kind.CORRUPT:
            if tool.noisy:
                return Kind.CORRUPT, tool.server
            fault = "an answer that was damaged on its way"
        asked = f"{self.person.name} asked {tool.name} as {nonce} with {self.person.data}"
        return Kind.WRONG, f"{fault}\n  {asked}\n  answered {json.dumps(message)[:2000]}"

    def _fault(self, tool: Tool, nonce: str, message: Json) -> str | None:
        """What is wrong with an answer; `corrupt` when its own seal says that it was damaged."""
        if message.get("id") != nonce:
            return "the answer to another request"
        told = said(message["result"])
        if told is None or told.pop("seal", None) != sealed(told):
            return Kind.CORRUPT
        mine = {"who": self.person.name, "nonce": nonce, "data": self.person.data}
        if {key: told.get(key) for key in mine} != mine:
            return "somebody else's answer"
        if not tool.shared and told["known"] != [self.person.name]:
            return f"a memory that others have used: {told['known']}"
        before = told["before"]
        alike = 16 if tool.own else 8
        if before is not None and (before[:alike] != nonce[:alike] or before == nonce):
            return f"a call before this one that was never made: {before}"
        if tool.server == "project" and told["cwd"] != self.person.project:
            return f"another project's directory: {told['cwd']}"
        return None


def sealed(*parts: Any) -> str:
    """As the witness seals what it says."""
    return f"{zlib.crc32(json.dumps(parts, sort_keys=True).encode()):08x}"


def said(result: Any) -> Json | None:
    """What the witness said; nothing if it refused, or if the result is no longer one of its own."""
    try:
        return None if result.get("isError") else decoded(result["content"][0]["text"].encode())
    except (AttributeError, KeyError, IndexError, TypeError):
        return None


def decoded(body: bytes) -> Json | None:
    """A JSON object, or nothing."""
    try:
        message = json.loads(body)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def refusal(status: int, message: Json | None) -> tuple[Kind, str]:
    """What an answer without a result says."""
    error = (message or {}).get("error")
    if not isinstance(error, dict):
        return Kind.HTTP, str(status)
    data = error.get("data")
    reason = data.get("reason") if isinstance(data, dict) else None
    return Kind.ERROR, str(reason or error.get("code"))


@dataclass(slots=True)
class Pace:
    """Seconds that a client rests between two calls."""

    rest: float = 0.0


class Crowd:
    """Clients that call again and again, each its tools in turn, until they are stopped."""

    def __init__(
        self,
        clients: Sequence[tuple[Client, Sequence[Tool]]],
        pace: Pace,
        note: Callable[[Outcome, Client], None] = lambda outcome, client: None,
    ) -> None:
        self.tally = Tally()
        self.clients = [client for client, _ in clients]
        self._pace = pace
        self._note = note
        self._stopping = asyncio.Event()
        self._running = [
            asyncio.create_task(self._run(number, client, tools))
            for number, (client, tools) in enumerate(clients)
        ]

    async def stop(self) -> None:
        """Let every call end, and let go of the connections."""
        self._stopping.set()
        await asyncio.gather(*self._running)
        for client in self.clients:
            client.close()

    async def _run(self, number: int, client: Client, tools: Sequence[Tool]) -> None:
        while not self._stopping.is_set():
            outcome = await client.call(tools[number % len(tools)])
            number += 1
            self.tally.add(outcome)
            self._note(outcome, client)
            if outcome.kind is Kind.OK:
                await asyncio.sleep(self._pace.rest)
            else:  # as a client does that tries again
                await asyncio.sleep(max(self._pace.rest, 0.02))


def spread(seconds: Iterable[float]) -> tuple[float, float, float]:
    """Median, 99th percentile and largest of durations, in milliseconds."""
    found = sorted(seconds)
    if len(found) < 2:
        return (found[0] * 1e3,) * 3 if found else (0.0, 0.0, 0.0)
    cut = quantiles(found, n=100, method="inclusive")
    return cut[49] * 1e3, cut[98] * 1e3, found[-1] * 1e3
