"""A real issuer on loopback: keys fetched over HTTP, rotated, and out of reach."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bawn.config import Config, IdentityConfig, Issuer
from bawn.errors import AUTH_INVALID, AUTH_UNAVAILABLE, Refused
from bawn.identity.build import build_identity
from bawn.identity.fetch import LARGEST, Fetcher
from bawn.identity.jwt import Rules
from bawn.identity.metadata import Resources
from bawn.identity.oidc import FRESH, REFETCH, RETRY, STALE, IssuerKeys, Oidc
from bawn.identity.tokens import Bearers
from bawn.model import Principal
from bawn.storage.directory import StateDirectory
from tests.forge import BASE, EC, OTHER_EC, Clock, claims, header, public, sign

pytestmark = pytest.mark.e2e

Document = Callable[[str], Mapping[str, Any]]


class LoopbackIssuer:
    """An authorization server's two documents, served by asyncio; `asked` are the paths."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.keys: list[Mapping[str, Any]] = [public(EC, kid="old")]
        self.extra: dict[str, bytes] = {}  # whole replies by path, instead of the documents
        self._port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; again on the same port after a stop."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Refuse connections from now on."""
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split(b" ")[1].decode()
        self.asked.append(path)
        writer.write(self.extra.get(path) or self._reply(path))
        await writer.drain()
        writer.close()

    def _reply(self, path: str) -> bytes:
        documents: dict[str, Mapping[str, Any]] = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
            },
            "/keys": {"keys": self.keys},
        }
        if path not in documents:
            return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        return reply(json.dumps(documents[path]).encode())


def reply(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Gate:
    """Bearers on the issuer, with real HTTP and a clock moved by hand."""

    def __init__(self, issuer: LoopbackIssuer) -> None:
        self._issuer = issuer
        self.clock = Clock()
        fetcher = Fetcher()
        keys = IssuerKeys(Issuer(issuer=issuer.url), fetcher, self.clock)
        rules = Rules(issuer.url, BASE, frozenset({"ES256"}))
        oidc = Oidc(rules, keys, fetcher.aclose)
        resources = Resources(BASE, (issuer.url,))
        self.bearers = Bearers(oidc, resources, known=100, local_roles=())

    def token(self, kid: str, **changes: Any) -> bytes:
        """A token of the issuer, signed with the old or the new key."""
        now = time.time()
        payload = claims(**{"iss": self._issuer.url, "iat": now, "exp": now + 600, **changes})
        return sign(payload, header(kid=kid), key=EC if kid == "old" else OTHER_EC)

    async def verify(self, token: bytes) -> Principal:
        return await self.bearers.verify(b"Bearer " + token, time.time())

    async def refusal(self, token: bytes) -> Refused:
        with pytest.raises(Refused) as caught:
            await self.verify(token)
        return caught.value


@asynccontextmanager
async def gate_on(issuer: LoopbackIssuer) -> AsyncIterator[Gate]:
    await issuer.start()
    gate = Gate(issuer)
    try:
        yield gate
    finally:
        await gate.bearers.aclose()
        await issuer.stop()


async def test_a_token_is_accepted_with_keys_found_by_discovery() -> None:
    issuer = LoopbackIssuer()
    async with gate_on(issuer) as gate:
        assert (await gate.verify(gate.token("old"))).subject == "alice"
        assert issuer.asked == [
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
            "/keys",
        ]


async def test_a_rotated_key_is_taken_up_after_one_refetch_and_the_old_one_ends() -> None:
    issuer = LoopbackIssuer()
    async with gate_on(issuer) as gate:
        await gate.verify(gate.token("old"))
        issuer.keys = [public(OTHER_EC, kid="new")]
        gate.clock.now += REFETCH
        assert (await gate.verify(gate.token("new"))).subject == "alice"
        assert issuer.asked.count("/keys") == 2
        assert (await gate.refusal(gate.token("old", sub="bob"))).reason is AUTH_INVALID
        assert issuer.asked.count("/keys") == 2


async def test_many_new_tokens_at_once_cost_one_fetch() -> None:
    issuer = LoopbackIssuer()
    async with gate_on(issuer) as gate:
        tokens = [gate.token("old", sub=f"agent{number}") for number in range(20)]
        found = await asyncio.gather(*map(gate.verify, tokens))
        assert len({principal.subject for principal in found}) == 20
        assert issuer.asked.count("/keys") == 1


async def test_an_issuer_out_of_reach_means_unavailable_until_it_is_back() -> None:
    issuer = LoopbackIssuer()
    async with gate_on(issuer) as gate:
        await issuer.stop()
        refusal = await gate.refusal(gate.token("old"))
        assert refusal.reason is AUTH_UNAVAILABLE
        assert refusal.reason.status == 503
        assert refusal.challenge is None
        await issuer.start()
        gate.clock.now += RETRY
        assert (await gate.verify(gate.token("old"))).subject == "alice"


async def test_keys_at_hand_outlive_an_outage_of_an_hour_and_no_longer() -> None:
    issuer = LoopbackIssuer()
    async with gate_on(issuer) as gate:
        await gate.verify(gate.token("old"))
        await issuer.stop()
        gate.clock.now += FRESH + STALE
        assert (await gate.verify(gate.token("old", sub="bob"))).subject == "bob"
        gate.clock.now += 1
        assert (await gate.refusal(gate.token("old", sub="eve"))).reason is AUTH_UNAVAILABLE
        await issuer.start()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply(b"", "302 Found", "location: /keys2"), id="redirect"),
        pytest.param(reply(b"x" * (LARGEST + 1)), id="too large"),
        pytest.param(reply(b"{}", "200 OK", "content-encoding: gzip"), id="compressed"),
        pytest.param(reply(b"{}"), id="no key set"),
        pytest.param(reply(b"", "500 Oops"), id="broken"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", id="cut short"),
        pytest.param(b"nonsense\r\n\r\n", id="not http"),
    ],
)
async def test_no_strange_answer_lets_anybody_in(answer: bytes) -> None:
    issuer = LoopbackIssuer()
    issuer.extra["/keys"] = answer
    async with gate_on(issuer) as gate:
        assert (await gate.refusal(gate.token("old"))).reason is AUTH_UNAVAILABLE
        assert "/keys2" not in issuer.asked


async def test_the_configuration_alone_is_enough(tmp_path: Any) -> None:
    issuer = LoopbackIssuer()
    await issuer.start()
    identity = IdentityConfig(mode="oidc", issuers=(Issuer(issuer=issuer.url),))
    state = StateDirectory(tmp_path / "state")
    bearers = build_identity(Config(identity=identity), state, insecure_no_auth=False)
    token = Gate(issuer).token("old")
    assert (await bearers.verify(b"Bearer " + token, time.time())).roles == {"developer"}
    await bearers.aclose()
    await issuer.stop()
