"""A gate that decides by a policy directory, in front of servers that write down every call."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from bawn.app.control import ask
from bawn.cli.status import health
from bawn.model import Json
from bawn.storage import StateDirectory
from tests.e2e.caller import Caller, a_caller, reason
from tests.e2e.census import connections
from tests.e2e.gate_process import Gate
from tests.e2e.remote_process import Raw
from tests.e2e.runner_process import until

MOST = 500
"""Connections until one of them must have come to each worker."""


def written(place: Path, files: dict[str, str]) -> Path:
    """A policy directory with these files and no others of their kind."""
    for old in place.rglob("*.cedar"):
        old.unlink()
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return place


def remote(raw: Raw, *names: str, **settings: str) -> str:
    """Servers of these names, each the raw server at a path of its own; `settings` as written."""
    extra = "".join(f", {key}: {value}" for key, value in settings.items())
    return "".join(f"  {name}: {{url: '{raw.base}/{name}'{extra}}}\n" for name in names)


def reached(raw: Raw, server: str, **arguments: Any) -> int:
    """How many calls with exactly these arguments came to a server."""
    calls = [call["params"] for call in raw.messages(f"/{server}", "tools/call")]
    return sum(call.get("arguments") == arguments for call in calls)


def audited(up: Gate, wanted: Callable[[Json], bool] = bool, lines: int = 500) -> list[Json]:
    """The audit's last calls, refusals and events that are wanted, the oldest first."""
    told = up.cli("audit", "tail", "--json", "-n", str(lines)).splitlines()
    return [call for call in map(json.loads, told) if wanted(call)]


def worker_of(up: Gate, reply: httpx2.Response, workers: Iterable[int]) -> int:
    """The process id of the worker that has the connection on which a reply came."""
    _, port = reply.extensions["network_stream"].get_extra_info("client_addr")
    return connections(up.port, workers)[port]


def running(up: Gate) -> dict[str, int]:
    """The gate's processes by name, without waiting for any; those that are just being started lack."""
    pids = ask(up.state, "status")["pids"]
    named = {f"worker {slot}": pid for slot, pid in enumerate(pids.pop("workers"))}
    return {name: pid for name, pid in {**pids, **named}.items() if pid}


def workers(up: Gate) -> list[int]:
    """The process ids of all workers."""
    return [pid for name, pid in running(up).items() if name.startswith("worker ")]


async def killed(up: Gate, *names: str) -> None:
    """Kill these processes; return once others are in their places, and the gate answers."""
    before = running(up)
    for name in names:
        os.kill(before[name], signal.SIGKILL)

    def replaced() -> bool:
        now = running(up)
        return all(now.get(name, before[name]) != before[name] for name in names)

    await until(replaced)
    await until(lambda: health(StateDirectory(up.state).socket("gate.sock")) is not None)


async def on_each_worker(up: Gate, callers: list[Caller]) -> dict[int, Caller]:
    """A caller for each worker that serves any of these, which keep a connection each."""
    pids = workers(up)
    return {worker_of(up, await each.send("tools/list"), pids): each for each in callers}


@asynccontextmanager
async def crowd(
    up: Gate, token: str = "", meta: Json | None = None, several: int = 20
) -> AsyncIterator[list[Caller]]:
    """Callers with a connection each: so many, and more until each worker has one.

    A worker that gets no time of a busy machine lets the others take what comes.
    """
    async with AsyncExitStack() as open_ones:

        async def more(number: int) -> list[Caller]:
            opened = [a_caller(up.url, token or up.token(), meta) for _ in range(number)]
            return [await open_ones.enter_async_context(each) for each in opened]

        callers, pids = await more(several), set(workers(up))
        served = set(await on_each_worker(up, callers))
        while served != pids:
            assert len(callers) < MOST, "not every worker got a connection"
            new = await more(several)
            served |= set(await on_each_worker(up, new))
            callers += new
        yield callers


async def answers(callers: list[Caller], tool: str, **arguments: Any) -> Counter[str]:
    """What all of them are answered, at once: how often `ok`, and each reason."""
    found = await asyncio.gather(*(caller.tool(tool, **arguments) for caller in callers))
    return Counter("ok" if "result" in answer else reason(answer) for answer in found)
