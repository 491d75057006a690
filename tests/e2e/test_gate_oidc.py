"""A gate whose callers come from an external issuer: real documents, real tokens, rotation."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.e2e.caller import Caller
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate
from tests.e2e.local_server import local
from tests.e2e.test_oidc import LoopbackIssuer
from tests.forge import EC, OTHER_EC, claims, header, public, sign

pytestmark = pytest.mark.e2e


@pytest_asyncio.fixture
async def issuer() -> AsyncIterator[LoopbackIssuer]:
    made = LoopbackIssuer()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def up(issuer: LoopbackIssuer, gate: StartGate, tmp_path: Path) -> Gate:
    identity = (
        f"identity: {{mode: oidc, issuers: [{{issuer: '{issuer.url}', roles_claim: groups, "
        "roles: {mcp-devs: developer}}]}\n"
    )
    servers = identity + "servers:\n" + local("files", "legacy", diary=tmp_path / "diary")
    return gate(servers).until_ok("files")


def token(up: Gate, issuer: LoopbackIssuer, kid: str = "old", **changes: Any) -> str:
    """A token of the issuer for this gate, unless changed."""
    now = time.time()
    honest: dict[str, Any] = {
        "iss": issuer.url, "aud": up.url, "iat": now, "exp": now + 600,
        "roles": [], "groups": ["mcp-devs"],
    }  # fmt: skip
    key = EC if kid == "old" else OTHER_EC
    return sign(claims(**{**honest, **changes}), header(kid=kid), key=key).decode()


async def status(up: Gate, bearer: str) -> tuple[int, str]:
    """The HTTP status of a list with this token, and the challenge."""
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {bearer}"}) as http:
        reply = await Caller(http, up.url).send("tools/list")
        return reply.status_code, reply.headers.get("www-authenticate", "")


async def test_the_issuers_tokens_are_let_in_and_others_are_not(
    up: Gate, issuer: LoopbackIssuer
) -> None:
    assert (await status(up, token(up, issuer)))[0] == 200
    for changes in ({"aud": f"{up.base}/mcp/files/x"}, {"iss": "http://127.0.0.1:1"}, {"exp": 1}):
        code, challenge = await status(up, token(up, issuer, **changes))
        assert code == 401, changes
        assert 'error="invalid_token"' in challenge
        assert (
            f'resource_metadata="{up.base}/.well-known/oauth-protected-resource/mcp"' in challenge
        )


async def test_a_group_is_mapped_to_its_role_and_a_stranger_sees_nothing(
    up: Gate, issuer: LoopbackIssuer
) -> None:
    async with httpx2.AsyncClient() as http:
        for groups, some in ((["mcp-devs"], True), (["sales"], False)):
            bearer = token(up, issuer, groups=groups)
            http.headers["authorization"] = f"Bearer {bearer}"
            answer = await Caller(http, up.url).ask("tools/list")
            assert bool(answer["result"]["tools"]) is some


async def test_the_metadata_names_the_issuer(up: Gate, issuer: LoopbackIssuer) -> None:
    async with httpx2.AsyncClient() as http:
        reply = await http.get(f"{up.base}/.well-known/oauth-protected-resource/mcp")
        assert reply.json()["authorization_servers"] == [issuer.url]
        assert reply.json()["resource"] == up.url


async def test_an_unknown_key_is_looked_for_but_not_at_every_token(
    up: Gate, issuer: LoopbackIssuer
) -> None:
    assert (await status(up, token(up, issuer)))[0] == 200
    issuer.keys = [public(OTHER_EC, kid="new")]

    # an unknown key id makes the gate look again, at most every 30 s: it has just looked
    code, _ = await status(up, token(up, issuer, kid="new"))
    fetched = issuer.asked.count("/keys")

    assert code == 401
    assert fetched == 1


async def test_while_the_issuer_is_away_nobody_new_is_let_in(
    up: Gate, issuer: LoopbackIssuer
) -> None:
    await issuer.stop()
    try:
        code, _ = await status(up, token(up, issuer))
        assert code == 503
    finally:
        await issuer.start()
