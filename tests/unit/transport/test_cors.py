from __future__ import annotations

import pytest

from bawn.transport.cors import Cors
from tests.unit.transport.house import House

APP = b"https://app.example.com"
ASKED: dict[bytes, bytes | None] = {
    b"origin": APP,
    b"access-control-request-method": b"POST",
    b"access-control-request-headers": b"authorization, mcp-param-region, x-evil",
    b"authorization": None,
    b"content-type": None,
    b"content-length": None,
}


async def test_a_listed_page_is_told_what_it_may_send_without_credentials() -> None:
    house = House()
    done = await house.post(body=b"", method="OPTIONS", headers=ASKED).run()
    assert done.status == 204
    assert done.headers[b"access-control-allow-origin"] == APP
    assert done.headers[b"vary"] == b"origin"
    assert done.headers[b"access-control-allow-methods"] == b"GET, POST, DELETE"
    allowed = done.headers[b"access-control-allow-headers"].split(b", ")
    for name in (b"authorization", b"mcp-session-id", b"mcp-protocol-version", b"last-event-id"):
        assert name in allowed
    assert b"mcp-param-region" in allowed
    assert b"x-evil" not in allowed
    assert b"access-control-allow-credentials" not in done.headers
    assert house.gate.arrived == []


@pytest.mark.parametrize("path", ["/mcp", "/mcp/files", "/sse", "/messages/x"])
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({b"origin": b"https://evil.example.com"}, 403),
        ({b"origin": None}, 401),
        ({b"access-control-request-method": None}, 401),
        ({b"host": b"evil.example.com"}, 421),
    ],
)
async def test_all_others_are_refused_as_ever(
    path: str, changes: dict[bytes, bytes | None], status: int
) -> None:
    headers = {**ASKED, **changes}
    done = await House().post(path, body=b"", method="OPTIONS", headers=headers).run()
    assert done.status == status


async def test_a_listed_page_may_read_answers_refusals_and_streams() -> None:
    house = House()
    bad: dict[bytes, bytes | None] = {b"origin": APP, b"authorization": None}
    for headers, status in (({b"origin": APP}, 200), (bad, 401)):
        done = await house.post(headers=headers).run()
        assert done.status == status
        assert done.headers[b"access-control-allow-origin"] == APP
        assert b"mcp-session-id" in done.headers[b"access-control-expose-headers"]
    stream = house.get(origin=APP)
    await stream.send()
    assert stream.headers[b"access-control-allow-origin"] == APP
    stream.leave()


async def test_without_an_origin_nothing_is_added() -> None:
    done = await House().post().run()
    assert b"vary" not in done.headers


async def test_what_is_asked_for_cannot_break_out_of_its_line() -> None:
    named = {
        **{k: v for k, v in ASKED.items() if v},
        b"access-control-request-headers": b"mcp-param-",
    }
    fields = Cors([APP.decode()]).preflight(b"OPTIONS", named)
    assert fields is not None
    many = {**named, b"access-control-request-headers": b"mcp-param-x," * 5000}
    fields = Cors([APP.decode()]).preflight(b"OPTIONS", many)
    assert fields is not None
    assert sum(map(len, dict(fields).values())) < 4000
