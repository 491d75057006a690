"""How the owner speaks to a running gate: one JSON line each way, over a private Unix socket."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from bawn.app.supervisor import Supervisor
from bawn.errors import BawnError
from bawn.identity.peer import unix_peer
from bawn.storage.directory import StateDirectory

SOCKET: Final = "control.sock"
_PATIENCE: Final = 120.0


class NotRunningError(BawnError):
    """No gate runs on this state directory."""


class Control:
    """Serves the owner's orders: status, reload, stop."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._path = supervisor.state.socket(SOCKET)

    async def serve(self) -> asyncio.Server:
        """Begin to listen."""
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            return await asyncio.start_unix_server(self._answer, str(self._path))
        finally:
            os.umask(before)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            peer = unix_peer(writer.get_extra_info("socket").fileno())
            line = await reader.readline()
            answer = (
                await self._do(line) if peer.uid == os.geteuid() else {"error": "not the owner"}
            )
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (ConnectionError, ValueError):
            pass  # the asker went away, or asked for too much
        finally:
            writer.close()

    async def _do(self, line: bytes) -> dict[str, Any]:
        verbs: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
            "status": self._status,
            "reload": self._reload,
            "stop": self._stop,
        }
        asked = json.loads(line)
        verb = verbs.get(str(asked.get("do"))) if isinstance(asked, dict) else None
        return await verb() if verb else {"error": "expected one of status, reload, stop"}

    async def _status(self) -> dict[str, Any]:
        return self._supervisor.status()

    async def _reload(self) -> dict[str, Any]:
        try:
            return {"done": await self._supervisor.reload(by_owner=True)}
        except (BawnError, OSError) as error:
            return {"error": str(error)}

    async def _stop(self) -> dict[str, Any]:
        self._supervisor.stop()
        return {"done": "stopping"}


def ask(state: Path, what: str) -> dict[str, Any]:
    """Give an order to the gate that runs on this state directory.

    Raises:
        NotRunningError: there is none.
    """
    if not state.is_dir():
        raise NotRunningError(f"no gate has run on {state} yet")
    path = StateDirectory(state).socket(SOCKET)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(_PATIENCE)
        try:
            asking.connect(str(path))
        except OSError as error:
            raise NotRunningError(f"no gate runs on {state}") from error
        try:
            asking.sendall(json.dumps({"do": what}).encode() + b"\n")
            with asking.makefile("rb") as answers:
                line = answers.readline()
        except OSError as error:
            raise NotRunningError(f"the gate on {state} did not answer: {error}") from error
    if not line:
        raise NotRunningError("the gate ended before it answered")
    answer: dict[str, Any] = json.loads(line)
    return answer
