from __future__ import annotations

import asyncio
from threading import Event

import pytest

from bawn.upstream.origin import Origin
from bawn.upstream.resolve import Resolver, look_up


async def test_an_address_is_not_looked_up() -> None:
    for host in ("127.0.0.1", "::1", "2001:db8::1"):
        assert await Resolver(Origin(False, host, 80), never).addresses() == [host]


def never(host: str, port: int) -> list[str]:
    raise AssertionError(host)


async def test_a_name_that_hangs_holds_up_itself_alone_with_one_thread() -> None:
    go, begun = Event(), 0

    def hang(host: str, port: int) -> list[str]:
        nonlocal begun
        begun += 1
        assert go.wait(30)
        return ["192.0.2.1"]

    slow = Resolver(Origin(False, "slow.example", 80), hang)
    quick = Resolver(Origin(False, "quick.example", 80), lambda host, port: ["192.0.2.2"])
    waiting = [asyncio.create_task(slow.addresses()) for _ in range(200)]
    assert await quick.addresses() == ["192.0.2.2"]
    waiting.pop().cancel()
    go.set()
    assert await asyncio.gather(*waiting) == [["192.0.2.1"]] * 199
    assert begun == 1
    assert await slow.addresses() == ["192.0.2.1"]
    assert begun == 2


@pytest.mark.parametrize("failure", [OSError("no such name"), UnicodeError("label too long")])
async def test_a_failure_reaches_all_who_asked_and_is_tried_again(failure: Exception) -> None:
    answers: list[Exception | list[str]] = [failure, ["192.0.2.1"]]

    def fail(host: str, port: int) -> list[str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    resolver = Resolver(Origin(False, "a.example", 80), fail)
    found = await asyncio.gather(resolver.addresses(), resolver.addresses(), return_exceptions=True)
    assert all(isinstance(one, OSError) for one in found)
    assert await resolver.addresses() == ["192.0.2.1"]


def test_the_systems_own_names_are_known() -> None:
    assert "127.0.0.1" in look_up("localhost", 80)
