"""A problem shows a value only where it cannot be a secret."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bawn.config.document import Path
from bawn.config.model import Config
from bawn.config.problems import Problem, of, shown


def told(tree: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(tree, strict=False)
    return [str(problem) for problem in of(caught.value, tree)]


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("log", "level"), "loud", '"loud"'),
        (("limits", "body"), 0, "0"),
        (("log", "level"), "\x7f\u202e", "'\\x7f\\u202e'"),
        (("limits", "body"), True, "true"),
        (("hosts",), None, "nothing"),
        (("hosts",), {"a": "b"}, "a mapping"),
        (("servers", "a", "env", "X"), "plain", "text"),
        (("servers", "a", "env", "X"), 1234, "a number"),
        (("servers", "a", "auth", "token"), "plain", "text"),
        (("servers", "a", "auth"), "plain", "text"),
        (("servers", "a", "headers", "X"), "plain", "text"),
        (("servers", "a", "api_key"), "plain", "text"),
        (("servers", "a", "url"), "ftp://me:hunter2@example.com", "text"),
        (("servers", "a", "url"), "ghp_hunter2", "text"),
        (("listen",), "no host " * 20, f'"{"no host " * 8}'[:60] + "…"),
    ],
)
def test_a_value_is_shown_unless_it_could_be_a_secret(path: Path, value: Any, text: str) -> None:
    assert shown(path, value) == text


def test_an_unknown_key_brings_what_is_known_and_what_is_near() -> None:
    assert told({"log": {"levle": "info"}}) == [
        "log.levle: unknown key; expected one of format, level; did you mean `level`?"
    ]
    assert told({"log": {"zzz": "info"}}) == ["log.zzz: unknown key; expected one of format, level"]


def test_a_missing_key_says_what_it_takes() -> None:
    tree = {"identity": {"mode": "oidc", "issuers": [{}]}}

    assert told(tree) == ["identity.issuers.0.issuer: missing; expected text"] or told(tree) == [
        "identity.issuers[0].issuer: missing; expected text"
    ]


def test_a_problem_of_the_whole_has_no_key() -> None:
    assert str(Problem((), "what")) == "what"


@given(st.text(min_size=8).filter(lambda text: text not in "expected text, got write it in quotes"))
def test_no_problem_repeats_what_stands_in_env(secret: str) -> None:
    tree = {"servers": {"a": {"env": {"X": [secret]}, "auth": {"token": [secret]}}}}

    assert all(secret not in problem.split(": ", 1)[1] for problem in told(tree))
