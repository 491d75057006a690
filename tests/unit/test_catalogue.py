from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.catalogue import Catalogue
from bawn.config import RoleRule
from bawn.errors import Refused
from bawn.model import Client, Endpoint, Item, Kind, Principal
from bawn.protocol import versions
from bawn.protocol.inbound import Request
from tests.fakes import counting_sealer
from tests.gate import ADA, EVE, LEGACY, MODERN, VIC, House
from tests.policies import roles_only

_METHODS = {Kind.TOOL: "tools/list", Kind.RESOURCE: "resources/list"}


def _asked(method: str, *, modern: bool = True, id_: str | int = 1, **params: Any) -> Request:
    client = Client(MODERN if modern else LEGACY)
    return Request(id_, versions.METHODS[method], params, client, modern)


def _endpoint(server: str | None = None, *names: str, kind: Kind = Kind.TOOL) -> Endpoint:
    empty: dict[Kind, dict[str, Item]] = {kind: {} for kind in Kind}
    empty[kind] = {name: Item(kind, "files", name, name, {"name": name}) for name in sorted(names)}
    return Endpoint(server, empty, frozenset(), {}, {}, 0)


def _catalogue(size: int = 2, roles: dict[str, RoleRule] | None = None) -> Catalogue:
    return Catalogue(roles_only(roles or {}), counting_sealer(), size)


def _page(
    catalogue: Catalogue, endpoint: Endpoint, who: Principal = ADA, kind: Kind = Kind.TOOL, **p: Any
) -> dict[str, Any]:
    reply = catalogue.page(endpoint, kind, _asked(_METHODS[kind], **p), who)
    body: dict[str, Any] = json.loads(reply.body)
    return body


def _found(
    endpoint: Endpoint, kind: Kind, method: str, catalogue: Catalogue | None = None, **params: Any
) -> Item:
    return (catalogue or _catalogue()).find(endpoint, kind, _asked(method, **params))


def _refused(endpoint: Endpoint, kind: Kind, method: str, **params: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        _found(endpoint, kind, method, **params)
    return caught.value


AGGREGATE = House().view().endpoints[None]
FILES = House().view().endpoints["files"]
ISSUES = House().view().endpoints["issues"]


# ── finding ─────────────────────────────────────────────────────────────────────────────────────


def test_an_item_is_found_by_the_name_that_its_endpoint_shows() -> None:
    assert _found(AGGREGATE, Kind.TOOL, "tools/call", name="files__read").name == "read"
    assert _found(FILES, Kind.TOOL, "tools/call", name="read").server == "files"
    assert _found(AGGREGATE, Kind.PROMPT, "prompts/get", name="files__summary").name == "summary"


@pytest.mark.parametrize(
    "name", ["read", "files__Read", "files__", "issues__write", "", "files__read ", "x" * 9000]
)
def test_anything_else_is_unknown(name: str) -> None:
    refused = _refused(AGGREGATE, Kind.TOOL, "tools/call", name=name)
    assert refused.reason.id == "target.unknown"
    assert refused.message == "Not known here: no such tool"


@pytest.mark.parametrize("name", [None, 5, ["files__read"], {}, True])
def test_a_name_has_to_be_a_string(name: object) -> None:
    refused = _refused(AGGREGATE, Kind.TOOL, "tools/call", name=name)
    assert refused.reason.id == "message.params"
    assert "`name`" in refused.message
    assert "`uri`" in _refused(AGGREGATE, Kind.RESOURCE, "resources/read", name="file:///a").message


def test_a_listed_resource_is_its_servers() -> None:
    item = _found(AGGREGATE, Kind.RESOURCE, "resources/read", uri="file:///a")
    assert (item.kind, item.server, item.name) == (Kind.RESOURCE, "files", "file:///a")


def test_a_template_leads_an_unlisted_resource_to_its_server() -> None:
    item = _found(AGGREGATE, Kind.RESOURCE, "resources/read", uri="file:///b/c")
    assert item == Item(Kind.RESOURCE, "files", "file:///b/c", "file:///b/c", {})


def test_what_two_servers_offer_is_refused_and_served_at_each_one() -> None:
    uri = "common://doc"
    refused = _refused(AGGREGATE, Kind.RESOURCE, "resources/read", uri=uri)
    assert refused.reason.id == "resource.claimed"
    assert _found(FILES, Kind.RESOURCE, "resources/read", uri=uri).server == "files"
    assert _found(ISSUES, Kind.RESOURCE, "resources/read", uri=uri).server == "issues"


def test_what_fits_templates_of_two_servers_is_refused() -> None:
    templates = {
        "x:{a}": Item(Kind.TEMPLATE, "files", "x:{a}", "x:{a}", {}),
        "x:{+b}": Item(Kind.TEMPLATE, "issues", "x:{+b}", "x:{+b}", {}),
    }
    items: dict[Kind, dict[str, Item]] = {**{kind: {} for kind in Kind}, Kind.TEMPLATE: templates}
    endpoint = Endpoint(None, items, frozenset(), {}, {}, 0)
    refused = _refused(endpoint, Kind.RESOURCE, "resources/read", uri="x:1")
    assert refused.reason.id == "resource.claimed"
    item = _found(endpoint, Kind.RESOURCE, "resources/read", uri="x:1/2")
    assert item.server == "issues"


def test_a_uri_that_nobody_offers_goes_nowhere_on_the_aggregate() -> None:
    for uri in ("http://169.254.169.254/", "file://", "FILE:///a", ""):
        refused = _refused(AGGREGATE, Kind.RESOURCE, "resources/read", uri=uri)
        assert refused.reason.id == "target.unknown"


def test_one_server_alone_gets_also_what_it_does_not_list() -> None:
    item = _found(ISSUES, Kind.RESOURCE, "resources/read", uri="ui://unlisted")
    assert (item.server, item.name) == ("issues", "ui://unlisted")
    without = Endpoint("issues", {kind: {} for kind in Kind}, frozenset(), {"tools": {}}, {}, 0)
    refused = _refused(without, Kind.RESOURCE, "resources/read", uri="ui://unlisted")
    assert refused.reason.id == "target.unknown"


# ── pages ───────────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None)
@given(
    st.sets(st.text("abc_", min_size=1, max_size=3), max_size=12),
    st.integers(1, 5),
    st.sampled_from(["a*", "*b", "?", "*", ""]),
)
def test_the_pages_hold_exactly_what_the_policy_allows(
    names: set[str], size: int, pattern: str
) -> None:
    roles = {"r": RoleRule(tools=(pattern,))}
    who = Principal("p", "i", frozenset({"r"}), 0.0)
    endpoint, catalogue = _endpoint(None, *names), _catalogue(size, roles)
    listed: list[str] = []
    more: dict[str, Any] = {}
    while True:
        result = _page(catalogue, endpoint, who, **more)["result"]
        listed += [tool["name"] for tool in result["tools"]]
        if "nextCursor" not in result:
            break
        more = {"cursor": result["nextCursor"]}
    policy = roles_only(roles)
    items = endpoint.items[Kind.TOOL]
    assert listed == [name for name in items if policy.may(who, items[name])]


@pytest.mark.parametrize("id_", [0, "", "a", 2**70, -1, 'é"\\'])
def test_a_page_that_was_made_before_bears_the_id_of_each_request(id_: str | int) -> None:
    catalogue, endpoint = _catalogue(), _endpoint(None, "a")
    first = _page(catalogue, endpoint, id_=1)
    again = _page(catalogue, endpoint, id_=id_)
    assert again == first | {"id": id_}


def test_each_era_gets_its_own_page() -> None:
    catalogue, endpoint = _catalogue(), _endpoint(None, "a")
    assert "ttlMs" in _page(catalogue, endpoint)["result"]
    assert "ttlMs" not in _page(catalogue, endpoint, modern=False)["result"]
    assert "ttlMs" in _page(catalogue, endpoint)["result"]


def test_a_caller_never_gets_the_page_of_another() -> None:
    catalogue, endpoint = _catalogue(), _endpoint(None, "a")
    assert _page(catalogue, endpoint, ADA)["result"]["tools"]
    assert not _page(catalogue, endpoint, EVE)["result"]["tools"]
    assert not _page(catalogue, endpoint, VIC)["result"]["tools"]
    assert _page(catalogue, endpoint, ADA)["result"]["tools"]


def test_roles_that_read_alike_when_joined_do_not_share_a_page() -> None:
    everything = RoleRule(tools=("*",))
    catalogue = _catalogue(roles={"a,b": everything, "a": RoleRule(), "b": RoleRule()})
    endpoint = _endpoint(None, "x")
    assert _page(catalogue, endpoint, Principal("p", "i", frozenset({"a,b"}), 0))["result"]["tools"]
    two = Principal("q", "i", frozenset({"a", "b"}), 0)
    assert not _page(catalogue, endpoint, two)["result"]["tools"]


def test_a_new_view_is_listed_anew() -> None:
    catalogue = _catalogue()
    _page(catalogue, _endpoint(None, "a"))
    catalogue.forget()
    assert _page(catalogue, _endpoint(None, "b"))["result"]["tools"] == [{"name": "b"}]


@pytest.mark.parametrize(
    ("who", "server", "kind"),
    [(VIC, None, Kind.TOOL), (ADA, "files", Kind.TOOL), (ADA, None, Kind.RESOURCE)],
    ids=["another caller", "another endpoint", "another list"],
)
def test_a_cursor_of_another_list_is_refused(
    who: Principal, server: str | None, kind: Kind
) -> None:
    catalogue = _catalogue(1)
    cursor = _page(catalogue, _endpoint(None, "a", "b"))["result"]["nextCursor"]
    assert _page(catalogue, _endpoint(None, "a", "b"), cursor=cursor)["result"]["tools"]
    with pytest.raises(Refused) as caught:
        _page(catalogue, _endpoint(server, "a", "b"), who, kind, cursor=cursor)
    assert caught.value.reason.id == "cursor.invalid"


def test_a_cursor_serves_another_person_who_may_do_the_same() -> None:
    catalogue, endpoint = _catalogue(1), _endpoint(None, "a", "b")
    cursor = _page(catalogue, endpoint)["result"]["nextCursor"]
    colleague = Principal("bob", "i", ADA.roles, 0)
    assert _page(catalogue, endpoint, colleague, cursor=cursor)["result"]["tools"] == [
        {"name": "b"}
    ]


def test_made_pages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bawn.catalogue._PAGES", 3)
    catalogue = _catalogue(1)
    endpoint = _endpoint(None, *"abcdefgh")
    more: dict[str, Any] = {}
    for _ in range(7):
        more = {"cursor": _page(catalogue, endpoint, **more)["result"]["nextCursor"]}
        assert len(catalogue._pages) <= 3


def test_made_pages_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bawn.catalogue._BYTES", 200)
    catalogue = _catalogue(1)
    endpoint = _endpoint(None, *"abcdefgh")
    more: dict[str, Any] = {}
    for _ in range(7):
        more = {"cursor": _page(catalogue, endpoint, **more)["result"]["nextCursor"]}
        held = sum(map(len, catalogue._pages.values()))
        assert held == catalogue._held
        assert held <= 200 or len(catalogue._pages) == 1


# ── instructions ────────────────────────────────────────────────────────────────────────────────


def _told(server: str | None, who: Principal) -> str:
    item = Item(Kind.TOOL, "files", "read", "files__read", {"name": "read"})
    items: dict[Kind, dict[str, Item]] = {kind: {} for kind in Kind}
    items[Kind.TOOL] = {"files__read": item}
    told = {"files": "Be kind.", "issues": "Be brief."}
    endpoint = Endpoint(server, items, frozenset(), {}, told, 0)
    return _catalogue().instructions(endpoint, who)


def test_a_caller_reads_the_instructions_of_servers_that_it_may_use_alone() -> None:
    assert _told(None, ADA) == "# files\nBe kind."
    assert _told("files", ADA) == "Be kind."
    stranger = Principal("eve", "embedded", frozenset(), float("inf"))
    assert _told(None, stranger) == ""
    assert _told("files", stranger) == ""
