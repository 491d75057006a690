"""Making roots: the first, and the one that follows it. Neither is signed yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from bawn.signing import canonical, times
from bawn.signing.envelope import Envelope
from bawn.signing.root import PAYLOAD, Entry, Role, RoleKeys, Root, RootForm
from bawn.signing.unverified import Unverified

LIFETIME: Final = 365 * 86_400.0
"""Seconds that a root counts, if nothing else is said."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a new version of the root has otherwise. A key that is left without a role is revoked.

    `remove` has key ids; they lose that role.
    """

    add: Sequence[tuple[Role, Entry]] = ()
    remove: Sequence[tuple[Role, str]] = ()
    thresholds: Mapping[Role, int] = field(default_factory=dict)


def first(changes: Changes, now: float, lifetime: float = LIFETIME) -> Envelope:
    """The first version of a root, with what is added; thresholds are 1 where nothing else is said.

    Raises:
        Unverified: it would be no root.
    """
    return _made(None, changes, now, lifetime)


def following(root: Root, changes: Changes, now: float, lifetime: float = LIFETIME) -> Envelope:
    """The next version of a root.

    Raises:
        Unverified: it would be no root, or what is to be removed is not there.
    """
    return _made(root, changes, now, lifetime)


def _made(old: Root | None, changes: Changes, now: float, lifetime: float) -> Envelope:
    roles: dict[Role, RoleKeys] = dict(old.form.roles) if old else {}
    entries = dict(old.form.keys) if old else {}
    for role, id_ in changes.remove:
        roles[role] = _without(role, roles.get(role), id_)
    for role, entry in changes.add:
        id_ = entry.key.id
        if entries.setdefault(id_, entry) != entry:
            raise Unverified("duplicate", f"the key of {entry.name} is there already, otherwise")
        held = roles[role].keyids if role in roles else ()
        threshold = roles[role].threshold if role in roles else 1
        roles[role] = RoleKeys(tuple(sorted({*held, id_})), threshold)
    for role, threshold in changes.thresholds.items():
        if role not in roles:
            raise Unverified("malformed", f"nobody has the role {role}")
        roles[role] = msgspec.structs.replace(roles[role], threshold=threshold)
    used = {id_ for holders in roles.values() for id_ in holders.keyids}
    form = RootForm(
        type="urn:bawn:root:1",
        version=old.form.version + 1 if old else 1,
        issued=times.written(now),
        expires=times.written(now + lifetime),
        keys={id_: entry for id_, entry in sorted(entries.items()) if id_ in used},
        roles=roles,
    )
    payload = canonical.encode(form)
    Root.read(payload, old.id if old else None)
    return Envelope(payload, PAYLOAD)


def _without(role: Role, holders: RoleKeys | None, id_: str) -> RoleKeys:
    if holders is None or id_ not in holders.keyids:
        raise Unverified("malformed", f"key {id_[:16]} does not have the role {role}")
    return msgspec.structs.replace(
        holders, keyids=tuple(each for each in holders.keyids if each != id_)
    )
