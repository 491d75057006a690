"""What is looked at may be an attacker's: nothing of it runs, nothing hangs, nothing grows without bound."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from bawn.discovery.clients import Roots
from bawn.discovery.shadow import git, images, logs, tree
from bawn.discovery.shadow.probe import LIMITS, Target, probe
from bawn.discovery.shadow.sockets import Endpoint
from tests.unit.discovery.shadow import trees


def test_a_hostile_tree_holds_nobody_up(tmp_path: Path) -> None:
    top = tmp_path / "t"
    for name in ("fifo", "huge", "binary", "deep", "device"):
        (top / name).mkdir(parents=True)
    os.mkfifo(top / "fifo" / ".mcp.json")
    with (top / "huge" / ".mcp.json").open("wb") as file:
        file.truncate(1 << 30)
    (top / "binary" / ".mcp.json").write_bytes(bytes(range(256)))
    (top / "deep" / ".mcp.json").write_text('{"a":' * 100_000)
    (top / "device" / ".mcp.json").symlink_to("/dev/zero")
    (top / "loop").symlink_to(top)
    began = time.monotonic()
    found, _ = tree.look(top, Roots.of({"HOME": "/nonexistent"}, "linux", "/nonexistent"))
    assert time.monotonic() - began < 20
    assert found.sightings == ()
    assert len({Path(u.where).parent.name for u in found.unseen}) == 5


def test_nothing_that_a_repository_configures_is_run(tmp_path: Path) -> None:
    work = trees.repository(tmp_path / "w", {".mcp.json": trees.MCP % ("one", "one")})
    blob = trees.git(work, "rev-parse", "HEAD:.mcp.json")
    ran = tmp_path / "ran"
    touch = f"touch {ran} #"
    (work / ".git" / "config").write_text(
        f"""[core]
	repositoryformatversion = 1
	bare = false
	fsmonitor = {touch}
	pager = {touch}
	sshCommand = {touch}
	hooksPath = {tmp_path}/hooks
	editor = {touch}
	alternateRefsCommand = {touch}
[diff "x"]
	textconv = {touch}
[filter "x"]
	smudge = {touch}
	process = {touch}
[extensions]
	partialClone = origin
[remote "origin"]
	url = {tmp_path}/w2
	promisor = true
	uploadpack = {touch}
[alias]
	ls-tree = !{touch}
[credential]
	helper = !{touch}
"""
    )
    (work / ".git" / "info" / "attributes").write_text("* filter=x diff=x\n")
    assert [s.name for s in git.look([work / ".git"], branches=True).sightings] == ["one"]
    # An object that is missing would be fetched from the promisor, with its `uploadpack`.
    (work / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    found = git.look([work / ".git"], branches=True)
    assert found.sightings == ()
    assert found.unseen
    assert not ran.exists()


def test_paths_that_lead_out_of_an_image_and_links_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / ".mcp.json"
    secret.write_text(trees.MCP % ("host", "host"))
    files = {
        "../../.mcp.json": trees.MCP % ("up", "up"),
        "/a/../../.mcp.json": trees.MCP % ("up", "up"),
    }
    path = trees.docker(tmp_path / "i.tar", [trees.layer(files, {"app/.mcp.json": str(secret)})])
    before = sorted(tmp_path.iterdir())
    assert images.look(path).sightings == ()
    assert sorted(tmp_path.iterdir()) == before


def test_bombs_in_an_image_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bawn.discovery.shadow.archive.MAX_TOTAL", 64 << 20)
    bomb = gzip.compress(trees.tar({"x": b"\0" * (80 << 20)}))
    (unseen,) = images.look(trees.docker(tmp_path / "i.tar", [bomb])).unseen
    assert "more than" in unseen.why
    header = bytearray(trees.tar({"x": b""})[:512])
    header[124:136] = b"77777777777\0"  # an extended header of 8 GiB
    header[156:157] = b"x"
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    (unseen,) = images.look(
        trees.docker(tmp_path / "j.tar", [gzip.compress(bytes(header) * 4)])
    ).unseen
    assert "header was expected" in unseen.why
    for garbage in (b"", b"\0" * 10_000, os.urandom(4096), b"\x1f\x8b garbage"):
        (tmp_path / "k.tar").write_bytes(garbage)
        assert images.look(tmp_path / "k.tar").unseen


def test_a_pipe_in_the_place_of_a_log_or_an_image_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    assert logs.look([tmp_path / "p"]).unseen
    assert images.look(tmp_path / "p").unseen


class _Endless(httpx2.AsyncByteStream):
    def __init__(self, chunk: bytes, pause: float) -> None:
        self._chunk, self._pause = chunk, pause
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(self._pause)
            self.given += len(self._chunk)
            yield self._chunk


@pytest.mark.parametrize(
    ("chunk", "pause"), [(b"x" * 65_536, 0.0), (b"x", 0.05), (b"data: 1\n", 0.05)]
)
async def test_a_target_that_never_ends_is_left(chunk: bytes, pause: float) -> None:
    streams: list[_Endless] = []

    def endless(_: httpx2.Request) -> httpx2.Response:
        streams.append(_Endless(chunk, pause))
        return httpx2.Response(
            200, headers={"Content-Type": "text/event-stream"}, stream=streams[-1]
        )

    began = time.monotonic()
    limits = LIMITS._replace(timeout=0.3)
    target = Target(Endpoint("127.0.0.1", 1))
    found = await probe([target], limits=limits, transport=httpx2.MockTransport(endless))
    assert found.sightings == ()
    assert time.monotonic() - began < 20
    assert all(stream.given <= 128 << 10 for stream in streams)


async def test_a_name_that_a_terminal_would_obey_is_shown_harmless() -> None:
    def spoof(request: httpx2.Request) -> httpx2.Response:
        info = {"name": "bawn\x1b]0;owned\x07\u202e"}
        result = {
            "supportedVersions": ["2026-07-28"],
            "_meta": {"io.modelcontextprotocol/serverInfo": info},
        }
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()

        class Once(httpx2.AsyncByteStream):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                yield body

        return httpx2.Response(200, stream=Once())

    target = Target(Endpoint("127.0.0.1", 1))
    (found,) = (await probe([target], transport=httpx2.MockTransport(spoof))).sightings
    assert found.name.isprintable()
    assert not found.ours  # what a server calls itself proves nothing
