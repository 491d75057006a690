from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given

from bawn.model import Json
from bawn.pins import digest as module
from bawn.pins.canonical import LARGEST, Uncanonical, canonical
from bawn.pins.digest import Digests, digest
from tests.unit.pins.definitions import TOOLS

READ: Json = {"name": "read", "inputSchema": {"required": ["a", "b"]}}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Json]:
    """The definitions whose form was made."""
    several: list[Json] = []

    def noted(aspect: Any, definition: Json) -> bytes:
        several.append(definition)
        return canonical(aspect, definition)

    monkeypatch.setattr(module, "canonical", noted)
    return several


def test_the_digest_is_sha_256_of_the_form() -> None:
    assert digest("tool", READ) == sha256(canonical("tool", READ)).hexdigest()


@given(TOOLS)
def test_what_is_remembered_is_the_digest(definition: Json) -> None:
    digests = Digests()
    assert digests.of("tool", definition) == digests.of("tool", definition)
    assert digests.of("tool", definition) == digest("tool", definition)


def test_a_definition_that_stays_as_it_is_is_put_in_form_once(made: list[Json]) -> None:
    digests = Digests()
    for _ in range(3):
        digests.of("tool", {**READ})
    assert len(made) == 1


def test_the_same_definition_of_another_aspect_has_a_digest_of_its_own() -> None:
    digests = Digests()
    other = {"name": "read", "inputSchema": {"required": ["b", "a"]}}
    assert digests.of("tool", READ) == digests.of("tool", other)
    assert digests.of("prompt", READ) != digests.of("prompt", other)


def test_memory_is_bounded_and_what_is_asked_for_stays(made: list[Json]) -> None:
    digests = Digests(most=8)
    for number in range(100):
        digests.of("tool", READ)
        digests.of("tool", {"name": str(number)})
    assert made.count(READ) == 1
    assert len(digests._young) + len(digests._old) <= 8


def test_what_has_no_digest_is_refused_each_time_and_tried_once(made: list[Json]) -> None:
    deep: Any = {}
    for _ in range(200):
        deep = [deep]
    digests = Digests()
    for _ in range(3):
        with pytest.raises(Uncanonical, match="deeper"):
            digests.of("tool", {"name": deep})
    assert len(made) == 1


def test_what_is_too_large_is_not_even_read(made: list[Json]) -> None:
    with pytest.raises(Uncanonical, match="larger"):
        Digests().of("tool", {"inputSchema": {"required": ["a" * 64] * (LARGEST // 64)}})
    assert made == []


@pytest.mark.parametrize("value", ["\ud800", {1, 2}, [10**5000]])
def test_what_cannot_be_encoded_is_refused_with_its_reason(value: Any) -> None:
    with pytest.raises(Uncanonical, match=r"surrogate|not JSON|digits"):
        Digests().of("tool", {"name": value})
