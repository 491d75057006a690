"""A server with a memory of its own, behind every isolation mode: nobody reads what others stored."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bawn.model import Json
from tests.e2e.runner_process import RunnerProcess, runner

__all__ = ["runner"]  # a fixture

CLIENTS = Path(__file__).parents[2] / ".quickstart" / "clients" / "node_modules"
SERVER = str(CLIENTS / ".bin" / "mcp-server-memory")
WHO = [f"principal-{number}" for number in range(8)]

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _installed() -> None:
    if not Path(SERVER).exists():
        pytest.fail("server-memory is not installed: `make test` installs it")


def memory(isolation: str, *, named: bool = True, confine: str = "auto") -> Json:
    env = {"MEMORY_FILE_PATH": "${data}/memory.jsonl"} if named else {}
    return {"command": [SERVER], "isolation": isolation, "confine": confine, "env": env}


class Caller:
    """One principal, with its session and its project."""

    def __init__(self, runner: RunnerProcess, isolation: str, who: str) -> None:
        self.runner = runner
        self.who = who
        self.key = {"shared": "shared", "session": f"session-of-{who}"}.get(isolation, who)
        self.project: str | None = None
        if isolation == "project":
            self.key = "everybody"  # the directory alone tells them apart
            place = runner.base / who
            place.mkdir()
            self.project = str(place)

    async def call(self, tool: str, **arguments: object) -> Json:
        answer = await self.runner.ask(
            "memory",
            "tools/call",
            {"name": tool, "arguments": arguments},
            isolation=self.key,
            project=self.project,
            principal=self.who,
        )
        assert "error" not in answer, answer
        result: Json = answer["result"]
        return result

    async def store(self) -> Json:
        facts = {
            "name": self.who,
            "entityType": "person",
            "observations": [f"secret of {self.who}"],
        }
        return await self.call("create_entities", entities=[facts])

    async def recall(self) -> set[str]:
        """The names of all that the server remembers for this caller."""
        result = await self.call("read_graph")
        graph = json.loads(result["content"][0]["text"])
        return {entity["name"] for entity in graph["entities"]}


@pytest.mark.parametrize("confine", ["auto", "off"])
@pytest.mark.parametrize("isolation", ["principal", "session", "project", "shared"])
async def test_what_one_stores_only_those_of_its_isolation_key_read(
    runner: RunnerProcess, isolation: str, confine: str
) -> None:
    runner.order({"memory": memory(isolation, confine=confine)})
    callers = [Caller(runner, isolation, who) for who in WHO]
    if isolation == "shared":  # the server itself loses what comes while it writes
        for caller in callers:
            await caller.store()
    else:
        await asyncio.gather(*(caller.store() for caller in callers))
    found = await asyncio.gather(*(caller.recall() for caller in callers))
    expected = [set(WHO) if isolation == "shared" else {caller.who} for caller in callers]
    assert found == expected
    processes = len((await runner.status())["children"])
    assert processes == (1 if isolation == "shared" else len(WHO))


async def test_what_a_principal_stored_is_there_after_its_process_ended(
    runner: RunnerProcess,
) -> None:
    runner.order({"memory": memory("principal")})
    anna, ben = (Caller(runner, "principal", who) for who in ("anna", "ben"))
    await asyncio.gather(anna.store(), ben.store())
    runner.order({})
    runner.order({"memory": memory("principal")})
    assert await anna.recall() == {"anna"}
    assert await ben.recall() == {"ben"}


async def test_its_default_file_in_its_own_package_leaks_to_nobody_when_confined(
    runner: RunnerProcess,
) -> None:
    runner.order({"memory": memory("principal", named=False, confine="required")})
    callers = [Caller(runner, "principal", who) for who in WHO]
    stored = await asyncio.gather(*(caller.store() for caller in callers))
    assert all("EROFS" in json.dumps(result) for result in stored)  # the package is read-only
    assert await asyncio.gather(*(caller.recall() for caller in callers)) == [set()] * len(WHO)
    assert not list(CLIENTS.glob("@modelcontextprotocol/server-memory/**/memory.json*"))
