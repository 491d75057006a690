from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.compile import compile_view
from bawn.config import Config, Server
from bawn.model import Endpoint, Json, Kind, Listing, Mirror, View, Withheld
from tests.gate import BARE, FILES, ISSUES, LISTINGS, listing

URL = "http://127.0.0.1:9/mcp"
NOTHING: Mapping[Kind, tuple[Json, ...]] = dict.fromkeys(Kind, ())


def _config(**prefixes: str | None) -> Config:
    return Config(servers={name: Server(url=URL, prefix=p) for name, p in prefixes.items()})


CONFIG = _config(files=None, issues=None, bare="")


def _view(*listings: Listing, failing: Collection[str] = ()) -> View:
    return compile_view(CONFIG, listings or LISTINGS, failing=failing)


def _names(endpoint: Endpoint, kind: Kind) -> list[str]:
    return list(endpoint.items[kind])


def _tools(*names: str) -> Mapping[Kind, tuple[Json, ...]]:
    return {**NOTHING, Kind.TOOL: tuple({"name": name} for name in names)}


def test_the_aggregate_has_prefixed_names_in_order() -> None:
    aggregate = _view().endpoints[None]
    assert _names(aggregate, Kind.TOOL) == [
        "echo",
        "files__read",
        "files__write",
        "issues__read",
        "issues__search",
    ]
    assert _names(aggregate, Kind.PROMPT) == ["files__summary"]
    assert aggregate.items[Kind.TOOL]["files__read"].name == "read"


def test_a_servers_endpoint_has_its_own_names() -> None:
    files = _view().endpoints["files"]
    assert _names(files, Kind.TOOL) == ["read", "write"]
    assert files.items[Kind.TOOL]["read"].definition is FILES[Kind.TOOL][0]
    assert files.claimed == frozenset()


def test_uris_stay_as_they_are_and_what_two_servers_offer_belongs_to_neither() -> None:
    view = _view()
    assert _names(view.endpoints[None], Kind.RESOURCE) == ["file:///a"]
    assert view.endpoints[None].claimed == {"common://doc"}
    for server in ("files", "issues"):
        assert "common://doc" in view.endpoints[server].items[Kind.RESOURCE]


def test_templates_of_two_servers_are_claimed_too() -> None:
    one: Mapping[Kind, tuple[Json, ...]] = {**NOTHING, Kind.TEMPLATE: ({"uriTemplate": "x:{y}"},)}
    view = _view(listing("files", one), listing("issues", one))
    assert view.endpoints[None].claimed == {"x:{y}"}
    assert not view.endpoints[None].items[Kind.TEMPLATE]


def test_a_name_cannot_be_taken_over_from_a_server_that_is_not_listed_yet() -> None:
    view = _view(listing("bare", _tools("files__read", "echo")))
    assert _names(view.endpoints[None], Kind.TOOL) == ["bare__files__read", "echo"]


@pytest.mark.parametrize(
    "definition",
    [{}, {"name": ""}, {"name": 5}, {"name": None}, {"title": "x"}, {"name": "x" * 9000}],
)
def test_a_definition_without_a_usable_name_is_left_out(definition: Json) -> None:
    given_: Mapping[Kind, tuple[Json, ...]] = {**NOTHING, Kind.TOOL: (definition, {"name": "ok"})}
    view = _view(listing("files", given_))
    assert _names(view.endpoints["files"], Kind.TOOL) == ["ok"]
    assert _names(view.endpoints[None], Kind.TOOL) == ["files__ok"]


def test_of_two_definitions_with_one_name_the_first_counts() -> None:
    twice: Mapping[Kind, tuple[Json, ...]] = {
        **NOTHING,
        Kind.TOOL: ({"name": "a", "n": 1}, {"name": "a", "n": 2}),
    }
    view = _view(listing("files", twice))
    assert view.endpoints["files"].items[Kind.TOOL]["a"].definition["n"] == 1
    assert view.endpoints[None].items[Kind.TOOL]["files__a"].definition["n"] == 1


def test_capabilities_are_those_that_can_be_used() -> None:
    told = {"listChanged": True}
    view = _view()
    for at in (None, "files"):
        assert view.endpoints[at].capabilities == {
            "prompts": told,
            "resources": told | {"subscribe": False},
            "tools": told,
        }
    odd = replace(listing("bare", BARE), capabilities={"tools": {"listChanged": False}, "x": {}})
    assert _view(odd).endpoints["bare"].capabilities == {"tools": told}
    assert _view(odd).endpoints[None].capabilities == {"tools": told}


def test_instructions_say_whose_they_are() -> None:
    told = replace(listing("files", FILES), instructions="Be kind.")
    view = _view(told, listing("issues", ISSUES))
    assert view.endpoints[None].instructions == {"files": "Be kind."}
    assert view.endpoints["files"].instructions == {"files": "Be kind."}


@pytest.mark.parametrize(("failing", "ttl"), [((), 20), (("issues",), 0), (("bare",), 0)])
def test_the_aggregate_holds_as_long_as_the_shortest_and_not_at_all_while_one_fails(
    failing: tuple[str, ...], ttl: int
) -> None:
    view = _view(listing("files", FILES, 50), listing("issues", ISSUES, 20), failing=failing)
    assert view.endpoints[None].ttl_ms == ttl
    assert view.endpoints["files"].ttl_ms == 50


def test_without_servers_there_is_an_empty_aggregate() -> None:
    view = compile_view(_config(), [])
    assert list(view.endpoints) == [None]
    assert view.endpoints[None].capabilities == {}


def test_a_server_that_never_was_listed_has_no_endpoint() -> None:
    assert "issues" not in _view(listing("files", FILES)).endpoints


def test_the_version_is_that_of_the_content() -> None:
    assert _view().version == _view(*reversed(LISTINGS)).version
    changed = replace(
        listing("files", FILES),
        definitions={**FILES, Kind.TOOL: ({"name": "read", "description": "new"},)},
    )
    versions = {
        _view().version,
        _view(*LISTINGS[1:], failing=["bare"]).version,
        _view(changed, *LISTINGS[1:]).version,
        _view(replace(LISTINGS[0], instructions="x"), *LISTINGS[1:]).version,
        _view(replace(LISTINGS[0], capabilities={}), *LISTINGS[1:]).version,
        _view(replace(LISTINGS[0], ttl_ms=9), *LISTINGS[1:]).version,
    }
    assert len(versions) == 6


_own = st.text("ab_", min_size=1, max_size=4)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "a-b"]), st.sets(_own, max_size=5), min_size=1),
    st.dictionaries(st.sampled_from(["a", "b", "a-b"]), st.sampled_from(["", "a_", "b__"])),
)
def test_every_name_on_the_aggregate_leads_to_one_item_and_every_item_to_one_name(
    offered: dict[str, set[str]], prefixes: dict[str, str]
) -> None:
    config = _config(**{name: prefixes.get(name) for name in ("a", "b", "a-b")})
    listings = [listing(server, _tools(*sorted(own))) for server, own in offered.items()]
    aggregate = compile_view(config, listings).endpoints[None]
    served = {(item.server, item.name) for item in aggregate.items[Kind.TOOL].values()}
    assert len(served) == len(aggregate.items[Kind.TOOL])
    assert all(name == item.shown for name, item in aggregate.items[Kind.TOOL].items())
    # a server may put two of its own under one name: then neither is served
    expected = {(server, own) for server, names in offered.items() for own in names}
    assert served <= expected
    assert {server for server, _ in expected - served} <= set(prefixes)


# ── capabilities, and what differs ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("odd", [True, None, 5, "yes", [], {"subscribe": 0}])
def test_capabilities_of_another_shape_spoil_nobody_elses(odd: object) -> None:
    strange = replace(listing("bare", BARE), capabilities={"resources": odd, "extensions": odd})
    view = _view(strange, listing("files", FILES))
    resources = {"listChanged": True, "subscribe": False}
    assert view.endpoints["bare"].capabilities["resources"] == resources
    assert view.endpoints[None].capabilities["resources"] == resources
    assert "files__read" in view.endpoints[None].items[Kind.TOOL]


def test_the_aggregate_can_what_one_server_can() -> None:
    subscribing = replace(
        listing("files", FILES),
        capabilities={"resources": {"subscribe": True}, "completions": {}, "logging": {}},
    )
    for listings in ((subscribing, LISTINGS[1]), (LISTINGS[1], subscribing)):
        capabilities = _view(*listings).endpoints[None].capabilities
        assert capabilities["resources"] == {"listChanged": True, "subscribe": True}
        assert capabilities["completions"] == capabilities["logging"] == {}


def test_an_extension_that_nobody_knows_belongs_to_the_one_server_that_has_it() -> None:
    tasks, own = "io.modelcontextprotocol/tasks", "com.example/own"
    extended = replace(
        listing("files", FILES),
        capabilities={"extensions": {tasks: {}, own: {"a": 1}}, "experimental": {"x": {}}},
    )
    view = _view(extended, *LISTINGS[1:])
    assert view.endpoints["files"].capabilities["extensions"] == {tasks: {}, own: {"a": 1}}
    assert view.endpoints["files"].capabilities["experimental"] == {"x": {}}
    assert view.endpoints[None].capabilities["extensions"] == {tasks: {}, own: {"a": 1}}
    assert "extensions" not in view.endpoints["issues"].capabilities
    second = replace(LISTINGS[1], capabilities={"extensions": {own: {}}})
    both = _view(extended, second).endpoints
    assert both[None].capabilities["extensions"] == {tasks: {}}
    assert both["issues"].capabilities["extensions"] == {own: {}}
    assert "experimental" not in view.endpoints[None].capabilities


LISTS = ("tools", "prompts", "resources")


def _differ(one: View, other: View, at: str | None = None) -> set[str]:
    before, after = one.endpoints[at].changes, other.endpoints[at].changes
    assert before.keys() == after.keys() == set(LISTS)
    return {name for name in LISTS if before[name] != after[name]}


def _changed(kind: Kind, *definitions: Json) -> View:
    changed = replace(LISTINGS[0], definitions={**FILES, kind: definitions})
    return _view(changed, *LISTINGS[1:])


@pytest.mark.parametrize(
    ("kind", "definition", "name"),
    [
        (Kind.TOOL, {"name": "new"}, "tools"),
        (Kind.PROMPT, {"name": "new"}, "prompts"),
        (Kind.RESOURCE, {"uri": "new:"}, "resources"),
        (Kind.TEMPLATE, {"uriTemplate": "new:{x}"}, "resources"),
    ],
)
def test_a_list_that_is_another_has_another_digest(kind: Kind, definition: Json, name: str) -> None:
    more, described = (*FILES[kind], definition), {"description": "other"}
    other = tuple(each | described for each in FILES[kind])
    for view in (_changed(kind, *more), _changed(kind), _changed(kind, *other)):
        assert _differ(_view(), view) == _differ(_view(), view, "files") == {name}
        assert _differ(_view(), view, "issues") == set()


def test_the_same_lists_have_the_same_digests() -> None:
    assert _differ(_view(), _view(*reversed(LISTINGS))) == set()
    later = replace(LISTINGS[0], ttl_ms=9, instructions="x", version="2025-06-18")
    assert _differ(_view(), _view(later, *LISTINGS[1:])) == set()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.TOOL, "tools"),
        (Kind.PROMPT, "prompts"),
        (Kind.RESOURCE, "resources"),
        (Kind.TEMPLATE, "resources"),
    ],
)
def test_a_server_that_says_its_list_changed_is_believed(kind: Kind, name: str) -> None:
    said = _view(replace(LISTINGS[0], changes={kind: 1}), *LISTINGS[1:])
    again = _view(replace(LISTINGS[0], changes={kind: 2}), *LISTINGS[1:])
    assert _differ(_view(), said) == _differ(said, again) == {name}
    assert _differ(_view(), said, "issues") == set()
    assert len({_view().version, said.version, again.version}) == 3


# ── arguments that headers repeat ───────────────────────────────────────────────────────────────


def _tool(name: str, **properties: Json) -> Json:
    return {"name": name, "inputSchema": {"type": "object", "properties": properties}}


def test_the_arguments_that_headers_repeat_are_found_once() -> None:
    region: Json = {"type": "string", "x-mcp-header": "Region"}
    tools = {**NOTHING, Kind.TOOL: (_tool("read", region=region), _tool("write"))}
    view = _view(listing("files", tools))
    for at, name in ((None, "files__read"), ("files", "read")):
        item = view.endpoints[at].items[Kind.TOOL][name]
        assert item.mirrors == (Mirror(b"mcp-param-region", ("region",), "string"),)
    assert view.endpoints["files"].items[Kind.TOOL]["write"].mirrors == ()


@pytest.mark.parametrize(
    "odd",
    [
        {"a": {"type": "string", "x-mcp-header": "not a token"}},
        {"a": {"type": "object", "x-mcp-header": "A"}},
        {"a": {"type": "string", "x-mcp-header": 5}},
        {
            "a": {"type": "string", "x-mcp-header": "Same"},
            "b": {"type": "string", "x-mcp-header": "same"},
        },
        {"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}},
    ],
)
def test_a_tool_with_an_invalid_annotation_is_left_out_alone(
    odd: dict[str, Json], caplog: pytest.LogCaptureFixture
) -> None:
    tools = {**NOTHING, Kind.TOOL: (_tool("odd", **odd), _tool("read"))}
    view = _view(listing("files", tools), *LISTINGS[1:])
    assert _names(view.endpoints["files"], Kind.TOOL) == ["read"]
    assert "files__odd" not in view.endpoints[None].items[Kind.TOOL]
    assert "issues__search" in view.endpoints[None].items[Kind.TOOL]
    assert "x-mcp-header" in caplog.text


def test_a_prompt_may_say_what_it_likes_of_headers() -> None:
    prompt: Json = {"name": "p", **_tool("p", a={"type": "object", "x-mcp-header": "not a token"})}
    view = _view(listing("files", {**NOTHING, Kind.PROMPT: (prompt,)}))
    assert _names(view.endpoints["files"], Kind.PROMPT) == ["p"]


def _bare(server: str, tool: str, withheld: str = "") -> Listing:
    """A server with one tool, perhaps withheld."""
    found = listing(server, _tools(tool))
    if not withheld:
        return found
    several = tuple(Withheld(each, withheld) for each in found.definitions[Kind.TOOL])
    return replace(found, definitions=NOTHING, withheld={Kind.TOOL: several})


@pytest.mark.parametrize(
    ("reason", "shown"), [("integrity.unapproved", "echo"), ("integrity.drift", "bare__echo")]
)
def test_what_was_never_approved_takes_no_name_from_what_was(reason: str, shown: str) -> None:
    """A server could rename the tools of others by listing theirs; what has drifted keeps its name."""
    config = _config(bare="", other="")
    view = compile_view(config, [_bare("bare", "echo"), _bare("other", "echo", reason)])
    aggregate = view.endpoints[None]
    assert _names(aggregate, Kind.TOOL) == [shown]
    assert aggregate.items[Kind.TOOL][shown].server == "bare"
    assert list(aggregate.withheld[Kind.TOOL]) == ["other__echo"]
    assert list(view.endpoints["other"].withheld[Kind.TOOL]) == ["echo"]
