from __future__ import annotations

from typing import Any

import pytest

from bawn.protocol import capabilities

FORM: Any = {"elicitation": {"form": {}}}
CALLED: Any = {"role": "assistant", "content": [{"type": "tool_use", "name": "x"}]}


@pytest.mark.parametrize(
    ("declared", "offered", "key"),
    [
        ({}, {}, ""),
        (None, {}, ""),
        ({"sampling": {}}, {"sampling": {}}, "s"),
        ({"sampling": {"tools": {}, "context": {}}}, {"sampling": {"tools": {}, "context": {}}}, "stc"),
        ({"elicitation": {}}, FORM, "f"),
        ({"elicitation": {"form": {"x": 1}, "new": {}}}, FORM, "f"),
        ({"elicitation": {"url": {}}}, {"elicitation": {"url": {}}}, "u"),
        ({"elicitation": {"new": {}}}, {}, ""),
        ({"roots": {"listChanged": True}}, {"roots": {}}, "r"),
        ({"roots": True, "experimental": {"x": {}}, "extensions": {}}, {}, ""),
    ],
)  # fmt: skip
def test_what_is_offered_is_what_is_known_and_declared(
    declared: Any, offered: Any, key: str
) -> None:
    found = capabilities.offered(declared, shared=False)
    assert found == offered
    assert capabilities.key(found) == key


def test_nothing_is_offered_where_many_share_a_session() -> None:
    assert capabilities.offered({"sampling": {}, "roots": {}}, shared=True) == {}


@pytest.mark.parametrize(
    ("method", "params", "offered", "missing"),
    [
        ("roots/list", None, {"roots": {}}, False),
        ("roots/list", {}, {"sampling": {}}, True),
        ("elicitation/create", {}, FORM, False),
        ("elicitation/create", {"mode": "url"}, FORM, True),
        ("elicitation/create", {"mode": None}, FORM, False),
        ("elicitation/create", {"mode": ["form"]}, FORM, True),
        ("elicitation/create", None, FORM, True),
        ("sampling/createMessage", {"messages": []}, {"sampling": {}}, False),
        ("sampling/createMessage", {"tools": []}, {"sampling": {}}, True),
        ("sampling/createMessage", {"tools": []}, {"sampling": {"tools": {}}}, False),
        ("sampling/createMessage", {"includeContext": "none"}, {"sampling": {}}, False),
        ("sampling/createMessage", {"toolChoice": {}}, {"sampling": {}}, True),
        ("sampling/createMessage", {"tools": None}, {"sampling": {}}, False),
        ("sampling/createMessage", {"messages": [CALLED]}, {"sampling": {}}, True),
        ("sampling/createMessage", {"messages": [CALLED]}, {"sampling": {"tools": {}}}, False),
        ("sampling/createMessage", {"includeContext": "allServers"}, {"sampling": {}}, False),
        ("tasks/list", {}, {"roots": {}}, True),
        ({"odd": 1}, {}, {"roots": {}}, True),
    ],
)
def test_what_was_not_offered_cannot_be_asked(
    method: Any, params: Any, offered: Any, missing: bool
) -> None:
    may = capabilities.may_ask(method, offered)
    assert (may and capabilities.fits(method, params, offered)) is not missing
