"""Statements: what is vouched for by digest, as what, in which version, from when and until when.

in-toto Statement v1 (https://github.com/in-toto/attestation, spec/v1/statement.md), with predicates of
bawn's own. SHA-256 is the one digest that is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from bawn.signing import canonical, times
from bawn.signing.root import Role, Version
from bawn.signing.unverified import Unverified

Kind: TypeAlias = Literal["urn:bawn:pins:1", "urn:bawn:lock:1", "urn:bawn:entry:1"]
"""The Merkle root of a server's pins; the canonical form of a lockfile; that of a registry entry."""

PINS: Final = "urn:bawn:pins:1"
LOCK: Final = "urn:bawn:lock:1"
ENTRY: Final = "urn:bawn:entry:1"

SIGNED_BY: Final[Mapping[Kind, Role]] = {PINS: "reviewer", LOCK: "reviewer", ENTRY: "publisher"}

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
SubjectName = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,512}\Z")]
ServerName = Annotated[str, msgspec.Meta(pattern=r"^([a-z0-9-]{1,32})?\Z")]


class Digests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digest of a subject; a weaker one beside it is no alternative."""

    sha256: Digest


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is vouched for."""

    name: SubjectName
    digest: Digests


class Predicate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Version and time; the server, for what is about one."""

    version: Version
    issued: str
    expires: str
    server: ServerName = ""


class StatementForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What is signed."""

    type_: Literal["https://in-toto.io/Statement/v1"] = msgspec.field(name="_type")
    subject: Annotated[tuple[Subject, ...], msgspec.Meta(min_length=1, max_length=4096)]
    predicate_type: Kind
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement: `subjects` are digests (SHA-256 in hex) by name; times are seconds since the epoch.

    It says nothing about being trusted: that is `Trusted[Statement]`.
    """

    kind: Kind
    subjects: Mapping[str, str]
    version: int
    issued: float
    expires: float
    server: str = ""
    digest: str = ""  # of the statement itself, when it was read

    @classmethod
    def read(cls, payload: bytes) -> Statement:
        """A statement from what is signed.

        Raises:
            Unverified: malformed or duplicate.
        """
        form = canonical.decode(payload, StatementForm)
        subjects = {each.name: each.digest.sha256 for each in form.subject}
        if len(subjects) != len(form.subject):
            raise Unverified("duplicate", "the statement names a subject twice")
        told = form.predicate
        issued, expires = times.read(told.issued), times.read(told.expires)
        if issued >= expires:
            raise Unverified("malformed", "the statement ends before it begins")
        if (form.predicate_type == LOCK) == bool(told.server):
            raise Unverified("malformed", "a lockfile is of no server, anything else is of one")
        return cls(
            form.predicate_type,
            subjects,
            told.version,
            issued,
            expires,
            told.server,
            canonical.digest(payload),
        )

    def payload(self) -> bytes:
        """What is signed.

        Raises:
            Unverified: malformed: a part of it is not what a reader would take.
        """
        subjects = tuple(
            Subject(name, Digests(digest)) for name, digest in sorted(self.subjects.items())
        )
        told = Predicate(
            self.version, times.written(self.issued), times.written(self.expires), self.server
        )
        form = StatementForm("https://in-toto.io/Statement/v1", subjects, self.kind, told)
        payload = canonical.encode(form)
        Statement.read(payload)
        return payload

    @property
    def line(self) -> str:
        """What this is a version of."""
        return f"{self.kind} {self.server}".rstrip()


def pins_subject(server: str) -> str:
    """The name under which the Merkle root of a server's pins is vouched for."""
    return f"pins/{server}"


def entry_subject(server: str) -> str:
    """The name under which the registry entry of a server is vouched for."""
    return f"entry/{server}"


LOCK_SUBJECT: Final = "bawn.lock"
