from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.barrier import views
from bawn.compile import compile_view
from bawn.config import Config, Server
from bawn.errors import Refused
from bawn.model import Kind, View
from tests.gate import LISTINGS


def of_tenants(**tenants: str) -> View:
    """The View of three servers, each of its tenant."""
    url = "http://127.0.0.1:9/mcp"
    servers = {name: Server(url=url, tenant=tenant) for name, tenant in tenants.items()}
    return compile_view(Config(servers=servers), LISTINGS)


def whole() -> View:
    return of_tenants(files="", issues="", bare="")


def test_a_view_comes_back_as_it_was() -> None:
    view = whole()
    back = views.load(views.dump(view))
    assert back.version == view.version
    assert list(back.endpoints) == list(view.endpoints)
    for name, endpoint in view.endpoints.items():
        other = back.endpoints[name]
        assert other == endpoint
        for kind, items in endpoint.items.items():
            assert list(other.items[kind]) == list(items)  # the order is that of lists
            for key, item in items.items():
                assert other.items[kind][key].definition == item.definition
                assert other.items[kind][key].key == item.key


def test_a_tenants_aggregate_comes_back_as_it_was() -> None:
    view = of_tenants(files="acme", issues="zeta", bare="")
    back = views.load(views.dump(view))
    assert list(back.aggregates) == ["acme", "zeta"]
    assert back.aggregates == view.aggregates
    shown = back.aggregates["acme"].items[Kind.TOOL]["files__read"]
    assert shown is back.endpoints["files"].items[Kind.TOOL]["read"]


def test_an_item_is_one_object_at_every_endpoint() -> None:
    back = views.load(views.dump(whole()))
    for server, endpoint in back.endpoints.items():
        for kind, items in endpoint.items.items():
            for item in items.values():
                if server is not None and item.shown in back.endpoints[None].items[kind]:
                    assert back.endpoints[None].items[kind][item.shown] is item


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30, 1.0, 1e300])
def test_no_number_that_one_server_lists_stops_the_view_of_all(number: float) -> None:
    listing = LISTINGS[0]
    tool = {"name": "read", "inputSchema": {"type": "object", "maximum": number}}
    odd = replace(listing, definitions={**listing.definitions, Kind.TOOL: (tool,)})
    url = "http://127.0.0.1:9/mcp"
    view = compile_view(Config(servers={odd.server: Server(url=url)}), [odd])
    back = views.load(views.dump(view))
    found = back.endpoints[odd.server].items[Kind.TOOL]["read"].definition
    assert found == tool
    assert type(found["inputSchema"]["maximum"]) is type(number)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_view_are_refused(content: bytes) -> None:
    with pytest.raises(Refused) as caught:
        views.load(content)
    assert caught.value.reason.id == "gate.not_ready"


def test_a_cut_off_view_is_refused() -> None:
    content = views.dump(whole())
    for end in range(0, len(content), 97):
        with pytest.raises(Refused):
            views.load(content[:end])


def test_the_same_view_published_again_is_another_file() -> None:
    first, again = views.dump(whole(), "a"), views.dump(whole(), "b")
    assert first != again
    assert views.load(first) == views.load(again)
