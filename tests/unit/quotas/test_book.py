from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bawn.config.limits import Limits
from bawn.config.policy import Quota
from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.model import Call, Client, Item, Kind, Principal
from bawn.ports import Quotas as Port
from bawn.quotas import book
from bawn.quotas.book import Quotas
from tests.unit.quotas.conftest import World

ITEM = Item(Kind.TOOL, "files", "read", "files__read", {"name": "read"})
WRITE = Item(Kind.TOOL, "files", "write", "files__write", {"name": "write"})


def call(subject: str = "ada", **who: Any) -> Call:
    given = {"subject": subject, "issuer": "i", "roles": frozenset({"dev"}), "expires": 9e9}
    principal = Principal(**{**given, **who})
    return Call(1, "tools/call", {}, principal, None, Client("x"), "0" * 32)


def quota(**settings: Any) -> Quota:
    return Quota.model_validate({"per": "principal", **settings})


def book_of(
    world: World, *quotas: Quota, cost: Callable[[Item], int] = lambda item: 1, **limits: int
) -> Quotas:
    return Quotas(Limits.model_validate(limits), quotas, world.counters, cost, world.clock)


def refusal(quotas: Quotas, who: Call, item: Item = ITEM) -> Refused:
    with pytest.raises(Refused) as caught:
        quotas.enter(who, item, "c")
    return caught.value


def nothing_in_flight(quotas: Quotas) -> bool:
    return not (quotas._calls.principals or quotas.servers or quotas._places.taken)


def fail(*_: object) -> None:
    raise Refused(STORE_UNAVAILABLE)


def test_they_are_quotas_and_tell_what_is_in_flight(world: World) -> None:
    quotas: Port = book_of(world)
    entered = quotas.enter(call(), ITEM, "")
    assert quotas.servers == {"files": 1}
    quotas.leave(entered, 5)
    assert quotas.servers == {}
    assert not quotas.by_conversation
    assert book_of(world, quota(per="conversation", bytes=1)).by_conversation


def test_the_limits_hold_without_any_quota_and_without_a_store(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.databases[0], "_execute", fail)
    quotas = book_of(
        world, quota(servers=("x",), rate="1/day"), calls_per_principal=1, calls_per_server=2
    )
    entered = quotas.enter(call(), ITEM, "c")
    assert refusal(quotas, call()).reason.id == "limit.principal"
    quotas.enter(call("vic"), ITEM, "c")
    assert refusal(quotas, call("eve")).reason.id == "limit.server"
    quotas.leave(entered, 10)
    quotas.enter(call("eve"), ITEM, "c")


def test_a_rate_refuses_with_the_time_to_wait(world: World) -> None:
    quotas = book_of(world, quota(rate="2/minute"))
    for _ in range(2):
        quotas.leave(quotas.enter(call(), ITEM, "c"), 0)
    refused = refusal(quotas, call())
    assert refused.reason.id == "limit.rate"
    assert refused.message == "Too many calls: 2/minute for each principal"
    assert refused.retry_after == 90.0
    assert refused.data == {"retryAfter": 90}
    assert "quota per principal" in refused.detail
    assert nothing_in_flight(quotas)
    quotas.enter(call("vic"), ITEM, "c")


def test_whole_seconds_are_never_too_few(world: World) -> None:
    quotas = book_of(world, quota(rate="1/second"))
    quotas.enter(call(), ITEM, "c")
    world.now += 0.75
    refused = refusal(quotas, call())
    assert refused.retry_after == pytest.approx(1.25)
    assert refused.data == {"retryAfter": 2}


def test_bytes_are_charged_when_a_call_leaves(world: World) -> None:
    quotas = book_of(world, quota(per="conversation", bytes=100, window=60.0))
    first, second = (quotas.enter(call(), ITEM, "c") for _ in range(2))
    quotas.leave(first, 100)
    refused = refusal(quotas, call())
    assert refused.reason.id == "limit.budget"
    assert refused.data == {"retryAfter": 60}
    quotas.leave(second, 100)
    quotas.leave(quotas.enter(call(), ITEM, "other"), 10)
    world.now += 60
    quotas.enter(call(), ITEM, "c")


def test_cost_is_what_the_item_costs(world: World) -> None:
    quotas = book_of(world, quota(cost=10, window=60.0), cost=lambda item: 4)
    for _ in range(2):
        quotas.leave(quotas.enter(call(), ITEM, "c"), 0)
    refused = refusal(quotas, call())
    assert refused.reason.id == "limit.budget"
    assert refused.retry_after == 60.0


def test_places_are_taken_and_given_back(world: World) -> None:
    quotas = book_of(world, quota(per="tool", concurrency=1))
    entered = quotas.enter(call(), ITEM, "c")
    refused = refusal(quotas, call("vic"))
    assert refused.reason.id == "limit.concurrency"
    quotas.leave(quotas.enter(call("vic"), WRITE, "c"), 0)
    quotas.leave(entered, 0)
    quotas.leave(quotas.enter(call("vic"), ITEM, "c"), 0)
    assert nothing_in_flight(quotas)


LAST = [
    {"rate": "1/minute"},
    {"cost": 1},
    {"bytes": 1},
    {"concurrency": 1},
]


@pytest.mark.parametrize("last", LAST)
def test_a_call_refused_by_one_quota_is_counted_by_none(world: World, last: dict[str, Any]) -> None:
    first = quota(per="server", rate="9/minute", cost=9, bytes=9, concurrency=9)
    quotas = book_of(world, first, quota(per="tool", tools=("read",), **last))
    held = quotas.enter(call(), ITEM, "c")
    if "concurrency" not in last:
        quotas.leave(held, 1)
    for _ in range(20):
        refusal(quotas, call())
    for _ in range(7):
        quotas.leave(quotas.enter(call(), WRITE, "c"), 1)


def test_when_the_store_fails_in_the_midst_nothing_is_in_flight(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    quotas = book_of(world, quota(rate="1/minute", cost=3, concurrency=3))
    monkeypatch.setattr(world.counters, "spend", fail)
    assert refusal(quotas, call()).reason is STORE_UNAVAILABLE
    assert nothing_in_flight(quotas)
    monkeypatch.undo()
    quotas.enter(call(), ITEM, "c")


@pytest.mark.parametrize("bound", [{"rate": "9/minute"}, {"cost": 9}, {"bytes": 9}])
def test_a_store_that_fails_refuses_what_quotas_cover(
    world: World, monkeypatch: pytest.MonkeyPatch, bound: dict[str, Any]
) -> None:
    quotas = book_of(world, quota(tools=("read",), **bound))
    entered = quotas.enter(call(), ITEM, "c")
    monkeypatch.setattr(world.databases[0], "_execute", fail)
    assert refusal(quotas, call()).reason is STORE_UNAVAILABLE
    quotas.leave(entered, 7)
    quotas.leave(quotas.enter(call(), WRITE, "c"), 7)
    assert nothing_in_flight(quotas)


def test_only_callers_with_the_role_count(world: World) -> None:
    quotas = book_of(world, quota(per="server", roles=("bot",), rate="1/minute"))
    for _ in range(3):
        quotas.leave(quotas.enter(call(), ITEM, "c"), 0)
    bot = call(roles=frozenset({"bot"}))
    quotas.enter(bot, ITEM, "c")
    assert refusal(quotas, bot).reason.id == "limit.rate"


def test_each_of_two_equal_quotas_counts_once(world: World) -> None:
    quotas = book_of(world, quota(rate="2/minute"), quota(rate="2/minute"), quota(cost=2))
    for _ in range(2):
        quotas.leave(quotas.enter(call(), ITEM, "c"), 0)
    assert refusal(quotas, call()).reason.id == "limit.rate"


def test_which_quotas_cover_an_item_is_found_once_and_what_is_kept_is_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "_REMEMBERED", 3)
    quotas = book_of(world, quota(tools=("none",), rate="1/minute"))
    for number in range(10):
        for name in (f"{number}", "long" * 1000):
            item = Item(Kind.TOOL, "files", name, name, {"name": name})
            quotas.leave(quotas.enter(call(), item, "c"), 0)
    assert len(quotas._by_item) <= 3


def test_the_library_is_loaded_only_where_there_are_rates(world: World) -> None:
    assert book_of(world, quota(cost=1, bytes=1, concurrency=1))._rates is None
