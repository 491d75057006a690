"""A gate with witnesses behind it in every isolation mode, and the callers who try them all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bawn.config import Config
from bawn.model import Json
from bawn.storage import StateDirectory
from tests.e2e.gate_process import Gate
from tests.e2e.load import Client, Kind, Outcome, Person, Tool

WITNESS: Final = str(Path(__file__).parent / "servers" / "witness.py")
MARK: Final = f"WITNESS_OF={os.getpid()}"
"""In the environment of every local witness, wherever it went."""
LIMITS: Final = "limits: {first_byte: 2, total: 10, stop: 1}\n"

LOCAL: Final = {
    "principal": Tool("principal__tell"),
    "session": Tool("session__tell", own=True),
    "project": Tool("project__tell", own=True),
    "shared": Tool("shared__tell", shared=True),
}
"""Local servers; the name is the isolation mode."""

REMOTE: Final = {
    "modern": Tool("modern__tell", shared=True),
    "legacy": Tool("legacy__tell"),
    "pooled": Tool("pooled__tell", shared=True),
}
SHAKY: Final = {
    "shaky": Tool("shaky__tell", shared=True, noisy=True),
    "shaky-old": Tool("shaky-old__tell", noisy=True),
}
"""Behind a proxy that misbehaves."""


def workers(number: int) -> str:
    """The line of the configuration for so many workers."""
    return f"workers: {number}\n" if "workers" in Config.model_fields else ""


def local(*names: str, diary: Path, family: bool = False) -> str:
    """Lines of configuration for local witnesses, each in the isolation mode of its name."""
    diary.touch()  # a confined server sees what its command names, and only what is there
    # bare of site and environment: a fleet of these starts at once
    command = [sys.executable, "-S", "-E", "-s", WITNESS, "stdio", str(diary)]
    command += ["family"] if family else []
    marked = f"env: {{{MARK.partition('=')[0]}: '{os.getpid()}'}}, max_children: 300"
    return "".join(
        f"  {name}: {{command: {json.dumps(command)}, isolation: {name}, {marked}}}\n"
        for name in names
    )


def remote(port: int) -> str:
    """Lines of configuration for the remote witnesses."""
    base = f"http://127.0.0.1:{port}"
    return (
        f"  modern: {{url: '{base}/modern'}}\n"
        f"  legacy: {{url: '{base}/legacy'}}\n"
        f"  pooled: {{url: '{base}/legacy', isolation: shared}}\n"
    )


def shaky(modern: int, legacy: int) -> str:
    """The same behind proxies on these ports."""
    return (
        f"  shaky: {{url: 'http://127.0.0.1:{modern}/modern'}}\n"
        f"  shaky-old: {{url: 'http://127.0.0.1:{legacy}/legacy'}}\n"
    )


@contextlib.contextmanager
def remote_witness(diary: Path) -> Iterator[int]:
    """The witness over HTTP; its port."""
    command = [sys.executable, WITNESS, "http", str(diary)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def reached(diary: Path) -> set[str]:
    """The trace ids of all calls that reached a witness."""
    lines = diary.read_text(encoding="utf-8").splitlines() if diary.exists() else []
    told: list[Json] = [json.loads(line) for line in lines]
    return {entry["trace"] for entry in told if "reached" in entry}


@dataclass(frozen=True, slots=True)
class Caller:
    """A client, and the tools that it can use."""

    client: Client
    tools: tuple[Tool, ...]


def callers(gate: Gate, number: int, tools: Sequence[Tool], patience: float = 30.0) -> list[Caller]:
    """So many principals, a quarter each: modern, legacy, modern with a project, legacy again.

    Every eighth has a second connection with a session of its own. Who has a project comes over the
    Unix socket, and only they use the server of that isolation mode.
    """
    socket = StateDirectory(gate.state).socket("gate.sock")
    plain = tuple(tool for tool in tools if tool.server != "project")
    made: list[Caller] = []
    for index in range(number):
        name = f"person-{index}"
        token = gate.token(sub=name)
        if index % 4 == 2:
            place = gate.home / "projects" / name
            place.mkdir(parents=True, exist_ok=True)
            person = Person(name, token, str(place))
            made.append(Caller(Client(person, socket, patience=patience), tuple(tools)))
            continue
        person, tcp = Person(name, token), ("127.0.0.1", gate.port)
        legacy = index % 4 != 0
        made.append(Caller(Client(person, tcp, legacy=legacy, patience=patience), plain))
        if index % 8 == 0:
            made.append(Caller(Client(person, tcp, legacy=True, patience=patience), plain))
    return made


async def warm(
    everybody: Sequence[Caller], at_once: int = 8, seconds: float = 60.0
) -> list[Outcome]:
    """Let everybody reach each of their tools once, so many at once; what was not ok on the way."""
    places = asyncio.Semaphore(at_once)
    unlucky: list[Outcome] = []

    async def reach(caller: Caller, tool: Tool) -> None:
        while (outcome := await caller.client.call(tool)).kind is not Kind.OK:
            unlucky.append(outcome)
            await asyncio.sleep(0.05)

    async def one(caller: Caller) -> None:
        async with places:
            for tool in caller.tools:
                await reach(caller, tool)

    async with asyncio.timeout(seconds):
        await asyncio.gather(*map(one, everybody))
    return unlucky
