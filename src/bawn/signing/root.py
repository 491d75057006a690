"""The trust root: whose keys count for what, for how long, and how many have to sign.

In the manner of The Update Framework (https://theupdateframework.github.io/specification/latest/,
sections 4.3 and 5.3): one key may have several roles, and what a newer root does not list is revoked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from bawn.signing import canonical, times
from bawn.signing.keys import KeyValue, PublicKey
from bawn.signing.trusted import Quorum, Trusted
from bawn.signing.unverified import Unverified

Role: TypeAlias = Literal["organisation", "publisher", "reviewer"]
"""Who signs roots, entries and packages of servers, and pins and lockfiles."""

PAYLOAD: Final = "application/vnd.bawn.root+json"
KEYS: Final = 256
"""The most keys of one root."""

Version = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z")]
Pattern = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9*-]{1,64}\Z")]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key of a root: whose it is, until when it counts, and for which servers, if not for all.

    A key that is limited to servers counts for those alone, so it signs neither lockfiles nor roots.
    """

    keytype: Literal["ed25519"]
    scheme: Literal["ed25519"]
    keyval: KeyValue
    name: Name
    expires: str = ""
    servers: Annotated[tuple[Pattern, ...], msgspec.Meta(max_length=256)] = ()

    @classmethod
    def of(
        cls, key: PublicKey, name: str, expires: str = "", servers: tuple[str, ...] = ()
    ) -> Entry:
        """The entry of a key."""
        form = key.form
        return cls(form.keytype, form.scheme, form.keyval, name, expires, servers)

    @property
    def key(self) -> PublicKey:
        """The key itself.

        Raises:
            Unverified: malformed.
        """
        return PublicKey.read(self.keyval.public)

    def unfit(self, now: float, server: str | None) -> str:
        """Why the key does not count for this server (None: for all of them); empty when it does."""
        if self.expires and times.read(self.expires) <= now:
            return f"({self.name}) expired {self.expires}"
        if self.servers and not (
            server and any(fnmatchcase(server, each) for each in self.servers)
        ):
            return f"({self.name}) counts for {', '.join(self.servers)} alone"
        return ""


class RoleKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of a role by id, and how many of them have to sign."""

    keyids: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=KEYS)]
    threshold: Annotated[int, msgspec.Meta(ge=1, le=KEYS)]


class RootForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed: a version of the root."""

    type: Literal["urn:bawn:root:1"]
    version: Version
    issued: str
    expires: str
    keys: Annotated[dict[str, Entry], msgspec.Meta(max_length=KEYS)]
    roles: dict[Role, RoleKeys]


@dataclass(frozen=True, slots=True)
class Root:
    """A version of the trust root. `id` is the digest of its first version, `digest` that of this one.

    It says nothing about being trusted: that is `Trusted[Root]`.
    """

    id: str
    digest: str
    form: RootForm
    keys: Mapping[str, PublicKey]
    issued: float
    expires: float

    @classmethod
    def read(cls, payload: bytes, id_: str | None = None) -> Root:
        """A root from what is signed; without `id_` it is the first of its line.

        Raises:
            Unverified: malformed or duplicate.
        """
        form = canonical.decode(payload, RootForm)
        issued, expires = times.read(form.issued), times.read(form.expires)
        if issued >= expires:
            raise Unverified("malformed", "the root ends before it begins")
        keys = {id_: entry.key for id_, entry in form.keys.items()}
        for claimed, key in keys.items():
            if claimed != key.id:
                raise Unverified("malformed", f"key {claimed[:16]} is listed by an id not its own")
        for entry in form.keys.values():
            if entry.expires:
                times.read(entry.expires)
        for role, holders in form.roles.items():
            _check_role(role, holders, form.keys)
        if "organisation" not in form.roles:
            raise Unverified("malformed", "the root has no role `organisation`")
        digest = canonical.digest(payload)
        return cls(id_ or digest, digest, form, keys, issued, expires)

    def quorum(self, role: Role, now: float, server: str | None = None) -> Quorum:
        """Who has to sign in this role, for one server or (None) for all of them at once.

        Raises:
            Unverified: threshold: nobody has this role.
        """
        holders = self.form.roles.get(role)
        if holders is None:
            raise Unverified("threshold", f"the trust root gives nobody the role {role}")
        fit: dict[str, PublicKey] = {}
        unfit = {id_: f"({entry.name}) is no {role}" for id_, entry in self.form.keys.items()}
        for id_ in holders.keyids:
            unfit[id_] = self.form.keys[id_].unfit(now, server)
            if not unfit[id_]:
                del unfit[id_]
                fit[id_] = self.keys[id_]
        return Quorum(role, fit, holders.threshold, unfit)

    def alive(self, now: float) -> None:
        """Check that the root has not expired.

        Raises:
            Unverified: expired.
        """
        if self.expires <= now:
            raise Unverified(
                "expired",
                f"version {self.form.version} of the trust root expired {self.form.expires}",
            )


def names(root: Trusted[Root], ids: frozenset[str]) -> tuple[str, ...]:
    """Whose keys these are, as the root has it."""
    return tuple(sorted(root.value.form.keys[id_].name for id_ in ids & root.value.keys.keys()))


def _check_role(role: Role, holders: RoleKeys, keys: Mapping[str, Entry]) -> None:
    if len(set(holders.keyids)) != len(holders.keyids):
        raise Unverified("duplicate", f"role {role} lists a key twice")
    if unknown := set(holders.keyids) - set(keys):
        raise Unverified(
            "malformed", f"role {role} lists a key {min(unknown)[:16]!r} that is not there"
        )
    if holders.threshold > len(holders.keyids):
        raise Unverified("threshold", f"role {role} needs more signatures than it has keys")
    if role == "organisation" and any(keys[id_].servers for id_ in holders.keyids):
        raise Unverified("malformed", "a key of the organisation is limited to servers")
    if role == "organisation" and any(keys[id_].expires for id_ in holders.keyids):
        # An old one could date a root back to when it was alive. Roots expire, and keys are rotated.
        raise Unverified("malformed", "a key of the organisation expires by itself")
