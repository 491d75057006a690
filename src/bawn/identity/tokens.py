"""Bearer tokens as they arrive: the door that every request passes, and its short memory.

A token verified before is one dictionary look-up. It is judged anew every five minutes, so that a
signing key which its issuer withdraws stops working soon, whatever the token's own lifetime. A bad
token is remembered for some seconds, by digest: repeating it costs no second signature check.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol, TypeVar
from urllib.parse import parse_qsl

from msgspec.structs import replace

from bawn.errors import AUTH_INVALID, AUTH_MISSING, AUTH_UNAVAILABLE, Reason, Refused
from bawn.identity.jwt import LONGEST
from bawn.identity.metadata import Resources
from bawn.model import Peer, Principal

RECHECK: Final = 300.0  # seconds
REMEMBER_BAD: Final = 5.0  # seconds; short, for a key published a moment later makes it good
MOST_BAD: Final = 4096

_SCHEME: Final = b"bearer "
_B64TOKEN: Final = b"-._~+/=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LONGEST_HEADER: Final = len(_SCHEME) + LONGEST


ANONYMOUS: Final = Principal("anonymous", "none", frozenset({"developer"}), expires=float("inf"))

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Bad:
    """Why a token was refused, and until when that is taken as known."""

    until: float
    reason: Reason
    detail: str


class Verifier(Protocol):
    """Judges tokens never seen before."""

    async def principal(self, token: bytes, now: float) -> Principal:
        """Whom the token speaks for.

        Raises:
            Refused: an auth.* reason.
        """

    async def aclose(self) -> None:
        """Let go of connections."""


class Bearers:
    """Fills `ports.Identity`; without a verifier nobody is asked, and everybody is `anonymous`.

    `known` bounds how many verified tokens are remembered. `uid` is whose local peers are let in;
    they, and `anonymous`, belong to `local_tenant`.
    """

    def __init__(
        self,
        verifier: Verifier | None,
        resources: Resources,
        *,
        known: int,
        local_roles: Iterable[str],
        local_tenant: str = "",
        uid: int | None = None,
    ) -> None:
        self._verifier = verifier
        self.resources = resources
        self._most = known
        self._uid = os.geteuid() if uid is None else uid
        self._local = Principal(
            f"uid:{self._uid}", "local", frozenset(local_roles), float("inf"), tenant=local_tenant
        )
        self._anybody = replace(ANONYMOUS, tenant=local_tenant)
        # The keys are whole headers. Hashing is keyed by the interpreter, so neither collisions nor
        # timing help anybody to find one.
        self._known: dict[bytes, tuple[float, Principal]] = {}
        self._bad: dict[bytes, _Bad] = {}
        self._verifying: dict[bytes, asyncio.Task[Principal | _Bad]] = {}

    def recognise(self, authorization: bytes | None, peer: Peer, now: float) -> Principal | None:
        """The principal when no I/O is needed, else None: then `verify` tells.

        `authorization` is the header's raw value, None when there is none.

        Raises:
            Refused: auth.missing, or what is known to be wrong with the token.
        """
        if authorization is None:
            return self._without_token(peer)
        known = self._known.get(authorization)
        if known is not None and now < known[0]:
            return known[1]
        return self._not_known(authorization, now)

    async def verify(self, authorization: bytes, now: float) -> Principal:
        """The principal of a token not seen before; one verification serves all who wait for it.

        Raises:
            Refused: an auth.* reason, with its challenge.
        """
        known = self._known.get(authorization)
        if known is not None and now < known[0]:
            return known[1]
        task = self._verifying.get(authorization)
        if task is None:
            task = asyncio.create_task(self._judge(authorization, now))
            self._verifying[authorization] = task
            task.add_done_callback(lambda done: self._judged(authorization, done))
        # shielded: one caller going away must not take the answer from the others
        outcome = await asyncio.shield(task)
        if isinstance(outcome, _Bad):
            raise self._refused(outcome.reason, outcome.detail)
        return outcome

    async def aclose(self) -> None:
        """Give up what is being verified, and let go of connections."""
        for task in list(self._verifying.values()):
            task.cancel()
        if self._verifier is not None:
            await self._verifier.aclose()

    def _without_token(self, peer: Peer) -> Principal:
        if peer.uid == self._uid:
            return self._local
        if self._verifier is None:
            return self._anybody
        if peer.uid is not None:
            who = f"user {peer.uid} is not the gate's own ({self._uid}), and sent no token"
            raise self._refused(AUTH_MISSING, who)
        raise self._refused(AUTH_MISSING, "no Authorization header")

    def _not_known(self, authorization: bytes, now: float) -> Principal | None:
        if self._verifier is None:
            return self._anybody
        bad = self._bad.get(sha256(self._token(authorization)).digest())
        if bad is not None and now < bad.until:
            raise self._refused(bad.reason, f"{bad.detail} (as a moment ago)")
        return None

    async def _judge(self, authorization: bytes, now: float) -> Principal | _Bad:
        if self._verifier is None:
            return self._anybody
        token = self._token(authorization)
        try:
            principal = await self._verifier.principal(token, now)
        except Refused as refused:
            self._known.pop(authorization, None)
            bad = _Bad(now + REMEMBER_BAD, refused.reason, refused.detail)
            if refused.reason is not AUTH_UNAVAILABLE:
                _remember(self._bad, sha256(token).digest(), bad, MOST_BAD)
            return bad
        until = min(now + RECHECK, principal.expires)
        _remember(self._known, authorization, (until, principal), self._most)
        return principal

    def _judged(self, authorization: bytes, done: asyncio.Task[Principal | _Bad]) -> None:
        del self._verifying[authorization]
        if not done.cancelled():
            done.exception()  # looked at here, for those who waited may all have gone away

    def _token(self, authorization: bytes) -> bytes:
        """The token of `Bearer TOKEN`: one space, the characters of RFC 6750, at most 16 KiB."""
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            # Another scheme, or none: as RFC 6750 has it, no credentials were presented at all.
            raise self._refused(AUTH_MISSING, "expected `Bearer` and a token")
        if len(authorization) > _LONGEST_HEADER:
            raise self._refused(AUTH_INVALID, f"the token is longer than {LONGEST} bytes")
        token = authorization[len(_SCHEME) :]
        if not token or token.translate(None, _B64TOKEN):
            raise self._refused(AUTH_INVALID, "expected one token, without spaces, after `Bearer `")
        return token

    def _refused(self, reason: Reason, detail: str) -> Refused:
        """With the challenge of /mcp; who knows the endpoint puts its own in place."""
        return Refused(reason, detail=detail, challenge=self.resources.challenge(reason, None))


def refuse_query_token(query: bytes) -> None:
    """Refuse a token in the URL, where logs and histories would keep it (RFC 6750, section 2.3).

    Raises:
        Refused: auth.invalid.
    """
    if query and any(
        # decoded before it is split: what is escaped in a query need not be ASCII
        name == "access_token"
        for name, _ in parse_qsl(query.decode("latin-1"), True)
    ):
        raise Refused(AUTH_INVALID, detail="a token came in the URL, expected the header only")


def _remember(memory: dict[bytes, _T], key: bytes, entry: _T, most: int) -> None:
    """Keep the newest `most` entries; a dictionary knows its oldest."""
    memory.pop(key, None)
    while len(memory) >= most:
        del memory[next(iter(memory))]
    memory[key] = entry
