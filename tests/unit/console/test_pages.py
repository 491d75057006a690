from __future__ import annotations

import re
from urllib.parse import urljoin

from tests.approving import ADA, TWO, approver
from tests.deciding import Desk, form_of


async def test_after_a_sign_in_the_page_shows_and_decides(desk: Desk) -> None:
    asked = desk.ask()
    browser = desk.browser()
    assert "Access token" in (await browser.get(f"/approvals/{asked.id}")).text
    browser = await desk.signed_in(asked.id, "bob.oncall")
    shown = (await browser.get(f"/approvals/{asked.id}")).text
    assert "roll_out" in shown
    decided = await browser.post(
        f"/approvals/{asked.id}/grant",
        data={"form": form_of(shown), "note": "ok\r\n"},
        headers={"origin": desk.base},
    )
    assert (decided.status_code, decided.headers["location"]) == (303, f"../{asked.id}")
    assert desk.ask().state == "granted"
    assert "ok" in (await browser.get(f"/approvals/{asked.id}")).text


async def test_the_sign_in_leads_back_to_the_page(desk: Desk) -> None:
    posted = await desk.browser().post(
        "/approvals/sign-in",
        data={"id": "abc", "token": "bob.oncall"},
        headers={"origin": desk.base},
    )
    assert (posted.status_code, posted.headers["location"]) == (303, "abc")


async def test_a_link_shows_and_decides_once(desk: Desk) -> None:
    asked = desk.ask(TWO)
    token = desk.links().make(asked.id, approver("Sue"), asked.expires)
    browser = desk.browser()
    for _ in range(3):  # previews of chat systems look as well, and change nothing
        shown = await browser.get(f"/approvals/link/{token}")
        assert shown.status_code == 200
    assert desk.ask(TWO).needs == "2 more of oncall"
    done = await browser.post(
        f"/approvals/link/{token}/grant",
        data={"form": form_of(shown.text)},
        headers={"origin": desk.base},
    )
    assert done.status_code == 200
    assert "<form" not in done.text
    assert desk.ask(TWO).needs == "1 more of oncall"
    assert desk.audit.told[-1] == ("Sue", "approval.granted")


async def test_every_answer_bears_the_headers_that_protect_it(desk: Desk) -> None:
    asked = desk.ask()
    browser = await desk.signed_in(asked.id, "bob.oncall")
    for path in (asked.id, "0" * 32, "link/nonsense"):
        headers = (await browser.get(f"/approvals/{path}")).headers
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"


async def test_without_tls_a_form_from_the_host_that_was_asked_counts(desk: Desk) -> None:
    desk.base = "http://127.0.0.1:8811"
    posted = await desk.browser().post(
        "http://localhost:8811/approvals/sign-in",
        data={"id": "a", "token": "bob.oncall"},
        headers={"origin": "http://localhost:8811"},
    )
    assert posted.status_code == 303


async def test_the_caller_sees_its_own_and_has_nothing_to_decide(desk: Desk) -> None:
    asked = desk.ask()
    browser = await desk.signed_in(asked.id, f"{ADA.subject}.developer.oncall")
    shown = (await browser.get(f"/approvals/{asked.id}")).text
    assert "roll_out" in shown
    assert "<form" not in shown


async def test_who_signs_in_again_after_a_decision_came_too_late_gets_back_to_the_page(
    desk: Desk,
) -> None:
    asked = desk.ask()
    browser = await desk.signed_in(asked.id, "bob.oncall")
    form = form_of((await browser.get(f"/approvals/{asked.id}")).text)
    desk.now += 901
    own = {"origin": desk.base}
    late = await browser.post(f"/approvals/{asked.id}/grant", data={"form": form}, headers=own)
    assert late.status_code == 401
    action = re.search(r'action="([^"]+)"', late.text)
    assert action is not None
    again = await browser.post(
        urljoin(str(late.url), action[1]),
        data={"id": asked.id, "token": "bob.oncall"},
        headers=own,
    )
    assert again.status_code == 303
    assert urljoin(str(again.url), again.headers["location"]).endswith(f"/approvals/{asked.id}")
