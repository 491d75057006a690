"""Small things that unfold into large ones, and what is not looked at: both are told, neither hurts."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from bawn.discovery.shadow import git, images
from bawn.discovery.shadow.targets import of_networks
from tests.unit.discovery.shadow import trees

_DEEP = 8


def _bomb(directory: Path) -> Path:
    """A repository of a few objects, whose tree has 10^8 files (each level names the one below ten times)."""
    trees.repository(directory, {".mcp.json": trees.MCP % ("one", "one")})
    blob = trees.git(directory, "rev-parse", "HEAD:.mcp.json")
    below = _tree(directory, "".join(f"100644 blob {blob}\t{n}.mcp.json\n" for n in range(10)))
    for _ in range(_DEEP):
        below = _tree(directory, "".join(f"040000 tree {below}\td{n}\n" for n in range(10)))
    commit = trees.git(directory, "commit-tree", below, "-m", "x")
    trees.git(directory, "update-ref", "HEAD", commit)
    return directory / ".git"


def _tree(directory: Path, entries: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(directory), "mktree"],
        input=entries, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_repository_of_endless_files_is_given_up_before_it_fills_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "MAX_LISTING", 4 << 20)
    directory = _bomb(tmp_path / "bomb")
    began = time.monotonic()
    (unseen,) = git.look([directory]).unseen
    assert "4 MiB of answer" in unseen.why
    assert time.monotonic() - began < git.TIMEOUT / 2


def test_files_beyond_the_bound_of_a_repository_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{n}/.mcp.json": trees.MCP % (f"s{n}", "x") + " " * 3000 for n in range(4)}
    work = trees.repository(tmp_path / "work", files)
    monkeypatch.setattr(git, "MAX_LISTING", 2 * 7000)
    found = git.look([work / ".git"])
    assert len(found.sightings) == 2
    assert [each.why for each in found.unseen] == [git.TOO_LARGE] * 2


def test_a_layer_that_hides_ten_thousand_files_is_laid_over_as_many_in_little_time(
    tmp_path: Path,
) -> None:
    needs = json.dumps({"name": "x", "dependencies": {"@modelcontextprotocol/sdk": "1"}})
    below = {f"a/{n}/package.json": needs for n in range(9_000)}
    hiding = {f"b/{n}/.wh.x": "" for n in range(9_000)} | {"a/.wh.7": ""}
    path = trees.docker(tmp_path / "i.tar", [trees.layer(below), trees.layer(hiding)])
    began = time.monotonic()
    assert len(images.look(path).sightings) == 8_999
    assert time.monotonic() - began < 20


def test_images_besides_the_first_are_told_as_not_seen(tmp_path: Path) -> None:
    layer = trees.layer({".mcp.json": trees.MCP % ("one", "one")})
    path = trees.docker(tmp_path / "i.tar", [layer])
    assert images.look(path).unseen == ()
    outline = json.dumps(
        [{"Config": "c.json", "Layers": ["l"]}, {"Config": "d.json", "Layers": ["m"]}]
    ).encode()
    path.write_bytes(trees.tar({"l": layer, "m": layer, "manifest.json": outline}))
    found = images.look(path)
    assert [each.name for each in found.sightings] == ["one"]
    assert [(each.why, each.count) for each in found.unseen] == [
        ("further images in the same file", 1)
    ]


def test_no_port_is_probed_whose_server_would_act_on_a_request() -> None:
    printer, web = 9100, 8080
    found = [each.endpoint.port for each in of_networks(["192.0.2.1/32"], [printer, web])]
    assert found == [web]
