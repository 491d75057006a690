"""The registry is read by who may read it, each sees its own share, and nobody is told of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from starlette.applications import Starlette

from bawn.config.integrity import RegistryConfig
from bawn.config.model import Config
from bawn.config.server import Server
from bawn.console.deciders import Deciders
from bawn.console.registry import Registry
from bawn.model import Peer, Principal
from bawn.protocol.sealing import Sealer
from bawn.registry.collection import Collection
from bawn.transport.asgi import Receive, Scope, Send
from bawn.transport.cors import Cors
from tests.deciding import BASE, OWNER, REMOTE, FakeIdentity

CONFIG = Config(
    public_url=BASE,
    registry=RegistryConfig(namespace="com.example"),
    servers={
        "files": Server(command=("npx", "files@1.2.3"), purpose="Files"),
        "hidden": Server(url="https://hidden.example.com/mcp"),
        "wiki": Server(url="https://wiki.example.com/mcp", tenant="acme"),
        "old": Server(url="https://old.example.com/mcp", status="disabled"),
    },
)
LIST = "/v0.1/servers"
PAGE = "https://page.example.com"


class Front:
    def __init__(self, path: Path, *, open_: bool = False) -> None:
        self.identity = FakeIdentity()
        self.cut: set[str] = set()
        deciders = Deciders(
            self.identity,
            Sealer([b"k" * 32], lambda: b"n" * 12),
            lambda who: who.subject in self.cut,
            lambda who: False,
            lambda: 1e9,
            BASE,
        )
        known = Collection(CONFIG, path, 100.0)
        registry = Registry(known.published, deciders, self.visible, open_, Cors([PAGE]))
        self.app = Starlette(routes=registry.routes())

    def visible(self, principal: Principal) -> set[str]:
        return {"files", "wiki", "old"}

    def client(self, peer: Peer = REMOTE, **headers: str) -> httpx2.AsyncClient:
        async def called(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = {"peer": peer}
            await self.app(scope, receive, send)

        transport = httpx2.ASGITransport(app=cast(Any, called))
        return httpx2.AsyncClient(transport=transport, base_url=BASE, headers=headers)

    def as_(self, token: str) -> httpx2.AsyncClient:
        return self.client(authorization=f"Bearer {token}")


@pytest.fixture
def front(tmp_path: Path) -> Front:
    return Front(tmp_path)


def names(answer: httpx2.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["server"]["name"] for each in answer.json()["servers"]]


async def test_a_caller_sees_what_it_may_use_of_its_own_tenant(front: Front) -> None:
    assert names(await front.as_("ada").get(LIST)) == ["com.example/files"]
    assert names(await front.as_("later.ada").get("/v0/servers")) == ["com.example/files"]
    assert names(await front.client(OWNER).get(LIST)) == ["com.example/files"]
    front.identity.changes = {"tenant": "acme"}
    assert names(await front.as_("ada").get(LIST)) == ["com.example/wiki"]


async def test_what_is_served_leads_through_the_gate(front: Front) -> None:
    answer = await front.as_("ada").get(f"{LIST}/com.example%2Ffiles/versions/latest")
    server = answer.json()["server"]
    assert server["remotes"] == [{"type": "streamable-http", "url": f"{BASE}/mcp/files"}]
    assert server["version"] == "1.2.3"
    assert "packages" not in server
    same = await front.as_("ada").get(f"{LIST}/com.example/files/versions/1.2.3")
    assert same.content == answer.content
    several = await front.as_("ada").get(f"{LIST}/com.example%2Ffiles/versions")
    assert several.json()["servers"] == [answer.json()]


@pytest.mark.parametrize("name", ["hidden", "wiki", "old", "nope", "..%2F..%2Fetc"])
async def test_what_is_not_for_the_caller_is_as_if_it_were_not(front: Front, name: str) -> None:
    for rest in ("versions", "versions/latest"):
        answer = await front.as_("ada").get(f"{LIST}/com.example%2F{name}/{rest}")
        assert (answer.status_code, answer.json()) == (404, {"error": "Server not found"})


async def test_without_good_credentials_there_is_nothing(front: Front) -> None:
    answer = await front.client().get(LIST)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert list(answer.json()) == ["error"]
    assert (await front.as_("bad").get(LIST)).status_code == 401
    assert (await front.as_("ada").get(f"{LIST}?access_token=x")).status_code == 401
    front.cut.add("ada")
    assert (await front.as_("ada").get(LIST)).status_code == 403


async def test_an_open_registry_shows_anybody_what_belongs_to_no_tenant(tmp_path: Path) -> None:
    front = Front(tmp_path, open_=True)
    answer = await front.client().get(LIST)
    assert names(answer) == ["com.example/files", "com.example/hidden"]
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert (await front.as_("bad").get(LIST)).status_code == 401
    assert names(await front.as_("ada").get(LIST)) == ["com.example/files"]


async def test_an_answer_that_is_known_is_not_sent_again(front: Front) -> None:
    first = await front.as_("ada").get(LIST)
    assert first.headers["cache-control"] == "private, no-cache"
    tag = first.headers["etag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        again = await front.as_("ada").get(LIST, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
    other = await front.as_("ada").get(LIST, headers={"if-none-match": '"x"'})
    assert other.status_code == 200


@pytest.mark.parametrize("asked", ["limit=0", "cursor=%ff", "limit=1&limit=2", "updated_since=x"])
async def test_a_bad_parameter_is_told_in_the_official_form(front: Front, asked: str) -> None:
    answer = await front.as_("ada").get(f"{LIST}?{asked}")
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]


async def test_pages_of_listed_origins_may_read_it_and_no_others(front: Front) -> None:
    client = front.client()
    asked = {"access-control-request-method": "GET"}
    allowed = await client.options(LIST, headers={**asked, "origin": PAGE})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, PAGE)
    refused = await client.options(LIST, headers={**asked, "origin": "https://evil.example"})
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (405, False)
    answer = await front.as_("ada").get(LIST, headers={"origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["vary"] == "Authorization, Origin"


async def test_it_is_read_only(front: Front) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert (await front.as_("ada").request(method, LIST)).status_code == 405
