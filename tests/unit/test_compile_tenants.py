"""Tenants: what belongs to one is neither seen nor felt by another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bawn.barrier import views
from bawn.compile import compile_view
from bawn.config import Config, Server
from bawn.model import Endpoint, Json, Kind, Listing, View
from tests.gate import BARE, FILES, ISSUES, listing

URL = "http://127.0.0.1:9/mcp"
TENANTS = ("", "acme", "zeta")


def _config(**tenants: str) -> Config:
    return Config(servers={name: Server(url=URL, tenant=t) for name, t in tenants.items()})


def _view(**tenants: str) -> View:
    offered = {"files": FILES, "issues": ISSUES, "bare": BARE}
    listings = [listing(name, offered[name]) for name in tenants]
    return compile_view(_config(**tenants), listings)


def test_each_tenant_has_an_aggregate_of_its_own_servers() -> None:
    view = _view(files="acme", issues="zeta", bare="")
    assert list(view.endpoints) == [None, "bare", "files", "issues"]
    assert list(view.endpoints[None].items[Kind.TOOL]) == ["bare__echo"]
    assert list(view.aggregates) == ["acme", "zeta"]
    assert list(view.aggregates["acme"].items[Kind.TOOL]) == ["files__read", "files__write"]
    assert list(view.aggregates["zeta"].items[Kind.TOOL]) == ["issues__read", "issues__search"]
    assert all(each.server is None for each in view.aggregates.values())


def test_a_resource_that_two_tenants_offer_is_claimed_by_neither() -> None:
    view = _view(files="acme", issues="zeta", bare="")
    assert "common://doc" in view.aggregates["acme"].items[Kind.RESOURCE]
    assert "common://doc" in view.aggregates["zeta"].items[Kind.RESOURCE]
    assert not any(each.claimed for each in view.aggregates.values())
    shared = _view(files="acme", issues="acme", bare="")
    assert shared.aggregates["acme"].claimed == {"common://doc"}


def test_a_tenant_may_use_the_names_of_anothers_servers() -> None:
    servers = {
        "files": Server(url=URL, tenant="acme", prefix=""),
        "issues": Server(url=URL, tenant="zeta"),
    }
    tools = {**BARE, Kind.TOOL: ({"name": "issues__read"},)}
    view = compile_view(Config(servers=servers), [listing("files", tools)])
    assert list(view.aggregates["acme"].items[Kind.TOOL]) == ["issues__read"]


def test_a_tenant_is_served_before_its_servers_were_ever_listed() -> None:
    view = compile_view(_config(files="acme"), [])
    assert view.aggregates["acme"].capabilities == {}
    assert not any(view.aggregates["acme"].items.values())


def test_without_tenants_there_is_one_aggregate() -> None:
    assert _view(files="", issues="", bare="").aggregates == {}


def test_a_server_that_fails_spoils_the_lists_of_its_own_tenant_alone() -> None:
    config = _config(files="acme", issues="zeta", bare="")
    listings = [
        listing("files", FILES, 50),
        listing("issues", ISSUES, 40),
        listing("bare", BARE, 30),
    ]
    view = compile_view(config, listings, failing=["files"])
    assert (view.aggregates["acme"].ttl_ms, view.aggregates["zeta"].ttl_ms) == (0, 40)
    assert view.endpoints[None].ttl_ms == 30
    own = compile_view(config, listings, failing=["bare"])
    assert (own.aggregates["acme"].ttl_ms, own.endpoints[None].ttl_ms) == (50, 0)


def test_the_version_tells_whose_a_server_is() -> None:
    versions = {
        _view(files="acme", issues="", bare="").version,
        _view(files="zeta", issues="", bare="").version,
        _view(files="", issues="", bare="").version,
        _view(files="acme", issues="acme", bare="").version,
        _view(files="acme", issues="zeta", bare="").version,
    }
    assert len(versions) == 5


# ── nothing of one tenant influences another's ──────────────────────────────────────────────────

_NAMES = st.sampled_from(["a", "b__a", "d__a", "p_a", "x" * 140])
_URIS = st.sampled_from(["u:1", "u:2", "ui://page"])


@dataclass(frozen=True)
class _Made:
    """One server as configured, and what it said of itself, if it was ever listed."""

    prefix: str | None
    listed: Listing | None
    failing: bool


def _tool(name: str, page: str | None) -> Json:
    return {"name": name, "_meta": {"ui": {"resourceUri": page}}} if page else {"name": name}


_definitions = st.fixed_dictionaries(
    {
        Kind.TOOL: st.lists(st.builds(_tool, _NAMES, st.none() | _URIS), max_size=3).map(tuple),
        Kind.PROMPT: st.lists(_NAMES.map(lambda name: {"name": name}), max_size=2).map(tuple),
        Kind.RESOURCE: st.lists(_URIS.map(lambda uri: {"uri": uri}), max_size=2).map(tuple),
        Kind.TEMPLATE: st.lists(
            st.sampled_from(["u:{x}", "v:{x}"]).map(lambda uri: {"uriTemplate": uri}), max_size=2
        ).map(tuple),
    }
)
_capabilities = st.dictionaries(
    st.sampled_from(["tools", "resources", "completions", "extensions"]),
    st.sampled_from([{}, {"subscribe": True}, {"com.example/own": {"a": 1}}]),
)


@st.composite
def _servers(draw: st.DrawFn, names: tuple[str, ...]) -> dict[str, _Made]:
    made: dict[str, _Made] = {}
    for name in draw(st.sets(st.sampled_from(names))):
        prefix = draw(st.sampled_from([None, "", "b__", "p_"]))
        told = replace(
            listing(name, draw(_definitions), draw(st.sampled_from([0, 10, 99]))),
            capabilities=draw(_capabilities),
            instructions=draw(st.sampled_from(["", "Be kind."])),
            changes=draw(st.dictionaries(st.sampled_from(list(Kind)), st.integers(0, 2))),
        )
        made[name] = _Made(prefix, draw(st.sampled_from([told, None])), draw(st.booleans()))
    return made


def _compiled(owned: Mapping[str, Mapping[str, _Made]]) -> View:
    every = {name: (tenant, made) for tenant, s in owned.items() for name, made in s.items()}
    servers: dict[str, Any] = {
        name: Server(url=URL, tenant=tenant, prefix=made.prefix)
        for name, (tenant, made) in every.items()
    }
    listings = [made.listed for _, made in every.values() if made.listed is not None]
    failing = [name for name, (_, made) in every.items() if made.failing]
    return compile_view(Config(servers=servers), listings, failing=failing)


def _of(view: View, tenant: str, servers: Mapping[str, _Made]) -> bytes:
    """Everything that a caller of this tenant may find, as it goes from process to process."""
    aggregate = view.served(None, tenant)
    own: dict[str | None, Endpoint] = {
        name: view.endpoints[name] for name in sorted(servers) if name in view.endpoints
    }
    return views.dump(View("", own, {} if aggregate is None else {"": aggregate}))


@given(
    st.sampled_from(TENANTS),
    _servers(("a", "b", "c")),
    _servers(("d", "e", "b-b")),
    _servers(("d", "e", "b-b")),
    st.sampled_from(TENANTS),
)
def test_whatever_one_tenant_does_nothing_changes_for_another(
    mine: str, own: dict[str, _Made], theirs: dict[str, _Made], later: dict[str, _Made], other: str
) -> None:
    if mine == other:
        other = TENANTS[TENANTS.index(mine) - 1]
    alone = _of(_compiled({mine: own}), mine, own)
    assert _of(_compiled({mine: own, other: theirs}), mine, own) == alone
    assert _of(_compiled({other: later, mine: own}), mine, own) == alone


@given(_servers(("a", "b", "c")).filter(bool))
def test_being_a_tenants_changes_nothing_of_what_is_served(own: dict[str, _Made]) -> None:
    assert _of(_compiled({"acme": own}), "acme", own) == _of(_compiled({"": own}), "", own)
