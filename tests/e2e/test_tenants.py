"""Two tenants behind one gate: what is of one cannot be seen, named or guessed at by the other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import pytest

from bawn.model import Json
from bawn.protocol import versions
from tests.conformance.server.resources import SKILLS
from tests.conformance.server.tasks import TASKS
from tests.conformance.subjects import direct
from tests.e2e.approvers import Office
from tests.e2e.caller import ACCEPT, Caller, a_caller
from tests.e2e.conftest import StartGate
from tests.e2e.gate_process import Gate
from tests.e2e.policed import audited, remote, written
from tests.e2e.remote_process import Raw, raw_server

pytestmark = pytest.mark.e2e

HERS, NOBODYS = "acme", "gone"
"""A server of the other tenant, and one that does not exist; of equal length, as lengths are told."""

META: Json = {versions.META_CAPABILITIES: {"extensions": {TASKS: {}, SKILLS: {}}}}
EVERYBODY = '@id("all") permit (principal, action in Action::"use", resource);\n'
ASKS = """
@id("asks") @ask("oncall")
forbid (principal, action == Action::"call acme/test_image_content", resource);
"""
NOT_HERE = '@id("not-here") forbid (principal, action == Action::"call bolt/headers", resource);'
MINUTE: Json = {"seconds": 60, "label": "long"}


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with raw_server(tmp_path_factory.mktemp("raw")) as server:
        yield server


@pytest.fixture(scope="module")
def fixture() -> Iterator[str]:
    """A server with every feature; its URL."""
    with direct() as url:
        yield url


@pytest.fixture(scope="module")
def up(
    fixture: str, raw: Raw, shared_gate: StartGate, tmp_path_factory: pytest.TempPathFactory
) -> Gate:
    place = written(
        tmp_path_factory.mktemp("policy"),
        {
            "all.cedar": EVERYBODY,
            "tenants/acme/asks.cedar": ASKS,
            "tenants/bolt/no.cedar": NOT_HERE,
        },
    )
    head = f"policy: '{place}'\nservers:\n"
    acme = f"  acme: {{url: '{fixture}', tenant: acme}}\n"
    servers = acme + remote(raw, "bolt", tenant="bolt") + remote(raw, "free")
    return shared_gate(head + servers).until_ok()


@pytest.fixture(params=["bolt", ""], ids=["another-tenant", "no-tenant"])
def stranger(request: pytest.FixtureRequest, up: Gate) -> str:
    """The token of somebody who is not of acme."""
    return up.token("developer", "oncall", sub="sam", tenant=request.param)


@pytest.fixture
def hers(up: Gate) -> str:
    """The token of somebody of acme."""
    return up.token(sub="ada", tenant="acme")


def seen(reply: httpx2.Response) -> Json:
    """All of a reply but what is of this very request."""
    headers = {k: v for k, v in reply.headers.items() if k not in ("date", "content-length")}
    try:
        body = reply.json()
    except ValueError:
        body = reply.text
    if isinstance(body, dict):
        body.pop("id", None)
        body.get("error", {}).get("data", {}).pop("trace", None)
    return {"status": reply.status_code, "headers": headers, "body": body}


async def alike(caller: Caller, method: str, hers: Json, nobodys: Json) -> Json:
    """What both are answered, which must be the same."""
    first, second = [seen(await caller.send(method, params)) for params in (hers, nobodys)]
    assert first == second
    return first


# ── what is listed ──────────────────────────────────────────────────────────────────────────────


async def test_lists_hold_what_is_of_the_callers_own_tenant_alone(
    up: Gate, hers: str, stranger: str
) -> None:
    async with a_caller(up.url, hers, META) as ada, a_caller(up.url, stranger, META) as sam:
        for kind, shown in (
            ("tools", "tools"), ("prompts", "prompts"), ("resources", "resources"),
            ("resources/templates", "resourceTemplates"),
        ):  # fmt: skip
            own = (await ada.ask(f"{kind}/list"))["result"][shown]
            assert own
            assert "bolt" not in str(own)
            others = json.dumps((await sam.ask(f"{kind}/list"))["result"][shown])
            assert "acme" not in others
            assert "test" not in others
        told = json.dumps((await sam.ask("server/discover"))["result"])
        assert "acme" not in told
        assert TASKS not in told
        assert SKILLS not in told
        capabilities = (await ada.ask("server/discover"))["result"]["capabilities"]
        assert {TASKS, SKILLS} <= capabilities["extensions"].keys()


# ── endpoints ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/list", {}),
        ("tools/call", {"name": "add_numbers", "arguments": {"a": 1}}),
        ("server/discover", {}),
        ("resources/read", {"uri": "test://static-text"}),
        ("skills/list", {}),
        ("tasks/get", {"taskId": "x"}),
        ("subscriptions/listen", {"notifications": {"toolsListChanged": True}}),
    ],
)
async def test_an_endpoint_of_another_tenant_answers_as_one_that_does_not_exist(
    up: Gate, stranger: str, method: str, params: Json
) -> None:
    async with (
        a_caller(f"{up.url}/{HERS}", stranger, META) as one,
        a_caller(f"{up.url}/{NOBODYS}", stranger, META) as other,
    ):
        first, second = seen(await one.send(method, params)), seen(await other.send(method, params))
    assert first == second
    assert first["status"] == 404


async def test_no_http_method_and_no_legacy_client_tells_it_apart_either(
    up: Gate, stranger: str
) -> None:
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {}},
    }  # fmt: skip
    requests: list[Json] = [
        {"method": "POST", "json": hello},
        {"method": "POST", "content": b"{"},
        {"method": "GET", "headers": {"mcp-session-id": "x"}},
        {"method": "DELETE", "headers": {"mcp-session-id": "x"}},
        {"method": "PUT"},
    ]
    async with a_caller(up.url, stranger) as caller:
        caller.http.headers.update(ACCEPT)
        for request in requests:
            found = [
                seen(await caller.http.request(url=f"{up.url}/{name}", **request))
                for name in (HERS, NOBODYS)
            ]
            assert found[0] == found[1], request
            assert found[0]["status"] >= 400, request
        told = [seen(await caller.http.get(_metadata(up, name))) for name in (HERS, NOBODYS)]
        assert json.dumps(told[0]).replace(HERS, NOBODYS) == json.dumps(told[1])


def _metadata(up: Gate, server: str) -> str:
    return f"{up.base}/.well-known/oauth-protected-resource/mcp/{server}"


# ── names ───────────────────────────────────────────────────────────────────────────────────────


NAMES: list[tuple[str, Json, Json]] = [
    ("tools/call", {"name": "acme__add_numbers"}, {"name": "gone__add_numbers"}),
    ("tools/call", {"name": "acme__test_image_content"}, {"name": "acme__no_such_tool"}),
    ("prompts/get", {"name": "acme__test_simple_prompt"}, {"name": "gone__test_simple_prompt"}),
    ("resources/read", {"uri": "test://static-text"}, {"uri": "test://no-such-text"}),
    ("resources/read", {"uri": "test://template/5/data"}, {"uri": "test://tomplate/5/data"}),
]


@pytest.mark.parametrize(("method", "hers", "nobodys"), NAMES)
async def test_a_name_of_another_tenant_is_answered_as_one_that_does_not_exist(
    up: Gate, stranger: str, method: str, hers: Json, nobodys: Json
) -> None:
    async with a_caller(up.url, stranger, META) as sam:
        found = await alike(sam, method, hers, nobodys)
    assert found["body"]["error"]["data"]["reason"] == "target.unknown"


@pytest.mark.parametrize("method", ["skills/list", "skills/get", "resources/directory/read"])
async def test_a_method_that_only_another_tenant_has_is_one_that_nobody_has(
    up: Gate, stranger: str, method: str
) -> None:
    params = {"uri": "skill://greeting"}
    async with a_caller(up.url, stranger, META) as sam:
        first = seen(await sam.send(method, params))
        second = seen(await sam.send(f"no{method}", params))
    assert first == second
    assert first["body"]["error"]["data"]["reason"] == "method.unknown"


async def test_completions_tell_nothing(up: Gate, stranger: str) -> None:
    def about(**ref: str) -> Json:
        return {"ref": ref, "argument": {"name": "arg1", "value": "p"}}

    async with a_caller(up.url, stranger, META) as sam:
        found = await alike(
            sam,
            "completion/complete",
            about(type="ref/prompt", name="acme__test_prompt_with_arguments"),
            about(type="ref/prompt", name="gone__test_prompt_with_arguments"),
        )
        assert found["status"] >= 400
        await alike(
            sam,
            "completion/complete",
            about(type="ref/resource", uri="test://template/{id}/data"),
            about(type="ref/resource", uri="test://tomplate/{id}/data"),
        )


async def test_a_subscription_to_a_resource_of_another_tenant_is_as_to_none(
    up: Gate, stranger: str
) -> None:
    async with a_caller(up.url, stranger) as caller:
        caller.http.headers.update(ACCEPT)
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {}}
        begun = await _legacy(caller, "initialize", hello)
        caller.http.headers["mcp-session-id"] = begun.headers["mcp-session-id"]
        found = [
            seen(await _legacy(caller, "resources/subscribe", {"uri": f"test://{which}-resource"}))
            for which in ("watched", "wotched")
        ]
    assert found[0] == found[1]
    assert "error" in found[0]["body"]


async def _legacy(caller: Caller, method: str, params: Json) -> httpx2.Response:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return await caller.http.post(caller.url, json=body)


# ── what was handed out ─────────────────────────────────────────────────────────────────────────


async def test_a_task_serves_in_no_other_tenant(up: Gate, hers: str, stranger: str) -> None:
    async with a_caller(up.url, hers, META) as ada, a_caller(up.url, stranger, META) as sam:
        call = {"name": "acme__slow_compute", "arguments": MINUTE}
        begun = (await ada.ask("tools/call", call))["result"]
        id_ = begun["taskId"]
        assert (await ada.ask("tasks/get", {"taskId": id_}))["result"]["status"] == "working"
        other = id_[:-4] + ("AAAA" if id_[-4:] != "AAAA" else "BBBB")
        for method in ("tasks/get", "tasks/cancel", "tasks/update"):
            more: Json = {"inputResponses": {}} if method == "tasks/update" else {}
            found = await alike(sam, method, {"taskId": id_, **more}, {"taskId": other, **more})
            assert "error" in found["body"]
        assert (await ada.ask("tasks/get", {"taskId": id_}))["result"]["status"] == "working"


async def test_an_approval_is_seen_and_decided_in_its_own_tenant_alone(
    up: Gate, hers: str, stranger: str
) -> None:
    async with a_caller(up.url, hers, META) as ada:
        told = (await ada.tool("acme__test_image_content"))["error"]["data"]
    id_, nothing = told["approval"], "0" * 32
    sam = Office(up, stranger)
    for path, method in (
        ("", "GET"), ("/grant", "POST"), ("/deny", "POST"),
    ):  # fmt: skip
        assert sam.ask(f"/{id_}{path}", method) == sam.ask(f"/{nothing}{path}", method)
        assert sam.ask(f"/{id_}{path}", method)[0] == 404
    assert id_ not in {each["id"] for each in sam.listed()}
    ours = Office(up, up.token("oncall", sub="olga", tenant="acme"))
    assert ours.show(id_)["state"] == "pending"
    assert up.run("approvals", "show", id_).returncode == 1  # the gate's own user is of no tenant


# ── rules and records ───────────────────────────────────────────────────────────────────────────


async def test_rules_of_a_tenant_are_for_its_own_callers_alone(up: Gate) -> None:
    async with a_caller(up.url, up.token(sub="bob", tenant="bolt")) as bob:
        assert await bob.text("bolt__echo")
        assert await bob.refusal("bolt__headers") == "target.unknown"
        assert await bob.refusal("free__echo") == "target.unknown"
    async with a_caller(up.url, up.token(sub="fay")) as fay:
        assert await fay.text("free__headers")
    bolts = [json.loads(line) for line in _tail(up, "bolt")]
    assert {call["tenant"] for call in bolts} == {"bolt"}
    assert "bob" in {call["who"] for call in bolts}
    assert {"bob", "fay"} <= {call["who"] for call in audited(up)}


def _tail(up: Gate, tenant: str) -> list[str]:
    return up.cli("audit", "tail", "--json", "--tenant", tenant).splitlines()
