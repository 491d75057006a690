"""What stands for the rooms around a gateway in tests: it writes into a journal, and fails when told."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bawn.errors import APPROVAL_UNKNOWN, Refused
from bawn.model import (
    Answer,
    Approval,
    Call,
    Decision,
    Item,
    Json,
    Label,
    Outbound,
    Principal,
    View,
)
from bawn.ports import Emit, Inspected, Placed
from bawn.protocol import rounds
from bawn.protocol.sealing import Sealer


class Journal(list[tuple[Any, ...]]):
    """What happened: pairs of a word and what it was about."""

    def words(self) -> list[str]:
        """The words alone."""
        return [entry[0] for entry in self]

    def of(self, word: str) -> list[Any]:
        """What the entries under a word are about."""
        return [entry[1] for entry in self if entry[0] == word]


@dataclass
class FakeAudit:
    """Writes into the journal; `failing` is raised instead of recording an intent."""

    journal: Journal
    failing: Exception | None = None
    settling: Awaitable[None] | None = None
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def intent(self, call: Call, item: Item, decision: Decision) -> int:
        """Fills `ports.Audit`."""
        if self.failing is not None:
            raise self.failing
        number = next(self.numbers)
        self.journal.append(("intent", (call, item, decision, number)))
        return number

    def durable(self, intent: int) -> Awaitable[None] | None:
        """Fills `ports.Audit`: nothing to wait for, unless a test says so."""
        return self.settling

    def outcome(self, intent: int, trace: str, status: str, seconds: float, size: int) -> None:
        """Fills `ports.Audit`."""
        assert seconds >= 0
        self.journal.append(("outcome", (intent, trace, status, size)))

    def refusal(self, call: Call, reason: str, detail: str) -> None:
        """Fills `ports.Audit`."""
        self.journal.append(("refusal", (call, reason, detail)))

    def event(self, principal: Principal, what: str, trace: str, detail: Json) -> None:
        """Fills `ports.Audit`."""
        if self.failing is not None:
            raise self.failing
        self.journal.append(("event", (principal, what, trace, detail)))


class FakeFlows:
    """What conversations have touched, in memory; `failing` is raised instead of looking."""

    def __init__(self) -> None:
        self.known: dict[str, frozenset[Label]] = {}
        self.failing: Refused | None = None

    def touched(self, conversation: str) -> frozenset[Label]:
        """Fills `ports.Flows`."""
        if self.failing is not None:
            raise self.failing
        return self.known.get(conversation, frozenset())

    def touch(self, conversation: str, labels: frozenset[Label]) -> None:
        """Fills `ports.Flows`."""
        self.known[conversation] = self.touched(conversation) | labels


class FakeApprovals:
    """Approvals in memory, one for each request; `failing` is raised instead of looking."""

    def __init__(self) -> None:
        self.all: dict[str, Approval] = {}
        self.looks = 0
        self.on_look: Callable[[], None] = lambda: None
        self.failing: Refused | None = None

    def ask(self, call: Call, item: Item, decision: Decision) -> Approval:
        """Fills `ports.Approvals`."""
        if self.failing is not None:
            raise self.failing
        self.looks += 1
        self.on_look()
        digest = rounds.digest(call.method, call.params)
        key = f"{call.principal.key} {item.key} {digest}"
        known = self.all.get(key)
        if known is None or known.state == "used":
            ask = decision.asks[0]
            confirm, needs = ask.confirm, f"{ask.count} of {', '.join(sorted(ask.roles))}"
            known = Approval(f"ap-{len(self.all)}-{self.looks}", "pending", 2e9, needs, confirm)
            self.all[key] = known
        return known

    def look(self, id_: str, call: Call, decision: Decision) -> Approval:
        """Fills `ports.Approvals`."""
        self.looks += 1
        self.on_look()
        return next(known for known in self.all.values() if known.id == id_)

    def confirm(self, id_: str, call: Call, item: Item, decision: Decision) -> Approval:
        """Fills `ports.Approvals`."""
        known = self.ask(call, item, decision)
        if known.id != id_ or not known.confirm:
            raise Refused(APPROVAL_UNKNOWN)
        return self.set(known, "granted")

    def refuse(self, id_: str, call: Call, item: Item, decision: Decision) -> None:
        """Fills `ports.Approvals`."""
        self.set(self.ask(call, item, decision), "denied")

    def use(self, approval: Approval) -> bool:
        """Fills `ports.Approvals`."""
        known = next(a for a in self.all.values() if a.id == approval.id)
        if known.state != "granted":
            return False
        self.set(known, "used")
        return True

    def set(self, approval: Approval, state: str) -> Approval:
        """Have an approval be in this state."""
        key = next(key for key, known in self.all.items() if known.id == approval.id)
        self.all[key] = msgspec.structs.replace(approval, state=state)
        return self.all[key]


class FakeInspector:
    """Finds what the tests say, and nothing else."""

    def __init__(self) -> None:
        self.leaves: Callable[[Call, Item, Json], Inspected | None] = lambda *_: None
        self.returns: Callable[[Call, Item, Answer], Inspected | None] = lambda *_: None
        self.tells: Callable[[Call, Item, Json], Inspected | None] = lambda *_: None
        self.views: list[View] = []
        self.more: list[Placed] = []

    def leaving(
        self, call: Call, item: Item, params: Json, more: Sequence[Placed] = ()
    ) -> Inspected | None:
        """Fills `ports.Inspector`."""
        self.more += more
        return self.leaves(call, item, params)

    def returning(
        self, call: Call, item: Item, answer: Answer, more: Sequence[Placed] = ()
    ) -> Inspected | None:
        """Fills `ports.Inspector`."""
        self.more += more
        return self.returns(call, item, answer)

    def telling(self, call: Call, item: Item, message: Json) -> Inspected | None:
        """Fills `ports.Inspector`."""
        return self.tells(call, item, message)

    def swap(self, view: View) -> None:
        """Fills `ports.Inspector`."""
        self.views.append(view)


class FakeJudges:
    """Says what the tests say; nobody has to be waited for until then."""

    def __init__(self) -> None:
        self.say: Callable[[str, Json], Awaitable[Sequence[Placed]] | None] = lambda *_: None

    def ask(
        self, direction: str, call: Call, item: Item, tree: Json
    ) -> Awaitable[Sequence[Placed]] | None:
        """Fills `ports.Judges`."""
        return self.say(direction, tree)


@dataclass
class FakeMeter:
    """Counts."""

    calls: list[tuple[str, str, str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    findings: list[tuple[str, str, str]] = field(default_factory=list)

    def call(self, server: str, method: str, status: str, seconds: float) -> None:
        """Fills `ports.Meter`."""
        assert seconds >= 0
        self.calls.append((server, method, status))

    def refusal(self, reason: str) -> None:
        """Fills `ports.Meter`."""
        self.refusals.append(reason)

    def finding(self, way: str, family: str, action: str) -> None:
        """Fills `ports.Meter`."""
        self.findings.append((way, family, action))


Behaviour = Callable[[Outbound, Emit | None], Awaitable[Answer]]


async def fine(outbound: Outbound, emit: Emit | None) -> Answer:
    """How a server answers that is in order."""
    return Answer(result={"resultType": "complete", "content": [], "from": outbound.server})


@dataclass
class FakeUpstream:
    """A server that writes into the journal and then behaves as it is told."""

    journal: Journal
    behave: Behaviour = fine
    at_home: bool = False

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        """Fills `ports.Upstream`."""
        self.journal.append(("send", outbound))
        return await self.behave(outbound, emit)

    def stays(self, capabilities: Mapping[str, Any], *, shared: bool) -> bool:
        """Fills `ports.Upstream`."""
        return self.at_home

    async def aclose(self) -> None:
        """Fills `ports.Upstream`."""


@dataclass
class FakeBarrier:
    """Nothing to catch up with, unless a test says so; `current` is what catching up finds."""

    is_behind: bool = False
    current: bool = True
    failing: Refused | None = None

    def behind(self) -> bool:
        """Fills `ports.Barrier`."""
        return self.is_behind

    def catch_up(self) -> bool:
        """Fills `ports.Barrier`."""
        if self.failing is not None:
            raise self.failing
        self.is_behind = not self.current
        return self.current


class FakeGraves:
    """Tombstones in memory; `failing` is raised instead of looking."""

    def __init__(self) -> None:
        self.dead: dict[str, float] = {}
        self.failing: Refused | None = None

    def bury(self, handle: str, until: float) -> None:
        """Fills `ports.Graves`."""
        if self.failing is not None:
            raise self.failing
        self.dead[handle] = until

    def buried(self, handle: str) -> bool:
        """Fills `ports.Graves`."""
        if self.failing is not None:
            raise self.failing
        return handle in self.dead

    def once(self, handle: str, until: float) -> bool:
        """Fills `ports.Graves`."""
        if self.failing is not None:
            raise self.failing
        return handle not in self.dead and self.dead.setdefault(handle, until) == until


class FakeNotes:
    """Session notes in memory; `failing` is raised instead of looking."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.failing: Refused | None = None

    def find(self, session: str) -> str | None:
        """Fills `ports.SessionNotes`."""
        if self.failing is not None:
            raise self.failing
        return self.kept.get(session)

    def keep(self, session: str, until: float, note: str) -> None:
        """Fills `ports.SessionNotes`."""
        if self.failing is not None:
            raise self.failing
        self.kept[session] = note


class Clock:
    """Seconds, moved by hand."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def counting_sealer(key: bytes = b"k" * 32) -> Sealer:
    """A sealer whose nonces are numbers."""
    numbers = itertools.count()
    return Sealer([key], lambda: next(numbers).to_bytes(12, "big"))
