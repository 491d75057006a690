from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.model import Endpoint, Item, Kind
from bawn.protocol import lists
from bawn.protocol.lifecycle import SERVER_INFO
from bawn.protocol.outbound import LONGEST
from tests.fakes import counting_sealer
from tests.gate import LEGACY, META, MODERN

_names = st.sets(st.text("ab/é😀", min_size=1, max_size=4), max_size=24)


def _endpoint(names: set[str], kind: Kind = Kind.TOOL) -> Endpoint:
    items = {name: Item(kind, "files", name, name, {"name": name}) for name in sorted(names)}
    return Endpoint(None, {kind: items}, frozenset(), {}, {}, 0)


def _walk(endpoint: Endpoint, seen_by: set[str], size: int) -> list[list[str]]:
    pages: list[list[str]] = []
    after: str | None = None
    while len(pages) <= len(seen_by):  # a walk that does not end would show as too many pages
        entries, after = lists.page(
            endpoint, Kind.TOOL, lambda item: item.name in seen_by, after=after, size=size
        )
        pages.append([name for name, _ in entries])
        if after is None:
            break
    return pages


@given(_names, st.data(), st.integers(1, 30))
def test_pages_partition_what_the_caller_may_see(
    names: set[str], data: st.DataObject, size: int
) -> None:
    visible = {name for name in sorted(names) if data.draw(st.booleans())}
    pages = _walk(_endpoint(names), visible, size)
    assert [name for page in pages for name in page] == sorted(visible)
    assert all(len(page) == size for page in pages[:-1])
    assert len(pages) == max(1, -(-len(visible) // size))


@given(_names, _names, st.integers(1, 6))
def test_a_cursor_outlives_a_change_of_the_list(
    before: set[str], after_change: set[str], size: int
) -> None:
    entries, after = lists.page(
        _endpoint(before), Kind.TOOL, lambda item: True, after=None, size=size
    )
    if after is None:
        return
    first = [name for name, _ in entries]
    rest: list[str] = []
    while after is not None:
        entries, after = lists.page(
            _endpoint(after_change), Kind.TOOL, lambda item: True, after=after, size=size
        )
        rest += [name for name, _ in entries]
    assert rest == sorted(name for name in after_change if name > first[-1])


# ── cursors ─────────────────────────────────────────────────────────────────────────────────────


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_cursor_goes_on_after_the_name_it_holds(scope: str, name: str) -> None:
    sealer = counting_sealer()
    assert lists.cursor_position(sealer, sealer.seal("cursor", {scope: name}), scope) == name


@pytest.mark.parametrize("character", ["a", "\x01", "😀", '"'])
def test_the_longest_name_that_is_offered_fits_a_cursor(character: str) -> None:
    sealer = counting_sealer()
    name = character * LONGEST
    assert lists.cursor_position(sealer, sealer.seal("cursor", {"s": name}), "s") == name


@pytest.mark.parametrize("cursor", [None, 5, True, ["a"], {}, "", "a", "AAAA" * 20, "é"])
def test_a_cursor_that_was_never_given_out_is_refused(cursor: object) -> None:
    with pytest.raises(Refused) as caught:
        lists.cursor_position(counting_sealer(), cursor, "tool||")
    assert caught.value.reason.id == "cursor.invalid"


@pytest.mark.parametrize(
    ("purpose", "content"),
    [
        ("cursor", {"tool|files|": "a"}),
        ("cursor", {"tool||": 5}),
        ("cursor", {}),
        ("session", {"tool||": "a"}),
    ],
)
def test_a_cursor_of_another_list_is_refused(purpose: str, content: dict[str, object]) -> None:
    sealer = counting_sealer()
    with pytest.raises(Refused) as caught:
        lists.cursor_position(sealer, sealer.seal(purpose, content), "tool||")
    assert caught.value.reason.id == "cursor.invalid"


def test_a_cursor_of_another_gate_is_refused() -> None:
    cursor = counting_sealer(b"x" * 32).seal("cursor", {"s": "a"})
    with pytest.raises(Refused, match="cursor"):
        lists.cursor_position(counting_sealer(), cursor, "s")


# ── results ─────────────────────────────────────────────────────────────────────────────────────

NUMBER = Item(
    Kind.TOOL, "files", "n", "files__n", {"name": "n", "outputSchema": {"type": "number"}}
)


def test_a_modern_result_has_its_hints_and_the_shown_name() -> None:
    assert lists.result(Kind.TOOL, [("files__n", NUMBER)], 50, "c", MODERN) == {
        "tools": [{"name": "files__n", "outputSchema": {"type": "number"}}],
        "nextCursor": "c",
        "resultType": "complete",
        "ttlMs": 50,
        "cacheScope": "private",
        "_meta": {META + "serverInfo": SERVER_INFO},
    }


def test_a_legacy_result_has_neither_hints_nor_what_would_fail_the_list() -> None:
    assert lists.result(Kind.TOOL, [("files__n", NUMBER)], 50, None, LEGACY) == {
        "tools": [{"name": "files__n"}]
    }


@pytest.mark.parametrize(
    ("kind", "member", "identifier"),
    [
        (Kind.PROMPT, "prompts", "name"),
        (Kind.RESOURCE, "resources", "uri"),
        (Kind.TEMPLATE, "resourceTemplates", "uriTemplate"),
    ],
)
def test_each_kind_is_listed_under_its_own_member(kind: Kind, member: str, identifier: str) -> None:
    definition = {identifier: "x", "title": "X", "_meta": {"own": 1}}
    item = Item(kind, "files", "x", "y", definition)
    assert lists.result(kind, [("y", item)], 0, None, LEGACY) == {
        member: [definition | {identifier: "y"}]
    }
    assert definition[identifier] == "x"
