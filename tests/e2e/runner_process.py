"""A real runner process, driven as the supervisor and the workers drive it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from bawn.config import Config
from bawn.model import Json
from bawn.protocol import versions

SERVER = str(Path(__file__).parent / "servers" / "stdio.py")
META: Json = {
    versions.META_VERSION: versions.MODERN,
    versions.META_CAPABILITIES: {},
    versions.META_CLIENT: {"name": "test", "version": "0"},
}


def fixture_server(*traits: str, **settings: Any) -> Json:
    """The configuration of a fixture server with these traits.

    Unconfined, so that the process ids in its diary are those of the tests.
    """
    made = {"command": [sys.executable, SERVER, *traits], "isolation": "shared", "confine": "off"}
    return {**made, **settings}


def exists(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


async def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that another process brings about."""
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, "it did not happen in time"
        await asyncio.sleep(0.01)


class RunnerProcess:
    """One runner with a directory of its own."""

    def __init__(
        self,
        base: Path,
        home: Path,
        command: Sequence[str] = (sys.executable, "-m", "bawn.runner"),
    ) -> None:
        self.base = base
        self.socket = home / "runner.sock"
        self.data = home / "data"
        self.hide: list[str] = []
        self.guard: list[str] = []
        self.diary = base / "diary"
        self.log = base / "runner.log"
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(30)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stderr=log,
                env={**os.environ, "UNRELATED": "must not be inherited", "LC_ALL": "C.UTF-8"},
            )
        theirs.close()
        self._lines = self._ours.makefile("rb")
        transport = httpx2.AsyncHTTPTransport(uds=str(self.socket))
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://runner", timeout=30)

    def order(self, servers: Mapping[str, Json], **limits: Any) -> Json:
        """Start or reload with these servers; the runner's answer."""
        for server in servers.values():
            server.setdefault("env", {}).setdefault("DIARY", str(self.diary))
        tree = {"servers": servers, "limits": {"stop": 1.0, **limits}, "log": {"level": "debug"}}
        config = Config.model_validate_json(json.dumps(tree))
        order = {
            "config": config.model_dump(mode="json"),
            "base": str(self.base),
            "socket": str(self.socket),
            "data": str(self.data),
            "hide": self.hide,
            "guard": self.guard,
        }
        return self.send(json.dumps(order).encode())

    def send(self, line: bytes) -> Json:
        """One raw order."""
        self._ours.sendall(line + b"\n")
        answer: Json = json.loads(self._lines.readline())
        return answer

    def leave(self) -> None:
        """Do as a supervisor that died."""
        self._lines.close()
        self._ours.close()

    async def ask(
        self,
        server: str,
        method: str,
        params: Json | None = None,
        *,
        isolation: str = "shared",
        project: str | None = None,
        principal: str | None = None,
    ) -> Json:
        """One canonical request; its JSON-RPC response."""
        reply = await self.http.post(
            f"/servers/{server}",
            json=self.request(method, params),
            headers=self.headers(isolation, project, principal),
        )
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "application/json"
        answer: Json = reply.json()
        return answer

    def request(self, method: str, params: Json | None = None) -> Json:
        """The request as a worker writes it."""
        return {
            "jsonrpc": "2.0",
            "id": "caller-1",
            "method": method,
            "params": {"_meta": META, **(params or {})},
        }

    def headers(
        self, isolation: str, project: str | None = None, principal: str | None = None
    ) -> dict[str, str]:
        """The headers as a worker writes them."""
        made = {"bawn-isolation": isolation}
        if project is not None:
            made["bawn-project"] = quote(project)
        if principal is not None:
            made["bawn-principal"] = principal
        return made

    async def tool(
        self, server: str, name: str, isolation: str = "shared", **arguments: Any
    ) -> Json:
        """Call a tool of a fixture server."""
        params = {"name": name, "arguments": arguments}
        return await self.ask(server, "tools/call", params, isolation=isolation)

    async def status(self) -> Json:
        """What `bawn status` gets."""
        status: Json = (await self.http.get("/servers")).json()
        return status

    def entries(self, event: str) -> list[Json]:
        """What the fixture servers wrote of this event."""
        if not self.diary.exists():
            return []
        lines = map(json.loads, self.diary.read_text().splitlines())
        return [entry for entry in lines if entry["event"] == event]

    def pids(self) -> list[int]:
        """Every process that was ever started."""
        return [entry["pid"] for entry in self.entries("start")]


@asynccontextmanager
async def a_runner(base: Path, home: Path) -> AsyncIterator[RunnerProcess]:
    """A runner that is gone afterwards, with everything it started."""
    runner = RunnerProcess(base, home)
    try:
        yield runner
    finally:
        await runner.http.aclose()
        runner.leave()
        try:
            await asyncio.to_thread(runner.process.wait, 20)
        finally:
            runner.process.kill()
            runner.process.wait()


def words(answer: Json) -> str:
    """The text of a tool's result."""
    assert "error" not in answer, answer
    said: str = answer["result"]["content"][0]["text"]
    return said


def reason(answer: Json) -> str:
    """The reason id of a refusal."""
    assert "result" not in answer, answer
    found: str = answer["error"]["data"]["reason"]
    return found


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[RunnerProcess]:
    """A runner without orders; afterwards no process that it started may be left."""
    with tempfile.TemporaryDirectory(prefix="bawn-") as home:  # a socket's path must be short
        async with a_runner(tmp_path, Path(home)) as process:
            yield process
        left = [pid for pid in process.pids() if exists(pid)]
        assert not left, "no process is left after stop"
