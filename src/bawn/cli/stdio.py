"""`bawn stdio`: a client's stdio entry, carried to the gate; the gate is started when needed."""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
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

    state = StateDirectory(found.state)
    gate = state.socket("gate.sock")
    reader = await _input(found.config.limits.body)
    if not await _answers(gate):
        await _start_once(found, state.run, gate)
    limits = found.config.limits
    path = "/mcp" if server is None else f"/mcp/{server}"
    url = f"http+unix://{quote(str(gate), safe='')}{path}"
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


async def _input(limit: int) -> asyncio.StreamReader:
    """Standard input as lines of at most `limit` bytes."""
    kind = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or sys.stdin.isatty()):
        next_step = "Clients start `bawn stdio` themselves; by hand, keep a pipe to it open."
        fail("standard input is a file, expected a pipe.", next_step, code=2)
    reader = asyncio.StreamReader(limit=limit)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    return reader


async def _start_once(found: Loaded, run: Path, gate: Path) -> None:
    """Start the gate; of clients that come at once, one does it and the others wait for it."""
    with (run / "start.lock").open("ab") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if not await _answers(gate):
            await _until_serving(_start(found, run / "bawn.log"), run / "bawn.log", gate, found)


async def _until_serving(
    daemon: subprocess.Popen[bytes], log: Path, gate: Path, found: Loaded
) -> None:
    for _ in range(int(_START / _POLL)):
        if await _answers(gate):
            return
        if daemon.poll() is not None:
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
