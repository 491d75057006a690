"""The registry over a real gate: read by others, imported by another gate, edited without losing comments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from bawn.model import Json
from tests.e2e.gate_process import Gate
from tests.e2e.local_server import local

pytestmark = pytest.mark.e2e

NAME = "com.example/files"
HEAD = """registry: {{namespace: com.example}}
roles: {{clerk: {{servers: [files], tools: ["*"]}}}}
management: {{listen: '127.0.0.1:{management}'}}"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    home = tmp_path_factory.mktemp("gate")
    servers = "servers:   # all of them\n" + local(
        "files", "modern", diary=home / "diary", purpose="Files of the office"
    )
    servers += local("ledger", "modern", diary=home / "ledger") + local(
        "old", "modern", diary=home / "old", status="deprecated"
    )
    servers += local("gone", "modern", diary=home / "gone", status="disabled")
    gate = Gate(home, servers, head=HEAD).start().until_ok("files", "ledger", "old")
    try:
        yield gate
        gate.stop()
    finally:
        gate.kill()


def _get(gate: Gate, path: str, *roles: str, token: bool = True) -> httpx2.Response:
    headers = {"authorization": f"Bearer {gate.token(*roles)}"} if token else {}
    return httpx2.get(f"{gate.base}{path}", headers=headers, timeout=20)


def _names(answer: httpx2.Response) -> list[str]:
    return [each["server"]["name"] for each in answer.json()["servers"]]


@pytest.mark.parametrize("prefix", ["/v0", "/v0.1"])
def test_who_may_use_servers_finds_them_by_the_gates_own_address(up: Gate, prefix: str) -> None:
    answer = _get(up, f"{prefix}/servers")
    assert answer.status_code == 200
    assert _names(answer) == [NAME, "com.example/ledger", "com.example/old"]
    [files, _, old] = answer.json()["servers"]
    assert [each["url"] for each in files["server"]["remotes"]] == [f"{up.base}/mcp/files"]
    assert "command" not in json.dumps(files)
    assert sorted(files["_meta"]) == ["io.modelcontextprotocol.registry/official"]
    assert old["_meta"]["io.modelcontextprotocol.registry/official"]["status"] == "deprecated"


def test_nobody_learns_of_servers_that_policy_keeps_from_him(up: Gate) -> None:
    assert _names(_get(up, "/v0.1/servers", "clerk")) == [NAME]
    ledger = quote("com.example/ledger", safe="")
    hidden = _get(up, f"/v0.1/servers/{ledger}/versions/latest", "clerk")
    absent = _get(
        up, f"/v0.1/servers/{quote('com.example/nothing', safe='')}/versions/latest", "clerk"
    )
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
    assert hidden.status_code == 404
    assert _get(up, "/v0.1/servers", token=False).status_code == 401


def test_another_gate_imports_from_it(up: Gate, tmp_path: Path) -> None:
    other = Gate(tmp_path, "servers: {}\n")
    document = tmp_path / "server.json"
    document.write_text(json.dumps(_get(up, "/v0.1/servers").json()["servers"][0]["server"]))
    done = other.run("server", "import", str(document), "--name", "theirs", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    shown: Json = json.loads(other.cli("server", "show", "theirs", "--json"))
    assert shown["url"] == f"{up.base}/mcp/files"


def test_commands_edit_the_same_file_that_people_do(up: Gate) -> None:
    up.cli("server", "set", "files", "owner=office@example.com", "label+=archive")
    text = up.config.read_text()
    assert "# all of them" in text
    assert "office@example.com" in text
    [files] = [
        each for each in json.loads(up.cli("server", "list", "--json")) if each["id"] == "files"
    ]
    assert (files["owner"], files["labels"]) == ("office@example.com", ["archive"])
    assert up.cli("reload").strip(), "and a running gate takes it up"
    assert _get(up, f"/v0.1/servers/{quote(NAME, safe='')}/versions/latest").status_code == 200


def test_a_disabled_server_is_never_started_and_cannot_be_called(up: Gate) -> None:
    assert not (up.home / "gone").exists()
    answer = _get(up, f"/v0.1/servers/{quote('com.example/gone', safe='')}/versions/latest")
    assert answer.status_code == 404
