"""A document is of the shape or is refused, with the place and what was expected there."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.errors import Misconfigured
from bawn.registry.server_json import convert, parse
from tests.unit.registry.documents import document, npm, remote


def test_what_the_schema_does_not_name_is_let_pass() -> None:
    found = convert(document(icons=[{"src": "https://e.example/i.png"}], future=1), "f")
    assert found.name == "io.example/weather"


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ([], "Expected `object`"),
        ({"name": "io.example/weather"}, "missing required field `description`"),
        (document(name=1), "$.name"),
        (document(name="no-namespace"), "$.name"),
        (document(name="a/b/c"), "$.name"),
        (document(name="io.example/../../etc"), "$.name"),
        (document(name="io.exаmple/weather"), "$.name"),
        (document(description="x" * 101), "$.description"),
        (document(description=""), "$.description"),
        (document(packages={}), "$.packages"),
        (npm(transport={"type": "carrier-pigeon"}), "$.packages[0].transport"),
        (npm(environmentVariables=[{"name": 3}]), "$.packages[0].environmentVariables[0].name"),
        (npm(packageArguments=[{"type": "x"}]), "$.packages[0].packageArguments[0]"),
        (npm(packageArguments=["-x"]), "$.packages[0].packageArguments[0]"),
        (npm(fileSha256="zz"), "$.packages[0].fileSha256"),
        (remote(url="file:///etc/passwd"), "$.remotes[0].url"),
        (remote(url="javascript:alert(1)"), "$.remotes[0].url"),
        (remote(type="stdio"), "$.remotes[0]"),
        (npm(environment_variables=[]), "expected `environmentVariables`"),
        (npm(RuntimeHint="sh"), "expected `runtimeHint`"),
    ],
)
def test_what_is_not_of_the_shape_is_refused_with_its_place(tree: Any, told: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        convert(tree, "f")
    assert str(caught.value).startswith("f: ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"name": "a/b", "name": "c/d"}',
        b'{"x": NaN}',
        b'"\\ud800"',
        b"\xff",
        b"[" * 100_000,
        b"[" + b"1," * 300_000 + b"1]",
    ],
)
def test_text_with_another_reading_is_refused(body: bytes) -> None:
    with pytest.raises(Misconfigured, match=r"expected a server\.json"):
        parse(body, "f")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.sampled_from(["name", "packages", "remotes", "version", "repository"]), JSON)
def test_any_other_value_is_either_read_or_refused(key: str, value: Any) -> None:
    tree = parse(json.dumps(document(**{key: value})).encode(), "f")
    with suppress(Misconfigured):
        assert convert(tree, "f").name
