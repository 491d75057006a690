from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.protocol.conversation import HANDLE, LONGEST, by_principal, conversation

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_handle_counts_before_the_session_and_that_before_the_trace() -> None:
    meta = {HANDLE: "h"}
    handle = conversation("ada", "agent", meta, None, None)
    assert conversation("ada", "agent", meta, TRACE, "session") == handle
    session = conversation("ada", "agent", {}, None, "session")
    assert conversation("ada", "agent", {}, TRACE, "session") == session
    trace = conversation("ada", "agent", {}, TRACE, None)
    alone = conversation("ada", "agent", {}, None, None)
    assert len({handle, session, trace, alone}) == 4


def test_without_any_all_of_a_principal_and_agent_is_one_conversation() -> None:
    alone = conversation("ada", "agent", {"other": 1}, None, None)
    assert alone == by_principal("ada", "agent")
    assert alone != by_principal("ada", "other")
    assert alone != by_principal("vic", "agent")


def test_no_key_tells_who_it_is() -> None:
    key = conversation("ada@example.com", "agent", {HANDLE: "mine"}, None, None)
    assert len(key) == 32
    assert set(key) <= set("0123456789abcdef")


@pytest.mark.parametrize("handle", ["", "x" * (LONGEST + 1), 7, None, True, ["h"], {"h": 1}])
def test_a_handle_that_is_none_is_refused_and_not_passed_over(handle: Any) -> None:
    with pytest.raises(Refused) as caught:
        conversation("ada", "agent", {HANDLE: handle}, TRACE, "session")
    assert caught.value.reason.id == "message.params"


def test_the_longest_handle_and_odd_characters_are_taken() -> None:
    odd = conversation("ada", "", {HANDLE: "\ud800"}, None, None)
    assert odd != conversation("ada", "", {HANDLE: "x" * LONGEST}, None, None)


PARTS = st.tuples(
    st.text(max_size=4),
    st.text(max_size=4),
    st.none() | st.text(min_size=1, max_size=4),
    st.none() | st.text(min_size=1, max_size=4),
    st.none() | st.text(min_size=1, max_size=4),
)


@given(PARTS, PARTS)
def test_no_other_principal_or_agent_can_name_a_conversation(one: Any, other: Any) -> None:
    def key(parts: Any) -> str:
        who, agent, handle, trace, session = parts
        meta = {} if handle is None else {HANDLE: handle}
        return conversation(who, agent, meta, trace, session)

    if one[:2] != other[:2]:
        assert key(one) != key(other)
    assert key(one) == key(one)
