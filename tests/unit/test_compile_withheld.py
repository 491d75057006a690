"""What was not approved is in no list, keeps its name, and is found to be refused with its reason."""

from __future__ import annotations

from dataclasses import replace

from bawn.barrier import views
from bawn.compile import compile_view
from bawn.config import Config, Server
from bawn.model import Kind, View, Withheld
from tests.gate import FILES, ISSUES, listing

URL = "http://127.0.0.1:9/mcp"
READ, WRITE = FILES[Kind.TOOL]
DRIFTED = {Kind.TOOL: (Withheld(WRITE, "integrity.drift"),)}


def _view(status: str = "active") -> View:
    config = Config(
        servers={
            "files": Server.model_validate({"url": URL, "status": status}),
            "issues": Server(url=URL),
        }
    )
    served = {**FILES, Kind.TOOL: (READ,)}
    files = replace(listing("files", served), withheld=DRIFTED)
    return compile_view(config, [files, listing("issues", ISSUES)])


def test_a_withheld_tool_is_in_no_list() -> None:
    view = _view()
    assert list(view.endpoints["files"].items[Kind.TOOL]) == ["read"]
    assert "files__write" not in view.endpoints[None].items[Kind.TOOL]


def test_it_is_found_under_its_own_names_with_its_reason() -> None:
    view = _view()
    assert view.endpoints["files"].withheld[Kind.TOOL]["write"].withheld == "integrity.drift"
    item = view.endpoints[None].withheld[Kind.TOOL]["files__write"]
    assert (item.server, item.name, item.withheld) == ("files", "write", "integrity.drift")
    assert view.endpoints["issues"].withheld == {}


def test_nobody_else_gets_its_name_meanwhile() -> None:
    servers = {"a": Server(url=URL, prefix=""), "b": Server(url=URL, prefix="")}
    a = replace(
        listing("a", {**ISSUES, Kind.TOOL: ()}),
        withheld={Kind.TOOL: (Withheld({"name": "search"}, "integrity.drift"),)},
    )
    b = listing("b", {**ISSUES, Kind.TOOL: ({"name": "search"},)})
    aggregate = compile_view(Config(servers=servers), [a, b]).endpoints[None]
    assert "search" not in aggregate.items[Kind.TOOL]


def test_a_view_differs_by_what_is_withheld_and_why() -> None:
    config = Config(servers={"files": Server(url=URL)})

    def version(reason: str) -> str:
        held = {Kind.TOOL: (Withheld(WRITE, reason),)}
        return compile_view(config, [replace(listing("files", FILES), withheld=held)]).version

    assert version("integrity.drift") != version("integrity.unapproved")


def test_what_is_withheld_survives_the_way_to_the_workers() -> None:
    view = _view()
    there = views.load(views.dump(view))
    assert there.endpoints[None].withheld == view.endpoints[None].withheld
    assert there.endpoints["files"].withheld[Kind.TOOL]["write"].withheld == "integrity.drift"


def test_a_disabled_server_is_not_there_at_all() -> None:
    view = _view("disabled")
    assert "files" not in view.endpoints
    assert all(not name.startswith("files__") for name in view.endpoints[None].items[Kind.TOOL])
