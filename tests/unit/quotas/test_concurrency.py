from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.quotas.concurrency import Concurrency, Places


def _refusal(concurrency: Concurrency, principal: str, server: str) -> str:
    with pytest.raises(Refused) as caught:
        concurrency.enter(principal, server)
    return caught.value.reason.id


def test_a_principal_has_so_many_calls_over_all_servers() -> None:
    concurrency = Concurrency(2, 10)
    concurrency.enter("ada", "files")
    concurrency.enter("ada", "issues")
    assert _refusal(concurrency, "ada", "files") == "limit.principal"
    concurrency.enter("vic", "files")


def test_a_server_gets_so_many_calls_of_all_principals() -> None:
    concurrency = Concurrency(10, 2)
    concurrency.enter("ada", "files")
    concurrency.enter("vic", "files")
    assert _refusal(concurrency, "eve", "files") == "limit.server"
    concurrency.enter("eve", "issues")


def test_a_refused_call_is_not_counted() -> None:
    concurrency = Concurrency(10, 1)
    concurrency.enter("ada", "files")
    _refusal(concurrency, "vic", "files")
    assert concurrency.principals == {"ada": 1}
    assert concurrency.servers == {"files": 1}


def test_a_place_is_free_again_after_leaving() -> None:
    concurrency = Concurrency(1, 1)
    for _ in range(3):
        concurrency.enter("ada", "files")
        concurrency.leave("ada", "files")
    assert concurrency.principals == concurrency.servers == {}


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from("ab"), st.sampled_from("xy")), max_size=40)
)
def test_the_counts_are_those_of_the_calls_in_flight(steps: list[tuple[bool, str, str]]) -> None:
    concurrency = Concurrency(3, 4)
    running: Counter[tuple[str, str]] = Counter()
    for enters, principal, server in steps:
        if enters:
            try:
                concurrency.enter(principal, server)
            except Refused:
                continue
            running[principal, server] += 1
        elif running[principal, server]:
            concurrency.leave(principal, server)
            running[principal, server] -= 1
        for counts, place, most in ((concurrency.principals, 0, 3), (concurrency.servers, 1, 4)):
            expected: Counter[str] = Counter()
            for key, number in running.items():
                expected[key[place]] += number
            assert counts == {key: number for key, number in expected.items() if number}
            assert max(counts.values(), default=0) <= most


def test_each_key_has_so_many_places_and_is_forgotten_when_they_are_free() -> None:
    places = Places()
    assert [places.take("a", 2) for _ in range(3)] == [True, True, False]
    assert places.take("b", 1)
    places.give_back("a")
    assert places.take("a", 2)
    for key in ("a", "a", "b"):
        places.give_back(key)
    assert places.taken == {}
