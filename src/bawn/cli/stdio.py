"""`bawn stdio`: a client's stdio entry, carried to the gate; the gate is started when needed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

import typer

from bawn.cli.options import ConfigOption, fail
from bawn.cli.reading import explained, loaded

if TYPE_CHECKING:
    from bawn.config.load import Loaded

_START: Final = 45.0
_POLL: Final = 0.05


def stdio(
    server: Annotated[
        str | None, typer.Option(help="One server with its own names; default is all of them.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Speak MCP on standard input and output; what clients start. (stable)"""
    found = loaded(config)
    if server is not None and server not in found.config.servers:
        known = ", ".join(found.config.servers) or "none"
        fail(f"no server {server!r} in {found.path}; there is: {known}.", code=2)
    with explained():
        asyncio.run(_carry(found, server))


async def _carry(found: Loaded, server: str | None) -> None:
    from bawn.storage.directory import StateDirectory
    from bawn.transport.stdio import Bridge, Target
    from bawn.upstream.http1 import PooledClient

    gate = StateDirectory(found.state).socket("gate.sock")
    await _ensure_running(found, gate)
    limits = found.config.limits
    path = "/mcp" if server is None else f"/mcp/{server}"
    url = f"http+unix://{quote(str(gate), safe='')}{path}"
    reader = asyncio.StreamReader(limit=limits.body)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    out = sys.stdout.buffer

    async def write(line: bytes) -> None:
        out.write(line + b"\n")
        out.flush()

    client = PooledClient(limits.connections, limits.connect)
    target = Target(url, str(Path.cwd()), limits.total + limits.start, limits.result)
    try:
        await Bridge(client, target, write).run(reader)
    finally:
        await client.aclose()


async def _ensure_running(found: Loaded, gate: Path) -> None:
    if await _answers(gate):
        return
    log = found.state / "run" / "bawn.log"
    daemon = _start(found, log)
    for _ in range(int(_START / _POLL)):
        if await _answers(gate):
            return
        if daemon.poll() not in (None, 0):
            fail(
                f"the gate did not start; {log} says why.", f"Try `bawn up --config {found.path}`."
            )
        await asyncio.sleep(_POLL)
    fail(f"the gate did not get ready within {_START:g} s; {log} says why.")


def _start(found: Loaded, log: Path) -> subprocess.Popen[bytes]:
    """The gate as a process of its own, which outlives this client."""
    with log.open("ab") as output:
        log.chmod(0o600)
        return subprocess.Popen(
            [sys.executable, "-m", "bawn", "up", "--config", str(found.path)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


async def _answers(gate: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(gate))
    except OSError:
        return False
    writer.close()
    return True
