from __future__ import annotations

import os
from pathlib import Path

from bawn.discovery.clients import Roots
from bawn.discovery.shadow import git, homes, images
from bawn.discovery.shadow.homes import Home
from bawn.discovery.shadow.tree import look
from tests.unit.discovery.shadow import trees

PACKAGE = (
    '{"name": "web-tools", "version": "1.0.0", "dependencies": {"@modelcontextprotocol/sdk": "^1"}}'
)


def _roots(tmp_path: Path) -> Roots:
    return Roots.of({"HOME": str(tmp_path / "nobody")}, "linux", str(tmp_path / "none"))


def test_every_users_files_are_read_and_unreadable_homes_told(machine: Path, roots: Roots) -> None:
    shut = machine / "shut"
    shut.write_text("")
    loop = machine / "loop"
    loop.symlink_to(loop)
    places = [
        Home("ada", machine / "home"),
        Home("bob", shut),
        Home("eve", loop),
        Home("x", machine / "no"),
    ]
    found = homes.look(places, roots)
    assert {s.user for s in found.sightings} == {"ada"}
    assert len({s.client for s in found.sightings}) >= 18
    assert [u.where for u in found.unseen] == [str(loop)]
    assert "fixture" not in "".join(repr((s.command, s.url)) for s in found.sightings)
    assert homes.homes()


def test_projects_and_repositories_of_a_tree_are_found(tmp_path: Path) -> None:
    top = tmp_path / "src"
    trees.repository(top / "a", {".mcp.json": trees.MCP % ("one", "one")})
    (top / "b" / "deep" / ".cursor").mkdir(parents=True)
    (top / "b" / "deep" / ".cursor" / "mcp.json").write_text(trees.MCP % ("two", "two"))
    (top / "b" / "node_modules" / "x").mkdir(parents=True)
    (top / "b" / "node_modules" / "x" / ".mcp.json").write_text(trees.MCP % ("no", "no"))
    (top / "b" / "loop").symlink_to(top)
    (top / "c").mkdir()
    (top / "c" / ".mcp.json").symlink_to(tmp_path / "outside.json")
    (tmp_path / "outside.json").write_text(trees.MCP % ("out", "out"))
    (top / "d").mkdir()
    os.mkfifo(top / "d" / ".mcp.json")
    found, repositories = look(top, _roots(tmp_path))
    assert sorted(s.name for s in found.sightings) == ["one", "two"]
    assert repositories == (top / "a" / ".git",)
    assert sorted(Path(u.where).parent.name for u in found.unseen) == ["c", "d"]
    assert "tree-fixture" not in repr(found)


def test_repositories_are_read_at_head_and_at_every_branch(tmp_path: Path) -> None:
    work = trees.repository(tmp_path / "w", {"sub/.mcp.json": trees.MCP % ("one", "one")})
    trees.git(work, "checkout", "-q", "-b", "other")
    trees.commit(work, {".vscode/mcp.json": '{"servers": {"two": {"url": "https://x/mcp"}}}'})
    trees.git(work, "checkout", "-q", "main")
    trees.git(tmp_path, "clone", "-q", "--bare", str(work), "bare.git")
    trees.git(work, "worktree", "add", "-q", str(tmp_path / "tree"), "other")
    bare = tmp_path / "bare.git"
    assert [s.name for s in git.look([bare]).sightings] == ["one"]
    found = git.look([bare], branches=True)
    assert sorted(s.name for s in found.sightings) == ["one", "two"]
    assert found.unseen == ()
    assert "HEAD:sub/.mcp.json:1" in git.look([bare]).sightings[0].where


def test_what_is_no_repository_is_told_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    (unseen,) = git.look([tmp_path / "absent"]).unseen
    assert "git refused" in unseen.why
    trees.git(tmp_path, "init", "-q", "e")
    assert git.look([tmp_path / "e" / ".git"]).unseen == ()


def _layers() -> list[bytes]:
    meta = "Metadata-Version: 2.1\nName: {}\nVersion: 1\n{}\n\nbody\n"
    return [
        trees.layer({
            "root/.cursor/mcp.json": trees.MCP % ("gone", "gone"),
            "app/.mcp.json": trees.MCP % ("kept", "kept"),
            "app/package.json": PACKAGE,
            "old/package.json": PACKAGE,
            "v/lib/weather-1.dist-info/METADATA": meta.format("weather", "Requires-Dist: mcp[cli]>=1.2"),
            "v/lib/other-1.dist-info/METADATA": meta.format("other", "Requires-Dist: mcpx"),
        }),
        trees.layer({"root/.cursor/.wh.mcp.json": "", "old/.wh..wh..opq": ""}),
    ]  # fmt: skip


def test_images_are_read_layer_by_layer_with_whiteouts(tmp_path: Path) -> None:
    for path in (
        trees.docker(tmp_path / "d.tar", _layers()),
        trees.oci(tmp_path / "o.tar", _layers()),
    ):
        found = images.look(path)
        assert sorted(s.name for s in found.sightings) == ["kept", "weather", "web-tools"], path
        assert found.unseen == ()
        assert "fixture" not in repr(found)
    (package,) = (s for s in images.look(tmp_path / "d.tar").sightings if s.name == "web-tools")
    assert package.command[:2] == ("node", "index.js")
    assert "abcdefgh" not in repr(package)
