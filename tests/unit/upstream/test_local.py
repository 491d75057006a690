from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bawn.errors import REASONS, Refused
from bawn.model import Outbound
from bawn.ports import HttpReply
from bawn.upstream.local import Local
from tests.unit.upstream.scripted import Asked, Server, error, outbound, result


async def fine(asked: Asked) -> HttpReply:
    return result(asked)


async def test_the_runner_gets_the_canonical_request_and_its_isolation_key() -> None:
    server = Server(fine)
    await Local(server.wire()).call(outbound(isolation="0123abcd"))
    (asked,) = server.asked
    assert asked.headers[b"bawn-isolation"] == b"0123abcd"
    assert b"bawn-project" not in asked.headers
    assert asked.message["params"]["name"] == "read"


async def test_a_directory_of_any_name_travels_in_a_header() -> None:
    server = Server(fine)
    call = outbound()
    named = Outbound(
        call.server, call.method, call.params, call.isolation, call.trace, call.name,
        project="/zwölf %41\n",
    )  # fmt: skip
    await Local(server.wire()).call(named)
    assert server.asked[0].headers[b"bawn-project"] == b"/zw%C3%B6lf%20%2541%0A"


async def test_the_runner_is_told_on_whose_account_a_process_is_held() -> None:
    server = Server(fine)
    local = Local(server.wire())
    await local.call(outbound())
    await local.call(msgspec.structs.replace(outbound(), principal="d1635e"))
    assert b"bawn-principal" not in server.asked[0].headers
    assert server.asked[1].headers[b"bawn-principal"] == b"d1635e"


async def refused(**data: Any) -> Refused:
    """The refusal that an error with this data becomes."""

    async def failing(asked: Asked) -> HttpReply:
        return error(asked, 31003, data=data)

    with pytest.raises(Refused) as caught:
        await Local(Server(failing).wire()).call(outbound())
    return caught.value


@pytest.mark.parametrize("reason", ["upstream.died", "upstream.not_started", "limit.children"])
async def test_the_runners_refusal_is_raised_as_it_was(reason: str) -> None:
    found = await refused(reason=reason, detail="exit code 7")
    assert found.reason is REASONS[reason]
    assert found.detail == "exit code 7"
    assert "exit code" not in found.message


@pytest.mark.parametrize(
    "data",
    [{"reason": "no.such"}, {"server": {"reason": "auth.missing"}}, {"reason": ["x"]}, [], "x"],
)
async def test_a_servers_own_error_is_none_of_ours(data: Any) -> None:
    async def failing(asked: Asked) -> HttpReply:
        return error(asked, -32050, data=data)

    local = Local(Server(failing).wire())
    assert (await local.call(outbound())).error == {"code": -32050, "message": "no", "data": data}
    await local.aclose()
