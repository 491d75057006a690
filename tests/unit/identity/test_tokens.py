"""The door: who is let in without a look, what is remembered, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bawn.errors import AUTH_EXPIRED, AUTH_INVALID, AUTH_MISSING, AUTH_UNAVAILABLE, Refused
from bawn.identity.metadata import Resources
from bawn.identity.oidc import Unreachable
from bawn.identity.tokens import (
    MOST_BAD,
    RECHECK,
    REMEMBER_BAD,
    Bearers,
    refuse_query_token,
)
from bawn.model import Peer, Principal
from bawn.ports import Identity
from tests.forge import BASE, JWKS, NOW, REMOTE, Clock, Site, claims, gate, sign

OWN = Peer("unix", uid=1000)
OTHER = Peer("unix", uid=1001)


class Judge:
    """A verifier that counts, may be held up, and does as told."""

    def __init__(self, answer: Callable[[bytes, float], Principal]) -> None:
        self.seen: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False
        self._answer = answer

    async def principal(self, token: bytes, now: float) -> Principal:
        self.seen.append(token)
        await self.gate.wait()
        return self._answer(token, now)

    async def aclose(self) -> None:
        self.closed = True


def good(token: bytes, now: float) -> Principal:
    return Principal(token.decode(), "test", frozenset(), expires=now + 3600)


def bad(token: bytes, now: float) -> Principal:
    raise Refused(AUTH_INVALID, detail="the signature does not fit")


def door(judge: Judge | None, known: int = 100, tenant: str = "") -> Bearers:
    return Bearers(
        judge, Resources(BASE, ()), known=known, local_roles=("operator",), local_tenant=tenant,
        uid=1000,
    )  # fmt: skip


async def reason_of(bearers: Bearers, value: bytes, now: float = NOW) -> str:
    with pytest.raises(Refused) as caught:
        await bearers.verify(value, now)
    return caught.value.reason.id


def test_it_fills_the_port() -> None:
    filled: Identity = door(None)
    assert isinstance(filled, Bearers)


async def test_only_whoever_needs_no_token_belongs_to_the_local_tenant() -> None:
    asking, open_ = door(Judge(good), tenant="acme"), door(None, tenant="acme")
    local, anybody = asking.recognise(None, OWN, NOW), open_.recognise(None, REMOTE, NOW)
    assert local is not None
    assert anybody is not None
    assert (local.tenant, local.agent, anybody.tenant) == ("acme", "", "acme")
    assert (await open_.verify(b"Bearer x", NOW)).tenant == "acme"
    assert open_.recognise(b"Bearer x", REMOTE, NOW) == anybody
    assert (await asking.verify(b"Bearer x", NOW)).tenant == ""


async def test_the_gates_own_user_is_known_by_its_socket() -> None:
    assert door(Judge(good)).recognise(None, OWN, NOW) == Principal(
        "uid:1000", "local", frozenset({"operator"}), expires=float("inf")
    )


async def test_another_local_user_needs_a_token() -> None:
    with pytest.raises(Refused) as caught:
        door(Judge(good)).recognise(None, OTHER, NOW)
    assert caught.value.reason is AUTH_MISSING
    assert "1001" in caught.value.detail


async def test_root_is_another_local_user() -> None:
    with pytest.raises(Refused):
        door(Judge(good)).recognise(None, Peer("unix", uid=0), NOW)


async def test_nobody_is_let_in_without_credentials() -> None:
    with pytest.raises(Refused) as caught:
        door(Judge(good)).recognise(None, REMOTE, NOW)
    assert caught.value.reason is AUTH_MISSING
    assert caught.value.challenge == (
        f'Bearer resource_metadata="{BASE}/.well-known/oauth-protected-resource/mcp"'
    )


async def test_a_local_peer_with_a_token_is_judged_by_the_token() -> None:
    bearers = door(Judge(bad))
    assert bearers.recognise(b"Bearer x", OWN, NOW) is None
    assert await reason_of(bearers, b"Bearer x") == "auth.invalid"
    with pytest.raises(Refused):
        bearers.recognise(b"Bearer x", OWN, NOW)


@pytest.mark.parametrize("value", [b"", b"Basic eDp5", b"Bearer"])
async def test_a_local_peer_with_a_header_of_another_kind_is_not_let_in(value: bytes) -> None:
    with pytest.raises(Refused):
        door(Judge(good)).recognise(value, OWN, NOW)


async def test_in_mode_none_everybody_is_the_same_anonymous_developer() -> None:
    bearers = door(None)
    nobody = bearers.recognise(None, REMOTE, NOW)
    assert nobody == Principal("anonymous", "none", frozenset({"developer"}), float("inf"))
    assert bearers.recognise(b"anything", REMOTE, NOW) is nobody
    assert await bearers.verify(b"anything", NOW) is nobody
    assert bearers.recognise(None, OTHER, NOW) is nobody


async def test_a_token_is_unknown_until_it_is_verified_and_known_then() -> None:
    judge = Judge(good)
    bearers = door(judge)
    assert bearers.recognise(b"Bearer x", REMOTE, NOW) is None
    principal = await bearers.verify(b"Bearer x", NOW)
    assert bearers.recognise(b"Bearer x", REMOTE, NOW) is principal
    assert await bearers.verify(b"Bearer x", NOW) is principal
    assert judge.seen == [b"x"]


async def test_a_token_is_never_known_past_its_end() -> None:
    bearers = gate(Site())
    value = b"Bearer " + sign(claims(exp=NOW + 10))
    principal = await bearers.verify(value, NOW)
    assert bearers.recognise(value, REMOTE, principal.expires - 0.001) is principal
    assert bearers.recognise(value, REMOTE, principal.expires) is None
    with pytest.raises(Refused) as caught:
        await bearers.verify(value, principal.expires)
    assert caught.value.reason is AUTH_EXPIRED


async def test_a_known_token_is_judged_anew_after_a_while() -> None:
    judge = Judge(good)
    bearers = door(judge)
    await bearers.verify(b"Bearer x", NOW)
    assert bearers.recognise(b"Bearer x", REMOTE, NOW + RECHECK - 1) is not None
    assert bearers.recognise(b"Bearer x", REMOTE, NOW + RECHECK) is None
    await bearers.verify(b"Bearer x", NOW + RECHECK)
    assert judge.seen == [b"x", b"x"]


async def test_a_withdrawn_signing_key_ends_the_tokens_it_signed() -> None:
    site, clock = Site(), Clock()
    bearers = gate(site, clock)
    value = b"Bearer " + sign(claims(exp=NOW + 86_400))
    await bearers.verify(value, NOW)
    site.publish()
    clock.now += RECHECK + 1
    assert bearers.recognise(value, REMOTE, NOW + RECHECK + 1) is None
    assert await reason_of(bearers, value, NOW + RECHECK + 1) == "auth.invalid"


async def test_a_token_that_turned_bad_is_forgotten() -> None:
    judge = Judge(good)
    bearers = door(judge)
    await bearers.verify(b"Bearer x", NOW)
    judge._answer = bad
    assert await reason_of(bearers, b"Bearer x", NOW + RECHECK) == "auth.invalid"
    with pytest.raises(Refused):  # even for a clock that is set back
        bearers.recognise(b"Bearer x", REMOTE, NOW)
    assert bearers.recognise(b"Bearer x", REMOTE, NOW + RECHECK + REMEMBER_BAD) is None


async def test_a_bad_token_costs_one_check_for_a_while() -> None:
    judge = Judge(bad)
    bearers = door(judge)
    assert await reason_of(bearers, b"Bearer x") == "auth.invalid"
    for _ in range(10):
        with pytest.raises(Refused) as caught:
            bearers.recognise(b"Bearer x", REMOTE, NOW + REMEMBER_BAD - 0.1)
        assert caught.value.reason is AUTH_INVALID
        assert "signature" in caught.value.detail
        assert caught.value.challenge
    assert judge.seen == [b"x"]
    assert bearers.recognise(b"Bearer x", REMOTE, NOW + REMEMBER_BAD) is None


async def test_an_issuer_that_cannot_be_asked_makes_no_token_bad() -> None:
    site, clock = Site(), Clock()
    bearers = gate(site, clock)
    keys, site.documents[JWKS] = site.documents[JWKS], Unreachable("down")
    value = b"Bearer " + sign()
    with pytest.raises(Refused) as caught:
        await bearers.verify(value, NOW)
    assert caught.value.reason is AUTH_UNAVAILABLE
    assert caught.value.challenge is None
    assert bearers.recognise(value, REMOTE, NOW) is None
    site.documents[JWKS] = keys
    clock.now += 6
    assert (await bearers.verify(value, NOW)).subject == "alice"


async def test_the_oldest_known_tokens_make_room_for_new_ones() -> None:
    bearers = door(Judge(good), known=3)
    for name in (b"a", b"b", b"c", b"d"):
        await bearers.verify(b"Bearer " + name, NOW)
    assert bearers.recognise(b"Bearer a", REMOTE, NOW) is None
    for name in (b"b", b"c", b"d"):
        assert bearers.recognise(b"Bearer " + name, REMOTE, NOW) is not None
    assert len(bearers._known) == 3


async def test_a_flood_of_bad_tokens_fills_a_bounded_memory() -> None:
    bearers = door(Judge(bad))
    for number in range(MOST_BAD + 10):
        await reason_of(bearers, b"Bearer %d" % number)
    assert len(bearers._bad) == MOST_BAD
    assert not bearers._known
    assert not bearers._verifying


async def test_callers_with_the_same_new_token_wait_for_one_verification() -> None:
    judge = Judge(good)
    judge.gate.clear()
    bearers = door(judge)
    waiting = [asyncio.create_task(bearers.verify(b"Bearer x", NOW)) for _ in range(20)]
    await asyncio.sleep(0)
    judge.gate.set()
    assert len(set(map(id, await asyncio.gather(*waiting)))) == 1
    assert judge.seen == [b"x"]


async def test_a_caller_that_goes_away_leaves_the_others_their_answer() -> None:
    judge = Judge(good)
    judge.gate.clear()
    bearers = door(judge)
    first = asyncio.create_task(bearers.verify(b"Bearer x", NOW))
    second = asyncio.create_task(bearers.verify(b"Bearer x", NOW))
    await asyncio.sleep(0)
    first.cancel()
    judge.gate.set()
    assert (await second).subject == "x"
    assert first.cancelled()
    assert judge.seen == [b"x"]


async def test_callers_who_are_refused_together_get_a_refusal_each() -> None:
    """A shared exception would carry one caller's traceback and challenge to the next."""
    bearers = door(Judge(bad))
    waiting = [bearers.verify(b"Bearer x", NOW) for _ in range(3)]
    refusals = await asyncio.gather(*waiting, return_exceptions=True)
    assert len(set(map(id, refusals))) == 3
    assert all(isinstance(refusal, Refused) for refusal in refusals)


async def test_a_verifier_that_breaks_lets_nobody_in_and_is_asked_again() -> None:
    def broken(token: bytes, now: float) -> Principal:
        raise RuntimeError("defect")

    judge = Judge(broken)
    bearers = door(judge)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await bearers.verify(b"Bearer x", NOW)
    assert len(judge.seen) == 2
    assert bearers.recognise(b"Bearer x", REMOTE, NOW) is None


async def test_closing_ends_what_is_under_way() -> None:
    judge = Judge(good)
    judge.gate.clear()
    bearers = door(judge)
    waiting = asyncio.create_task(bearers.verify(b"Bearer x", NOW))
    await asyncio.sleep(0)
    await bearers.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert judge.closed


@pytest.mark.parametrize(
    "query", [b"access_token=x", b"a=1&access_token=x", b"access%5Ftoken=x", b"access_token="]
)
def test_a_token_in_the_url_is_refused(query: bytes) -> None:
    with pytest.raises(Refused) as caught:
        refuse_query_token(query)
    assert caught.value.reason is AUTH_INVALID


@pytest.mark.parametrize(
    "query", [b"", b"x=access_token", b"%", b"a&b&&=", b"q=%ff", b"q=caf%C3%A9", b"\xff"]
)
def test_other_queries_are_no_concern(query: bytes) -> None:
    refuse_query_token(query)
