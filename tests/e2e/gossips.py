"""Who tells what to whom, and the book in which everything is held against whose it is.

Whatever a client receives is searched for the marks of all principals: names, secrets, calls and seats.
One that is not its own is wrong, wherever it stands: in an answer, a notification, a question, an error.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bawn.model import Json
from tests.e2e.load import Person
from tests.e2e.wire import Flow

PATIENCE: Final = 25.0
"""Seconds for a whole deed; nothing here takes one of them by itself."""

CAPABILITIES: Final[Json] = {"sampling": {}, "elicitation": {}, "roots": {}}
SPEAKS: Final = frozenset(
    {"notifications/progress", "notifications/message", "elicitation/create"}
    | {"sampling/createMessage"}
)
"""What is said for the sake of a call, and says for whose."""

DYING: Final = ("gate.worker_lost", "gate.not_ready")
"""How what would have been answered otherwise is refused while a worker is missing."""

OVER: Final = "The call that this belonged to is over"
"""What a local server hears when the call that its question went to has ended.

Nothing says which call it asked for: another one of the same principal may have been the newest.
"""

_KEPT: Final = 64  # stolen goods of a kind


class Unexpected(Exception):
    """Something was refused or lost that should not have been: never somebody else's."""


@dataclass(frozen=True, slots=True)
class Loot:
    """A handle, whose it is, and what was asked with it."""

    owner: str
    handle: str
    params: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A deed that failed, and when (`time.monotonic`)."""

    began: float
    ended: float
    what: str


class Book:
    """Everything that happened."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.troubles: list[Trouble] = []
        self.loot: dict[str, deque[Loot]] = {}
        self.over = asyncio.Event()
        self.whose: Callable[[int], int | None] = lambda port: None
        """The process that serves a client's port, looked up now and then."""
        secrets = "|".join(person.data for person in people)
        self._secrets = re.compile(secrets.encode())
        self._names = re.compile(rb"(?:person|call|seat)-(\d+)")

    def check(self, person: Person, raw: bytes, where: str, nonce: str | None = None) -> None:
        """Hold what a person received against whose it is; with a nonce, against which call's, too."""
        self.counts["messages checked"] += 1
        mine, number = person.data.encode(), person.name.rpartition("-")[2].encode()
        strange = {found for found in self._secrets.findall(raw) if found != mine}
        strange |= {b"number " + n for n in self._names.findall(raw) if n != number}
        if nonce is not None:
            calls = set(re.findall(rb"call-\d+-\d+", raw))
            strange |= calls - {nonce.encode()}
        if strange:
            said = raw[:2000].decode(errors="replace")
            self.wrong.append(f"{person.name} ({nonce}) at {where} got {strange}:\n  {said}")

    def fault(self, person: Person, what: str) -> None:
        """Note something wrong that no mark tells."""
        self.wrong.append(f"{person.name}: {what}")

    def leave(self, kind: str, loot: Loot) -> None:
        """Leave a handle where others find it."""
        self.loot.setdefault(kind, deque(maxlen=_KEPT)).append(loot)

    def steal(self, kind: str, thief: Person) -> Loot | None:
        """A fresh handle of somebody else's."""
        found = [loot for loot in self.loot.get(kind, ()) if loot.owner != thief.name][-8:]
        return random.choice(found) if found else None

    async def keep_doing(self, name: str, deed: Callable[[], Awaitable[None]], rest: float) -> None:
        """Do a thing again and again until it is over, and note what became of it."""
        while not self.over.is_set():
            began = time.monotonic()
            try:
                async with asyncio.timeout(PATIENCE):
                    await deed()
            except TimeoutError:
                self.failed(name, began, "took too long")
            except (Unexpected, OSError, EOFError) as error:
                self.failed(name, began, f"{type(error).__name__}: {error}")
            else:
                self.counts[name] += 1
            await asyncio.sleep(rest * random.random())

    def failed(self, name: str, began: float, what: str) -> None:
        """Note that a deed, or a part of one, came to nothing."""
        self.troubles.append(Trouble(began, time.monotonic(), f"{name}: {what}"))


class Teller:
    """One client of one principal; each of its requests has a connection of its own."""

    def __init__(self, book: Book, person: Person, address: tuple[str, int], seat: int) -> None:
        self.book = book
        self.person = person
        self.address = address
        self.number = person.name.rpartition("-")[2]
        self.seat = f"seat-{self.number}-{seat}"
        self._made = 0
        self._calls = seat * 1_000_000

    def serial(self) -> int:
        """An id: the same numbers are everybody's."""
        self._made += 1
        return self._made

    def mark(self) -> Json:
        """The mark of a new call."""
        self._calls += 1
        nonce = f"call-{self.number}-{self._calls}"
        return {
            "who": self.person.name, "data": self.person.data, "nonce": nonce, "seat": self.seat,
        }  # fmt: skip

    def uri(self, server: str) -> str:
        """The note of this principal; some people's URIs begin with the whole of another's."""
        return f"{server}://{self.person.name}"

    async def send(
        self, message: Json | list[Json] | None, headers: Json, path: str = "/mcp", verb: str = "POST"
    ) -> Flow:  # fmt: skip
        """One request, until the header of its answer."""
        body = b"" if message is None else json.dumps(message).encode()
        every = {
            "host": f"{self.address[0]}:{self.address[1]}",
            "authorization": f"Bearer {self.person.token}",
            "accept": "application/json, text/event-stream",
            **headers,
        }
        if body:
            every |= {"content-type": "application/json", "content-length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in every.items())
        return await Flow.begin(
            self.address, f"{verb} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
        )

    async def whole(self, flow: Flow, where: str, nonce: str | None = None) -> Json:
        """The one message of an answer; nothing for an empty one.

        It may come as a stream all the same: a long call gets a sign of life.
        """
        raw = await self._last(flow) if flow.streams else await flow.body()
        self.book.check(self.person, raw, where, nonce)
        told = json.loads(raw) if raw else {}
        return told if isinstance(told, dict) else {"batch": told}

    async def _last(self, flow: Flow) -> bytes:
        try:
            found = [event.data async for event in flow.events() if event.data]
        finally:
            flow.cut()
        return found[-1] if found else b""

    def heard(self, raw: bytes, where: str, nonce: str | None = None) -> Json:
        """A message of a stream, checked; what speaks for a call says for whose."""
        self.book.check(self.person, raw, where, nonce)
        message: Json = json.loads(raw)
        method = message.get("method")
        if method is not None:
            self.book.counts[f"heard {method.removeprefix('notifications/')}"] += 1
            if method in SPEAKS and self.person.data.encode() not in raw:
                self.book.fault(self.person, f"nobody's {method} at {where}: {raw[:500]!r}")
        return message

    def answer(self, request: Json, nonce: str) -> Json:
        """What this principal says when a server asks, for the sake of the call it asks for."""
        told = json.dumps({"who": self.person.name, "data": self.person.data, "nonce": nonce})
        match request["method"]:
            case "elicitation/create":
                return {"action": "accept", "content": {"said": told}}
            case "sampling/createMessage":
                content = {"type": "text", "text": told}
                return {"role": "assistant", "content": content, "model": "m"}
        return {"roots": [{"uri": f"file:///{self.person.name}", "name": told}]}

    def judge(self, answer: Json, mark: Json, server: str, asks: Sequence[str] = ()) -> None:
        """Hold the answer to `talk` against the call."""
        if "result" not in answer:
            raise Unexpected(f"{server}: {json.dumps(answer)[:300]}")
        told = json.loads(answer["result"]["content"][0]["text"])
        if told["mark"] != mark:
            self.book.fault(self.person, f"another call's answer: {mark}, {told}")
        for ask in asks:
            heard = json.dumps(told["answers"].get(ask))
            if OVER in heard and server in ("local", "seat"):
                self.book.counts["asked of another call, which ended"] += 1
            elif self.person.data not in heard:
                raise Unexpected(f"{server}: {ask} was not answered: {json.dumps(told)[:500]}")
        if server == "seat" and told.get("seats") != [self.seat]:
            self.book.fault(self.person, f"not alone in its session: {told}")
        if "names" in told and told["names"] != [self.person.name]:
            self.book.fault(self.person, f"a memory that others have used: {told}")


def some(names: Sequence[str], least: int = 0) -> list[str]:
    """Some of these, in any order."""
    return random.sample(names, random.randint(least, len(names)))


def reason(answer: Json) -> str:
    """Why something was refused; `ok` when it was not."""
    if "error" not in answer:
        return "ok"
    data = answer["error"].get("data")
    found = data.get("reason") if isinstance(data, dict) else None
    return str(found or answer["error"].get("code"))
