"""A definition that changes behind the running gate: found in every field, in both eras and over both transports."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bawn.model import Json
from tests.e2e.caller import Caller, a_caller, reason
from tests.e2e.drifting import (
    PROMPT_EDITS,
    TEMPLATE_EDITS,
    TOOL_EDITS,
    UNCHANGED,
    VARIANTS,
    Books,
    after,
    before,
    remote,
)
from tests.e2e.gate_process import Gate, wait_until

pytestmark = pytest.mark.e2e

MAX_AGE = 1.0
SLACK = 15.0
"""Seconds: how old a list may be here, and what a busy machine may take besides."""

GIVEN: Json = {"path": "a/b", "mode": "text"}
"""What every tool of these servers takes."""


class House:
    """A gate in front of four servers, and what it does when they change."""

    def __init__(self, gate: Gate, books: Books) -> None:
        self.gate = gate
        self.books = books
        self.found = 0.0
        """Seconds from the change until the last of it was found."""

    def diff(self, server: str) -> Json:
        told: Json = json.loads(self.gate.run("server", "diff", server, "--json").stdout)
        return told


@pytest.fixture(scope="module", params=["announced", "silent"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A gate whose servers have all changed, and said so or not."""
    home = tmp_path_factory.mktemp("gate")
    announced = request.param == "announced"
    books = Books(home / "books", announce=announced)
    with ExitStack() as stack:
        servers = ""
        for variant in VARIANTS:
            books.write(variant, before())
            if variant.endswith("http"):
                url = stack.enter_context(remote(books, variant))
                servers += f"  {variant}: {{url: '{url}'}}\n"
            else:
                command = json.dumps(books.local(variant))
                servers += f"  {variant}: {{command: {command}, confine: 'off'}}\n"
        age = 3600 if announced else MAX_AGE
        head = f"drift: {{max_age: {age}, first_use: 0}}\n"
        gate = Gate(home, f"{head}servers:\n{servers}").start().until_ok()
        stack.callback(gate.kill)
        made = House(gate, books)
        began = time.monotonic()
        for variant in VARIANTS:
            books.write(variant, after())
        wait_until(lambda: all(_noticed(gate, each) for each in VARIANTS), what="the change")
        made.found = time.monotonic() - began
        yield made
        gate.stop()


def _noticed(gate: Gate, server: str) -> bool:
    """Whether a look at each list has come after the change, which may fall between two of one round."""
    record = json.loads((gate.state / "pins" / f"{server}.json").read_text())
    found = {each["aspect"] for each in record["waiting"]}
    return {"tool", "prompt", "template", *_once(server)} <= found


def _once(server: str) -> tuple[str, ...]:
    """What is asked anew in each round of the newest servers; older ones say it as a session begins."""
    return ("instructions",) if server.startswith("modern") else ()


def _waiting(told: Json, aspect: str) -> dict[str, list[str]]:
    """What waits of an aspect: by name, the paths of the fields that differ."""
    return {
        each["name"]: [field["path"] for field in each["drift"]["fields"]]
        for each in told["waiting"]
        if each["aspect"] == aspect
    }


def test_a_silent_change_is_found_in_time_and_an_announced_one_at_once(house: House) -> None:
    assert house.found < MAX_AGE + SLACK


@pytest.mark.parametrize("server", VARIANTS)
def test_the_diff_names_the_field_of_every_change(house: House, server: str) -> None:
    told = house.diff(server)
    tools = _waiting(told, "tool")
    assert set(tools) == {*TOOL_EDITS, "added"}
    for name, (_, path) in TOOL_EDITS.items():
        assert any(each.startswith(path) for each in tools[name]), (name, tools[name])
    prompts = _waiting(told, "prompt")
    assert set(prompts) == set(PROMPT_EDITS)
    for name, (_, path) in PROMPT_EDITS.items():
        assert any(each.startswith(path) for each in prompts[name]), (name, prompts[name])
    templates = {
        name.partition(":")[0]: paths for name, paths in _waiting(told, "template").items()
    }
    assert set(templates) == set(TEMPLATE_EDITS)
    for name, (_, path) in TEMPLATE_EDITS.items():
        assert any(each.startswith(path) for each in templates[name]), (name, templates[name])
    if _once(server):
        assert set(_waiting(told, "instructions")) == {""}


@pytest.mark.parametrize("server", VARIANTS)
async def test_no_call_reaches_what_has_changed(house: House, server: str) -> None:
    async with a_caller(house.gate.url, house.gate.token()) as caller:
        for name in TOOL_EDITS:
            assert await caller.refusal(f"{server}__{name}") == "integrity.drift"
        assert await caller.refusal(f"{server}__added") == "integrity.unapproved"
        for name in PROMPT_EDITS:
            answer = await caller.ask("prompts/get", {"name": f"{server}__{name}"})
            assert reason(answer) == "integrity.drift"
    async with a_caller(f"{house.gate.url}/{server}", house.gate.token()) as caller:
        for name in TEMPLATE_EDITS:
            answer = await caller.ask("resources/read", {"uri": f"{name}:///x"})
            assert reason(answer) == "integrity.drift"
    reached = {each.partition(" ")[2].partition(":")[0] for each in house.books.calls(server)}
    assert reached <= {*UNCHANGED, "same"}


@pytest.mark.parametrize("server", VARIANTS)
async def test_its_siblings_serve_and_what_is_no_change_passes(house: House, server: str) -> None:
    async with a_caller(house.gate.url, house.gate.token()) as caller:
        for name in UNCHANGED:
            assert await caller.text(f"{server}__{name}", **GIVEN) == "done"
        assert "result" in await caller.ask("prompts/get", {"name": f"{server}__same"})
    async with a_caller(f"{house.gate.url}/{server}", house.gate.token()) as caller:
        assert "result" in await caller.ask("resources/read", {"uri": "same:///x"})
    assert set(house.books.calls(server)) >= {f"tool {name}" for name in UNCHANGED}


@pytest.mark.parametrize("server", VARIANTS)
async def test_what_is_shown_is_what_was_approved(house: House, server: str) -> None:
    async with a_caller(f"{house.gate.url}/{server}", house.gate.token()) as caller:
        tools = await _listed(caller, "tools/list", "tools")
        approved = {each["name"]: each for each in before()["tools"]}
        assert {each["name"] for each in tools} == set(UNCHANGED)
        assert all(each == approved[each["name"]] for each in tools)
        prompts = await _listed(caller, "prompts/list", "prompts")
        assert [each["name"] for each in prompts] == ["same"]
        templates = await _listed(caller, "resources/templates/list", "resourceTemplates")
        assert [each["uriTemplate"] for each in templates] == ["same:///{path}"]
        told = await caller.ask("server/discover")
        assert "archive" not in json.dumps(told)


async def _listed(caller: Caller, method: str, member: str) -> list[Json]:
    found: list[Json] = []
    params: Json = {}
    while True:
        result = (await caller.ask(method, params))["result"]
        found += result[member]
        if "nextCursor" not in result:
            return found
        params = {"cursor": result["nextCursor"]}
