from __future__ import annotations

from itertools import combinations

import msgspec
import pytest

from bawn.config import Isolation
from bawn.model import Call, Client, Principal
from bawn.policy.isolation import account, isolation_key

ADA = Principal("ada", "https://idp.example.com", frozenset(), expires=1.0)
EVE = msgspec.structs.replace(ADA, subject="eve")
NAMESAKE = msgspec.structs.replace(ADA, issuer="https://other.example.com")


def call(who: Principal, session: str | None = None, project: str | None = None) -> Call:
    return Call(1, "tools/call", {}, who, None, Client("2026-07-28"), "0" * 32, session, project)


def test_an_account_is_a_person_whatever_the_token() -> None:
    again = msgspec.structs.replace(
        ADA, roles=frozenset({"x"}), expires=2.0, token="t", endpoint="a"
    )
    assert account(again) == account(ADA)
    assert len({account(ADA), account(EVE), account(NAMESAKE)}) == 3
    assert "ada" not in account(ADA)


@pytest.mark.parametrize("isolation", ["principal", "session", "project"])
def test_nobody_shares_with_another_person(isolation: Isolation) -> None:
    keys = [isolation_key(isolation, call(who, "s", "/p")) for who in (ADA, EVE, NAMESAKE)]
    assert all(one != other for one, other in combinations(keys, 2))
    assert "shared" not in keys


def test_each_mode_tells_apart_what_it_names() -> None:
    here, there = call(ADA, "s1", "/a"), call(ADA, "s2", "/b")
    assert isolation_key("principal", here) == isolation_key("principal", there)
    assert isolation_key("session", here) != isolation_key("session", there)
    assert isolation_key("project", here) != isolation_key("project", there)
    assert isolation_key("shared", here) == isolation_key("shared", call(EVE)) == "shared"
    modes: tuple[Isolation, ...] = ("principal", "session", "project")
    assert len({isolation_key(mode, call(ADA, "x", "x")) for mode in modes}) == 3
