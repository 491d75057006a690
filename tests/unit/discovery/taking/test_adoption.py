"""What moving entries behind the gate means, before anything is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bawn.config.server import Server
from bawn.discovery.clients import CLIENTS, Roots
from bawn.discovery.inventory import inventory
from bawn.discovery.pointing.rewrite import Gate
from bawn.discovery.taking.adoption import Adoption, Chosen, plan_adoption
from bawn.discovery.taking.importing import Imported

CURSOR = next(client for client in CLIENTS if client.id == "cursor")


def plan(tmp_path: Path, servers: object, *, known: str = "") -> Adoption:
    path = tmp_path / ".cursor" / "mcp.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"mcpServers": servers}))
    roots = Roots.of({"HOME": str(tmp_path)}, "linux", str(tmp_path / "none"))
    (file,) = inventory(roots, None, [CURSOR])
    chosen = [Chosen(file, slot, entry, known) for slot, entry in file.found]

    def gate(added: Sequence[Imported]) -> Gate:
        ids = [*(server.id for server in added), "taken"]
        return Gate("/bin/bawn", Path("/x/bawn.yaml"), {id_: Server(command=("x",)) for id_ in ids})

    return plan_adoption(chosen, gate, lambda name: f"${{file:s/{name}}}", ["taken"])


def test_the_same_server_of_two_entries_is_added_once(tmp_path: Path) -> None:
    same = {"command": "npx", "args": ["-y", "a-mcp@1.0.0"]}
    found = plan(tmp_path, {"a": same, "b": {"command": "npx", "args": ["a-mcp@1.0.0"]}})
    assert [server.id for server in found.servers] == ["a"]
    (file,) = found.plans
    assert {change.name: change.entry["args"][-1] for change in file.changes if change.entry} == {
        "a": "a", "b": "a",
    }  # fmt: skip


def test_an_id_that_is_taken_is_numbered(tmp_path: Path) -> None:
    assert [server.id for server in plan(tmp_path, {"taken": {"command": "x-mcp"}}).servers] == [
        "taken-2"
    ]


def test_an_entry_of_a_registered_server_adds_none(tmp_path: Path) -> None:
    found = plan(tmp_path, {"a": {"command": "x-mcp"}}, known="taken")
    assert found.servers == ()
    assert found.plans[0].changes[0].entry == {
        "command": "/bin/bawn", "args": ["stdio", "--config", "/x/bawn.yaml", "--server", "taken"],
    }  # fmt: skip


def test_an_entry_of_bawn_is_left_alone(tmp_path: Path) -> None:
    found = plan(tmp_path, {"bawn": {"command": "bawn", "args": ["stdio"]}})
    assert found == Adoption()


def test_what_cannot_be_moved_is_refused_and_the_rest_is_moved(tmp_path: Path) -> None:
    found = plan(
        tmp_path,
        {"sh": {"command": "sh", "args": ["-c", "x"]}, "rel": {"command": "./x"}, "ok": {"command": "ok-mcp"}},
    )  # fmt: skip
    assert [refusal.name for refusal in found.refusals] == ["sh", "rel"]
    assert [server.id for server in found.servers] == ["ok"]
    assert [change.name for change in found.plans[0].changes] == ["ok"]
