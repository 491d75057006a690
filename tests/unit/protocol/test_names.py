from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.protocol import names

_server = st.text("ab-", min_size=1, max_size=3)
_prefix = st.text("ab_", max_size=4)
_own = st.text("ab_", min_size=1, max_size=5) | st.sampled_from(["a" * 126, "a" * 127, "b" * 300])


@st.composite
def offers(draw: st.DrawFn) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Servers with prefixes, some by default, and what they offer."""
    servers = draw(st.lists(_server, unique=True, min_size=1, max_size=5))
    prefixes = {s: draw(st.just(f"{s}__") | _prefix) for s in servers}
    pairs = draw(st.lists(st.tuples(st.sampled_from(servers), _own), unique=True, max_size=12))
    return pairs, prefixes


@given(offers())
def test_no_two_servers_get_one_name(offer: tuple[list[tuple[str, str]], dict[str, str]]) -> None:
    pairs, prefixes = offer
    chosen = names.assign(pairs, prefixes)
    assert chosen.keys() == set(pairs)
    holders: dict[str, str] = {}
    for (server, _), name in chosen.items():
        assert holders.setdefault(name, server) == server


@given(offers())
def test_names_are_never_longer_than_the_protocol_allows(
    offer: tuple[list[tuple[str, str]], dict[str, str]],
) -> None:
    assert all(len(name) <= names.LONGEST for name in names.assign(*offer).values())


@given(offers(), st.randoms())
def test_names_do_not_depend_on_the_order_of_listing(
    offer: tuple[list[tuple[str, str]], dict[str, str]], random: Random
) -> None:
    pairs, prefixes = offer
    shuffled = random.sample(pairs, len(pairs))
    assert names.assign(shuffled, prefixes) == names.assign(pairs, prefixes)


@given(offers(), st.data())
def test_a_server_never_stands_under_the_default_prefix_of_another_that_is_away(
    offer: tuple[list[tuple[str, str]], dict[str, str]], data: st.DataObject
) -> None:
    pairs, prefixes = offer
    away = data.draw(st.sampled_from(sorted(prefixes)))
    present = [pair for pair in pairs if pair[0] != away]
    chosen = names.assign(present, prefixes)
    assert not any(name.startswith(f"{away}__") for name in chosen.values())


@given(offers(), st.data())
def test_a_name_by_default_is_the_same_whoever_else_is_there(
    offer: tuple[list[tuple[str, str]], dict[str, str]], data: st.DataObject
) -> None:
    pairs, prefixes = offer
    chosen = names.assign(pairs, prefixes)
    server = data.draw(st.sampled_from(sorted(prefixes)))
    if prefixes[server] == f"{server}__":
        alone = names.assign([pair for pair in pairs if pair[0] == server], prefixes)
        assert alone == {pair: name for pair, name in chosen.items() if pair[0] == server}


def test_a_prefix_goes_before_the_name() -> None:
    pairs = [("files", "read"), ("bare", "echo"), ("gh", "list")]
    prefixes = {"files": "files__", "bare": "", "gh": "github."}
    assert list(names.assign(pairs, prefixes).values()) == ["files__read", "echo", "github.list"]


def test_a_chosen_prefix_yields_where_it_would_take_a_name_over() -> None:
    prefixes = {"files": "files__", "bare": ""}
    both = names.assign([("files", "read"), ("bare", "files__read")], prefixes)
    assert both[("files", "read")] == "files__read"
    assert both[("bare", "files__read")] == "bare__files__read"


@pytest.mark.parametrize("own", ["files__read", "files__", "gh_list"])
def test_a_chosen_prefix_yields_also_while_the_other_server_is_away(own: str) -> None:
    prefixes = {"files": "files__", "bare": "", "gh": "gh_"}
    assert names.assign([("bare", own)], prefixes) == {("bare", own): f"bare__{own}"}


def test_the_longer_of_two_chosen_prefixes_keeps_its_names() -> None:
    prefixes = {"one": "gh", "two": "gh_"}
    chosen = names.assign([("one", "_list"), ("two", "create")], prefixes)
    assert chosen == {("one", "_list"): "one___list", ("two", "create"): "gh_create"}


def test_of_two_equal_prefixes_neither_wins() -> None:
    chosen = names.assign([("one", "list"), ("two", "list")], {"one": "", "two": ""})
    assert chosen == {("one", "list"): "one__list", ("two", "list"): "two__list"}


def test_long_names_that_begin_alike_stay_apart() -> None:
    one, two = names.shown("files__", "a" * 200 + "x"), names.shown("files__", "a" * 200 + "y")
    assert one != two
    assert len(one) == len(two) == 128
    assert one.startswith("files__aaa")
