"""A drill: harm is done to one process of a running gate, and what its callers see is measured.

The faults are data: `FAULTS`. The supervisor is never harmed: nobody would start it again.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from bawn.app.control import ask
from bawn.drill.measured import Measured, measured, recovered
from bawn.drill.probes import Callers, Fate, Probe, errors
from bawn.errors import BawnError
from bawn.model import Json
from bawn.runner.keeper import children, descendants
from bawn.storage.directory import StateDirectory

CALM: Final = 1.0
"""Seconds of calls before anything is harmed."""
_LOOK: Final = 0.02


class NotFitError(BawnError):
    """The drill cannot be held: the text says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Harm to one process of this `part`; `standard` ones are done when none is named.

    `stops`: the process is halted while callers are watched, and goes on afterwards.
    """

    name: str
    part: str
    says: str
    stops: bool = False
    standard: bool = True


FAULTS: Final[Mapping[str, Fault]] = {
    fault.name: fault
    for fault in (
        Fault("worker", "worker", "kill a worker: its connections break"),
        Fault("steward", "steward", "kill the steward: lists stay as they are until it is back"),
        Fault("keeper", "keeper", "kill the keeper of a local server: the server ends"),
        Fault("child", "child", "kill a process of a local server"),
        Fault("runner", "runner", "kill the runner: every local server ends"),
        Fault("slow", "child", "halt a process of a local server", stops=True, standard=False),
    )
}


def roles(pids: Mapping[str, Any]) -> dict[str, list[int]]:
    """The processes of the gate proper by part, from the `pids` of its status."""
    found: dict[str, list[int]] = {}
    for part, told in pids.items():
        listed = told if isinstance(told, list) else [told]
        found[part.removesuffix("s")] = [int(pid) for pid in listed if pid]
    return found


@dataclass(frozen=True, slots=True)
class Child:
    """A process of a local server as the runner tells of it."""

    server: str
    pid: int
    calls: int


class Drill:
    """Harms the gate on this state; `seconds` is how long callers are watched after each fault."""

    def __init__(
        self, state: StateDirectory, probes: Sequence[Probe], connections: int, seconds: float
    ) -> None:
        self._state = state
        self._probes = probes
        self._connections = connections
        self._seconds = seconds

    async def run(self, fault: Fault) -> Measured:
        """Do one fault to the gate, with callers before, meanwhile and afterwards.

        Raises:
            NotRunningError: there is no gate.
            NotFitError: nothing is answered even before anything is harmed.
        """
        loop = asyncio.get_running_loop()
        socket = self._state.socket("gate.sock")
        busy = {child.pid: child.calls for child in await self._children()}
        async with Callers(socket, self._probes, self._connections) as callers:
            await asyncio.sleep(CALM)
            _check_calm(callers)
            before = await self._roles()
            victim = await self._victim(fault, before, busy)
            if victim is None:
                return Measured(fault.name, f"there is no {fault.part} to harm", done=False)
            struck = loop.time()
            if fault.stops:
                back: float | None = 0.0
                await self._halt(victim)
            else:
                os.kill(victim, signal.SIGKILL)
                back = await self._until_back(fault.part, victim, before, struck)
                await asyncio.sleep(max(0.0, struck + self._seconds - loop.time()))
            did = f"{'halted' if fault.stops else 'killed'} process {victim}"
            await self._settle(callers, struck)
        return measured(fault.name, did, back, callers, struck)

    async def _settle(self, callers: Callers, struck: float) -> None:
        """Let the callers that still wait have their answer, or run out of patience."""
        loop = asyncio.get_running_loop()
        last = loop.time() + self._seconds
        while recovered(callers, struck) is None and loop.time() < last:  # noqa: ASYNC110 - calls come in meanwhile
            await asyncio.sleep(_LOOK)

    async def _halt(self, victim: int) -> None:
        halted = [victim, *descendants(victim)]
        try:
            for pid in halted:
                _send(pid, signal.SIGSTOP)
            await asyncio.sleep(self._seconds)
        finally:
            for pid in halted:
                _send(pid, signal.SIGCONT)

    async def _until_back(
        self, part: str, victim: int, before: Mapping[str, list[int]], struck: float
    ) -> float | None:
        """Milliseconds until the victim is gone and its part as many as before."""
        loop = asyncio.get_running_loop()
        while loop.time() < struck + self._seconds:
            if not _runs(victim):
                now = (await self._roles()).get(part, [])
                if victim not in now and len(now) >= len(before.get(part, [])):
                    return (loop.time() - struck) * 1e3
            await asyncio.sleep(_LOOK)
        return None

    async def _victim(
        self, fault: Fault, before: Mapping[str, list[int]], busy: Mapping[int, int]
    ) -> int | None:
        if fault.part in before:
            return before[fault.part][0] if before[fault.part] else None
        if fault.part not in ("keeper", "child"):
            return None
        runner = before["runner"][0] if before.get("runner") else 0
        wanted = {probe.server for probe in self._probes} - {None}
        found = [child for child in await self._children() if child.server in wanted or not wanted]
        # whose callers are ours shows by its calls; it is the one to kill, and the one not to halt
        found.sort(key=lambda child: child.calls - busy.get(child.pid, 0), reverse=not fault.stops)
        if not found:
            return None
        return found[0].pid if fault.part == "child" else _keeper(found[0].pid, runner)

    async def _roles(self) -> dict[str, list[int]]:
        status = await asyncio.to_thread(ask, self._state.path, "status")
        if "error" in status:
            raise NotFitError(f"the gate does not tell its processes: {status['error']}")
        return roles(status["pids"])

    async def _children(self) -> list[Child]:
        transport = httpx2.AsyncHTTPTransport(uds=str(self._state.socket("runner.sock")))
        async with httpx2.AsyncClient(transport=transport, timeout=5) as client:
            try:
                told: Json = (await client.get("http://localhost/servers")).json()
            except (httpx2.HTTPError, ValueError):
                return []  # no runner: no local server was ever configured
        running = [child for child in told["children"] if child.get("pid")]
        return [Child(child["server"], child["pid"], child["calls"]) for child in running]


def _check_calm(callers: Callers) -> None:
    if not any(attempt.fate is Fate.ANSWERED for attempt in callers.attempts):
        seen = sorted(errors(callers.attempts)) or [a.fate.value for a in callers.attempts[:1]]
        raise NotFitError(
            f"no call was answered before anything was harmed: {', '.join(seen) or 'silence'}"
        )


def _keeper(pid: int, runner: int) -> int | None:
    """The process between the runner and one of a local server, if there is one."""
    return next((top for top in children(runner) if pid in descendants(top)), None)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
