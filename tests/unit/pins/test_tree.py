from __future__ import annotations

import json
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.pins.record import Aspect, Pin
from bawn.pins.tree import Proof, proof, root, verify_proof

ASPECTS: list[Aspect] = ["tool", "prompt", "template", "instructions", "launch"]


def _pin(name: str, aspect: Aspect = "tool", digest: str = "") -> Pin:
    return Pin(aspect, name, digest or sha256(name.encode()).hexdigest(), {}, 0.0)


PINS = st.lists(
    st.builds(
        _pin,
        st.text(max_size=5),
        st.sampled_from(ASPECTS),
        st.sampled_from(["a" * 64, "b" * 64, ""]),
    ),
    max_size=40,
)


def _leaf(pin: Pin) -> bytes:
    form = json.dumps([pin.aspect, pin.name, pin.digest], ensure_ascii=False, separators=(",", ":"))
    return sha256(b"\0" + form.encode()).digest()


def _by_the_book(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, as it is written there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = max(1 << n for n in range(len(leaves)) if 1 << n < len(leaves))
    halves = _by_the_book(leaves[:split]) + _by_the_book(leaves[split:])
    return sha256(b"\1" + halves).digest()


@pytest.mark.parametrize("size", [*range(10), 16, 17, 31, 33])
def test_the_root_is_that_of_the_rfc(size: int) -> None:
    pins = [_pin(chr(ord("A") + number)) for number in range(size)]
    assert root(pins) == _by_the_book([_leaf(pin) for pin in pins]).hex()


@given(PINS, st.data())
def test_order_repetition_and_approvers_do_not_matter(pins: list[Pin], data: st.DataObject) -> None:
    other = [msgspec.structs.replace(pin, approved=9.0, by=("me",)) for pin in pins + pins[:3]]
    assert root(data.draw(st.permutations(other))) == root(pins)


@given(PINS, PINS)
def test_other_pins_have_another_root(one: list[Pin], other: list[Pin]) -> None:
    sets = [{(pin.aspect, pin.name, pin.digest) for pin in pins} for pins in (one, other)]
    assert (root(one) == root(other)) is (sets[0] == sets[1])


def test_a_leaf_says_where_a_name_ends() -> None:
    assert root([_pin('a","b', digest="c")]) != root([_pin("a", digest='b","c')])
    assert root([_pin("ab", digest="c")]) != root([_pin("a", digest="bc")])


@given(PINS.filter(bool))
def test_each_pin_is_proved(pins: list[Pin]) -> None:
    whole = root(pins)
    for pin in pins:
        assert verify_proof(whole, pin, proof(pins, pin))


@settings(max_examples=300)
@given(PINS.filter(bool), st.data())
def test_a_proof_is_of_one_pin_under_one_root_only(pins: list[Pin], data: st.DataObject) -> None:
    pin = data.draw(st.sampled_from(pins))
    good = proof(pins, pin)
    whole = root(pins)
    other = data.draw(st.builds(_pin, st.text(max_size=5), st.sampled_from(ASPECTS)))
    if (other.aspect, other.name, other.digest) != (pin.aspect, pin.name, pin.digest):
        assert not verify_proof(whole, other, good)
    flipped = f"{int(whole[0], 16) ^ 1:x}{whole[1:]}"
    assert not verify_proof(flipped, pin, good)
    bad = data.draw(
        st.sampled_from(
            [
                Proof(good.index, good.size, (*good.path, "00" * 32)),
                Proof(good.index, good.size, ("00" * 32, *good.path)),
                Proof(-1, good.size, good.path),
                Proof(good.size, good.size, good.path),
                Proof(0, 0, ()),
                Proof(good.index, good.size, tuple("zz" * 32 for _ in range(len(good.path) + 1))),
                Proof(good.index, good.size, (*good.path, "")),
                Proof(good.index, good.size, ("00" * 32,) * 100_000),
                *([Proof(good.index, good.size, good.path[:-1])] if good.path else []),
                *([Proof(good.index, good.size, good.path[::-1])] if len(good.path) > 1 else []),
            ]
        )
    )
    assert not verify_proof(whole, pin, bad)


def test_an_inner_node_is_not_taken_for_a_leaf() -> None:
    pins = [_pin("a"), _pin("b"), _pin("c"), _pin("d")]
    good = proof(pins, pins[0])
    assert not verify_proof(root(pins), pins[0], Proof(0, 2, good.path[1:]))


@pytest.mark.parametrize("size", [3, 4, 1_000])
def test_a_proof_is_for_a_tree_of_its_size(size: int) -> None:
    pins = [_pin("a"), _pin("b")]
    good = proof(pins, pins[0])
    assert verify_proof(root(pins), pins[0], good)
    assert not verify_proof(root(pins), pins[0], Proof(0, size, good.path))


@pytest.mark.parametrize("whole", ["", "zz", "00"])
def test_a_root_that_is_none_proves_nothing(whole: str) -> None:
    assert not verify_proof(whole, _pin("a"), proof([_pin("a")], _pin("a")))


def test_what_is_not_there_has_no_proof() -> None:
    with pytest.raises(ValueError, match="not in list"):
        proof([_pin("a")], _pin("b"))


def test_a_name_that_no_text_can_have_is_not_proved() -> None:
    assert not verify_proof("00" * 32, _pin("a\ud800", digest="x"), Proof(0, 1, ()))
