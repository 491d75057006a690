"""What is held back is seen, released and destroyed by whoever may, and each act is in the audit first."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from starlette.applications import Starlette

from bawn.console.deciders import Deciders
from bawn.console.quarantine import PATH, QuarantineApi
from bawn.model import Detection, Item, Json, Kind, Severity
from bawn.ports import Audit, Found
from bawn.protocol.sealing import Sealer
from bawn.storage import StateDirectory
from bawn.storage.quarantine import Held, Quarantine
from bawn.transport.asgi import Receive, Scope, Send
from tests.approving import NOW, FakeAudit, person
from tests.deciding import BASE, REMOTE, FakeIdentity

TOOL = Item(Kind.TOOL, "mail", "read", "mail__read", {"name": "read"})
RESULT: Json = {"content": [{"type": "text", "text": "held words"}]}
FOUND = (Found("/content/0/text", Detection("output/x", Severity.HIGH, 0, 4, "e"), "quarantine"),)
ADA = "ada.developer"


class House:
    def __init__(self, path: Path) -> None:
        self.state = StateDirectory(path / "state")
        self.store = Quarantine(self.state, 14, lambda: NOW)
        self.audit = FakeAudit()
        self.identity = FakeIdentity()

    def put(self, who: str = "ada", tenant: str = "") -> Held:
        principal = person(who, "developer", tenant=tenant)
        return self.store.put(principal, TOOL, "tools/call", "7" * 32, FOUND, RESULT)

    def client(self, token: str, tenant: str = "") -> httpx2.AsyncClient:
        self.identity.changes = {"tenant": tenant}
        deciders = Deciders(
            self.identity,
            Sealer([b"k" * 32], lambda: b"n" * 12),
            lambda who: who.subject == "cut",
            lambda who: bool(who.roles & {"auditor"}),
            lambda: NOW,
            BASE,
        )
        roles = frozenset({"operator"})
        api = QuarantineApi(self.store, deciders, cast(Audit, self.audit), roles)
        app = Starlette(routes=api.routes)

        async def called(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = {"peer": REMOTE}
            await app(scope, receive, send)

        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=cast(Any, called)),
            base_url=BASE,
            headers={"authorization": f"Bearer {token}"},
        )


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_operators_see_all_of_their_tenant_and_callers_their_own(house: House) -> None:
    mine, hers, theirs = house.put(), house.put("eve"), house.put("ada", "acme")

    async def seen(token: str, tenant: str = "") -> set[str]:
        found = (await house.client(token, tenant).get(PATH)).json()["held"]
        return {each["handle"] for each in found}

    assert await seen("ann.operator") == {mine.handle, hers.handle}
    assert await seen("sue.auditor") == {mine.handle, hers.handle}
    assert await seen(ADA) == {mine.handle}
    assert await seen("bob.developer") == set()
    assert await seen(ADA, "acme") == {theirs.handle}


async def test_a_caller_has_the_content_once_it_is_released_and_not_before(house: House) -> None:
    held = house.put()
    before = (await house.client(ADA).get(f"{PATH}/{held.handle}?content=true")).json()
    assert (before["state"], "result" in before) == ("held", False)
    assert house.audit.events == []
    released = await house.client("ann.operator").post(f"{PATH}/{held.handle}/release")
    assert released.json()["released"] == {"by": "ann", "at": NOW}
    for _ in range(2):
        after = (await house.client(ADA).get(f"{PATH}/{held.handle}")).json()
        assert (after["state"], after["result"]) == ("released", RESULT)
    told = [what for _, what in house.audit.told]
    assert told == ["quarantine.released", "quarantine.fetched", "quarantine.fetched"]
    detail = house.audit.events[0][3]
    assert (detail["handle"], detail["of"], detail["rules"]) == (held.handle, "ada", ["output/x"])


async def test_who_decides_sees_the_content_by_asking_for_it_and_that_is_recorded(
    house: House,
) -> None:
    held = house.put()
    ann = house.client("ann.operator")
    assert "result" not in (await ann.get(f"{PATH}/{held.handle}")).json()
    assert house.audit.told == []
    shown = (await ann.get(f"{PATH}/{held.handle}?content=true")).json()
    assert shown["result"] == RESULT
    assert shown["found"][0]["rule"] == "output/x"
    assert house.audit.told == [("ann", "quarantine.shown")]


async def test_what_was_found_is_quoted_to_who_looks_after_the_gate_and_to_no_caller(
    house: House,
) -> None:
    held = house.put()

    async def quoted(token: str) -> str:
        client = house.client(token)
        (listed,) = (await client.get(PATH)).json()["held"]
        one = (await client.get(f"{PATH}/{held.handle}")).json()
        assert listed["found"] == one["found"]
        return str(one["found"][0]["evidence"])

    assert [await quoted(each) for each in ("ann.operator", "sue.auditor", ADA)] == ["e", "e", ""]


async def test_no_place_tells_a_secret_that_is_the_name_of_a_field(house: House) -> None:
    secret = Detection("secret/x", Severity.HIGH, 0, 4, "e")
    found = (
        Found("key:/structuredContent/pl4nted", secret, "quarantine"),
        Found("/structuredContent/pl4nted/a", secret, "quarantine"),
    )
    house.store.put(person("ada", "developer"), TOOL, "tools/call", "7" * 32, found, RESULT)
    answer = await house.client("ann.operator").get(PATH)
    assert "pl4nted" not in answer.text
    assert [each["place"] for each in answer.json()["held"][0]["found"]] == [
        "/structuredContent/*"
    ] * 2


async def test_who_only_oversees_neither_reads_nor_decides(house: House) -> None:
    held = house.put()
    sue = house.client("sue.auditor")
    assert "result" not in (await sue.get(f"{PATH}/{held.handle}?content=true")).json()
    for verb in ("release", "discard"):
        answer = await sue.post(f"{PATH}/{held.handle}/{verb}")
        assert (answer.status_code, answer.json()["error"]) == (403, "integrity.decider")
    house.store.release(held.handle, "ann")
    assert "result" not in (await sue.get(f"{PATH}/{held.handle}?content=true")).json()


async def test_nobody_releases_their_own_without_the_role(house: House) -> None:
    held = house.put()
    answer = await house.client(ADA).post(f"{PATH}/{held.handle}/release")
    assert answer.status_code == 403
    assert house.store.facts(held.handle).released == ""


@pytest.mark.parametrize(
    ("token", "tenant"),
    [("eve.developer", ""), ("ann.operator", "acme"), ("ada.developer", "acme")],
)
async def test_anothers_looks_like_none(house: House, token: str, tenant: str) -> None:
    held = house.put()
    client = house.client(token, tenant)
    answers = [
        await client.get(f"{PATH}/{held.handle}"),
        await client.get(f"{PATH}/{'0' * 40}"),
        await client.post(f"{PATH}/{held.handle}/release"),
        await client.post(f"{PATH}/{held.handle}/discard"),
    ]
    assert {(each.status_code, each.text) for each in answers} == {(404, answers[0].text)}


async def test_what_cannot_be_recorded_does_not_happen(house: House) -> None:
    held = house.put()
    house.audit.broken = True
    ann = house.client("ann.operator")
    answers = [
        await ann.post(f"{PATH}/{held.handle}/release"),
        await ann.post(f"{PATH}/{held.handle}/discard"),
        await ann.get(f"{PATH}/{held.handle}?content=true"),
    ]
    assert {each.json()["error"] for each in answers} == {"audit.unavailable"}
    assert house.store.facts(held.handle) == held


async def test_what_is_broken_is_told_and_can_be_discarded(house: House) -> None:
    held = house.put()
    (house.state.quarantine / f"{held.handle}.facts").write_bytes(b"torn")
    ann = house.client("ann.operator")
    (told,) = (await ann.get(PATH)).json()["held"]
    assert (told["state"], "torn" in told["problem"]) == ("broken", True)
    assert (await ann.get(f"{PATH}/{held.handle}?content=true")).json()["state"] == "broken"
    assert (await ann.post(f"{PATH}/{held.handle}/release")).json()["error"] == "store.unavailable"
    assert (await house.client(ADA).get(PATH)).json()["held"] == []
    assert (await house.client("ann.operator", "acme").get(PATH)).json()["held"] == []
    ann = house.client("ann.operator")
    assert (await ann.post(f"{PATH}/{held.handle}/discard")).json() == {"discarded": True}
    assert (await ann.get(PATH)).json()["held"] == []


async def test_without_a_token_there_is_nothing(house: House) -> None:
    answer = await house.client("bad.operator").get(PATH)
    assert answer.status_code == 401
