from __future__ import annotations

from bawn.model import Kind
from bawn.protocol import versions


def test_versions_stand_from_new_to_old() -> None:
    assert list(versions.SUPPORTED) == sorted(versions.SUPPORTED, reverse=True)
    assert list(versions.UPSTREAM_HANDSHAKE) == sorted(versions.UPSTREAM_HANDSHAKE, reverse=True)


def test_methods_are_found_under_their_own_names() -> None:
    assert all(name == method.name for name, method in versions.METHODS.items())


def test_each_kind_has_its_list_method_and_its_name() -> None:
    for kind in Kind:
        method, _ = versions.LIST_METHODS[kind]
        assert versions.METHODS[method].lists
        assert versions.METHODS[method].kind is kind
        assert versions.IDENTIFIER[kind]


def test_what_reaches_a_server_is_named_in_the_header() -> None:
    reaching = [m for m in versions.METHODS.values() if m.kind and not m.lists]
    assert {m.name: m.named for m in reaching} == {
        "tools/call": "name",
        "prompts/get": "name",
        "resources/read": "uri",
    }


def test_headers_of_tasks_are_known_before_tasks_are_served() -> None:
    for name in ("tasks/get", "tasks/update", "tasks/cancel"):
        method = versions.METHODS[name]
        assert method.named == "taskId"
        assert not method.served


def test_the_eras_differ_where_the_protocol_does() -> None:
    only_modern = {m.name for m in versions.METHODS.values() if m.modern and not m.legacy}
    only_legacy = {m.name for m in versions.METHODS.values() if m.legacy and not m.modern}
    assert only_modern == {"server/discover"}
    assert only_legacy == {"initialize", "ping"}


def test_results_that_may_be_kept_are_those_of_the_specification() -> None:
    kept = {m.name for m in versions.METHODS.values() if m.cacheable}
    assert kept == {
        "server/discover",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "resources/read",
    }
