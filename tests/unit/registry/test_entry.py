"""An entry is one value: its digest follows everything that is said of a server, and no secret."""

from __future__ import annotations

from typing import Any

import pytest

from bawn.config.server import Server
from bawn.launching.package import Package, Resolution
from bawn.registry.collection import launching_of
from bawn.registry.entry import canonical, entry_digest, entry_of
from tests.unit.registry.documents import entry

SETTINGS: dict[str, Any] = {
    "command": ["npx", "@example/weather@1.2.3", "./docs"],
    "env": {"TOKEN": "${keyring:weather}", "MODE": "fast"},
    "owner": "Ada",
    "purpose": "Weather",
    "source": "https://github.com/example/weather",
    "tenant": "acme",
    "labels": ["a", "b"],
}


def test_it_says_what_is_known() -> None:
    found = entry(**SETTINGS)
    assert found.name == "com.example/weather"
    assert (found.runner, str(found.package), found.version) == (
        "npx", "npm:@example/weather@1.2.3", "1.2.3",
    )  # fmt: skip
    assert found.env == ("MODE", "TOKEN")
    assert b"keyring:weather" not in canonical(found)
    assert b"fast" not in canonical(found)


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "Bob"},
        {"purpose": "Wind"},
        {"source": "https://example.com"},
        {"tenant": ""},
        {"labels": ["a"]},
        {"status": "deprecated"},
        {"command": ["npx", "@example/weather@1.2.4", "./docs"]},
        {"command": ["npx", "@example/weather@1.2.3", "./other"]},
        {"env": {"TOKEN": "${keyring:weather}"}},
    ],
)
def test_every_change_of_meaning_changes_the_digest(change: dict[str, Any]) -> None:
    assert entry_digest(entry(**{**SETTINGS, **change})) != entry_digest(entry(**SETTINGS))


def test_the_digest_follows_pins_and_what_is_installed() -> None:
    server = Server.model_validate(SETTINGS, strict=False)
    launching = launching_of(server)
    asked = Package("npm", "@example/weather", "^1")
    resolution = Resolution(asked, Package("npm", "@example/weather", "1.9.0"), (), "ab" * 32)
    plain = entry_of("weather", server, "com.example", launching=launching)
    pinned = entry_of("weather", server, "com.example", launching=launching, root="cd" * 32)
    installed = entry_of(
        "weather", server, "com.example", launching=launching, resolution=resolution
    )
    assert len({entry_digest(each) for each in (plain, pinned, installed)}) == 3
    assert installed.version == "1.9.0"
    newer = entry_of("weather", server, "com.example", launching=launching, protocol="2026-07-28")
    assert entry_digest(newer) == entry_digest(plain)


def test_versions_are_told_only_where_they_are_known() -> None:
    assert entry(url="https://example.com/mcp").version == "0.0.0"
    assert entry(command=["npx", "weather@latest"]).version == "0.0.0"
    assert entry(command=["docker", "run", "x/y:2.1"]).version == "2.1"
    digest = "sha256:" + "ab" * 32
    assert entry(command=["docker", "run", f"x/y@{digest}"]).version == "0.0.0-abababababab"
