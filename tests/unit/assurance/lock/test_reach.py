"""What decides who answers is locked; what does not, is not, and no value of a variable is."""

from __future__ import annotations

from typing import Any

import pytest

from bawn.assurance.lock.reach import differences, reach_of
from bawn.config import Config, Server

LOCAL: dict[str, Any] = {"command": ("x", "y"), "env": {"B": "1", "A": "${env:S}"}}
REMOTE: dict[str, Any] = {"url": "http://127.0.0.1:9/mcp"}


def server(**settings: Any) -> Server:
    return Config.model_validate({"servers": {"a": settings}}).servers["a"]


def test_variables_are_named_and_nothing_of_their_values_is_told() -> None:
    told = reach_of(server(**LOCAL))
    assert told == {"command": ["x", "y"], "env": ["A", "B"], "isolation": "principal"}


@pytest.mark.parametrize(
    ("base", "more", "name"),
    [
        (LOCAL, {"command": ("x",)}, "command"),
        (LOCAL, {"env": {"B": "1"}}, "env"),
        (LOCAL, {"cwd": "sub"}, "cwd"),
        (LOCAL, {"confine": "off"}, "confine"),
        (LOCAL, {"launch": "any"}, "launch"),
        (LOCAL, {"isolation": "shared"}, "isolation"),
        (LOCAL, {"tenant": "t"}, "tenant"),
        (LOCAL, {"prefix": ""}, "prefix"),
        (REMOTE, {"url": "http://127.0.0.1:8/mcp"}, "url"),
        (REMOTE, {"auth": {"type": "bearer", "token": "${env:T}"}}, "auth"),
        (REMOTE, {"ca": "ca.pem"}, "ca"),
        (REMOTE, {"proxy": "http://127.0.0.1:7"}, "proxy"),
    ],
)
def test_each_setting_of_weight_is_told_when_it_differs(
    base: dict[str, Any], more: dict[str, Any], name: str
) -> None:
    before, after = reach_of(server(**base)), reach_of(server(**{**base, **more}))
    assert [each.setting for each in differences(before, after)] == [name]
    assert f"`{name}`" in str(next(iter(differences(before, after))))


@pytest.mark.parametrize(
    "more",
    [
        {"owner": "ann"},
        {"labels": ("x",)},
        {"idle_stop": 5.0},
        {"env": {"B": "2", "A": "${env:S}"}},
    ],
)
def test_what_is_of_no_weight_is_not(more: dict[str, Any]) -> None:
    assert reach_of(server(**LOCAL)) == reach_of(server(**{**LOCAL, **more}))
