"""Real servers of both eras and a local server are found among the real processes and sockets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bawn.discovery.shadow.probe import probe
from bawn.discovery.shadow.processes import running, servers
from bawn.discovery.shadow.sighting import Sighting
from bawn.discovery.shadow.sockets import Endpoint, sockets
from bawn.discovery.shadow.targets import of_listeners
from tests.e2e.gate_process import free_port
from tests.e2e.remote_process import modern_server
from tests.e2e.runner_process import SERVER

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")]

LEGACY = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["method"] != "initialize":
            return self.answer(400, {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "No session"}})
        print("initialize", flush=True)
        found = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "elder", "version": "1"}}
        self.answer(200, {"jsonrpc": "2.0", "id": asked["id"], "result": found}, {"Mcp-Session-Id": "abc"})

    def do_DELETE(self):
        print("ended", self.headers["Mcp-Session-Id"], flush=True)
        self.answer(200, {})

    def answer(self, status, body, more={}):
        raw = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *a):
        pass

server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("ready", flush=True)
server.serve_forever()
"""


async def _probed(*ports: int) -> dict[int, Sighting]:
    found = sockets(running())
    here = [socket for socket in found.listening if socket.local.port in ports]
    assert {socket.local.port for socket in here} == set(ports)
    look = await probe(of_listeners(here))
    return {int(sighting.where.rpartition(":")[2]): sighting for sighting in look.sightings}


async def test_servers_of_both_eras_are_found_where_they_listen(tmp_path: Path) -> None:
    script = tmp_path / "elder.py"
    script.write_text(LEGACY)
    old = free_port()
    command = [sys.executable, str(script), str(old)]
    with (
        modern_server(tmp_path) as url,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as legacy,
    ):
        try:
            assert legacy.stdout is not None
            assert legacy.stdout.readline() == "ready\n"
            new = int(url.rpartition(":")[2].partition("/")[0])
            found = await _probed(old, new)
            assert (found[new].name, found[new].access, found[new].url) == ("modern", "open", url)
            assert (found[old].name, found[old].access) == ("elder", "open")
            heard = [legacy.stdout.readline(), legacy.stdout.readline()]
            assert heard == ["initialize\n", "ended abc\n"]
            by_port = {socket.local.port: socket.pid for socket in sockets(running()).listening}
            assert by_port[old] == legacy.pid
        finally:
            legacy.kill()


def test_a_local_server_is_found_among_the_processes_with_its_parent(tmp_path: Path) -> None:
    server = tmp_path / "mcp-server-fixture"
    server.write_text(Path(SERVER).read_text())
    command = [sys.executable, str(server), "legacy"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            seen = running()
            (found,) = (s for s in servers(seen).sightings if s.pid == process.pid)
            assert found.name == "mcp-server-fixture"
            assert found.command == tuple(command)
            assert found.since > 0
            assert not found.ours
            (known,) = (
                s for s in servers(seen, ours=[found.parent]).sightings if s.pid == process.pid
            )
            assert known.ours
        finally:
            process.kill()


async def test_a_port_where_nothing_speaks_http_is_no_server() -> None:
    import asyncio

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01garbage\r\n" + b"x: " + b"y" * 300_000)
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        assert await _probed(port) == {}
    assert Endpoint("127.0.0.1", port).is_loopback
