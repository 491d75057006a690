from __future__ import annotations

from collections.abc import Callable

import pytest

from bawn.barrier.edition import Cut, Cuts, Edition, decode, encode
from bawn.errors import Refused
from bawn.model import Item, Kind, Principal


def test_an_edition_comes_back_as_it_was() -> None:
    edition = Edition(3, 2, "ab" * 32, (Cut("server", "files", 1.5, "leaks"),), 4)
    assert decode(encode(edition)) == edition


def test_cuts_are_arranged_by_kind() -> None:
    cuts = Cuts((
        Cut("server", "files", 0.0),
        Cut("item", "files:read", 0.0),
        Cut("principal", "ada", 0.0),
        Cut("token", "t1", 0.0),
    ))  # fmt: skip
    assert cuts.any
    assert not cuts.gate
    assert (cuts.servers, cuts.items) == (frozenset({"files"}), frozenset({"files:read"}))
    assert (cuts.principals, cuts.tokens) == (frozenset({"ada"}), frozenset({"t1"}))
    assert Cuts((Cut("gate", "", 0.0),)).gate
    assert not Cuts().any


ADA = Principal("ada", "https://idp.example.com", frozenset(), expires=1.0, token="t1")
READ = Item(Kind.TOOL, "files", "read", "files__read", {})


@pytest.mark.parametrize(
    ("cut", "caller", "item"),
    [
        (Cut("gate", "", 0.0), True, False),
        (Cut("principal", "ada", 0.0), True, False),
        (Cut("token", "t1", 0.0), True, False),
        (Cut("server", "files", 0.0), True, True),
        (Cut("item", "files:read", 0.0), False, True),
        (Cut("principal", "eve", 0.0), False, False),
        (Cut("item", "files:write", 0.0), False, False),
    ],
)
def test_a_cut_stops_what_it_names_and_nothing_else(cut: Cut, caller: bool, item: bool) -> None:
    cuts = Cuts((cut,))
    assert stopped(lambda: cuts.check_caller(ADA, "files")) == caller
    assert stopped(lambda: cuts.check_item(READ)) == item
    assert not stopped(lambda: Cuts().check_caller(ADA, "files"))


def test_local_peers_have_no_token_that_could_be_cut() -> None:
    local = Principal("uid:1", "local", frozenset(), expires=1.0)
    assert not stopped(lambda: Cuts((Cut("token", "t1", 0.0),)).check_caller(local, None))


def stopped(check: Callable[[], None]) -> bool:
    try:
        check()
    except Refused as refused:
        return refused.reason.id == "gate.cut"
    return False
