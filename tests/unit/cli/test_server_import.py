"""`bawn server import` shows what it would start, asks, and writes that and nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bawn.cli import app
from bawn.config.load import load
from bawn.errors import Misconfigured
from bawn.model import Json
from bawn.registry import remote
from tests.unit.registry.documents import document, npm, oci
from tests.unit.registry.documents import remote as at_url

FILE = "# ours\nservers:\n  issues: {url: https://example.com/mcp}   # kept\n"
SECRET = {"name": "API_KEY", "isRequired": True, "isSecret": True, "description": "Of the makers"}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "bawn.yaml"
    path.write_text(FILE)
    return path


def run(file: Path, *arguments: str, answer: str | bytes | None = None) -> tuple[int, str]:
    words = ["server", "import", "--config", str(file), *arguments]
    result = CliRunner().invoke(app, words, input=answer)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def saved(file: Path, tree: Any) -> str:
    path = file.with_name("server.json")
    path.write_text(json.dumps(tree))
    return str(path)


def test_a_file_is_imported_with_its_command_and_what_is_to_be_filled_shown(file: Path) -> None:
    code, output = run(file, saved(file, npm(environmentVariables=[SECRET])), "--yes")
    assert code == 0
    assert "    npx @example/weather@1.2.3\n" in output
    assert "to be filled: MCP_WEATHER_API_KEY, where bawn is started: Of the makers" in output
    assert file.read_text().startswith(FILE)
    found = load(file, {}).config.servers["weather"]
    assert found.command == ("npx", "@example/weather@1.2.3")
    assert found.env == {"API_KEY": "${env:MCP_WEATHER_API_KEY}"}
    assert found.purpose == "Weather for everybody"


def test_nothing_is_written_before_somebody_says_yes(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = saved(file, npm())
    assert run(file, source, answer="y\n")[0] == 2
    monkeypatch.setattr(sys.modules["bawn.cli.server_import"], "on_terminal", lambda: True)
    assert run(file, source, answer="n\n")[0] == 1
    assert file.read_text() == FILE
    assert run(file, source, answer="y\n")[0] == 0


def test_standard_input_is_read_and_the_id_chosen(file: Path) -> None:
    tree = json.dumps({"server": at_url(), "_meta": {}})
    assert run(file, "-", "--name", "wind", "--yes", answer=tree)[0] == 0
    assert load(file, {}).config.servers["wind"].url == "https://weather.example.com/mcp"
    assert run(file, "-", "--name", "issues", "--yes", answer=tree)[0] == 2
    assert run(file, "-", "--name", "../x", "--yes", answer=tree)[0] in {1, 2}


def test_a_second_of_the_same_name_gets_a_number(file: Path) -> None:
    source = saved(file, at_url())
    run(file, source, "--yes")
    assert run(file, source, "--yes")[0] == 0
    assert "weather-2" in load(file, {}).config.servers


def test_of_several_one_is_selected(file: Path) -> None:
    other = {**npm(), "name": "io.example/weather-pro"}
    source = saved(file, {"servers": [{"server": npm()}, {"server": other}]})
    code, output = run(file, source, "--yes")
    assert code == 2
    assert "io.example/weather-pro" in output
    assert run(file, source, "--select", "io.example/weather", "--yes")[0] == 0
    assert run(file, source, "--select", "pro", "--yes")[0] == 0
    assert run(file, source, "--select", "nope", "--yes")[0] == 2
    assert set(load(file, {}).config.servers) == {"issues", "weather", "weather-pro"}


def test_the_way_is_the_first_usable_or_the_one_that_is_named(file: Path) -> None:
    packages = [*npm(version="latest")["packages"], *oci()["packages"]]
    tree = document(packages=packages, remotes=at_url()["remotes"])
    run(file, saved(file, tree), "--yes")
    run(file, saved(file, tree), "--as", "remote", "--name", "far", "--yes")
    servers = load(file, {}).config.servers
    assert servers["weather"].command == ("docker", "run", "-i", "--rm", "example/weather:1.2.3")
    assert servers["far"].url == "https://weather.example.com/mcp"
    code, output = run(file, saved(file, tree), "--as", "npm", "--name", "x", "--yes")
    assert code == 1
    assert "not exact" in output


def test_what_is_missing_is_asked_for_by_name(file: Path) -> None:
    tree = npm(packageArguments=[{"type": "positional", "valueHint": "dir", "isRequired": True}])
    code, output = run(file, saved(file, tree), "--yes")
    assert code == 2
    assert "`dir` is missing" in output
    assert run(file, saved(file, tree), "--set", "dir=./docs", "--yes")[0] == 0
    assert load(file, {}).config.servers["weather"].command == (
        "npx", "@example/weather@1.2.3", "./docs",
    )  # fmt: skip


def test_what_the_launch_grammar_refuses_is_not_added(file: Path) -> None:
    tree = npm(environmentVariables=[{"name": "NODE_OPTIONS", "value": "--require=./evil.js"}])
    code, output = run(file, saved(file, tree), "--yes")
    assert code == 1
    assert "launch/preload" in output
    assert file.read_text() == FILE


@pytest.mark.parametrize(
    "body", ["", "{", '{"name": 1}', "[]", "[1]", '{"servers": [3]}', " " * ((1 << 20) + 1)]
)
def test_a_bad_document_is_refused_without_a_traceback(file: Path, body: str) -> None:
    code, output = run(file, "-", "--yes", answer=body)
    assert code == 2
    assert output.startswith("bawn: ")
    assert file.read_text() == FILE


def test_a_file_that_is_not_there_is_told(file: Path) -> None:
    code, output = run(file, "/nowhere/server.json", "--yes")
    assert code == 2
    assert "cannot be read" in output


def test_a_registry_is_asked_for_what_is_selected(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch(url: str, search: str = "") -> list[Json]:
        assert (url, search) == ("https://r.example", "weather")
        return [{"server": at_url()}]

    monkeypatch.setattr(remote, "fetch", fetch)
    assert run(file, "https://r.example", "--select", "weather", "--yes")[0] == 0

    async def fails(url: str, search: str = "") -> list[Json]:
        raise Misconfigured("r.example: no")

    monkeypatch.setattr(remote, "fetch", fails)
    assert run(file, "https://r.example", "--yes")[0] == 2


def test_what_is_shown_cannot_move_the_cursor(file: Path) -> None:
    hostile = {**SECRET, "description": "x\x1b[2J\nto be filled: NOTHING"}
    output = run(file, saved(file, npm(environmentVariables=[hostile])), "--yes")[1]
    assert "\x1b" not in output
    assert "\nto be filled" not in output


def test_what_a_registry_has_taken_back_is_not_imported(file: Path) -> None:
    meta = {"io.modelcontextprotocol.registry/official": {"status": "deleted"}}
    code, output = run(file, saved(file, {"server": npm(), "_meta": meta}), "--yes")
    assert code == 2
    assert "no server is named like that" in output
