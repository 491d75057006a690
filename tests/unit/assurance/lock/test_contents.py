"""What is written is the same for the same, shows all that there is, and reads back as it was."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bawn.assurance.lock.contents import locked, tree_of, written
from bawn.findings.evidence import Evidence
from bawn.pins.tree import root
from tests.lockfiles import READ, WRITE, pin

TEXT = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(
        TEXT, inner
    ),
)  # fmt: skip


@given(VALUES)
def test_any_value_reads_back_as_it_was(value: object) -> None:
    assert json.loads(written({"a": value})) == {"a": value}


@given(TEXT)
def test_what_does_not_print_is_an_escape(text: str) -> None:
    shown = written({"a": {text: text}}).decode()
    assert all(char.isprintable() or char == "\n" for char in shown)


def test_order_does_not_matter_and_each_pin_has_a_line() -> None:
    evidence = (Evidence("scan", "verified", "", 1.0), Evidence("publisher", "verified", "", 1.0))
    one = locked({"b": 1, "a": 2}, (pin(READ), pin(WRITE)), None, evidence)
    other = locked({"a": 2, "b": 1}, (pin(WRITE), pin(READ)), None, evidence[::-1])
    text = written(tree_of({"x": one, "a": one}, []))
    assert text == written(tree_of({"a": other, "x": other}, []))
    lines = [line for line in text.decode().splitlines() if '"digest"' in line]
    assert len(lines) == 4
    assert [json.loads(line.rstrip(","))["name"] for line in lines[:2]] == ["read", "write"]
    assert text.endswith(b"}\n")


def test_the_root_is_that_of_the_pins_and_is_checked() -> None:
    found = locked({}, (pin(READ), pin(WRITE)), None, ())
    assert found.root == root([pin(WRITE), pin(READ)])
    assert found.whole
    assert root(found.record("x").pins) == found.root
    assert found.record("x").pins[0].by == ("lock",)
    assert not msgspec.structs.replace(found, pins=found.pins[:1]).whole
