from __future__ import annotations

from bawn.transport.crowd import Crowd


def test_all_together_and_each_address_are_bounded() -> None:
    crowd = Crowd(3, 2)
    assert crowd.enter("a")
    assert crowd.enter("a")
    assert not crowd.enter("a")
    assert crowd.enter("b")
    assert not crowd.enter("c")
    assert crowd.connections == 3
    crowd.leave("a")
    assert crowd.enter("c")


def test_who_has_no_address_counts_for_all_alone() -> None:
    crowd = Crowd(2, 1)
    assert crowd.enter(None)
    assert crowd.enter(None)
    assert not crowd.enter(None)
    crowd.leave(None)
    assert crowd.connections == 1


def test_a_refused_one_leaves_no_trace() -> None:
    crowd = Crowd(1, 1)
    assert crowd.enter("a")
    assert not crowd.enter("b")
    crowd.leave("a")
    assert not crowd._by_address


def test_requests_of_an_address_count_like_its_connections() -> None:
    crowd = Crowd(10, 1)
    assert crowd.begin("a")
    assert not crowd.begin("a")
    assert not crowd.enter("a")
    crowd.end("a")
    assert crowd.enter("a")


def test_every_change_is_told() -> None:
    crowd, told = Crowd(2, 2), list[int]()
    crowd.tell = told.append
    assert crowd.enter("a")
    assert crowd.enter(None)
    assert not crowd.enter("b")
    crowd.leave("a")
    assert told == [1, 2, 1]
