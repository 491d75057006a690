"""People with keys, a trust root that lists them, and what they sign."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bawn.model import Json
from bawn.signing import chain, lock, proposal, rotation, servers
from bawn.signing.envelope import STATEMENT, Envelope
from bawn.signing.private import PrivateKey
from bawn.signing.root import Entry, Role, Root
from bawn.signing.rotation import Changes
from bawn.signing.seen import Seen
from bawn.signing.statement import Statement
from bawn.signing.trusted import Trusted
from bawn.signing.unverified import Unverified, Why

NOW = 1_800_000_000.0
DAY = 86_400.0
MERKLE = "ab" * 32
LOCK: Json = {"version": 1, "servers": {"files": {"root": MERKLE}, "issues": {"root": "cd" * 32}}}


@cache
def person(name: str) -> PrivateKey:
    """Somebody's key, the same at each call."""
    seed = name.encode().ljust(32, b".")[:32]
    return PrivateKey(Ed25519PrivateKey.from_private_bytes(seed))


def entry(name: str, expires: str = "", limits: tuple[str, ...] = ()) -> Entry:
    """Somebody's key as a root lists it."""
    return Entry.of(person(name).public, name, expires, limits)


@dataclass
class Office:
    """Two of three reviewers, one publisher (and one for `files-*` alone), two of two for the organisation."""

    members: Sequence[tuple[Role, Entry]] = (
        ("organisation", entry("olga")),
        ("organisation", entry("otto")),
        ("publisher", entry("paul")),
        ("publisher", entry("pia", limits=("files-*",))),
        ("reviewer", entry("rita")),
        ("reviewer", entry("rob")),
        ("reviewer", entry("ruth")),
    )
    thresholds: Mapping[Role, int] = field(
        default_factory=lambda: {"organisation": 2, "reviewer": 2}
    )
    lifetime: float = 365 * DAY
    line: list[Envelope] = field(default_factory=list)

    def __post_init__(self) -> None:
        changes = Changes(self.members, (), self.thresholds)
        self.line.append(sign(rotation.first(changes, NOW, self.lifetime), "olga", "otto"))

    def rotate(self, changes: Changes, *signers: str, at: float = NOW) -> None:
        """Add a version of the root."""
        following = rotation.following(self.newest, changes, at, self.lifetime)
        self.line.append(sign(following, *signers))

    @property
    def newest(self) -> Root:
        """The last version, whatever it is worth."""
        first = Root.read(self.line[0].payload)
        return Root.read(self.line[-1].payload, first.id)

    @property
    def content(self) -> bytes:
        """The file of the root."""
        return chain.write(self.line)

    def root(self, now: float = NOW) -> Trusted[Root]:
        """The root, verified."""
        return chain.load(self.content, now)


def sign(envelope: Envelope, *names: str) -> Envelope:
    """An envelope with these people's signatures."""
    return proposal.signed(envelope, [person(name) for name in names])


def signed_lock(
    *names: str, tree: Json = LOCK, now: float = NOW, lifetime: float = 90 * DAY
) -> Json:
    """A lockfile that these people have signed."""
    return lock.sign(tree, [person(name) for name in names], now, lifetime)


def signed_pins(
    server: str, *names: str, merkle: str = MERKLE, now: float = NOW, lifetime: float = 90 * DAY
) -> Envelope:
    """The pins of a server, signed by these people."""
    return sign(servers.pins_proposal(server, merkle, now, lifetime=lifetime), *names)


def signed_entry(server: str, *names: str, content: bytes = b"{}", now: float = NOW) -> Envelope:
    """The registry entry of a server, signed by these people."""
    return sign(servers.entry_proposal(server, content, now), *names)


def envelope_of(tree: Json) -> Json:
    """The one envelope of a lockfile, as JSON."""
    found: Json = tree["signatures"][0]
    return found


def with_payload(envelope: Envelope, payload: bytes, *names: str) -> Envelope:
    """An envelope of the same type with another payload, signed by these people."""
    return sign(Envelope(payload, envelope.payload_type), *names)


def base64_of(content: bytes) -> str:
    """As an envelope has it."""
    return base64.b64encode(content).decode()


SIGNED = signed_lock("rita", "rob")
ROOT = Office().root()


def refused(why: Why, act: Callable[[], object]) -> str:
    with pytest.raises(Unverified) as found:
        act()
    assert found.value.why == why, found.value.detail
    assert found.value.reason.id == "integrity.signature"
    return found.value.detail


def verify(tree: Json, now: float = NOW, seen: Seen | None = None) -> Trusted[Statement]:
    return lock.verify(tree, ROOT, now, seen)


def changed(**parts: Any) -> Json:
    """The signed lockfile with other parts of its envelope."""
    return {**SIGNED, "signatures": [{**envelope_of(SIGNED), **parts}]}


def payload_tree() -> Json:
    found: Json = json.loads(base64.b64decode(envelope_of(SIGNED)["payload"]))
    return found


def resigned(tree: object, *names: str, payload: bytes | None = None) -> Json:
    """The lockfile with another statement, well signed."""
    content = rfc8785.dumps(tree) if payload is None else payload  # type: ignore[arg-type]  # any JSON
    envelope = sign(Envelope(content, STATEMENT), *(names or ("rita", "rob")))
    return {**LOCK, "signatures": [envelope.json()]}
