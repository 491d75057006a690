"""What the audit holds of calls, read for judging them again: who, what, when, and how it went.

Of a call that left, the record names server and item; of one that was refused it holds the name as the
caller gave it, which the View has to explain. Arguments are a digest there, and flows are not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Any, Final, Literal, TypeAlias

from bawn.audit.calls import AuditedCall, Joiner
from bawn.audit.entries import Context, Intent, Refusal
from bawn.audit.read import Found, Problem, Reader
from bawn.audit.subjects import Subjects
from bawn.model import Client, Endpoint, Item, Kind, Principal, View
from bawn.policy.actions import ACCOMPANYING
from bawn.protocol import templates, versions
from bawn.storage import StateDirectory

Outcome: TypeAlias = Literal["allow", "deny", "ask"]

POLICY: Final[Mapping[str, Outcome]] = {
    "policy.denied": "deny",
    "policy.error": "deny",
    "approval.pending": "ask",
    "approval.denied": "ask",
}
"""What policy had said, by the reason of a refusal; other refusals are not policy's."""

APPROVED: Final = "; approval "
"""Stands in the rule of a call that left with somebody's consent."""

_KINDS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "tools/call": (Kind.TOOL,),
    "prompts/get": (Kind.PROMPT,),
    "resources/read": (Kind.RESOURCE, Kind.TEMPLATE),
    "completion/complete": (Kind.PROMPT, Kind.TEMPLATE, Kind.RESOURCE),
    "tasks/get": (Kind.TOOL,),
    "tasks/update": (Kind.TOOL,),
    "tasks/cancel": (Kind.TOOL,),
}
_RESOURCES: Final = (Kind.RESOURCE, Kind.TEMPLATE)
"""What the methods are about that are not in the table and are the protocol's own."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call. `principal` is None when the person was erased, `item` when it is not in the View.

    `said` is how policy let it go then (where it was only observed, everything passed); None when
    something else refused it. `call` has everything else.
    """

    call: AuditedCall
    principal: Principal | None
    item: Item | None
    said: Outcome | None
    client: Client

    @property
    def left(self) -> bool:
        """Whether it went to its server."""
        return self.call.decision == "allowed"

    @property
    def name(self) -> str:
        """What was called, for people."""
        if self.item is not None:
            return f"{self.item.server}/{self.item.name}"
        return "/".join(filter(None, (self.call.server, self.call.name))) or self.call.method


class Recording:
    """Reads an audit. `problems` holds what is wrong with it, as far as it was read."""

    def __init__(self, state: StateDirectory, view: View) -> None:
        self._state = state
        self._view = view
        self._subjects = Subjects(state.subjects)
        self._whose: dict[tuple[str, int], Context | Refusal] = {}  # by segment and line
        self._who = lru_cache(4096)(self._open_who)
        self.problems: list[Problem] = []

    def calls(self, since: float = 0.0, until: float = inf) -> Iterator[Recorded]:
        """Every call of that time (seconds since the epoch), in the order in which they ended.

        Raises:
            Misconfigured: a key file is not private.
        """
        joiner = Joiner(self._subjects)
        for found in joiner.join(self._noted(Reader(self._state.audit).poll())):
            if isinstance(found, Problem):
                self.problems.append(found)
            else:
                yield from self._within(found, since, until)
        for call in joiner.rest():
            yield from self._within(call, since, until)

    def _noted(self, records: Iterator[Found | Problem]) -> Iterator[Found | Problem]:
        """The records, with a note of whose each one is: a joined call tells the subject alone."""
        for found in records:
            if isinstance(found, Found):
                place = (found.segment, found.line)
                if isinstance(found.record, Intent) and found.context is not None:
                    self._whose[place] = found.context
                elif isinstance(found.record, Refusal):
                    self._whose[place] = found.record
            yield found

    def _within(self, call: AuditedCall, since: float, until: float) -> Iterator[Recorded]:
        whose = self._whose.pop((call.segment, call.line), None)
        if whose is None or not since <= call.at / 1e9 < until:
            return
        principal = self._who(whose.subject, whose.who)
        said: Outcome | None = "ask" if APPROVED in call.rule else "allow"
        if call.decision == "refused":
            said = POLICY.get(call.status)
            item = self._refused(call, principal)
        else:
            item = self._left(call)
        yield Recorded(call, principal, item, said, Client(whose.version, whose.client))

    def _open_who(self, subject: str, who: str) -> Principal | None:
        person = self._subjects.open(subject, "who", who)
        if person is None:
            return None

        def text(name: str) -> str:
            return str(person.get(name, ""))

        def names(name: str) -> frozenset[str]:
            found: Any = person.get(name, ())
            return frozenset(map(str, found)) if isinstance(found, list) else frozenset()

        return Principal(
            text("subject"), text("issuer"), names("roles"), inf,
            scopes=names("scopes"), agent=text("agent"), tenant=text("tenant"),
        )  # fmt: skip

    def _left(self, call: AuditedCall) -> Item | None:
        """The item of a call that left for its server."""
        endpoint = self._view.endpoints.get(call.server)
        if endpoint is None:
            return None
        kinds = kinds_of(call.method)
        if kinds == (Kind.METHOD,):
            known = call.server in endpoint.extensions.values()
            return Item(Kind.METHOD, call.server, call.method, call.method, {}) if known else None
        for kind in kinds:
            if (item := endpoint.items[kind].get(call.name)) is not None:
                return item
        return _unlisted(endpoint, call.name) if Kind.RESOURCE in kinds else None

    def _refused(self, call: AuditedCall, principal: Principal | None) -> Item | None:
        """The item that somebody asked for, under the name that it has where they asked."""
        tenant = principal.tenant if principal else ""
        endpoint = self._view.served(call.endpoint, tenant)
        if endpoint is None:
            return None
        kinds = kinds_of(call.method)
        if kinds == (Kind.METHOD,):
            owners = set(endpoint.extensions.values())
            owner = owners.pop() if len(owners) == 1 else None
            return Item(Kind.METHOD, owner, call.method, call.method, {}) if owner else None
        for kind in kinds if call.name else ():
            if (item := endpoint.items[kind].get(call.name)) is not None:
                return item
        return _unlisted(endpoint, call.name) if Kind.RESOURCE in kinds and call.name else None


def kinds_of(method: str) -> tuple[Kind, ...]:
    """What a method can be about, the likeliest first."""
    if method in _KINDS:
        return _KINDS[method]
    return _RESOURCES if method in ACCOMPANYING or versions.is_core(method) else (Kind.METHOD,)


def _unlisted(endpoint: Endpoint, uri: str) -> Item | None:
    """A resource that no list names: of the server whose template or page it is, or of the only one."""
    owners = {
        item.server
        for template, item in endpoint.items[Kind.TEMPLATE].items()
        if templates.matches(template, uri)
    }
    if uri in endpoint.named:
        owners = {endpoint.named[uri]}
    if not owners and endpoint.resources is not None:
        owners = {endpoint.resources}
    return Item(Kind.RESOURCE, owners.pop(), uri, uri, {}) if len(owners) == 1 else None
