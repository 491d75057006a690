"""server.json documents for the tests."""

from __future__ import annotations

from typing import Any

from bawn.config.server import Server
from bawn.model import Json
from bawn.registry.collection import launching_of
from bawn.registry.entry import Entry, entry_of
from bawn.registry.importing import Proposal, proposals
from bawn.registry.server_json import convert

STDIO = {"type": "stdio"}


def document(**more: Any) -> Json:
    return {
        "name": "io.example/weather",
        "description": "Weather for everybody",
        "version": "1.2.3",
        **more,
    }


def npm(**more: Any) -> Json:
    package = {
        "registryType": "npm",
        "identifier": "@example/weather",
        "version": "1.2.3",
        "transport": STDIO,
    }
    return document(packages=[{**package, **more}])


def pypi(**more: Any) -> Json:
    package = {
        "registryType": "pypi",
        "identifier": "weather-mcp",
        "version": "1.2.3",
        "transport": STDIO,
    }
    return document(packages=[{**package, **more}])


def oci(**more: Any) -> Json:
    package = {"registryType": "oci", "identifier": "example/weather:1.2.3", "transport": STDIO}
    return document(packages=[{**package, **more}])


def remote(**more: Any) -> Json:
    return document(
        remotes=[{"type": "streamable-http", "url": "https://weather.example.com/mcp", **more}]
    )


def proposal(tree: Json, given: dict[str, str] | None = None, id_: str = "weather") -> Proposal:
    """The first proposal for a document."""
    return proposals(convert(tree, "f"), id_, given or {})[0]


def entry(**settings: Any) -> Entry:
    """The entry of a server with these settings."""
    server = Server.model_validate(settings, strict=False)
    return entry_of("weather", server, "com.example", launching=launching_of(server))
