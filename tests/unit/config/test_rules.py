"""What types cannot hold: secrets are referred to, and names do not collide."""

from __future__ import annotations

from typing import Any

import pytest

from bawn.config.rules import check


def server(**settings: Any) -> list[str]:
    return [str(problem) for problem in check({"servers": {"a": settings}})]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_KEY", "${keyring:a}"),
        ("API_KEY", "Bearer ${env:A}"),
        ("API_KEY", ""),
        ("API_KEY_FILE", "/run/secrets/key"),
        ("TOKEN_LIMIT", "4096"),
        ("LOG_LEVEL", "debug"),
        ("API_URL", "https://us-east.example.com/v1"),
        ("NODE_OPTIONS", "--max-old-space-size=256"),
        ("SHOP", "$${NAME}"),
        ("HOSTS", "db-1.internal.example.com,db-2.internal.example.com"),
    ],
)
def test_a_value_that_cannot_be_a_secret_is_accepted(name: str, value: str) -> None:
    assert server(env={name: value}) == []


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("API_KEY", "x", "its name says it is a secret"),
        ("DB_PASSWORD", "x", "its name says it is a secret"),
        ("githubToken", "x", "its name says it is a secret"),
        ("WHO", "ghp_0123456789abcdef0123456789abcdef0123", "its value may be a secret"),
        ("DATABASE", "postgres://me:secret@db.example.com/x", "its value may be a secret"),
        ("WHO", "3q2+7wAAAAsVdyFj9kLmPzQxN4tRb8", "its value may be a secret"),
        ("WHO", "${env:A}ghp_0123456789abcdef01234567", "its value may be a secret"),
        ("WHO", "${data:x}", "expected a reference such as"),
        ("DB_PASSWORD", "hunter2${data}", "its name says it is a secret"),
        ("WHO", "${data}ghp_0123456789abcdef01234567", "its value may be a secret"),
        ("WHO", "${A}", "expected a reference such as"),
        ("WHO", "${env:}", "expected a reference such as"),
        ("WHO", "${vault:a}", "expected a reference such as"),
        ("WHO", "${env:A", "expected a reference such as"),
        ("A=B", "x", "expected the name of an environment variable"),
        ("", "x", "expected the name of an environment variable"),
        ("WHO", "a\0b", "a NUL character"),
    ],
)
def test_a_value_that_may_be_a_secret_is_refused(name: str, value: str, why: str) -> None:
    (problem,) = server(env={name: value})

    assert why in problem


@pytest.mark.parametrize("token", ["${env:T}", "${file:./t}", "${keyring:t}"])
def test_a_token_is_one_reference(token: str) -> None:
    assert server(auth={"token": token}) == []


@pytest.mark.parametrize(
    "token", ["", "plain", "${data}", "Bearer ${env:T}", "${env:A}${env:B}", "$${env:T}"]
)
def test_any_other_token_is_refused(token: str) -> None:
    (problem,) = server(auth={"token": token})

    assert "expected a reference, never the token itself" in problem


@pytest.mark.parametrize(
    "command",
    [
        ["npx", "-y", "@modelcontextprotocol/server-filesystem@2026.8.31", "./docs"],
        [
            "uvx",
            "--from",
            "git+https://example.com/a/b@0123456789abcdef0123456789abcdef01234567",
            "b",
        ],
        ["docker", "run", "-i", "--rm", "-e", "API_KEY", "image"],
        ["server", "--token-file", "/run/secrets/token", "--key=./key.pem"],
        ["server", "--auth", "none", "--password-stdin", "--key", "--verbose"],
        ["sh", "-c", 'exec server --token "$TOKEN"'],
        ["server", "--token=$TOKEN", "--token", "${TOKEN}"],
    ],
)
def test_a_command_without_secrets_is_accepted(command: list[str]) -> None:
    assert server(command=command) == []


@pytest.mark.parametrize(
    "argument",
    [
        "--token=hunter2",
        "--api-key=hunter2",
        "-e=x",
        "API_KEY=hunter2",
        "X-Api-Key: hunter2",
        "Authorization: Bearer hunter2",
        "ghp_0123456789abcdef0123456789abcdef0123",
        "postgres://me:hunter2@db.example.com/x",
        "sk-proj-0123456789",
    ],
)
def test_an_argument_that_looks_like_a_secret_is_refused(argument: str) -> None:
    found = server(command=["server", argument])

    assert bool(found) == (argument != "-e=x")
    assert all("this looks like a secret" in problem for problem in found)
    assert all("hunter2" not in problem for problem in found)


def test_the_value_after_a_flag_for_a_secret_is_refused() -> None:
    (problem,) = server(command=["server", "--api-key", "hunter2", "--verbose", "docs"])

    assert problem.startswith("servers.a.command[2]: this looks like a secret")


@pytest.mark.parametrize("argument", ["${env:A}", "--token=${keyring:a}", "x${file:a}y"])
def test_a_reference_in_an_argument_is_refused_because_nothing_resolves_it(argument: str) -> None:
    (problem,) = server(command=["server", argument])

    assert "references are not resolved in arguments" in problem


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("https://example.com/mcp?region=eu&verbose", True),
        ("https://example.com/mcp?api_key=", True),
        ("https://example.com/mcp?api_key=x", False),
        ("https://example.com/mcp?who=ghp_0123456789abcdef01234567", False),
        ("https://example.com/${env:A}", False),
    ],
)
def test_a_url_carries_no_secret(url: str, accepted: bool) -> None:
    assert (server(url=url) == []) is accepted


def test_prefixes_differ_unless_they_are_empty() -> None:
    def found(**prefixes: str | None) -> list[str]:
        servers = {name: {"prefix": prefix} for name, prefix in prefixes.items()}
        return [str(problem) for problem in check({"servers": servers})]

    assert found(a=None, b=None, c="c_", d="", e="") == []
    assert "server `a` has the prefix `x` too" in found(a="x", b="x")[0]
    assert "server `a` has the prefix `b__` too" in found(a="b__", b=None)[0]


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"servers": None},
        {"servers": [1]},
        {"servers": {"a": 1}},
        {"servers": {"a": {"env": [], "command": "x", "auth": "y", "url": 3, "prefix": 4}}},
        {"servers": {"a": {"env": {"X": 1}, "command": [1, None], "auth": {"token": 2}}}},
        {"state": 3},
    ],
)
def test_a_tree_of_another_shape_is_left_to_the_types(tree: dict[str, Any]) -> None:
    assert list(check(tree)) == []
