"""Calls that policy asks about, end to end: official clients of both eras, and two or three people."""

from __future__ import annotations

import asyncio
import hmac
import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from itertools import count

import pytest
from mcp import MCPError
from mcp_types import ElicitResult, InputRequiredResult, InputResponses

from bawn.gateway.consent import KEY
from bawn.model import Json
from tests.conformance.subjects import direct
from tests.e2e.approvers import Office, Receiver, receiving
from tests.e2e.caller import a_caller
from tests.e2e.conftest import StartGate
from tests.e2e.consenting import ABLE, UNABLE, VERSIONS, Mood, play, python
from tests.e2e.gate_process import Gate, wait_until
from tests.e2e.oncall import HEAD, RULES, SECRET, People, grant, hired
from tests.e2e.policed import answers, audited, crowd, on_each_worker, reached, remote, written
from tests.e2e.remote_process import Raw, raw_server

pytestmark = [
    pytest.mark.e2e,
    # what 2026-07-28 retires is what a legacy client is here to use
    pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning"),
]

CLIENTS = pytest.mark.parametrize("kind", VERSIONS)
PYTHON = pytest.mark.parametrize("kind", ["python-modern", "python-legacy"])
_numbers = count(1)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with raw_server(tmp_path_factory.mktemp("raw")) as server:
        yield server


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def every() -> Iterator[str]:
    """A server with prompts and resources; its URL."""
    with direct() as url:
        yield url


@pytest.fixture(scope="module")
def up(
    every: str, raw: Raw, hook: Receiver, shared_gate: StartGate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Gate:  # fmt: skip
    policy = written(tmp_path_factory.mktemp("policy"), {"rules.cedar": RULES})
    head = HEAD.format(policy=policy, hook=hook.url)
    servers = head + remote(raw, "mine", "theirs", "two", "both") + f"  every: {{url: '{every}'}}\n"
    return shared_gate(servers, extra_env={"HOOK_SECRET": SECRET}).until_ok()


@pytest.fixture(scope="module")
def people(up: Gate) -> People:
    return hired(up)


@pytest.fixture
def ben(up: Gate, people: People) -> Office:
    return Office(up, people.ben)


@pytest.fixture
def arguments() -> Json:
    """Arguments that no other call has."""
    return {"order": f"swordfish-{next(_numbers)}"}


# ── the caller's own consent ────────────────────────────────────────────────────────────────────


@CLIENTS
async def test_a_caller_who_agrees_in_the_form_has_the_call_once(
    up: Gate, raw: Raw, people: People, kind: str, arguments: Json
) -> None:
    found = await play(kind, up, people.alice, "mine__echo", arguments)
    assert json.loads(found.says) == arguments
    assert found.version == VERSIONS[kind]
    assert [asked["mode"] for asked in found.asked] == ["form"]
    assert arguments["order"] in found.asked[0]["message"]
    assert reached(raw, "mine", **arguments) == 1


@CLIENTS
async def test_a_caller_who_declines_has_refused_the_call(
    up: Gate, raw: Raw, people: People, kind: str, arguments: Json
) -> None:
    found = await play(kind, up, people.alice, "mine__echo", arguments, Mood("decline"))
    assert (found.reason, len(found.asked)) == ("approval.denied", 1)
    again = await play("python-modern", up, people.alice, "mine__echo", arguments)
    assert (again.reason, again.asked) == ("approval.denied", [])
    assert reached(raw, "mine", **arguments) == 0


@PYTHON
async def test_a_form_that_was_closed_or_says_no_is_no_consent(
    up: Gate, raw: Raw, people: People, kind: str, arguments: Json
) -> None:
    closed = await play(kind, up, people.alice, "mine__echo", arguments, Mood("cancel"))
    assert closed.reason == "approval.pending"
    moods = Mood(content={"approve": False})
    unticked = await play(kind, up, people.alice, "mine__echo", arguments, moods)
    assert unticked.reason == "approval.denied"
    assert reached(raw, "mine", **arguments) == 0


# ── somebody else's ─────────────────────────────────────────────────────────────────────────────


@CLIENTS
async def test_a_client_is_shown_the_page_and_the_call_leaves_once_another_grants(
    up: Gate, raw: Raw, people: People, kind: str, arguments: Json
) -> None:
    found = await play(kind, up, people.alice, "theirs__echo", arguments, granter=people.ben)
    assert json.loads(found.says or "{}") == arguments, found
    assert [asked["mode"] for asked in found.asked] == ["url"]
    assert found.asked[0]["url"].startswith(f"{up.base}/approvals/")
    assert reached(raw, "theirs", **arguments) == 1


@CLIENTS
async def test_a_client_that_cannot_be_asked_is_told_and_passes_once_after_the_grant(
    up: Gate, raw: Raw, ben: Office, people: People, kind: str, arguments: Json
) -> None:
    call = (kind, up, people.alice, "theirs__echo", arguments, UNABLE)
    found = await play(*call)
    assert (found.reason, found.asked) == ("approval.pending", [])
    assert found.data["needs"] == "1 more of oncall"
    assert ben.show(found.data["approval"])["arguments"] == json.dumps(
        arguments, separators=(",", ":")
    )
    assert ben.grant(found.data["approval"]) == "granted"
    assert json.loads((await play(*call)).says) == arguments
    again = await play("python-modern", *call[1:])
    assert again.reason == "approval.pending"
    assert again.data["approval"] != found.data["approval"]
    assert reached(raw, "theirs", **arguments) == 1


@PYTHON
@pytest.mark.parametrize("way", ["api", "page", "link", "socket"])
async def test_a_call_that_waits_leaves_as_soon_as_another_person_grants_it(
    up: Gate, raw: Raw, hook: Receiver, people: People, kind: str, way: str, arguments: Json
) -> None:
    shown: asyncio.Queue[str] = asyncio.Queue()
    mood = Mood(visit=shown.put)
    calling = asyncio.create_task(
        play(kind, up, people.alice, "theirs__echo", arguments, mood)
    )  # the client says at once that the page was opened, and the call waits
    url = await asyncio.wait_for(shown.get(), 20)
    id_ = url.rpartition("/")[2]
    assert not calling.done()
    await asyncio.to_thread(grant, way, up, hook, people, url)
    assert json.loads((await calling).says) == arguments
    assert reached(raw, "theirs", **arguments) == 1
    approval = Office(up, people.ben).show(id_)
    assert approval["state"] == "used"
    (vote,) = approval["votes"]
    assert vote["verdict"] == "grant"
    if way != "socket":
        assert vote["who"] == {"api": "ben", "page": "cara", "link": "lena"}[way]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_prompts_and_resources_ask_as_tools_do(up: Gate, ben: Office, mode: str) -> None:
    async def visit(url: str) -> None:
        assert await asyncio.to_thread(ben.grant, url.rpartition("/")[2]) == "granted"

    heard: list[Json] = []
    whose = up.token(sub=f"reader {mode}")
    async with python(up.url, whose, mode, Mood(visit=visit), heard) as client:
        assert (await client.get_prompt("every__test_simple_prompt")).messages
        for uri in ("test://static-text", "test://template/5/data"):
            assert (await client.read_resource(uri)).contents
    assert [asked["mode"] for asked in heard] == ["url", "form", "form"]


async def test_the_webhook_is_signed_and_tells_no_argument(
    up: Gate, hook: Receiver, people: People, arguments: Json
) -> None:
    found = await play("python-modern", up, people.alice, "theirs__echo", arguments, UNABLE)
    headers, body = hook.of(found.data["approval"])[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = b64encode(hmac.new(SECRET.encode(), signed, sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    told = json.loads(body)
    assert (told["who"], told["server"], told["tool"]) == ("alice", "theirs", "echo")
    assert arguments["order"] not in body.decode()


async def test_a_no_of_another_person_ends_a_call_that_waits(
    up: Gate, raw: Raw, ben: Office, people: People, arguments: Json
) -> None:
    async def refuse(url: str) -> None:
        await asyncio.to_thread(ben.deny, url.rpartition("/")[2])

    found = await play(
        "python-modern", up, people.alice, "theirs__echo", arguments, Mood(visit=refuse)
    )
    assert found.reason == "approval.denied"
    assert reached(raw, "theirs", **arguments) == 0


async def test_where_both_are_asked_both_have_to_consent(
    up: Gate, raw: Raw, ben: Office, people: People, arguments: Json
) -> None:
    calling = asyncio.create_task(play("python-modern", up, people.alice, "both__echo", arguments))
    seen = await asyncio.to_thread(_confirmed, ben, arguments)
    assert not calling.done()
    assert (seen["needs"], [vote["who"] for vote in seen["votes"]]) == (
        "1 more of oncall", ["alice"],
    )  # fmt: skip
    assert ben.grant(seen["id"]) == "granted"
    assert json.loads((await calling).says) == arguments
    assert reached(raw, "both", **arguments) == 1


def _confirmed(office: Office, arguments: Json) -> Json:
    """The approval of a call with these arguments, once somebody has said something."""
    found: list[Json] = []

    def there() -> bool:
        listed = office.listed("pending")
        found[:] = [a for a in listed if arguments["order"] in a["arguments"] and a["votes"]]
        return bool(found)

    wait_until(there, what="the caller's consent")
    return found[0]


# ── who may ─────────────────────────────────────────────────────────────────────────────────────


async def test_dual_control_needs_two_different_people(
    up: Gate, raw: Raw, ben: Office, people: People, arguments: Json
) -> None:
    call = ("python-modern", up, people.alice, "two__echo", arguments, UNABLE)
    id_ = (await play(*call)).data["approval"]
    assert ben.grant(id_) == "pending"
    assert Office(up, up.token("oncall", sub="ben")).grant(id_) == "pending"  # the same person
    assert (await play(*call)).data["needs"] == "1 more of oncall"
    assert Office(up, people.cara).grant(id_) == "granted"
    assert json.loads((await play(*call)).says) == arguments
    assert reached(raw, "two", **arguments) == 1


async def test_nobody_approves_their_own_call_and_strangers_see_nothing(
    up: Gate, raw: Raw, ben: Office, people: People, arguments: Json
) -> None:
    call = ("python-modern", up, people.ben, "theirs__echo", arguments, UNABLE)
    id_ = (await play(*call)).data["approval"]
    assert ben.grant(id_) == "approval.unknown"
    assert Office(up, up.token("oncall", sub="ben")).grant(id_) == "approval.unknown"
    alice = Office(up, people.alice)
    assert alice.ask(f"/{id_}") == alice.ask(f"/{'0' * 32}")
    assert alice.grant(id_) == "approval.unknown"
    assert id_ not in {each["id"] for each in alice.listed()}
    assert (await play(*call)).reason == "approval.pending"
    assert reached(raw, "theirs", **arguments) == 0


# ── once, and only this ─────────────────────────────────────────────────────────────────────────


async def test_a_request_state_serves_once_for_what_it_was_given_and_for_nobody_else(
    up: Gate, raw: Raw, people: People, arguments: Json
) -> None:
    answer: InputResponses = {KEY: ElicitResult(action="accept", content={"approve": True})}
    async with (
        python(up.url, people.alice, "auto", ABLE, []) as client,
        python(up.url, people.ben, "auto", ABLE, []) as other,
    ):

        async def retry(state: str | None, by: object = client, **changed: str) -> str:
            session = other.session if by is other else client.session
            try:
                await session.call_tool(
                    "mine__echo", {**arguments, **changed}, input_responses=answer,
                    request_state=state, allow_input_required=True,
                )  # fmt: skip
            except MCPError as error:
                return str((error.data or {}).get("reason"))
            return "ok"

        asked = await client.session.call_tool("mine__echo", arguments, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        state = asked.request_state
        assert state
        middle = len(state) // 2
        flipped = state[:middle] + ("A" if state[middle] != "A" else "B") + state[middle + 1 :]
        assert await retry(flipped) == "state.invalid"
        assert await retry(state, order="another") == "state.invalid"
        assert await retry(state, by=other) == "state.invalid"
        assert reached(raw, "mine", **arguments) == 0
        assert await retry(state) == "ok"
        assert await retry(state) == "state.used"
        assert await retry(None) == "state.invalid"  # an answer to what nobody asked
    assert reached(raw, "mine", **arguments) == 1


async def test_of_many_calls_on_all_workers_one_uses_the_approval(
    up: Gate, raw: Raw, ben: Office, people: People, arguments: Json
) -> None:
    async with crowd(up, people.alice) as callers:
        one, another = (await on_each_worker(up, callers)).values()
        id_ = (await one.tool("theirs__echo", **arguments))["error"]["data"]["approval"]
        told = (await another.tool("theirs__echo", **arguments))["error"]["data"]
        assert told["approval"] == id_
        assert ben.grant(id_) == "granted"
        found = await answers(callers, "theirs__echo", **arguments)
    assert found == {"ok": 1, "approval.pending": len(callers) - 1}
    assert reached(raw, "theirs", **arguments) == 1
    assert ben.show(id_)["state"] == "used"


async def test_consent_to_one_call_serves_no_other(
    up: Gate, raw: Raw, ben: Office, people: People, arguments: Json
) -> None:
    async with a_caller(up.url, people.alice) as alice, a_caller(up.url, people.ben) as other:
        id_ = (await alice.tool("theirs__echo", **arguments))["error"]["data"]["approval"]
        assert ben.grant(id_) == "granted"
        assert await alice.refusal("theirs__echo", **arguments, more=1) == "approval.pending"
        assert await alice.refusal("theirs__headers", **arguments) == "approval.pending"
        assert await alice.refusal("two__echo", **arguments) == "approval.pending"
        assert await other.refusal("theirs__echo", **arguments) == "approval.pending"
        assert json.loads(await alice.text("theirs__echo", **arguments)) == arguments


# ── what remains ────────────────────────────────────────────────────────────────────────────────


async def test_the_audit_tells_who_asked_who_granted_and_that_it_was_used(
    up: Gate, ben: Office, people: People, arguments: Json
) -> None:
    theirs = ("python-modern", up, people.alice, "theirs__echo", arguments, UNABLE)
    id_ = (await play(*theirs)).data["approval"]
    assert ben.grant(id_, "as discussed") == "granted"
    await play(*theirs)
    await play("python-modern", up, people.alice, "mine__echo", arguments)
    told = audited(up)
    events = [(e["who"], e["method"]) for e in told if (e["sealed"] or {}).get("approval") == id_]
    assert events == [
        ("alice", "approval.asked"), ("ben", "approval.granted"), ("alice", "approval.used"),
    ]  # fmt: skip
    mine = [(e["who"], e["method"]) for e in told if e["decision"] == "event"][-3:]
    assert mine == [
        ("alice", "approval.asked"), ("alice", "approval.confirmed"), ("alice", "approval.used"),
    ]  # fmt: skip
    call = next(e for e in reversed(told) if e["server"] == "theirs" and e["decision"] == "allowed")
    assert f"approval {id_}" in call["rule"]


async def test_nothing_that_was_said_lies_readable_in_state_or_log(
    up: Gate, hook: Receiver, ben: Office, people: People, arguments: Json
) -> None:
    call = ("python-modern", up, people.alice, "theirs__echo", arguments, UNABLE)
    id_ = (await play(*call)).data["approval"]
    link = hook.link(id_)
    ben.grant(id_, "a-note-for-the-record")
    await play(*call)
    secrets = (
        b"swordfish", b"a-note-for-the-record", SECRET.encode(), people.ben.encode(),
        link.rpartition("/")[2].encode(),
    )  # fmt: skip
    kept = [path for path in up.state.rglob("*") if path.is_file()]
    assert any(path.name == "state.db" for path in kept)
    for path in [*kept, up.log]:
        found = path.read_bytes()
        assert not [secret for secret in secrets if secret in found], path
