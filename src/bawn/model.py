"""Frozen values that travel along the path of a call.

What is made anew for each call is a msgspec Struct, which costs a tenth of a frozen dataclass to make;
`gc=False`, since none of them can lead back to itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Any, Final, TypeAlias

import msgspec

Json: TypeAlias = dict[str, Any]
"""A decoded JSON object."""


OWN_ISOLATION: Final = "gate"
"""The isolation key of bawn's own requests, where a server is not shared by all."""


class Kind(StrEnum):
    """What a server can offer."""

    TOOL = "tool"
    PROMPT = "prompt"
    RESOURCE = "resource"
    TEMPLATE = "template"
    METHOD = "method"
    """A method that an extension brings, which the gate itself knows nothing of."""


class Peer(msgspec.Struct, frozen=True):
    """Where a connection comes from: an address, or a process on this machine by its user id."""

    address: str
    uid: int | None = None  # set for Unix-socket peers only (SO_PEERCRED / LOCAL_PEERCRED)


class Principal(msgspec.Struct, frozen=True, dict=True, cache_hash=True):
    """Who is calling, after verification: of a credential, or of an approver's one-time link.

    `endpoint` is None when the credential serves every endpoint, else the one server it serves.
    """

    subject: str
    issuer: str
    roles: frozenset[str]
    expires: float  # seconds since the epoch; inf for local peers
    endpoint: str | None = None
    scopes: frozenset[str] = frozenset()
    token: str = ""  # identifies the credential, so that it can be revoked; empty for local peers
    agent: str = ""  # the OAuth client that acts, as its issuer names it; empty where it names none
    tenant: str = ""  # empty where tenants are not told apart

    @cached_property
    def key(self) -> str:
        """Identifies the person or agent across tokens: issuer and subject together, and the tenant."""
        own = f"{self.issuer}|{self.subject}"
        return f"{self.tenant}\n{own}" if self.tenant else own


class Mirror(msgspec.Struct, frozen=True):
    """An argument that a header field repeats: where it stands, and what type it is declared to have.

    Source: transports/streamable-http, `x-mcp-header` (2026-07-28).
    """

    header: bytes  # lower-case, the `mcp-param-` prefix included
    path: tuple[str, ...]
    type: str  # string, integer or boolean


@dataclass(frozen=True, slots=True)
class Item:
    """One tool, prompt, resource or template of one server.

    `name` is the server's own (for resources the URI, for templates the URI template); `shown` is
    what the aggregate endpoint calls it. `definition` is the server's, in canonical form. `key` names
    the item for caches; `mirrors` are the arguments of a tool that header fields repeat. `withheld` is
    the id of the reason for which it is not served, with the definition that was approved.
    """

    kind: Kind
    server: str
    name: str
    shown: str
    definition: Json = field(hash=False, compare=False)
    mirrors: tuple[Mirror, ...] = field(default=(), hash=False, compare=False)
    withheld: str = field(default="", hash=False, compare=False)
    key: str = field(init=False, hash=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.kind.value}|{self.server}|{self.name}")


class Withheld(msgspec.Struct, frozen=True):
    """What a server offers and is not served: by `reason`, an integrity.* id.

    `definition` is the approved one; of what never was approved, the one that waits.
    """

    definition: Json
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What one server said of itself, as far as it was approved: the input of the compiler."""

    server: str
    version: str
    capabilities: Json
    instructions: str
    definitions: Mapping[Kind, tuple[Json, ...]]
    ttl_ms: int
    changes: Mapping[Kind, int] = field(default_factory=dict)  # how often the server said so
    withheld: Mapping[Kind, tuple[Withheld, ...]] = field(default_factory=dict)


class Health(StrEnum):
    """Will a call to this server work?"""

    STARTING = "starting"
    OK = "ok"
    SIGN_IN = "needs sign-in"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class ServerState:
    """The last probe's finding about one server."""

    health: Health
    detail: str = ""
    version: str = ""
    checked: float = 0.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is served at /mcp (server is None) or /mcp/{server}: names to items, in listing order.

    `claimed` holds the URIs and URI templates that several servers offer, which only the aggregate
    can have. `instructions` are by server, for a caller reads those of servers it may use alone.
    """

    server: str | None
    items: Mapping[Kind, Mapping[str, Item]]
    claimed: frozenset[str]
    capabilities: Json
    instructions: Mapping[str, str]
    ttl_ms: int
    changes: Mapping[str, str] = field(default_factory=dict)
    """For each list, by the name of its capability: a digest that differs when it has changed."""

    named: Mapping[str, str] = field(default_factory=dict)
    """The server of each `ui://` resource that a tool names and no list has."""

    extensions: Mapping[str, str] = field(default_factory=dict)
    """The server of each extension whose methods the gate does not know, if it is the only one."""

    resources: str | None = None
    """The server that has resources, if it is the only one: what no list names is read there."""

    withheld: Mapping[Kind, Mapping[str, Item]] = field(default_factory=dict)
    """What is there and not served: in no list, and refused with its reason to who might use it."""


@dataclass(frozen=True, slots=True)
class View:
    """Everything the data path knows, immutable and swapped whole; `version` is its content hash.

    `endpoints` is by server, with the aggregate of the servers that belong to no tenant under None;
    `aggregates` holds the aggregate of each tenant.
    """

    version: str
    endpoints: Mapping[str | None, Endpoint]
    aggregates: Mapping[str, Endpoint] = field(default_factory=dict)

    def served(self, server: str | None, tenant: str) -> Endpoint | None:
        """What a caller of this tenant finds at /mcp (None) or /mcp/{server}."""
        if server is None and tenant:
            return self.aggregates.get(tenant)
        return self.endpoints.get(server)


class Ask(msgspec.Struct, frozen=True):
    """What a rule wants before a call may leave: the consent of `count` people of one of these roles.

    `confirm` lets the caller consent to its own call. `within` is in seconds: how long the consent may
    be given, and then used.
    """

    rule: str
    roles: frozenset[str]
    confirm: bool
    count: int
    within: float


class Decision(msgspec.Struct, frozen=True):
    """What policy says of one call, and which rule said it.

    An allowed call with `asks` leaves only when each of them is satisfied. `reason` is why a call is
    not allowed: `policy.denied`, or `policy.error` when a rule could not be evaluated.
    """

    allowed: bool
    rule: str
    asks: tuple[Ask, ...] = ()
    reason: str = "policy.denied"


class Label(StrEnum):
    """What using an item does to a conversation, or takes out of it."""

    UNTRUSTED = "untrusted"
    """Brings in content that anybody may have written."""

    PRIVATE = "private"
    """Brings in data that is not public."""

    SENDS = "sends"
    """Sends something outside."""

    CHANGES = "changes"
    """Changes state."""


class Severity(IntEnum):
    """How grave a detection is; policy says from which on something is done about it."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Surface(StrEnum):
    """Where a text stands: each has rules of its own, for what is odd at one is usual at another."""

    DEFINITION = "definition"
    """What a server says of itself: names, descriptions, schemas, instructions."""

    ARGUMENT = "argument"
    """What leaves to a server."""

    OUTPUT = "output"
    """What comes back from one: results, resources, prompts, questions, notifications."""


class Detection(msgspec.Struct, frozen=True, gc=False):
    """What a detector found in a text: by which rule, where, and how sure it is.

    `start` and `end` count characters of the text as it was given. `evidence` is short, and shows no
    secret. `confidence` is between 0 and 1. `view` names the form of the text in which it was seen:
    `raw`, or what was done to see it, such as `base64>folded`.
    """

    rule: str
    severity: Severity
    start: int
    end: int
    evidence: str
    confidence: float = 1.0
    view: str = "raw"


class Approval(msgspec.Struct, frozen=True):
    """A call that waits for consent, or has it. `state` is pending, granted, denied, used, expired or void.

    `needs` says in words who has still to consent; `expires` is in seconds since the epoch.
    """

    id: str
    state: str
    expires: float
    needs: str
    confirm: bool  # the caller itself may consent


class Client(msgspec.Struct, frozen=True, gc=False):
    """What the caller's software says of itself; never a ground for trust."""

    version: str
    name: str = ""
    capabilities: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Call(msgspec.Struct, frozen=True, gc=False):
    """One request in canonical form (2026-07-28), as it came from an authenticated caller.

    `params` carries the caller's own names; the gateway maps them to the server's before sending.
    """

    id: str | int
    method: str
    params: Json
    principal: Principal
    endpoint: str | None
    client: Client
    trace: str  # 32 hex digits, W3C trace-id: the one correlation id
    session: str | None = None
    project: str | None = None  # the caller's working directory, from local peers only
    parent: str | None = None  # the traceparent that goes on, when the caller gave one


class Outbound(msgspec.Struct, frozen=True, gc=False):
    """A call as one server gets it: its own names, and the isolation key it runs under."""

    server: str
    method: str
    params: Json
    isolation: str
    trace: str
    name: str | None = None  # what Mcp-Name repeats, for the methods that have one
    project: str | None = None
    principal: str = ""  # a digest: who is behind the isolation key, for bounds per caller
    headers: tuple[tuple[bytes, bytes], ...] = ()  # that repeat arguments, or carry the trace
    parked: bool = False  # `requestState` names a call that waits on this side of the server
    declined: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """The errors with which a legacy client answered, by the key of what was asked."""
    apart: str = (
        ""  # for a listen whose caller's calls come to another worker: a session of its own
    )


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A server's answer in canonical form: exactly one of result and error is set.

    `written` is the result as we would write it, when the server wrote it just so. `parked` says that
    the call goes on at the server while its caller is asked, and that `requestState` names it.
    """

    result: Json | None = None
    error: Json | None = None
    written: bytes | None = None
    parked: bool = False
