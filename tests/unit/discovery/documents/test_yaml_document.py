from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.discovery.documents.spans import Unreadable
from bawn.discovery.documents.yaml_document import YamlDocument

TEXT = "a: 1\nservers:\n  one:\n    cmd: x\n  two: 3\nlisted:\n  - name: first\n  - {}\n"


def test_servers_of_mappings_and_lists_are_found_with_their_lines() -> None:
    document = YamlDocument(TEXT)
    one, two = document.slots(("servers",))
    assert (one.name, one.value, one.line, one.problem) == ("one", {"cmd": "x"}, 3, "")
    assert TEXT[one.start : one.end] == "  one:\n    cmd: x\n"
    assert (two.line, two.problem) == (5, "expected a mapping")
    assert [slot.name for slot in document.slots(("listed",))] == ["first", "server 2"]
    assert document.slots(("absent", "deeper")) == ()


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: &y [*x,*x,*x,*x,*x,*x,*x,*x,*x]\n" * 40,
        "a: !!python/object:os.system x",
        "a: [",
        "- 1",
    ],
)
def test_what_grows_or_makes_objects_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        YamlDocument(text)


def test_a_place_that_holds_no_servers_is_told() -> None:
    with pytest.raises(Unreadable, match="expected a mapping or a list at `a`"):
        YamlDocument("a: 1").slots(("a",))


def test_writing_is_refused() -> None:
    document = YamlDocument(TEXT)
    (slot, _) = document.slots(("servers",))
    for change in (
        lambda: document.replacement(slot, {}),
        lambda: document.insertion(("servers",), "x", {}),
        lambda: document.removal(slot),
    ):
        with pytest.raises(Unreadable, match="only read"):
            change()
    assert list(document.masks(0, 9)) == []


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Unreadable):
        YamlDocument(text).slots(("a",))
