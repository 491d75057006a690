"""Canonical → legacy server."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn import __version__
from bawn.errors import Refused
from bawn.model import Json
from bawn.protocol import legacy_server, versions

META: Json = {
    versions.META_VERSION: versions.MODERN,
    versions.META_CAPABILITIES: {"sampling": {}},
    versions.META_CLIENT: {"name": "c", "version": "1"},
    versions.META_LOG_LEVEL: "debug",
}
INITIALISED: Json = {
    "protocolVersion": "2025-03-26",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "s", "version": "1"},
    "instructions": "be good",
}
CACHEABLE = [name for name, method in versions.METHODS.items() if method.cacheable]
RETRY: Json = {"requestState": "S", "inputResponses": {}, "task": {"ttl": 1}}
own_keys = {"_meta", "resultType", "ttlMs", "cacheScope", "code", *RETRY}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
unknown = st.dictionaries(st.text().filter(lambda key: key not in own_keys), values)
unknown_meta = st.dictionaries(st.text().filter(lambda key: key not in META), values)


def test_bawn_offers_the_newest_handshake_version_and_no_capability() -> None:
    assert legacy_server.initialize_params() == {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "bawn", "version": __version__},
    }


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_each_handshake_version_is_accepted(version: str) -> None:
    accepted = legacy_server.accept_initialize({**INITIALISED, "protocolVersion": version})
    assert accepted == (version, {"tools": {}}, "be good")


@pytest.mark.parametrize(
    "wrong",
    [
        *({"protocolVersion": v} for v in ("2026-07-28", "1999-01-01", "", None, 3, ["x"])),
        *({"capabilities": v} for v in (None, ["x"], "all")),
    ],
)
def test_another_version_or_shape_is_refused(wrong: Json) -> None:
    with pytest.raises(Refused) as refused:
        legacy_server.accept_initialize({**INITIALISED, **wrong})
    assert refused.value.reason.id == "upstream.invalid"


def test_instructions_that_are_no_text_count_as_none() -> None:
    assert legacy_server.accept_initialize({**INITIALISED, "instructions": ["x"]})[2] == ""


def test_the_probe_is_a_complete_modern_request() -> None:
    probe = legacy_server.discover_request(7)
    meta = probe.pop("params")["_meta"]
    assert probe == {"jsonrpc": "2.0", "id": 7, "method": "server/discover"}
    assert meta[versions.META_VERSION] == versions.MODERN
    assert meta[versions.META_CAPABILITIES] == {}


def test_an_initialised_server_is_discovered_in_canonical_form() -> None:
    assert legacy_server.discover_result(INITIALISED) == {
        "resultType": "complete",
        "supportedVersions": ["2025-03-26"],
        "capabilities": {"tools": {}},
        "instructions": "be good",
        "_meta": {versions.META_SERVER: {"name": "s", "version": "1"}},
        "ttlMs": 0,
        "cacheScope": "private",
    }


@pytest.mark.parametrize(
    ("message", "modern"),
    [
        ({"result": {"supportedVersions": ["2026-07-28", "2025-11-25"]}}, True),
        ({"result": {"supportedVersions": ["2025-11-25"]}}, False),
        ({"result": {"supportedVersions": "2026-07-28"}}, False),
        ({"result": {}}, False),
        ({"error": {"code": -32020, "message": ""}}, True),
        ({"error": {"code": -32021, "message": ""}}, True),
        ({"error": {"code": -32022, "message": ""}}, True),
        ({"error": {"code": -32022, "data": {"supported": ["2026-07-28"]}}}, True),
        ({"error": {"code": -32022, "data": {"supported": ["2025-11-25"]}}}, False),
        ({"error": {"code": -32601, "message": "Method not found"}}, False),
        ({"error": {"code": -32602, "message": ""}}, False),
        ({"error": {"code": "-32022"}}, False),
        ({"error": "no"}, False),
        ({}, False),
    ],
)
def test_only_positive_evidence_makes_a_server_modern(message: Json, modern: bool) -> None:
    assert legacy_server.speaks_modern(message) is modern


@given(unknown, unknown_meta)
def test_a_request_loses_its_modern_metadata_and_nothing_else(params: Json, meta: Json) -> None:
    canonical = {**params, **RETRY, "_meta": {**META, **meta}}
    before = copy.deepcopy(canonical)
    expected = {**params, "_meta": meta} if meta else params
    assert legacy_server.to_legacy("tools/call", canonical) == expected
    assert canonical == before


def test_progress_and_trace_reach_a_legacy_server() -> None:
    kept = {"progressToken": 0, "traceparent": "00-1-2-01", "com.example/x": None}
    legacy = legacy_server.to_legacy("tools/call", {"name": "t", "_meta": {**META, **kept}})
    assert legacy == {"name": "t", "_meta": kept}


def test_params_without_metadata_stay() -> None:
    assert legacy_server.to_legacy("tools/list", {"cursor": ""}) == {"cursor": ""}


@given(unknown, st.sampled_from(["tools/call", "prompts/get", "completion/complete", "x/y"]))
def test_a_result_gains_its_type_and_nothing_else(result: Json, method: str) -> None:
    before = copy.deepcopy(result)
    expected = {**result, "resultType": "complete"}
    assert legacy_server.to_canonical_result(method, result) == expected
    assert result == before


@given(unknown, st.sampled_from(CACHEABLE))
def test_a_cacheable_result_is_never_to_be_cached(result: Json, method: str) -> None:
    hints: dict[str, Any] = {"ttlMs": 0, "cacheScope": "private"}
    claimed = {**result, "ttlMs": 10**9, "cacheScope": "public"}
    expected = {**result, "resultType": "complete", **hints}
    assert legacy_server.to_canonical_result(method, claimed) == expected


def test_the_cacheable_methods_are_discover_the_lists_and_reading() -> None:
    assert len(CACHEABLE) == 6


def test_a_result_type_of_the_servers_own_stays() -> None:
    result = legacy_server.to_canonical_result("tools/call", {"resultType": "odd"})
    assert result == {"resultType": "odd"}


@pytest.mark.parametrize(
    ("legacy", "canonical"),
    [
        (-32002, -32602),
        (-32042, -32603),
        (-32020, -32603),
        (-32022, -32603),
        (-32099, -32603),
        (-32100, -32100),
        (-32019, -32019),
        (-32000, -32000),
        (-32601, -32601),
        (7, 7),
    ],
)
def test_an_error_gets_the_code_that_2026_gives_it(legacy: int, canonical: int) -> None:
    error = {"code": legacy, "message": "m", "data": {"uri": "u"}, "x": 1}
    assert legacy_server.to_canonical_error(error) == {**error, "code": canonical}
    assert error["code"] == legacy


def test_what_may_be_asked_is_offered() -> None:
    assert legacy_server.initialize_params({"roots": {}})["capabilities"] == {"roots": {}}


def test_a_question_is_taken_over_but_for_what_the_new_version_does_not_have() -> None:
    params = {"mode": "url", "elicitationId": "e", "task": {}, "url": "u", "_meta": {"x": 1}}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": params}
    assert legacy_server.to_canonical_ask(asked) == {
        "method": "elicitation/create",
        "params": {"mode": "url", "url": "u", "_meta": {"x": 1}},
    }
    assert legacy_server.to_canonical_ask({"method": "roots/list"}) == {"method": "roots/list"}
