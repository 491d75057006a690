"""What a child is started by, and what it offers, is held against what was approved just before it counts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bawn.config import Limits, Server
from bawn.errors import Refused
from bawn.launching.installed import Installed
from bawn.model import Answer, Json
from bawn.pins.record import Aspect, Record
from bawn.pins.verifying import Stranger, Verifying
from bawn.runner.child import Child, Plan
from bawn.runner.dialogue import Dialogue
from bawn.runner.introduce import Era, Introduction
from bawn.runner.launch import Launch
from bawn.runner.pending import Deadlines
from bawn.runner.spawn import Process


def _plan(home: Path, *command: str, **settings: str) -> Plan:
    server = Server.model_validate({"command": command, "confine": "off", **settings})
    return Plan("files", server, home, Limits())


def test_what_breaks_the_grammar_is_not_prepared(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"integrity\.launch: servers\.files\.command\[") as caught:
        _plan(tmp_path, "sh", "-c", "true").prepare()
    assert "launch: any" in caught.value.detail


def test_what_its_owner_has_read_is(tmp_path: Path) -> None:
    assert _plan(tmp_path, "sh", "-c", "true", launch="any").prepare().argv[1:] == ("-c", "true")


def test_a_project_cannot_put_its_own_code_in_the_place_of_a_package(tmp_path: Path) -> None:
    plan = replace(_plan(tmp_path, "npx", "acme@1.0.0", isolation="project"), project=str(tmp_path))
    with pytest.raises(
        Refused, match=r"integrity\.launch: servers\.files: with `isolation: project`"
    ):
        plan.prepare()
    installed = Installed(argv=(sys.executable, "server.py"))
    assert replace(plan, installed=installed).prepare().argv[1:] == ("server.py",)


class _Slow:
    """A dialogue that remembers how long each request might have taken."""

    def __init__(self) -> None:
        self.given: list[tuple[str, Deadlines]] = []
        self.updated: object = None

    async def ask(
        self, method: str, params: Json, deadlines: Deadlines, caller: object = None
    ) -> Answer:
        self.given.append((method, deadlines))
        return Answer(result={"tools": []} if method == "tools/list" else {})


class _Nothing:
    """Something is on record, and nothing differs from it."""

    def record(self) -> Record | None:
        return Record("files", 1.0)

    def strangers(
        self, aspect: Aspect, definitions: Sequence[Json], record: Record
    ) -> Iterable[Stranger]:
        return ()

    def found(self, strangers: Sequence[Stranger]) -> None: ...


async def test_a_server_may_take_as_long_for_its_list_as_for_any_call() -> None:
    """Else one that is slow to list would serve its steward, and nobody else."""
    dialogue, patience = _Slow(), Deadlines(30.0, 60.0)
    child = Child(
        cast(Process, None), cast(Dialogue, dialogue), Introduction(Era.MODERN, "", None),
        cast(Launch, None), lambda method: None, Verifying(_Nothing(), 10),
    )  # fmt: skip
    await child.call("tools/call", {"name": "read"}, patience, None)
    assert dialogue.given == [("tools/list", patience), ("tools/call", patience)]
