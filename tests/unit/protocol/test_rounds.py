from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.model import Json
from bawn.protocol import rounds
from bawn.protocol.rounds import State
from bawn.protocol.strict import encode
from tests.fakes import counting_sealer

_text = st.text(max_size=8)
_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
_params = st.dictionaries(_text, _value, max_size=4)
_state = st.builds(
    State,
    principal=_text, endpoint=st.none() | _text, server=_text, method=_text, name=_text,
    digest=_text, inner=st.none() | st.text(max_size=300), parked=st.booleans(),
    owner=st.integers(0, 63), view=_text,
    expires=st.floats(allow_nan=False, allow_infinity=False), nonce=_text,
)  # fmt: skip
A_STATE = State("p", None, "files", "tools/call", "read", "d", "own", False, 0, "v", 9.5, "n")
OWN = ("_meta", "requestState", "inputResponses")


def _turned(value: Any) -> Any:
    """The same value with the keys of every object in another order."""
    if isinstance(value, dict):
        return {key: _turned(value[key]) for key in reversed(value)}
    return [_turned(each) for each in value] if isinstance(value, list) else value


# ── what was asked ────────────────────────────────────────────────────────────────────────────────


@given(_text, _params, st.dictionaries(st.sampled_from(OWN), _value))
def test_equal_requests_have_one_digest_whatever_their_keys_order_and_metadata(
    method: str, params: Json, own: Json
) -> None:
    asked = {key: value for key, value in params.items() if key not in OWN}
    expected = rounds.digest(method, asked)
    assert rounds.digest(method, _turned({**asked, **own})) == expected
    assert rounds.digest(method, json.loads(json.dumps({**own, **asked}))) == expected


@given(_text, _params, _text, _params)
def test_other_requests_have_another_digest(
    method: str, params: Json, other: str, others: Json
) -> None:
    def canonical(method: str, params: Json) -> str:
        kept = {key: value for key, value in params.items() if key not in OWN}
        return json.dumps([method, kept], sort_keys=True)

    assume(canonical(method, params) != canonical(other, others))
    assert rounds.digest(method, params) != rounds.digest(other, others)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 1.5}),
        ({"a": None}, {}),
        ({"a": []}, {"a": {}}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": {"requestState": 1}}, {"a": {}}),
        ({"arguments": {"_meta": 1}}, {"arguments": {"_meta": 2}}),
        ({"a": "é"}, {"a": "e\u0301"}),
        ({"a": 2**64}, {"a": 2**64 + 1}),
    ],
)
def test_what_differs_in_anything_differs_in_its_digest(one: Json, other: Json) -> None:
    assert rounds.digest("m", one) != rounds.digest("m", other)


# ── what the caller carries ───────────────────────────────────────────────────────────────────────


@given(_state)
def test_what_was_sealed_is_what_is_opened(state: State) -> None:
    sealer = counting_sealer()
    assert rounds.opened(sealer, rounds.seal(sealer, state)) == state


@given(_state, st.data())
def test_a_state_with_another_character_is_refused(state: State, data: st.DataObject) -> None:
    sealer = counting_sealer()
    sealed = rounds.seal(sealer, state)
    at = data.draw(st.integers(0, len(sealed) - 1))
    character = data.draw(st.sampled_from("ABCxyz019-_=é"))
    assume(character != sealed[at])
    _refused(sealed[:at] + character + sealed[at + 1 :])


@pytest.mark.parametrize("cut", [0, 1, 10, -1])
def test_a_part_of_a_state_is_refused(cut: int) -> None:
    _refused(rounds.seal(counting_sealer(), A_STATE)[:cut])


@pytest.mark.parametrize("text", ["", "x", "A" * 300_000, "=" * 10, "é", "\0"])
def test_what_was_never_sealed_is_refused(text: str) -> None:
    _refused(text)


def test_a_state_of_another_gate_is_refused() -> None:
    _refused(rounds.seal(counting_sealer(b"x" * 32), A_STATE))


def test_a_handle_of_another_kind_or_shape_is_no_state() -> None:
    sealer = counting_sealer()
    whole = {name: getattr(A_STATE, name) for name in A_STATE.__struct_fields__}
    assert rounds.opened(sealer, sealer.seal("round", whole)) == A_STATE
    _refused(sealer.seal("session", whole))
    _refused(sealer.seal("round", {**whole, "parked": "no"}))
    del whole["principal"]
    _refused(sealer.seal("round", whole))


@pytest.mark.parametrize("character", ["a", "\x01", '"', "\\", "é", "😀"])
def test_the_longest_state_of_a_server_can_be_carried(character: str) -> None:
    sealer = counting_sealer()
    inner = character * (rounds.LONGEST // len(encode(character)[1:-1]))
    longest = State("p", None, "s", "m", "n", "d", inner, True, 1, "v", 1.0, "n")
    assert rounds.opened(sealer, rounds.seal(sealer, longest)).inner == inner


def _refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        rounds.opened(counting_sealer(), text)
    assert caught.value.reason.id == "state.invalid"


# ── retries ───────────────────────────────────────────────────────────────────────────────────────


def test_a_retry_brings_one_or_the_other() -> None:
    assert not rounds.is_retry({"name": "read"})
    assert rounds.is_retry({"requestState": ""})
    assert rounds.is_retry({"inputResponses": {}})


ODD: list[tuple[str, object]] = [
    ("requestState", None),
    ("requestState", 5),
    ("requestState", ["x"]),
    ("requestState", {}),
    ("inputResponses", None),
    ("inputResponses", []),
    ("inputResponses", "x"),
    ("inputResponses", 5),
]


@pytest.mark.parametrize(("member", "value"), ODD)
def test_a_retry_of_another_shape_is_refused(member: str, value: object) -> None:
    with pytest.raises(Refused) as caught:
        rounds.is_retry({member: value})
    assert caught.value.reason.id == "message.params"


def test_the_servers_own_state_stands_in_the_place_of_ours() -> None:
    params = {"name": "read", "requestState": "ours", "inputResponses": {}}
    assert rounds.unwrapped(params, "own") == {**params, "requestState": "own"}
    assert rounds.unwrapped(params, "") == {**params, "requestState": ""}
    assert rounds.unwrapped(params, None) == {"name": "read", "inputResponses": {}}
    assert params["requestState"] == "ours"
