"""What of a listing serves is what was approved; what is found is on record before anything is said of it."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bawn.app.keeping import Keeping
from bawn.config import Config, Server
from bawn.launching.definition import launch_of
from bawn.launching.package import Package, Resolution
from bawn.model import Json, Kind, Listing
from bawn.pins.record import Change, Hold, Record
from bawn.storage import StateDirectory
from bawn.storage.files import ServerFiles

READ: Json = {"name": "read", "description": "Reads."}
WRITE: Json = {"name": "write", "description": "Writes."}


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class House:
    """A keeper of one state directory."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.state = StateDirectory(home)
        self.records = ServerFiles(self.state.pins, Record)
        self.clock = Clock()
        self.settings = {"servers": {"files": {"url": "http://127.0.0.1:9/mcp"}}, **settings}
        self.keeping = self.again()

    def again(self) -> Keeping:
        """Another keeper, as after a restart."""
        self.keeping = Keeping(self.state, Config.model_validate(self.settings), self.clock)
        return self.keeping

    def serves(self, *tools: Json, instructions: str = "") -> list[str]:
        return [tool["name"] for tool in self.admit(*tools, instructions=instructions)]

    def admit(self, *tools: Json, instructions: str = "") -> tuple[Json, ...]:
        self.last = self.keeping.approved(_listing(*tools, instructions=instructions))
        return self.last.definitions[Kind.TOOL]

    def record(self) -> Record:
        found = self.records.read("files")
        assert found is not None
        return found


def _listing(*tools: Json, instructions: str = "") -> Listing:
    definitions = {Kind.TOOL: tools, Kind.PROMPT: (), Kind.RESOURCE: (), Kind.TEMPLATE: ()}
    return Listing("files", "2026-07-28", {"tools": {}}, instructions, definitions, 0)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "state")


def test_what_is_first_seen_is_approved_and_on_record(house: House) -> None:
    assert house.serves(READ, WRITE) == ["read", "write"]
    assert {pin.name for pin in house.record().pins} == {"read", "write"}


def test_a_changed_tool_is_withheld_and_its_siblings_serve(house: House) -> None:
    house.serves(READ, WRITE)
    assert house.serves({**READ, "description": "Sends."}, WRITE) == ["write"]
    [withheld] = house.last.withheld[Kind.TOOL]
    assert (withheld.reason, withheld.definition) == ("integrity.drift", READ)
    assert [change.name for change in house.record().waiting] == ["read"]


def test_nothing_is_written_while_nothing_changes(house: House) -> None:
    house.serves(READ)
    stamp = house.records.stamp("files")
    for _ in range(3):
        house.serves(READ)
    house.again().approved(_listing(READ))
    assert house.records.stamp("files") == stamp


def test_the_record_outlives_the_keeper(house: House) -> None:
    house.serves(READ)
    house.clock.now += 3_600
    house.again()
    assert house.serves({**READ, "description": "Sends."}) == []


def test_what_others_have_put_on_record_counts(house: House) -> None:
    house.serves(READ, WRITE)
    change = Change("tool", "write", "ff", {"name": "write"}, 1.0)

    def noted(record: Record | None) -> Record | None:
        assert record is not None
        return msgspec.structs.replace(record, waiting=(change,))

    house.records.update("files", noted)
    assert house.serves(READ, WRITE) == ["read"]


def test_a_record_that_cannot_be_read_withholds_its_server(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.serves(READ)
    house.records.path("files").write_text("{")
    with caplog.at_level(logging.WARNING, "bawn.integrity"):
        assert house.serves(READ) == []
    assert [each.reason for each in house.last.withheld[Kind.TOOL]] == ["integrity.store"]
    assert house.last.capabilities == {}
    assert "files.json" in caplog.text


def test_a_server_in_quarantine_offers_nothing_not_even_what_no_list_names(house: House) -> None:
    house.serves(READ, instructions="hello")

    def held(record: Record | None) -> Record | None:
        assert record is not None
        return msgspec.structs.replace(record, holds=(Hold("server", "", 1.0, "me"),))

    house.records.update("files", held)
    assert house.serves(READ, instructions="hello") == []
    assert (house.last.capabilities, house.last.instructions) == ({}, "")


def test_what_waits_is_said_once(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.serves(READ)
    with caplog.at_level(logging.WARNING, "bawn.integrity"):
        for _ in range(3):
            house.serves({**READ, "description": "Sends."})
    assert caplog.text.count("waits for approval") == 1
    assert house.keeping.told["files"] == ("tool 'read' waits for approval",)


def test_of_very_many_changes_a_few_are_said(house: House) -> None:
    tools = [{"name": f"t{i}"} for i in range(100)]
    house.serves(*tools)
    house.serves(*({**tool, "description": "x"} for tool in tools))
    assert house.keeping.told["files"][-1] == "and 80 more"


@pytest.mark.parametrize(
    ("auto", "served"), [(("cosmetic",), ["read"]), ((), []), (("narrowed",), [])]
)
def test_what_policy_lets_pass_is_approved_without_anybody(
    tmp_path: Path, auto: tuple[str, ...], served: list[str]
) -> None:
    house = House(tmp_path / "state", drift={"auto": auto})
    house.serves(READ)
    assert house.serves({**READ, "description": "Reads. "}) == served


def test_what_there_is_no_time_to_class_waits_for_people(tmp_path: Path) -> None:
    """Else one server could keep the steward from all others, for ever."""
    house = House(tmp_path / "state", drift={"auto": ("cosmetic",)})
    spent = iter(range(100))
    config = Config.model_validate(house.settings)
    house.keeping = Keeping(house.state, config, house.clock, lambda: next(spent))
    tools = [{"name": f"t{i}", "description": "x"} for i in range(9)]
    house.serves(*tools)
    assert house.serves(*({**tool, "description": "x "} for tool in tools)) == ["t0"]
    large = {"name": "t0", "description": "x " * 40_000}
    assert house.serves(large) == []
    assert house.serves({"name": "t0", "description": "x  "}) == [], "a change waits"


def test_a_name_of_any_length_takes_little_of_the_log(house: House) -> None:
    house.serves(READ)
    house.clock.now += 3600
    house.serves(READ, {"name": "n" * 100_000})
    assert [len(line) < 200 for line in house.keeping.told["files"]] == [True]


def test_names_of_another_tenant_tell_nothing(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/mcp"
    servers = {"files": {"url": url, "tenant": "a"}, "other": {"url": url, "tenant": "b"}}
    house = House(tmp_path / "state", servers=servers, drift={"auto": ("added",), "first_use": 0})
    other = replace(_listing({"name": "send_money_now"}), server="other")
    house.keeping.approved(other)
    house.serves(READ)
    house.clock.now += 1
    speaking = {"name": "x", "description": "Like send_money_now."}
    assert house.serves(READ, speaking) == ["read", "x"]


class TestLaunch:
    """How a local server is started is pinned, too."""

    COMMAND = ("npx", "pkg@1.2.3", "./docs")

    def house(self, home: Path, *command: str, **settings: Any) -> House:
        given = {"command": command or self.COMMAND, **settings}
        return House(home / "state", servers={"files": given})

    def test_its_definition_has_no_value_of_a_variable(self) -> None:
        server = Server(command=self.COMMAND, env={"TOKEN": "${env:SECRET}", "A": "b"}, cwd="x")
        launch = launch_of(server, None)
        assert launch == {"command": list(self.COMMAND), "env": ["A", "TOKEN"], "cwd": "x"}

    def test_a_command_that_the_owner_has_agreed_to_serves(self, tmp_path: Path) -> None:
        self.house(tmp_path).serves(READ)
        assert self.house(tmp_path, "npx", "pkg@1.2.4").serves(READ) == ["read"]
        [pin] = [p for p in self.house(tmp_path).record().pins if p.aspect == "launch"]
        assert pin.definition["command"] == ["npx", "pkg@1.2.4"]

    def test_another_package_than_was_approved_serves_nothing(self, tmp_path: Path) -> None:
        house = self.house(tmp_path)
        packages = ServerFiles(house.state.packages, Resolution)

        def resolved(digest: str) -> None:
            package = Package("npm", "pkg", "1.2.3")
            found = Resolution(package, package, (), digest)
            packages.update("files", lambda _: found)

        house.serves(READ)
        resolved("aa")
        assert house.again().approved(_listing(READ)).definitions[Kind.TOOL], "installed first"
        resolved("bb")
        served = house.again().approved(_listing(READ))
        assert served.definitions[Kind.TOOL] == ()
        assert [each.reason for each in served.withheld[Kind.TOOL]] == ["integrity.launch"]
