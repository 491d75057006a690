"""Remote MCP servers as processes on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2

from bawn.model import Json
from tests.e2e.gate_process import free_port

SERVERS = Path(__file__).parent / "servers"
ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = ROOT / ".quickstart/node/node_modules/.bin/mcp-server-everything"


@contextlib.contextmanager
def _running(command: list[str], place: Path, wanted: str, env: dict[str, str]) -> Iterator[str]:
    """A server, once its output has a line with this text; gives the line."""
    with subprocess.Popen(
        command, cwd=place, env={**os.environ, **env}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            heard: list[str] = []
            for line in process.stdout:
                heard.append(line)
                if wanted in line:
                    break
            else:
                raise AssertionError("".join(heard))
            yield line.strip()
        finally:
            process.kill()


@contextlib.contextmanager
def modern_server(place: Path) -> Iterator[str]:
    """The official SDK's server of 2026-07-28; its URL."""
    command = [sys.executable, str(SERVERS / "modern.py")]
    with _running(command, place, "", {}) as port:
        yield f"http://127.0.0.1:{port}/mcp"


@contextlib.contextmanager
def legacy_server(place: Path) -> Iterator[str]:
    """server-everything over Streamable HTTP, with sessions; its URL."""
    port = str(free_port())
    command = [str(EVERYTHING), "streamableHttp"]
    with _running(command, place, "listening on port", {"PORT": port}):
        yield f"http://127.0.0.1:{port}/mcp"


class Raw:
    """The raw server, and what it was asked."""

    def __init__(self, base: str, diary: Path) -> None:
        self.base = base
        self._diary = diary

    @property
    def text(self) -> str:
        """Everything that arrived, as it was written down."""
        return self._diary.read_text(encoding="utf-8") if self._diary.exists() else ""

    def entries(self, key: str) -> list[Json]:
        """What was written down with this key."""
        return [entry for entry in map(json.loads, self.text.splitlines()) if key in entry]

    def requests(self, path: str, method: str = "POST") -> list[Json]:
        """The requests to one server."""
        return [r for r in self.entries("path") if r["path"] == path and r["method"] == method]

    def messages(self, path: str, method: str) -> list[Json]:
        """The JSON-RPC messages of a method to one server."""
        bodies = [json.loads(request["body"]) for request in self.requests(path)]
        return [body for body in bodies if body.get("method") == method]

    def release(self) -> None:
        """Let what holds go on."""
        httpx2.post(f"{self.base}/release", timeout=10)


@contextlib.contextmanager
def raw_server(place: Path, token: str = "") -> Iterator[Raw]:
    """The server of servers/raw.py; `token` is what /guarded wants."""
    diary = place / "diary"
    command = [sys.executable, str(SERVERS / "raw.py"), str(diary)]
    with _running(command, place, "", {"TOKEN": token}) as port:
        yield Raw(f"http://127.0.0.1:{port}", diary)
