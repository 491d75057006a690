"""What grants, starts or redirects waits for the owner; only what is listed does not."""

from __future__ import annotations

from typing import Any

import pytest

from bawn.config import shape as shapes
from bawn.config.changes import automatic, changed, waiting
from bawn.config.model import Config


def config(**settings: Any) -> Config:
    return Config.model_validate(settings, strict=False)


def difference(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    return changed(config(**old), config(**new))


def servers(**settings: Any) -> dict[str, Any]:
    return {"servers": {"a": {"command": ["x"], **settings}}}


def test_equal_configurations_differ_in_nothing() -> None:
    assert difference(servers(), servers()) == ()
    assert automatic(())


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        ({}, {"limits": {"body": 1, "page": 2}}, ("limits.body", "limits.page")),
        ({}, {"hosts": ["a"]}, ("hosts",)),
        ({}, servers(), ("servers.a",)),
        (servers(), {}, ("servers.a",)),
        (servers(), servers(env={"A": "b"}), ("servers.a.env.A",)),
        (servers(env={"A": "b"}), servers(env={"A": "c"}), ("servers.a.env.A",)),
        (servers(), servers(prefix=""), ("servers.a.prefix",)),
        ({"roles": {"r": {}}}, {"roles": {"r": {"tools": ["*"]}}}, ("roles.r.tools",)),
    ],
)
def test_differences_are_named_by_their_keys(
    old: dict[str, Any], new: dict[str, Any], keys: tuple[str, ...]
) -> None:
    assert difference(old, new) == keys


@pytest.mark.parametrize(
    "key",
    ["limits.body", "log.level", "refresh.probe", "servers.a.required", "servers.a.idle_stop"],
)
def test_bounds_and_habits_are_applied_without_the_owner(key: str) -> None:
    assert automatic([key])


@pytest.mark.parametrize(
    "key",
    [
        "listen",
        "public_url",
        "state",
        "hosts",
        "origins",
        "management.open",
        "management.listen",
        "identity.mode",
        "identity.local_roles",
        "identity.leeway",
        "roles.r.tools",
        "roles.limits",
        "audit.durability",
        "servers.a",
        "servers.a.command",
        "servers.a.url",
        "servers.a.cwd",
        "servers.a.env.required",
        "servers.a.isolation",
        "servers.a.prefix",
        "servers.a.auth.type",
        "servers.a.http",
        "servers.a.ca",
        "servers.a.proxy",
        "plugins",
        "a.setting.yet.to.come",
    ],
)
def test_what_decides_who_what_and_where_waits_for_the_owner(key: str) -> None:
    assert not automatic([key])


def test_one_key_that_waits_makes_all_wait() -> None:
    keys = ("limits.body", "listen", "servers.a.url")

    assert not automatic(keys)
    assert waiting(keys) == ("listen", "servers.a.url")


def test_every_rule_is_about_a_setting_there_is() -> None:
    from bawn.config.changes import AUTOMATIC

    places = {path for path, _ in shapes.walk()}

    assert set(AUTOMATIC) <= places
