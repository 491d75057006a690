from __future__ import annotations

import json

import pytest

from bawn.console.approvals import LARGEST, PATH
from tests.approving import TWO
from tests.deciding import OWNER, Desk


async def test_who_may_decide_lists_shows_and_grants(desk: Desk) -> None:
    asked = desk.ask(TWO)
    bob = desk.api("bob.oncall")
    (listed,) = (await bob.get(f"{PATH}?state=pending")).json()["approvals"]
    shown = (await bob.get(f"{PATH}/{asked.id}")).json()
    assert listed == shown
    assert (shown["id"], shown["who"], shown["server"], shown["name"]) == (
        asked.id, "ada", "deploys", "roll_out",
    )  # fmt: skip
    assert json.loads(shown["arguments"]) == {"to": "production"}
    assert shown["rules"] == [
        {
            "rule": TWO.rule,
            "place": "deploys.cedar:3",
            "roles": ["oncall"],
            "caller": False,
            "count": 2,
        }
    ]
    granted = await bob.post(f"{PATH}/{asked.id}/grant", json={"note": "fine"})
    assert (granted.status_code, granted.json()["needs"]) == (200, "1 more of oncall")
    assert granted.json()["votes"][0]["note"] == "fine"
    carol = desk.api("carol.oncall")
    assert (await carol.post(f"{PATH}/{asked.id}/grant")).json()["state"] == "granted"
    assert (await carol.post(f"{PATH}/{asked.id}/deny")).json()["state"] == "denied"


async def test_the_gates_own_user_decides_over_the_socket(desk: Desk) -> None:
    asked = desk.ask()
    owner = desk.browser(OWNER)
    assert (await owner.post(f"{PATH}/{asked.id}/grant")).json()["state"] == "granted"
    assert desk.audit.told[-1] == ("uid:1000", "approval.granted")


async def test_a_token_that_has_to_be_looked_up_is(desk: Desk) -> None:
    desk.ask()
    assert len((await desk.api("later.bob.oncall").get(PATH)).json()["approvals"]) == 1


async def test_who_oversees_sees_no_arguments(desk: Desk) -> None:
    asked = desk.ask()
    shown = (await desk.api("olga.operator").get(f"{PATH}/{asked.id}")).json()
    assert (shown["arguments"], shown["sha256"], shown["decides"]) == (None, None, False)


@pytest.mark.parametrize(
    ("token", "status", "reason"),
    [("", 401, "auth.missing"), ("bad", 401, "auth.invalid")],
)
async def test_nobody_without_good_credentials(
    desk: Desk, token: str, status: int, reason: str
) -> None:
    client = desk.api(token) if token else desk.browser()
    answer = await client.get(PATH)
    assert (answer.status_code, answer.json()["error"]) == (status, reason)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "operator" not in answer.text


async def test_a_token_for_one_server_and_who_is_switched_off_are_refused(desk: Desk) -> None:
    desk.cut.add("bob")
    assert (await desk.api("bob.oncall").get(PATH)).json()["error"] == "gate.cut"
    desk.identity.changes = {"endpoint": "deploys"}
    answer = await desk.api("carol.oncall").get(PATH)
    assert (answer.status_code, answer.json()["error"]) == (401, "auth.audience")


async def test_a_token_in_the_url_is_refused(desk: Desk) -> None:
    assert (await desk.browser().get(f"{PATH}?access_token=x")).status_code == 401


async def test_what_is_not_there_and_what_is_not_yours_are_the_same(desk: Desk) -> None:
    asked = desk.ask()
    eve = desk.api("eve.developer")
    answers = [await eve.get(f"{PATH}/{id_}") for id_ in (asked.id, "0" * 32, "x")]
    answers += [await eve.post(f"{PATH}/{id_}/grant") for id_ in (asked.id, "0" * 32)]
    assert {(each.status_code, each.text) for each in answers} == {(404, answers[0].text)}
    assert answers[0].json()["error"] == "approval.unknown"


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"x" * (LARGEST + 1), "application/json", "http.body"),
        (b'{"note": "x"}', "text/plain", "http.media_type"),
        (b'{"note": 1}', "application/json", "message.params"),
        (b'{"verdict": "x"}', "application/json", "message.params"),
        (b"\xff", "application/json", "message.params"),
    ],
)
async def test_a_bad_body_decides_nothing(
    desk: Desk, content: bytes, kind: str, reason: str
) -> None:
    asked = desk.ask()
    bob = desk.api("bob.oncall")
    answer = await bob.post(
        f"{PATH}/{asked.id}/grant", content=content, headers={"content-type": kind}
    )
    assert answer.json()["error"] == reason
    assert desk.ask().state == "pending"


async def test_an_unknown_state_is_said_to_be_one(desk: Desk) -> None:
    answer = await desk.api("bob.oncall").get(f"{PATH}?state=open")
    assert (answer.status_code, answer.json()["error"]) == (400, "message.params")


async def test_what_cannot_be_recorded_is_an_error_here(desk: Desk) -> None:
    asked = desk.ask()
    desk.audit.broken = True
    answer = await desk.api("bob.oncall").post(f"{PATH}/{asked.id}/grant")
    assert (answer.status_code, answer.json()["error"]) == (503, "audit.unavailable")
    assert desk.ask().state == "pending"


async def test_nothing_is_kept_by_caches(desk: Desk) -> None:
    for token in ("bob.oncall", "bad"):
        assert (await desk.api(token).get(PATH)).headers["cache-control"] == "no-store"
