from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bawn.config.server import RESERVED_IDS, SERVER_ID
from bawn.discovery.taking.names import base_id, free_id, slug


def test_a_name_becomes_lower_case_letters_digits_and_hyphens() -> None:
    assert slug("My Server_2.é") == "my-server-2--"
    assert base_id("  GitHub!") == "github"
    assert base_id("é") == "server"


@given(st.lists(st.text(max_size=40), max_size=12))
def test_free_ids_are_valid_and_distinct(names: list[str]) -> None:
    taken = set(RESERVED_IDS)
    for name in names:
        found = free_id(name, taken)
        assert SERVER_ID.fullmatch(found)
        assert found not in taken
        taken.add(found)


def test_names_that_collide_are_numbered() -> None:
    assert free_id("a b", {"a-b"}) == "a-b-2"
    assert free_id("a b", {"a-b", "a-b-2"}) == "a-b-3"
    assert free_id("x" * 40, {"x" * 32}) == "x" * 30 + "-2"
