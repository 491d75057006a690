from __future__ import annotations

import itertools
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.model import Json
from bawn.protocol.sealing import Sealer, Unsealed

ONE, TWO = b"1" * 32, b"2" * 32
ALPHABET = string.ascii_letters + string.digits + "-_"

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_content = st.dictionaries(st.text(), _json, max_size=4)


def _sealer(*keys: bytes) -> Sealer:
    numbers = itertools.count()
    return Sealer(keys or (ONE,), lambda: next(numbers).to_bytes(12, "big"))


@given(_content, st.text(max_size=8))
def test_what_was_sealed_opens_for_its_purpose(content: Json, purpose: str) -> None:
    sealer = _sealer()
    assert sealer.open(purpose, sealer.seal(purpose, content)) == content


@given(_content)
def test_a_handle_can_stand_in_a_header_and_in_a_url(content: Json) -> None:
    assert set(_sealer().seal("session", content)) <= set(ALPHABET)


@settings(max_examples=300)
@given(st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=3), st.data())
def test_any_changed_character_unseals(content: Json, data: st.DataObject) -> None:
    sealer = _sealer()
    handle = sealer.seal("session", content)
    at = data.draw(st.integers(0, len(handle) - 1))
    other = data.draw(st.sampled_from(ALPHABET + "+/=") | st.characters())
    changed = handle[:at] + other + handle[at + 1 :]
    if changed != handle:
        with pytest.raises(Unsealed):
            sealer.open("session", changed)


def test_the_last_character_has_no_second_spelling() -> None:
    sealer = _sealer()
    for length in range(4):  # each remainder of base64
        handle = sealer.seal("session", {"a": "x" * length})
        opened = [last for last in ALPHABET if _opens(sealer, handle[:-1] + last)]
        assert opened == [handle[-1]]


def _opens(sealer: Sealer, handle: str) -> bool:
    try:
        sealer.open("session", handle)
    except Unsealed:
        return False
    return True


@given(st.text(max_size=80))
def test_what_was_never_sealed_does_not_open(handle: str) -> None:
    with pytest.raises(Unsealed):
        _sealer().open("session", handle)


@given(st.data())
def test_a_cut_or_longer_handle_does_not_open(data: st.DataObject) -> None:
    sealer = _sealer()
    handle = sealer.seal("session", {"a": 1})
    cut = handle[: data.draw(st.integers(0, len(handle) - 1))]
    longer = handle + data.draw(st.text(ALPHABET + "=", min_size=1, max_size=4))
    for changed in (cut, longer):
        with pytest.raises(Unsealed):
            sealer.open("session", changed)


def test_a_handle_of_one_purpose_does_not_serve_another() -> None:
    sealer = _sealer()
    with pytest.raises(Unsealed):
        sealer.open("cursor", sealer.seal("session", {}))


def test_a_handle_of_another_key_does_not_open() -> None:
    with pytest.raises(Unsealed):
        _sealer(TWO).open("session", _sealer(ONE).seal("session", {}))


def test_a_refusal_says_nothing() -> None:
    with pytest.raises(Unsealed) as caught:
        _sealer().open("session", "x" * 64)
    assert str(caught.value) == ""


def test_keys_rotate_without_ending_what_was_handed_out() -> None:
    before, after = _sealer(ONE), _sealer(TWO, ONE)
    old = before.seal("session", {"a": 1})
    new = after.seal("session", {"a": 2})
    assert after.open("session", old) == {"a": 1}
    assert after.open("session", new) == {"a": 2}
    with pytest.raises(Unsealed):
        before.open("session", new)
    with pytest.raises(Unsealed):
        _sealer(TWO).open("session", old)


def test_content_that_is_no_object_does_not_open() -> None:
    sealer = _sealer()
    handle = sealer.seal("session", [1])  # type: ignore[arg-type]  # what another release might seal
    with pytest.raises(Unsealed):
        sealer.open("session", handle)


def test_a_handle_beyond_all_measure_is_not_even_decoded() -> None:
    with pytest.raises(Unsealed):
        _sealer().open("session", "A" * (1 << 20))


def test_a_ring_without_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        Sealer([], lambda: b"")
