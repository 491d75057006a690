"""Attempts to decide by the pages and the API of approvals in another's name, or to mislead who decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from bawn.approvals.viewed import Decider
from bawn.console.approvals import PATH
from bawn.console.deciders import COOKIE
from bawn.errors import APPROVAL_UNKNOWN, Refused
from bawn.model import Ask
from bawn.storage.approvals import KEPT_OF_ONE
from tests.approving import (
    ADA,
    BOB,
    EVE,
    ONCALL,
    SELF,
    TOOL,
    TWO,
    approver,
    asking,
    call,
    person,
)
from tests.deciding import BASE, Desk, form_of

SUE = approver("Sue")
TENANT_SUE = approver("Far Sue", tenant="far")
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, approvers=(SUE, TENANT_SUE, approver("Ada's own", subject="ada")))
    yield desk
    desk.close()


def refused(action: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        action()
    assert caught.value.reason is APPROVAL_UNKNOWN


# ── the pages ───────────────────────────────────────────────────────────────────────────────────


async def decide(
    browser: httpx2.AsyncClient, path: str, form: str, origin: str | None = BASE, **headers: str
) -> httpx2.Response:
    sent = {**headers, **({} if origin is None else {"origin": origin})}
    return await browser.post(path, data={"form": form}, headers=sent)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://evil.example",
        "https://gate.example.com.evil.example",
        "http://gate.example.com",
        "https://gate.example.com:444",
    ],
)
async def test_a_form_on_somebody_elses_page_decides_nothing(
    desk: Desk, origin: str | None
) -> None:
    asked = desk.ask()
    browser = await desk.signed_in(asked.id, "bob.oncall")
    form = form_of((await browser.get(f"/approvals/{asked.id}")).text)
    answer = await decide(browser, f"/approvals/{asked.id}/grant", form, origin)
    assert answer.status_code == 403
    token = desk.links().make(asked.id, SUE, asked.expires)
    linked = form_of((await browser.get(f"/approvals/link/{token}")).text)
    assert (
        await decide(browser, f"/approvals/link/{token}/grant", linked, origin)
    ).status_code == 403
    headers = {"origin": origin} if origin else {}
    data = {"id": asked.id, "token": "bob.oncall"}
    signed = await desk.browser().post("/approvals/sign-in", data=data, headers=headers)
    assert "set-cookie" not in signed.headers
    assert desk.ask().state == "pending"


async def test_a_form_counts_for_its_own_browser_and_approval_alone(desk: Desk) -> None:
    asked, other = desk.ask(), desk.ask(arguments={})
    bob = await desk.signed_in(asked.id, "bob.oncall")
    mallory = await desk.signed_in(asked.id, "mallory.oncall")
    foreign = form_of((await mallory.get(f"/approvals/{asked.id}")).text)
    elsewhere = form_of((await bob.get(f"/approvals/{other.id}")).text)
    link = desk.links().make(asked.id, SUE, asked.expires)
    linked = form_of((await bob.get(f"/approvals/link/{link}")).text)
    for form in (foreign, elsewhere, linked, "", "x", bob.cookies[COOKIE], link):
        answer = await decide(bob, f"/approvals/{asked.id}/grant", form)
        assert answer.status_code == 403
    own = form_of((await bob.get(f"/approvals/{asked.id}")).text)
    assert (await decide(bob, f"/approvals/{asked.id}/grant", own)).status_code == 303


async def test_a_cookie_that_was_tampered_with_signs_nobody_in(desk: Desk) -> None:
    asked = desk.ask()
    bob = await desk.signed_in(asked.id, "bob.oncall")
    cookie = bob.cookies[COOKIE]
    link = desk.links().make(asked.id, SUE, asked.expires)
    flipped = cookie[:-1] + ("A" if cookie[-1] != "A" else "B")
    for forged in (flipped, cookie[:-4], cookie + "=", link, "", "x" * 5000):
        stranger = desk.browser(cookie=f"{COOKIE}={forged}")
        assert "roll_out" not in (await stranger.get(f"/approvals/{asked.id}")).text
        answer = await decide(stranger, f"/approvals/{asked.id}/grant", "x")
        assert answer.status_code == 401
    assert desk.ask().state == "pending"


async def test_a_get_never_decides(desk: Desk) -> None:
    asked = desk.ask()
    bob = await desk.signed_in(asked.id, "bob.oncall")
    link = desk.links().make(asked.id, SUE, asked.expires)
    for path in (f"/approvals/{asked.id}/grant", f"/approvals/link/{link}/grant"):
        for method in ("GET", "HEAD", "PUT"):
            assert (await bob.request(method, path)).status_code == 405
    for path in (f"{PATH}/{asked.id}/grant", f"{PATH}/{asked.id}/deny"):
        assert (await desk.api("bob.oncall").get(path)).status_code == 405
    assert desk.ask().state == "pending"


async def test_a_link_is_used_once_and_a_fresh_one_does_not_renew_it(desk: Desk) -> None:
    asked = desk.ask(TWO)
    browser = desk.browser()
    links = [desk.links().make(asked.id, SUE, asked.expires) for _ in range(3)]
    forms = [form_of((await browser.get(f"/approvals/link/{each}")).text) for each in links]
    first = await decide(browser, f"/approvals/link/{links[0]}/grant", forms[0])
    assert first.status_code == 200
    for link, form in zip(links, forms, strict=True):
        for verdict in ("grant", "deny"):
            again = await decide(browser, f"/approvals/link/{link}/{verdict}", form)
            assert again.status_code == 404
    assert desk.ask(TWO).needs == "1 more of oncall"


async def test_links_that_are_not_ours_changed_or_over_show_nothing(desk: Desk) -> None:
    asked = desk.ask()
    link = desk.links().make(asked.id, SUE, asked.expires)
    bob = await desk.signed_in(asked.id, "bob.oncall")
    form = form_of((await bob.get(f"/approvals/{asked.id}")).text)
    removed = desk.links().make(asked.id, approver("Gone"), asked.expires)
    forged = [link[:-1], link[1:], link + "A", "x", bob.cookies[COOKIE], form, removed, "A" * 9000]
    for each in forged:
        answer = await bob.get(f"/approvals/link/{each}")
        assert (answer.status_code, "roll_out" in answer.text) == (404, False)
    desk.now = asked.expires
    assert (await bob.get(f"/approvals/link/{link}")).status_code == 404


async def test_a_link_decides_nothing_of_another_tenant_or_of_its_own_approvers_calls(
    desk: Desk,
) -> None:
    asked = desk.ask()
    for who in (TENANT_SUE, approver("Ada's own", subject="ada")):
        link = desk.links().make(asked.id, who, asked.expires)
        shown = await desk.browser().get(f"/approvals/link/{link}")
        assert shown.status_code == 404
    assert desk.ask().state == "pending"


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</pre><form action=https://evil.example>",
        "\u202edenorppa",
        "a\u200bb",
        "\x1b[2J",
        "&lt;b&gt;",
    ],
)
async def test_nothing_of_a_call_becomes_markup_or_hides(desk: Desk, evil: str) -> None:
    caller = person(evil, "developer", agent=evil, issuer=evil)
    item = replace(TOOL, name=evil, server=evil)
    asked = desk.book.ask(
        call(caller, {evil: [evil]}), item, asking(Ask(evil, ONCALL.roles, False, 1, 900.0))
    )
    browser = await desk.signed_in(asked.id, "bob.oncall")
    text = (await browser.get(f"/approvals/{asked.id}")).text
    for word in ("<script", "<img", "<form action=https", "\u202e", "\u200b", "\x1b", "<b>"):
        assert word not in text
    assert text.count("<form") == 1


async def test_huge_arguments_are_bounded_everywhere_and_still_bound_whole(desk: Desk) -> None:
    huge = {"x": "y" * 4_000_000}
    asked = desk.ask(arguments=huge)
    (row,) = desk.store().listed("", "", 9)
    assert len(row.sealed) < 100_000
    shown = (await desk.api("bob.oncall").get(f"{PATH}/{asked.id}")).json()
    assert (shown["whole"], len(shown["arguments"]) < 20_000) == (False, True)
    desk.grant(asked, BOB)
    assert desk.ask(arguments={"x": "y" * 3_999_999 + "z"}).state == "pending"
    assert desk.ask(arguments=huge).state == "granted"


@pytest.mark.parametrize(
    "content",
    [b"form=" + b"x" * 100_000, b"\xff\xfe", b"&" * 100, b"a=1&" * 50, b""],
)
async def test_a_bad_form_is_refused_and_breaks_nothing(desk: Desk, content: bytes) -> None:
    asked = desk.ask()
    bob = await desk.signed_in(asked.id, "bob.oncall")
    headers = {"origin": BASE, "content-type": FORM}
    answer = await bob.post(f"/approvals/{asked.id}/grant", content=content, headers=headers)
    assert 400 <= answer.status_code < 500
    assert desk.ask().state == "pending"


async def test_the_sign_in_leads_nowhere_else(desk: Desk) -> None:
    for id_ in ("//evil.example", "https://evil.example", "../x", "a\r\nset-cookie: x", ""):
        posted = await desk.browser().post(
            "/approvals/sign-in", data={"id": id_, "token": "bob.oncall"}, headers={"origin": BASE}
        )
        assert posted.status_code in (400, 404)
        assert "location" not in posted.headers
        assert "set-cookie" not in posted.headers


def test_the_same_person_may_not_both_ask_as_agent_and_decide(desk: Desk) -> None:
    asked = desk.book.ask(call(person("ada", "developer", agent="robot")), TOOL, asking())
    refused(lambda: desk.grant(asked, ADA))
    refused(lambda: desk.grant(asked, person("ada", "oncall")))


def test_whoever_asks_and_answers_itself_for_ever_fills_neither_disk_nor_lists(desk: Desk) -> None:
    waits = desk.ask(ONCALL)
    for n in range(KEPT_OF_ONE + 40):
        asked = call(EVE, {"n": n})
        standing = desk.book.ask(asked, TOOL, asking(SELF))
        desk.book.refuse(standing.id, asked, TOOL, asking(SELF))
        desk.now += 0.01
    stored = desk.store().listed("", "", 9_999)
    assert len(stored) <= KEPT_OF_ONE + 2
    assert [each.id for each in desk.listed(BOB, "pending")] == [waits.id]


def test_a_list_is_opened_page_by_page_so_that_others_have_their_turn(desk: Desk) -> None:
    for n in range(50):
        desk.ask(ONCALL, who=person(f"p{n}", "developer"))
    assert [len(page) for page in desk.book.listed(Decider(BOB))] == [20, 20, 10]
    assert not any(desk.book.listed(Decider(EVE)))
