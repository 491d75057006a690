"""Versions and methods, as tables. Nothing elsewhere compares version strings.

Sources: the specification's pages basic/versioning and transports/streamable-http (2026-07-28),
and the lifecycle pages of the handshake versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bawn.model import Kind

MODERN: Final = "2026-07-28"
HANDSHAKE: Final = ("2025-11-25", "2025-06-18", "2025-03-26")
"""Versions with an `initialize` handshake that are served to clients, newest first."""

SUPPORTED: Final = (MODERN, *HANDSHAKE)
UPSTREAM_HANDSHAKE: Final = (*HANDSHAKE, "2024-11-05")
"""Handshake versions that a server behind the gate may speak."""

META: Final = "io.modelcontextprotocol/"
META_VERSION: Final = META + "protocolVersion"
META_CAPABILITIES: Final = META + "clientCapabilities"
META_CLIENT: Final = META + "clientInfo"
META_SERVER: Final = META + "serverInfo"
META_LOG_LEVEL: Final = META + "logLevel"


@dataclass(frozen=True, slots=True)
class Method:
    """What the gate knows of a method.

    `named` is the parameter that Mcp-Name repeats; `kind` what it asks for; `served` is false for
    methods whose headers are checked although this release does not carry them.
    """

    name: str
    named: str | None = None
    kind: Kind | None = None
    lists: bool = False
    cacheable: bool = False
    modern: bool = True
    legacy: bool = True
    served: bool = True


METHODS: Final[Mapping[str, Method]] = {
    method.name: method
    for method in (
        Method("server/discover", cacheable=True, legacy=False),
        Method("initialize", modern=False),
        Method("ping", modern=False),
        Method("tools/list", kind=Kind.TOOL, lists=True, cacheable=True),
        Method("prompts/list", kind=Kind.PROMPT, lists=True, cacheable=True),
        Method("resources/list", kind=Kind.RESOURCE, lists=True, cacheable=True),
        Method("resources/templates/list", kind=Kind.TEMPLATE, lists=True, cacheable=True),
        Method("tools/call", named="name", kind=Kind.TOOL),
        Method("prompts/get", named="name", kind=Kind.PROMPT),
        Method("resources/read", named="uri", kind=Kind.RESOURCE, cacheable=True),
        Method("tasks/get", named="taskId", served=False),
        Method("tasks/update", named="taskId", served=False),
        Method("tasks/cancel", named="taskId", served=False),
    )
}

LIST_METHODS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.TOOL: ("tools/list", "tools"),
    Kind.PROMPT: ("prompts/list", "prompts"),
    Kind.RESOURCE: ("resources/list", "resources"),
    Kind.TEMPLATE: ("resources/templates/list", "resourceTemplates"),
}
"""For each kind: the method that lists it, and the member of the result that holds the list."""

IDENTIFIER: Final[Mapping[Kind, str]] = {
    Kind.TOOL: "name",
    Kind.PROMPT: "name",
    Kind.RESOURCE: "uri",
    Kind.TEMPLATE: "uriTemplate",
}
"""For each kind: the member of a definition that names it."""
