"""The settings of a server, as checks read them."""

from __future__ import annotations

from pathlib import Path

from bawn.config.server import Server
from bawn.inspection.arguments.context import Context


def test_roots_are_real_and_relative_to_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    context = Context.of(Server(command=("x",), roots=("link",)), tmp_path)
    assert context.roots == (str((tmp_path / "real").resolve()),)
    assert context.base == context.roots[0]


def test_without_roots_paths_start_where_the_server_does(tmp_path: Path) -> None:
    assert Context.of(Server(command=("x",), cwd="a"), tmp_path).base == str(
        (tmp_path / "a").resolve()
    )


def test_hosts_match_any_case_and_nothing_besides() -> None:
    context = Context.of(Server(command=("x",), hosts=("API.example.com", "*.test")), Path("/"))
    assert context.hosts is not None
    assert context.hosts.fullmatch("api.example.com")
    assert context.hosts.fullmatch("a.test")
    assert not context.hosts.fullmatch("apixexample.com")
    assert Context.of(Server(command=("x",)), Path("/")).hosts is None
