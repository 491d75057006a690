from __future__ import annotations

import pytest

from bawn.console.deciders import COOKIE, SIGNED_IN
from tests.deciding import BASE, Desk


async def set_cookie(desk: Desk, token: str = "bob.oncall") -> str:
    posted = await desk.browser().post(
        "/approvals/sign-in", data={"id": "a", "token": token}, headers={"origin": desk.base}
    )
    return str(posted.headers.get("set-cookie", ""))


async def test_the_cookie_is_for_this_page_alone_and_short(desk: Desk) -> None:
    cookie = await set_cookie(desk)
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {
        "httponly", "max-age=900", "path=/approvals", "samesite=strict", "secure",
    }  # fmt: skip
    assert "bob" not in cookie


async def test_without_tls_it_is_not_marked_secure_and_below_a_path_it_stays_there(
    desk: Desk,
) -> None:
    desk.base = "http://127.0.0.1:8811"
    assert "secure" not in (await set_cookie(desk)).lower()
    desk.base = f"{BASE}/gate"
    deciders_cookie = await desk.browser().post(
        "https://gate.example.com/approvals/sign-in",
        data={"id": "a", "token": "bob.oncall"},
        headers={"origin": BASE},
    )
    assert "Path=/gate/approvals" in deciders_cookie.headers["set-cookie"]


async def test_a_sign_in_ends_with_its_time(desk: Desk) -> None:
    asked = desk.ask()
    browser = await desk.signed_in(asked.id, "bob.oncall")
    assert "roll_out" in (await browser.get(f"/approvals/{asked.id}")).text
    desk.now += SIGNED_IN
    assert "Access token" in (await browser.get(f"/approvals/{asked.id}")).text


async def test_who_is_switched_off_meanwhile_is_refused_at_once(desk: Desk) -> None:
    asked = desk.ask()
    browser = await desk.signed_in(asked.id, "bob.oncall")
    desk.cut.add("bob")
    answer = await browser.get(f"/approvals/{asked.id}")
    assert (answer.status_code, "roll_out" in answer.text) == (403, False)


@pytest.mark.parametrize("token", ["bad", "", "é", "a b\r\nx"])
async def test_a_bad_token_signs_nobody_in(desk: Desk, token: str) -> None:
    cookie = await set_cookie(desk, token)
    assert (COOKIE in cookie) == (token == "a b\r\nx")  # the fake takes any subject


async def test_a_principal_too_large_for_a_cookie_is_told_so(desk: Desk) -> None:
    posted = await desk.browser().post(
        "/approvals/sign-in",
        data={"id": "a", "token": "bob" + ".role" * 10 + "." + "r" * 4000},
        headers={"origin": desk.base},
    )
    assert "use the API" in posted.text
    assert "set-cookie" not in posted.headers


async def test_it_ends_with_the_token_if_that_is_sooner(desk: Desk) -> None:
    asked = desk.ask()
    browser = await desk.signed_in(asked.id, "bob.oncall")
    desk.now = 2e9
    assert "Access token" in (await browser.get(f"/approvals/{asked.id}")).text
