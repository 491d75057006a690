"""Patterns are found where they are, and what was compiled before is loaded and finds the same."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bawn.detectors import engine
from bawn.detectors.engine import Gate, Match, Patterns


class Kept(dict[str, bytes]):
    """A store in memory."""

    def put(self, key: str, content: bytes) -> None:
        """Fills `engine.Store`."""
        self[key] = content


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setattr(engine, "_known", {})
    before, store = engine._store, Kept()
    engine.keep(store)
    yield store
    engine.keep(before)


def test_a_gate_opens_for_any_pattern_in_any_case() -> None:
    gate = Gate(["ignore", "b[0-9]+"])

    assert gate.opens(b"please IGNORE it")
    assert gate.opens(b"x b12")
    assert not gate.opens(b"nothing of the kind")
    assert not gate.opens(b"")


def test_the_longest_match_at_each_start_is_told_in_the_order_of_starts() -> None:
    found = Patterns(["a+b", "[0-9]+"]).find(b"12 aaab 3")

    assert found == [Match(1, 0, 2), Match(0, 3, 7), Match(1, 8, 9)]


def test_matches_of_one_pattern_do_not_overlap() -> None:
    assert Patterns(["aba"]).find(b"ababa") == [Match(0, 0, 3)]


def test_a_text_of_nothing_but_matches_is_told_as_far_as_that() -> None:
    assert len(Patterns(["a"]).find(b"a " * 32_768)) == 32_768
    assert len(Patterns(["a"]).find(b"a " * 80_000)) == 65_536


def test_what_was_compiled_is_kept_and_finds_the_same_when_loaded(kept: Kept) -> None:
    first = Patterns(["a+b", "c"]).find(b"aab c")
    engine._known.clear()
    second = Patterns(["a+b", "c"]).find(b"aab c")

    assert first == second == [Match(0, 0, 3), Match(1, 4, 5)]
    assert len(kept) == 1


def test_other_patterns_or_another_use_are_kept_apart(kept: Kept) -> None:
    made = Patterns(["a", "b"]), Patterns(["b", "a"]), Patterns(["a\0b"]), Gate(["a", "b"])

    engine.warm()

    assert len(kept) >= len(made)  # others were made and not used yet


def test_what_is_kept_and_is_none_is_compiled_again(kept: Kept) -> None:
    Gate(["abc"]).opens(b"")
    key = next(iter(kept))
    kept[key] = b"junk" * 100
    engine._known.clear()

    assert Gate(["abc"]).opens(b"xabcx")
    assert kept[key] != b"junk" * 100


def test_the_same_patterns_are_in_memory_once(kept: Kept) -> None:
    assert Patterns(["a+b"]).database is Patterns(["a+b"]).database
    assert Patterns(["a+b"]).database is not Patterns(["a+b"], starts=False).database


def test_threads_scan_at_the_same_time_and_each_finds_all() -> None:
    patterns, text = Patterns(["foo[a-z]+bar"]), b"x foozzbar y " * 2_000
    alone = patterns.find(text)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: patterns.find(text), range(40)))

    assert all(each == alone for each in found)
    assert alone
