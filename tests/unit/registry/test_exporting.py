"""What is exported starts the same server again, tells no secret, and to others nothing of what is behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bawn.registry.exporting import private, public
from bawn.registry.server_json import SCHEMA, convert
from tests.unit.registry.documents import entry, proposal

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    "settings",
    [
        {"command": ["npx", "@example/weather@1.2.3", "./docs", "--all"]},
        {"command": ["npx", "weather@1.2.3"], "env": {"API_KEY": "${keyring:weather}", "MODE": "${file:x}"}},
        {"command": ["uvx", "weather-mcp==1.2.3", "-v"]},
        {"command": ["docker", "run", "-i", "--rm", "example/weather:1.2.3", "serve"]},
        {"command": ["docker", "run", "-i", "--rm", "-e", "KEY", f"ghcr.example/a/b@{DIGEST}"], "env": {"KEY": "${env:K}"}},
        {"url": "https://weather.example.com/mcp"},
        {"url": "https://weather.example.com/mcp", "auth": {"type": "bearer", "token": "${env:WEATHER}"}},
    ],
)  # fmt: skip
def test_export_and_import_give_the_same_server(settings: dict[str, Any]) -> None:
    source = "https://github.com/example/weather"
    told = {**settings, "purpose": "Weather", "source": source}
    found = proposal(private(entry(**told)))
    assert found.problem == ""
    back = dict(found.settings)
    assert {name: sorted(back.pop(name, {})) for name in ("env", "auth")} == {
        name: sorted(settings.get(name, {})) for name in ("env", "auth")
    }
    assert back == {k: v for k, v in told.items() if k not in {"env", "auth"}}


@pytest.mark.parametrize(
    "command",
    [
        ["python", "server.py"],
        ["npx", "--package", "weather@1.2.3", "other"],
        ["uvx", "--from", "weather-mcp==1.2.3", "other"],
        ["env", "A=b", "npx", "weather@1.2.3"],
    ],
)
def test_what_others_could_not_start_the_same_has_no_package(command: list[str]) -> None:
    tree = private(entry(command=command))
    assert "packages" not in tree
    convert(tree, "f")


def test_options_of_the_runner_are_told() -> None:
    tree = private(entry(command=["docker", "run", "--rm", "--network=none", "x/y:1"]))
    told = [each["value"] for each in tree["packages"][0]["runtimeArguments"]]
    assert told == ["--network=none"]


def test_no_value_of_a_variable_and_no_reference_is_told() -> None:
    settings = {
        "command": ["npx", "weather@1.2.3", "Zk3v9Q2xT7bLw8Rn5Yc1Pd6Hs4Mf0Ga"],
        "env": {"API_KEY": "${keyring:deep-secret}", "MODE": "literally"},
    }
    for tree in (private(entry(**settings)), public(entry(**settings), "https://gate.example")):
        text = json.dumps(tree)
        assert "deep-secret" not in text
        assert "literally" not in text
        assert "Zk3v9Q2x" not in text


def test_others_are_shown_the_way_through_the_gate_and_nothing_behind_it() -> None:
    found = entry(
        url="https://inner.example.com/mcp",
        owner="Ada",
        tenant="acme",
        labels=["a"],
        purpose="é" * 200,
    )
    tree = public(found, "https://gate.example")
    assert tree["remotes"] == [
        {"type": "streamable-http", "url": "https://gate.example/mcp/weather"}
    ]
    assert tree["$schema"] == SCHEMA
    assert len(tree["description"]) == 100
    assert "inner" not in json.dumps(tree)
    assert "Ada" not in json.dumps(tree)
    assert "acme" not in json.dumps(tree)
    assert convert(tree, "f").name == "com.example/weather"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("https://h.example/x?token=abcdefgh12345678", {}),
        ("https://github.com/a/b", {"repository": {"url": "https://github.com/a/b", "source": "github"}}),
        ("https://example.com/x", {"websiteUrl": "https://example.com/x"}),
        ("https://github.com", {"websiteUrl": "https://github.com"}),
        ("a page of ours", {}),
        ("https://me:pw@example.com", {}),
        ("https://[", {}),
    ],
)  # fmt: skip
def test_the_source_is_told_as_what_it_is(source: str, told: dict[str, Any]) -> None:
    tree = private(entry(command=["x"], source=source))
    assert {k: v for k, v in tree.items() if k in {"repository", "websiteUrl"}} == told
