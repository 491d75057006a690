"""What nobody here knows survives: every level, both directions, both eras, equal in value.

Equal in value means: the same tree, exact integers, the same doubles, the same code points.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bawn.model import Client, Json
from bawn.protocol import legacy_client, legacy_server, strict, versions
from bawn.protocol.strict import JsonLimits
from bawn.protocol.versions import META_SUBSCRIPTION

LIMITS = JsonLimits()
NEWEST = versions.HANDSHAKE[0]

OURS = frozenset(
    {versions.META_VERSION, versions.META_CAPABILITIES, versions.META_CLIENT}
    | {versions.META_SERVER, versions.META_LOG_LEVEL, META_SUBSCRIPTION, "resultType", "ttlMs"}
    | {"cacheScope", "_meta", "content", "contents", "messages", "structuredContent", "role"}
    | {"type", "text", "data", "mimeType", "uri", "name", "resource", "arguments", "task"}
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
unknown = st.dictionaries(texts.filter(lambda key: key not in OURS), values, max_size=3)


def _with_more(**own: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """An object of these members, with metadata and members that nobody knows."""
    return st.builds(
        lambda made, more, meta: {**more, **made, "_meta": {"own": 1, **meta}},
        st.fixed_dictionaries(own),
        unknown,
        unknown,
    )


def _block(type_: str, *members: str) -> st.SearchStrategy[Json]:
    return _with_more(type=st.just(type_), **dict.fromkeys(members, texts))


contents = _with_more(uri=texts, text=texts) | _with_more(uri=texts, blob=texts)
blocks = (
    _block("text", "text")
    | _block("image", "data", "mimeType")
    | _block("audio", "data", "mimeType")
    | _block("resource_link", "uri", "name")
    | _with_more(type=st.just("resource"), resource=contents)
)
results = st.one_of(
    st.tuples(
        st.just("tools/call"),
        _with_more(content=st.lists(blocks, max_size=3), structuredContent=unknown),
    ),
    st.tuples(
        st.just("prompts/get"),
        _with_more(messages=st.lists(_with_more(role=st.just("user"), content=blocks), max_size=3)),
    ),
    st.tuples(st.just("resources/read"), _with_more(contents=st.lists(contents, max_size=3))),
    st.tuples(st.just("com.example/unheard"), _with_more()),
)
params = _with_more(name=texts, arguments=unknown)


def _exact(tree: Any) -> Any:
    """A form in which only what is equal in value is equal: 1, 1.0 and true are three things."""
    if isinstance(tree, dict):
        return {key: _exact(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_exact(value) for value in tree]
    if isinstance(tree, float):
        return ("double", struct.pack(">d", tree))
    return (type(tree).__name__, tree)


def _over_the_wire(tree: Json) -> Json:
    """The tree as the other side reads it."""
    read = strict.careful(strict.encode(tree), LIMITS)
    assert isinstance(read, dict)
    return read


def _strangers(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every member that is not of the protocol, with the way to it."""
    for key, value in tree.items() if isinstance(tree, dict) else ():
        if key in OURS:
            yield from _strangers(value, (*path, key))
        else:
            yield (*path, key), value
    for place, value in enumerate(tree) if isinstance(tree, list) else ():
        yield from _strangers(value, (*path, place))


@given(results)
def test_a_legacy_servers_result_reaches_a_legacy_client_as_it_was(sent: tuple[str, Json]) -> None:
    method, result = sent
    canonical = legacy_server.to_canonical_result(method, _over_the_wire(result))
    told = legacy_client.result(method, _over_the_wire(canonical), NEWEST)
    assert _exact(_over_the_wire(told)) == _exact(result)


@given(results)
def test_a_legacy_servers_result_reaches_a_modern_client_with_all_that_it_held(
    sent: tuple[str, Json],
) -> None:
    method, result = sent
    canonical = _over_the_wire(legacy_server.to_canonical_result(method, result))
    added = {"resultType", "ttlMs", "cacheScope"}
    assert _exact({key: value for key, value in canonical.items() if key not in added}) == _exact(
        result
    )


@given(results, st.sampled_from(versions.HANDSHAKE))
def test_a_modern_servers_result_reaches_every_legacy_client_with_what_nobody_knows(
    sent: tuple[str, Json], version: str
) -> None:
    method, result = sent
    canonical: Json = {
        **result,
        "resultType": "complete",
        "ttlMs": 1,
        "cacheScope": "public",
        "_meta": {**result["_meta"], versions.META_SERVER: {}, META_SUBSCRIPTION: 1},
    }
    told = _over_the_wire(legacy_client.result(method, canonical, version))
    structured = ("structuredContent",)  # goes into the text before 2025-06-18
    kept = {
        path: value
        for path, value in _strangers(result)
        if "structuredContent" in told or path[:1] != structured
    }
    found = dict(_strangers(told))
    assert {path: _exact(value) for path, value in found.items()} == {
        path: _exact(value) for path, value in kept.items()
    }


@given(params, unknown)
def test_a_legacy_clients_request_reaches_a_legacy_server_as_it_was(
    sent: Json, declared: Json
) -> None:
    client = Client(NEWEST, "c", declared)
    meta = legacy_client.canonical_meta(_over_the_wire(sent)["_meta"], client)
    canonical = _over_the_wire({**sent, "_meta": meta})
    assert _exact(legacy_server.to_legacy("tools/call", canonical)) == _exact(sent)


@given(params)
def test_a_modern_clients_request_reaches_a_modern_server_as_it_was(sent: Json) -> None:
    meta = {**sent["_meta"], versions.META_VERSION: versions.MODERN, versions.META_CAPABILITIES: {}}
    carried = legacy_client.canonical_meta(meta, Client(versions.MODERN))
    assert _exact(_over_the_wire({**sent, "_meta": carried})) == _exact({**sent, "_meta": meta})


@given(unknown)
def test_what_a_legacy_client_declares_of_its_own_reaches_the_server(declared: Json) -> None:
    meta = legacy_client.canonical_meta({}, Client(NEWEST, "c", declared))
    named = {"tasks", "elicitation", "sampling", "roots", "extensions"}
    expected = {key: value for key, value in declared.items() if key not in named}
    assert _exact(meta[versions.META_CAPABILITIES]) == _exact(expected)
