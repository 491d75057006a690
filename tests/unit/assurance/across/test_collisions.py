from __future__ import annotations

import pytest

from bawn.assurance.across.collisions import CUT, collisions
from bawn.assurance.across.offer import Offer
from tests.unit.assurance.across.offers import offer


def kinds(*offers: Offer) -> list[str]:
    return [each.kind for each in collisions(offers)]


def test_servers_with_names_of_their_own_do_not_collide() -> None:
    assert kinds(offer("a", "read", "write"), offer("b", "read", "write")) == []


def test_two_servers_without_prefix_are_told_and_so_is_the_name_that_both_have() -> None:
    found = kinds(offer("a", "read", prefix=""), offer("b", "read", prefix=""))
    assert found == ["across/prefix", "across/collision"]


def test_one_prefix_for_two_servers_collides() -> None:
    assert kinds(offer("a", "read", prefix="x_"), offer("b", "read", prefix="x_")) == [
        "across/collision"
    ]


@pytest.mark.parametrize(
    ("one", "other"), [("read_file", "read-file"), ("readFile", "read_file"), ("READ", "read")]
)
def test_names_that_differ_by_case_and_hyphens_alone_are_told(one: str, other: str) -> None:
    assert kinds(offer("a", one, prefix=""), offer("b", other, prefix="_"))[-1] == "across/alike"


def test_names_that_are_one_after_the_cut_of_clients_are_told() -> None:
    long = "x" * CUT
    (found,) = collisions([offer("a", f"{long}_read", f"{long}_write")])
    assert found.kind == "across/cut"
    assert kinds(offer("a", "x" * 30, "x" * 31)) == []


def test_characters_that_clients_replace_make_one_name_of_two() -> None:
    assert kinds(offer("a", "a.b", "a_b")) == ["across/cut"]
