"""Calls that wait for consent, and the votes on them, over all workers and restarts.

Each change is one statement, so that workers which change the same row at once agree on the outcome.
A vote counts in the very statement that brings it: the trigger `votes_count` of the schema grants what
has enough of them. Who asked for what lies sealed; digests are keyed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

import msgspec

from bawn.storage.database import Database

SWEEP: Final = 300.0  # seconds between looks for what can be forgotten
KEPT: Final = 86_400.0
"""Seconds for which one that is over can still be looked at."""
KEPT_OF_ONE: Final = 256
"""Of one caller that are over and kept: what it may ask and answer itself must not fill the disk."""

Verdict: TypeAlias = Literal["grant", "deny"]

_COLUMNS: Final = "id, tenant, owner, digest, policy, state, needed, within, created, until, sealed"
_VOTE: Final = (
    "INTO votes (approval, approver, verdict, serves, at, sealed) SELECT id, ?, ?, ?, ?, ? "
    "FROM approvals WHERE id = ? AND policy = ? AND until > ? AND state IN "
)
_GRANT: Final = f"INSERT OR IGNORE {_VOTE} ('pending')"
_DENY: Final = f"INSERT OR REPLACE {_VOTE} ('pending', 'granted')"

_encode: Final = msgspec.json.Encoder().encode
_indices: Final = msgspec.json.Decoder(tuple[int, ...]).decode


class Stored(msgspec.Struct, frozen=True):
    """One request for consent. `state` is pending, granted, denied, used or expired.

    `digest` is of what is asked for and `owner` of who asks. `needed` is how many people each ask
    needs, by its place. `until` is when consent can no longer be given, and once it is, used.
    """

    id: str
    tenant: str
    owner: str
    digest: str
    policy: str
    state: str
    needed: tuple[int, ...]
    within: float
    created: float
    until: float
    sealed: str


class Vote(msgspec.Struct, frozen=True):
    """What one person said: `approver` is a digest of who, `serves` the places of the asks it counts for."""

    approver: str
    verdict: Verdict
    serves: tuple[int, ...]
    at: float
    sealed: str


class StoredApprovals:
    """The requests for consent in the database; `clock` gives seconds since the epoch.

    Raises:
        Refused: store.unavailable, from every method.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._swept = 0.0

    def find(self, id_: str) -> Stored | None:
        """The request of this id, over or not."""
        return self._one("id = ?", id_)

    def standing(self, digest: str) -> Stored | None:
        """The one for just this that waits, is granted or is denied, and is not over."""
        return self._one(
            "digest = ? AND state IN ('pending', 'granted', 'denied') AND until > ?",
            digest, self._clock(),
        )  # fmt: skip

    def listed(self, tenant: str, state: str, limit: int, skip: int = 0) -> list[Stored]:
        """The newest of a tenant, newest first: those that stand in this state, or with "" all."""
        order = "ORDER BY created DESC, id LIMIT ? OFFSET ?"
        if not state:
            return self._several(f"tenant = ? {order}", tenant, limit, skip)
        standing = f"tenant = ? AND state = ? AND until > ? {order}"
        return self._several(standing, tenant, state, self._clock(), limit, skip)

    def waiting(self, owner: str, policy: str) -> int:
        """How many of this caller's wait under this policy."""
        found = self._database.rows(
            "SELECT count(*) FROM approvals "
            "WHERE owner = ? AND state = 'pending' AND until > ? AND policy = ?",
            owner, self._clock(), policy,
        )  # fmt: skip
        return int(found[0][0])

    def add(self, new: Stored, most: int) -> bool:
        """Let it wait, unless one for just this stands or `most` of its owner's wait already."""
        now = self._clock()
        self._sweep(now)
        self._database.change(
            "UPDATE approvals SET state = 'expired' "
            "WHERE digest = ? AND state IN ('pending', 'granted', 'denied') AND until <= ?",
            new.digest, now,
        )  # fmt: skip
        added = self._database.change(
            f"INSERT INTO approvals ({_COLUMNS}, told) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0 "  # noqa: S608
            "WHERE (SELECT count(*) FROM approvals "
            "WHERE owner = ? AND state = 'pending' AND until > ? AND policy = ?) < ? "
            "ON CONFLICT DO NOTHING",
            new.id, new.tenant, new.owner, new.digest, new.policy, new.state,
            _encode(new.needed).decode(), new.within, new.created, new.until, new.sealed,
            new.owner, now, new.policy, most,
        )  # fmt: skip
        self._database.change(
            "DELETE FROM approvals WHERE id IN (SELECT id FROM approvals "
            "WHERE owner = ? AND (state NOT IN ('pending', 'granted') OR until <= ?) "
            "ORDER BY created DESC LIMIT -1 OFFSET ?)",
            new.owner, now, KEPT_OF_ONE,
        )  # fmt: skip
        return added == 1

    def votes(self, id_: str) -> list[Vote]:
        """What was said to a request, in that order."""
        found = self._database.rows(
            "SELECT approver, verdict, serves, at, sealed FROM votes "
            "WHERE approval = ? ORDER BY at, approver",
            id_,
        )
        return [
            Vote(who, verdict, _indices(serves), at, s) for who, verdict, serves, at, s in found
        ]

    def vote(self, id_: str, policy: str, vote: Vote) -> bool:
        """Say yes or no to one that waits, or no to one that is granted and not used; False: too late.

        Each person counts once. A no takes back the same person's yes, and never the other way round.
        """
        said = self._database.change(
            _DENY if vote.verdict == "deny" else _GRANT,
            vote.approver, vote.verdict, _encode(vote.serves).decode(), vote.at, vote.sealed,
            id_, policy, self._clock(),
        )  # fmt: skip
        return said == 1

    def use(self, id_: str, policy: str) -> bool:
        """Use up what is granted; False when it is not, or no longer."""
        used = self._database.change(
            "UPDATE approvals SET state = 'used' "
            "WHERE id = ? AND state = 'granted' AND until > ? AND policy = ?",
            id_, self._clock(), policy,
        )  # fmt: skip
        return used == 1

    # ── for who tells approvers ─────────────────────────────────────────────────────────────────

    def untold(self) -> list[Stored]:
        """Those that wait and of which not everybody was told, the oldest first."""
        return self._several(
            "told = 0 AND until > ? AND state = 'pending' ORDER BY until LIMIT 256", self._clock()
        )

    def noticed(self, id_: str) -> frozenset[str]:
        """Who was told, by digest."""
        found = self._database.rows("SELECT recipient FROM notices WHERE approval = ?", id_)
        return frozenset(recipient for (recipient,) in found)

    def notice(self, id_: str, recipient: str) -> None:
        """Remember that this one was told."""
        self._database.change("INSERT OR IGNORE INTO notices VALUES (?, ?)", id_, recipient)

    def told(self, id_: str) -> None:
        """Remember that there is nobody left to tell."""
        self._database.change("UPDATE approvals SET told = 1 WHERE id = ?", id_)

    def _one(self, where: str, *parameters: Any) -> Stored | None:
        return next(iter(self._several(where, *parameters)), None)

    def _several(self, where: str, *parameters: Any) -> list[Stored]:
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM approvals WHERE {where}",  # noqa: S608 - ours, no value within
            *parameters,
        )
        return [_stored(row) for row in rows]

    def _sweep(self, now: float) -> None:
        if abs(now - self._swept) > SWEEP:
            self._swept = now
            self._database.change("DELETE FROM approvals WHERE until < ?", now - KEPT)


def _stored(row: tuple[Any, ...]) -> Stored:
    fields = dict(zip(Stored.__struct_fields__, row, strict=True))
    return Stored(**fields | {"needed": _indices(fields["needed"])})
