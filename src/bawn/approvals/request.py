"""What a consent is bound to, and what the people who give it are shown of it.

Both are made of one call. What names a person or repeats arguments is sealed wherever it is kept, and
what has to be found again is a keyed digest: the store alone tells neither who asked nor for what.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b, sha256
from typing import Final

import msgspec

from bawn.errors import APPROVAL_UNKNOWN, Refused
from bawn.model import Ask, Call, Decision, Item, Json, Kind, Principal
from bawn.protocol import rounds
from bawn.protocol.sealing import Sealer, Unsealed

ARGUMENTS: Final = 16_384
"""Characters of the arguments, as JSON, that approvers are shown."""

_NAME: Final = 2_048  # characters of a name or URI that they are shown
_SMALL: Final = 128

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


class Request(msgspec.Struct, frozen=True):
    """A call as its approvers see it; `places` are where the rules of `asks` stand.

    `arguments` is JSON, cut off at ARGUMENTS of its `characters`; `digest` is the SHA-256 of the whole.
    """

    who: str
    issuer: str
    tenant: str
    agent: str
    roles: tuple[str, ...]
    client: str
    endpoint: str | None
    server: str
    kind: str
    name: str
    method: str
    arguments: str
    characters: int
    digest: str
    trace: str
    asks: tuple[Ask, ...]
    places: tuple[str, ...]

    @property
    def principal(self) -> Principal:
        """Who asked, for the record alone: it holds no credential."""
        return Principal(
            self.who, self.issuer, frozenset(self.roles), 0.0, agent=self.agent, tenant=self.tenant
        )

    @property
    def whole(self) -> bool:
        """Whether all of the arguments are shown."""
        return self.characters <= ARGUMENTS


class Digests:
    """Keyed BLAKE2b (RFC 7693), apart for each purpose: what is short cannot be found by trying."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, purpose: str, *parts: object) -> str:
        """The digest of these parts, in hex."""
        keyed = blake2b(_encode(parts), digest_size=32, key=self._key, person=purpose.encode())
        return keyed.hexdigest()

    def owner(self, principal: Principal) -> str:
        """Whose calls are counted together."""
        return self.of("owner", principal.key)

    def voter(self, principal: Principal) -> str:
        """Who counts as one person: the subject, whichever token it came with."""
        return self.of("voter", principal.tenant, principal.subject)

    def request(self, call: Call, item: Item, decision: Decision, policy: str) -> str:
        """Equal for calls that one consent may serve, on whichever endpoint they come."""
        definition = sha256(_encode(item.definition)).hexdigest()
        asked = rounds.digest(call.method, _asked(call, item))
        return self.of(
            "request", call.principal.key, call.principal.agent,
            item.server, item.kind.value, item.name, definition, asked, policy, decision.asks,
        )  # fmt: skip


def request_of(call: Call, item: Item, decision: Decision, place: Callable[[str], str]) -> Request:
    """What approvers are shown; `place` tells where a rule stands."""
    asked = rounds.asked(_asked(call, item))
    only = asked.keys() <= {"arguments"}
    text = _encode(asked.get("arguments", {}) if only else asked).decode()
    who = call.principal
    return Request(
        who=who.subject,
        issuer=who.issuer,
        tenant=who.tenant,
        agent=who.agent,
        roles=tuple(sorted(who.roles)),
        client=f"{call.client.name} {call.client.version}".strip()[:_SMALL],
        endpoint=call.endpoint,
        server=item.server,
        kind=item.kind.value,
        name=item.name[:_NAME],
        method=call.method,
        arguments=text[:ARGUMENTS],
        characters=len(text),
        digest=sha256(text.encode()).hexdigest(),
        trace=call.trace,
        asks=decision.asks,
        places=tuple(place(ask.rule) for ask in decision.asks),
    )


def seal(sealer: Sealer, id_: str, request: Request) -> str:
    """The request as the store keeps it, bound to its approval."""
    return sealer.seal(f"approval {id_}", msgspec.to_builtins(request))


def opened(sealer: Sealer, id_: str, sealed: str) -> Request:
    """What was sealed for this approval.

    Raises:
        Refused: approval.unknown, when its key is gone or it is another one's.
    """
    try:
        return msgspec.convert(sealer.open(f"approval {id_}", sealed), Request)
    except (Unsealed, msgspec.ValidationError):
        raise Refused(APPROVAL_UNKNOWN, detail=f"{id_} was sealed by a key that is gone") from None


def _asked(call: Call, item: Item) -> Json:
    """The params without the caller's own name for the item, which depends on the endpoint."""
    if item.kind not in (Kind.TOOL, Kind.PROMPT):
        return call.params
    return {key: value for key, value in call.params.items() if key != "name"}
