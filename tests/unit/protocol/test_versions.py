from __future__ import annotations

from bawn.model import Kind
from bawn.protocol import versions


def test_versions_stand_from_new_to_old() -> None:
    assert list(versions.SUPPORTED) == sorted(versions.SUPPORTED, reverse=True)
    assert list(versions.SUPPORTED) == [versions.MODERN, *versions.HANDSHAKE]
    assert versions.BATCHES in versions.HANDSHAKE


def test_methods_are_found_under_their_own_names() -> None:
    assert all(name == method.name for name, method in versions.METHODS.items())


def test_each_kind_has_its_list_method_and_its_name() -> None:
    for kind in set(Kind) - {Kind.METHOD}:
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


def test_only_what_may_take_a_while_may_ask() -> None:
    asking = {method.name for method in versions.METHODS.values() if method.asks}
    assert asking == {"tools/call", "prompts/get", "resources/read"}


def test_the_eras_differ_where_the_protocol_does() -> None:
    only_modern = {m.name for m in versions.METHODS.values() if m.modern and not m.legacy}
    only_legacy = {m.name for m in versions.METHODS.values() if m.legacy and not m.modern}
    tasks = {"tasks/get", "tasks/update", "tasks/cancel"}
    assert only_modern == {"server/discover", "subscriptions/listen"} | tasks
    subscribing = {"resources/subscribe", "resources/unsubscribe"}
    assert only_legacy == {"initialize", "ping", "logging/setLevel"} | subscribing


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
