"""How the owner speaks to a running gate: one JSON line each way, over a private Unix socket.

When an order is answered, it is in force: no worker admits anything more under what was before.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from bawn.app.places import Places
from bawn.app.supervisor import Supervisor
from bawn.barrier.edition import Cut
from bawn.errors import BawnError
from bawn.identity.peer import unix_peer
from bawn.storage import sockets
from bawn.storage.directory import StateDirectory

SILENCE: Final = 10.0
"""Seconds in which whoever connects says what it wants."""
_PATIENCE: Final = 120.0


class NotRunningError(BawnError):
    """No gate runs on this state directory."""


class Control:
    """Serves the owner's orders: status, reload, stop."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._path = supervisor.places.control

    async def serve(self) -> asyncio.Server:
        """Begin to listen."""
        listening = sockets.listen(self._path)
        return await asyncio.start_unix_server(self._answer, sock=listening)

    def close(self) -> None:
        """Take away the socket of a gate that has ended."""
        self._path.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            peer = unix_peer(writer.get_extra_info("socket").fileno())
            async with asyncio.timeout(SILENCE):
                line = await reader.readline()
            answer = (
                await self._do(line) if peer.uid == os.geteuid() else {"error": "not the owner"}
            )
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (ConnectionError, TimeoutError, ValueError, RecursionError):
            pass  # the asker went away, asked for too much, or for nothing
        except asyncio.CancelledError:
            pass  # the gate ends; asyncio takes a cancelled answer for a fault and logs it
        finally:
            writer.close()

    async def _do(self, line: bytes) -> dict[str, Any]:
        verbs: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "status": self._status,
            "reload": self._reload,
            "stop": self._stop,
            "cut": self._cut,
            "restore": self._restore,
            "cuts": self._cuts,
            "keys": self._keys,
            "pins": self._pins,
        }
        asked = json.loads(line)
        verb = verbs.get(str(asked.get("do"))) if isinstance(asked, dict) else None
        return await verb(asked) if verb else {"error": f"expected one of {', '.join(verbs)}"}

    async def _status(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._supervisor.status()

    async def _cut(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            cut = msgspec.convert({**asked, "since": time.time()}, Cut)
            kept = self._supervisor.force.cut(cut)
        except (msgspec.ValidationError, OSError) as error:
            return {"error": f"nothing was cut: {error}"}
        return {"done": "cut", "kept": kept}

    async def _restore(self, asked: dict[str, Any]) -> dict[str, Any]:
        kind, name = asked.get("kind"), asked.get("name")
        try:
            lifted = self._supervisor.force.restore(
                lambda cut: kind is None or (cut.kind, cut.name) == (kind, name)
            )
        except OSError as error:
            return {"error": f"nothing was restored: {error}"}
        return {"done": "restored", "lifted": lifted}

    async def _cuts(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"cuts": [msgspec.structs.asdict(cut) for cut in self._supervisor.force.cuts.all]}

    async def _keys(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The sealing keys were changed by the owner: have every worker read them again."""
        try:
            self._supervisor.force.renew_ring()
        except OSError as error:
            return {"error": f"the workers do not use it yet: {error}"}
        return {"done": "read again"}

    async def _pins(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What was approved of a server has changed: put it in force."""
        try:
            await self._supervisor.reconsider(str(asked.get("server", "")))
        except BawnError as error:
            return {"error": f"it is not in force yet: {error}"}
        return {"done": "in force"}

    async def _reload(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"done": await self._supervisor.reload(by_owner=True)}
        except (BawnError, OSError) as error:
            return {"error": str(error)}

    async def _stop(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._supervisor.stop()
        return {"done": "stopping"}


def ask(state: Path, what: str, **more: Any) -> dict[str, Any]:
    """Give an order, and what belongs to it, to the gate that runs on this state directory.

    Raises:
        NotRunningError: there is none.
    """
    if not state.is_dir():
        raise NotRunningError(f"no gate has run on {state} yet")
    path = Places(StateDirectory(state)).control
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(_PATIENCE)
        try:
            asking.connect(str(path))
        except OSError as error:
            raise NotRunningError(f"no gate runs on {state}") from error
        try:
            asking.sendall(json.dumps({"do": what, **more}).encode() + b"\n")
            with asking.makefile("rb") as answers:
                line = answers.readline()
        except OSError as error:
            raise NotRunningError(f"the gate on {state} did not answer: {error}") from error
    if not line:
        raise NotRunningError("the gate ended before it answered")
    answer: dict[str, Any] = json.loads(line)
    return answer
