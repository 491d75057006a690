"""Finding an issuer's keys, keeping them fresh, and what happens when it cannot be asked."""

from __future__ import annotations

import asyncio
import json

import pytest

from bawn.config import Issuer
from bawn.config.kinds import is_loopback
from bawn.errors import AUTH_INVALID, AUTH_UNAVAILABLE, Refused
from bawn.identity.oidc import (
    FRESH,
    REFETCH,
    RETRY,
    STALE,
    IssuerKeys,
    Oidc,
    Unreachable,
    is_confidential,
    metadata_urls,
)
from tests.forge import (
    EC,
    ISSUER,
    JWKS,
    METADATA,
    NOW,
    OTHER_EC,
    Clock,
    Site,
    claims,
    public,
    rules,
    sign,
)

DOWN = Unreachable("connection refused")


class Setting:
    """An issuer's site, a clock, and the keys as the gate sees them."""

    def __init__(self, issuer: str = ISSUER, jwks_uri: str | None = None) -> None:
        self.site = Site(public(EC, kid="old"))
        self.clock = Clock()
        configured = Issuer(issuer=issuer, jwks_uri=jwks_uri)
        self.keys = IssuerKeys(configured, self.site.fetch, self.clock)

    async def find(self, kid: str | None = "old", alg: str = "ES256") -> str:
        return (await self.keys.find(kid, alg)).thumbprint

    async def refusal(self, kid: str = "old") -> Refused:
        with pytest.raises(Refused) as caught:
            await self.find(kid)
        return caught.value

    def fetches(self) -> int:
        return self.site.asked.count(JWKS)


async def test_keys_are_found_through_the_metadata() -> None:
    setting = Setting()
    assert await setting.find() == EC.thumbprint()
    assert setting.site.asked == [METADATA, JWKS]


async def test_keys_are_fetched_once_while_they_are_fresh() -> None:
    setting = Setting()
    await setting.find()
    setting.clock.now += FRESH
    await setting.find()
    assert setting.fetches() == 1
    setting.clock.now += 1
    await setting.find()
    assert setting.fetches() == 2


async def test_a_configured_jwks_uri_needs_no_metadata() -> None:
    setting = Setting(jwks_uri=JWKS)
    del setting.site.documents[METADATA]
    assert await setting.find() == EC.thumbprint()
    assert setting.site.asked == [JWKS]


async def test_a_new_key_is_taken_up_without_restart_after_one_fetch() -> None:
    setting = Setting()
    await setting.find()
    setting.clock.now += REFETCH
    setting.site.publish(public(OTHER_EC, kid="new"))
    assert await setting.find("new") == OTHER_EC.thumbprint()
    assert setting.fetches() == 2
    assert (await setting.refusal("old")).reason is AUTH_INVALID


async def test_unknown_key_ids_cannot_make_us_ask_more_than_twice_a_minute() -> None:
    setting = Setting()
    await setting.find()
    for number in range(100):
        assert (await setting.refusal(f"junk{number}")).reason is AUTH_INVALID
    assert setting.fetches() == 1
    setting.clock.now += REFETCH
    for number in range(100):
        await setting.refusal(f"junk{number}")
    assert setting.fetches() == 2


async def test_callers_wait_for_one_fetch_together() -> None:
    setting = Setting()
    found = await asyncio.gather(*(setting.find() for _ in range(20)))
    assert found == [EC.thumbprint()] * 20
    assert setting.site.asked == [METADATA, JWKS]


async def test_a_caller_that_goes_away_does_not_stop_the_fetch() -> None:
    setting = Setting()
    first = asyncio.create_task(setting.find())
    second = asyncio.create_task(setting.find())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == EC.thumbprint()


async def test_known_keys_go_on_while_the_issuer_is_down_but_not_for_ever() -> None:
    setting = Setting()
    await setting.find()
    setting.site.documents[JWKS] = DOWN
    setting.clock.now += FRESH + STALE
    assert await setting.find() == EC.thumbprint()
    setting.clock.now += 1
    refusal = await setting.refusal()
    assert refusal.reason is AUTH_UNAVAILABLE
    assert refusal.reason.status == 503
    assert "connection refused" in refusal.detail
    assert ISSUER in refusal.detail


async def test_a_new_key_id_while_the_issuer_is_down_is_not_called_bad() -> None:
    setting = Setting()
    await setting.find()
    setting.site.documents[JWKS] = DOWN
    setting.clock.now += REFETCH
    assert (await setting.refusal("new")).reason is AUTH_UNAVAILABLE
    assert await setting.find("old") == EC.thumbprint()


async def test_an_issuer_that_was_never_reached_lets_nobody_in_and_is_not_hammered() -> None:
    setting = Setting()
    setting.site.documents[METADATA] = DOWN
    for _ in range(10):
        assert (await setting.refusal()).reason is AUTH_UNAVAILABLE
    assert setting.site.asked == [METADATA]
    setting.site.documents[METADATA] = json.dumps({"issuer": ISSUER, "jwks_uri": JWKS}).encode()
    setting.clock.now += RETRY
    assert await setting.find() == EC.thumbprint()


async def test_a_failed_fetch_keeps_the_keys_we_have() -> None:
    setting = Setting()
    await setting.find()
    for broken in (None, b"", b"<html>", b"[]", b'{"keys":1}', b'{"keys":[],"keys":[]}', DOWN):
        setting.site.documents[JWKS] = broken
        setting.clock.now += FRESH + 1
        assert await setting.find() == EC.thumbprint()


async def test_a_key_that_is_published_no_longer_vouches_no_longer() -> None:
    setting = Setting()
    await setting.find()
    setting.site.documents[JWKS] = b'{"keys":[]}'
    setting.clock.now += FRESH + 1
    assert (await setting.refusal()).reason is AUTH_INVALID


@pytest.mark.parametrize(
    "issuer",
    [ISSUER + "/", ISSUER.upper(), "https://evil.example", None, [ISSUER], ISSUER + "/tenant"],
)
async def test_metadata_of_any_other_issuer_does_not_count(issuer: object) -> None:
    setting = Setting()
    document = {"issuer": issuer, "jwks_uri": JWKS}
    setting.site.documents[METADATA] = json.dumps(document).encode()
    assert (await setting.refusal()).reason is AUTH_UNAVAILABLE
    assert setting.fetches() == 0


@pytest.mark.parametrize(
    "uri",
    [
        None,
        7,
        "",
        "keys",
        "http://idp.example.com/keys",
        "http://127.0.0.1/keys",
        "file:///etc/passwd",
        "https://user@idp.example.com/keys",
        "https:///keys",
    ],
)
async def test_keys_are_not_taken_from_where_others_could_have_put_them(uri: object) -> None:
    setting = Setting()
    document = {"issuer": ISSUER, "jwks_uri": uri}
    setting.site.documents[METADATA] = json.dumps(document).encode()
    assert (await setting.refusal()).reason is AUTH_UNAVAILABLE
    assert all(url.startswith(f"{ISSUER}/.well-known/") for url in setting.site.asked)


async def test_a_loopback_issuer_may_publish_its_keys_on_loopback() -> None:
    local = "http://127.0.0.1:9000"
    setting = Setting(local)
    document = {"issuer": local, "jwks_uri": f"{local}/keys"}
    setting.site.documents[f"{local}/.well-known/openid-configuration"] = json.dumps(
        document
    ).encode()
    setting.site.documents[f"{local}/keys"] = setting.site.documents[JWKS]
    assert await setting.find() == EC.thumbprint()


async def test_documents_that_do_not_fit_do_not_end_the_search() -> None:
    setting = Setting()
    right = setting.site.documents[METADATA]
    setting.site.documents[METADATA] = b"<html>every path is my front page</html>"
    setting.site.documents[f"{ISSUER}/.well-known/openid-configuration"] = right
    assert await setting.find() == EC.thumbprint()


@pytest.mark.parametrize(
    ("issuer", "urls"),
    [
        (
            "https://a.example",
            (
                "https://a.example/.well-known/oauth-authorization-server",
                "https://a.example/.well-known/openid-configuration",
            ),
        ),
        (
            "https://a.example/",
            (
                "https://a.example/.well-known/oauth-authorization-server",
                "https://a.example/.well-known/openid-configuration",
            ),
        ),
        (
            "https://a.example:8443/tenant/one",
            (
                "https://a.example:8443/.well-known/oauth-authorization-server/tenant/one",
                "https://a.example:8443/.well-known/openid-configuration/tenant/one",
                "https://a.example:8443/tenant/one/.well-known/openid-configuration",
            ),
        ),
    ],
)
def test_metadata_is_looked_for_in_the_order_of_the_specification(
    issuer: str, urls: tuple[str, ...]
) -> None:
    assert metadata_urls(issuer) == urls


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("https://idp.example.com", True),
        ("http://localhost:9000", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:9000/x", True),
        ("http://idp.example.com", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://10.0.0.1", False),
        ("ftp://localhost", False),
        ("https://user@idp.example.com", False),
        ("https://idp.example.com/#x", False),
        ("//idp.example.com", False),
    ],
)
def test_only_what_nobody_in_between_can_change_is_believed(url: str, verdict: bool) -> None:
    assert is_confidential(url) is verdict


def test_a_host_is_this_machine_by_its_very_name_only() -> None:
    assert is_loopback("::1")
    assert not is_loopback("127.1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("")


async def test_a_token_is_judged_by_the_issuers_key_and_the_connections_are_closed() -> None:
    setting = Setting()
    setting.site.publish(public(EC, kid="ec"))
    closed: list[bool] = []

    async def close() -> None:
        closed.append(True)

    oidc = Oidc(rules(), setting.keys, close)
    assert (await oidc.principal(sign(claims()), NOW)).subject == "alice"
    await oidc.aclose()
    assert closed == [True]


async def test_closing_gives_up_a_fetch_under_way() -> None:
    started, never = asyncio.Event(), asyncio.Event()

    async def fetch(url: str) -> bytes | None:
        started.set()
        await never.wait()
        return None

    keys = IssuerKeys(Issuer(issuer=ISSUER), fetch, Clock())
    waiting = asyncio.create_task(keys.find("old", "ES256"))
    await started.wait()
    await keys.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting
