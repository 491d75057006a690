"""Versions and methods, as tables. Nothing elsewhere compares version strings.

Sources: the specification's pages basic/versioning and transports/streamable-http (2026-07-28),
and the lifecycle pages of the handshake versions.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bawn.model import Kind

MODERN: Final = "2026-07-28"
HANDSHAKE: Final = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Versions with an `initialize` handshake that are served to clients, newest first."""

SUPPORTED: Final = (MODERN, *HANDSHAKE)
BATCHES: Final = "2025-03-26"
"""The one version in which several messages may come as one."""

META: Final = "io.modelcontextprotocol/"
META_VERSION: Final = META + "protocolVersion"
META_CAPABILITIES: Final = META + "clientCapabilities"
META_CLIENT: Final = META + "clientInfo"
META_SERVER: Final = META + "serverInfo"
META_LOG_LEVEL: Final = META + "logLevel"
META_SUBSCRIPTION: Final = META + "subscriptionId"
TASKS: Final = META + "tasks"
"""The extension by which a tool call goes on after its answer (SEP-2663)."""

APPS: Final = META + "ui"
"""The extension by which a tool has a page of its own (MCP Apps)."""


@dataclass(frozen=True, slots=True)
class Method:
    """What the gate knows of a method.

    `named` is the parameter that Mcp-Name repeats; `kind` what it asks for; `asks` whether a server
    may answer that it needs input first.
    """

    name: str
    named: str | None = None
    kind: Kind | None = None
    lists: bool = False
    cacheable: bool = False
    modern: bool = True
    legacy: bool = True
    asks: bool = False


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
        Method("tools/call", named="name", kind=Kind.TOOL, asks=True),
        Method("prompts/get", named="name", kind=Kind.PROMPT, asks=True),
        Method("resources/read", named="uri", kind=Kind.RESOURCE, cacheable=True, asks=True),
        Method("completion/complete"),
        Method("subscriptions/listen", legacy=False),
        Method("resources/subscribe", modern=False),
        Method("resources/unsubscribe", modern=False),
        Method("logging/setLevel", modern=False),
        Method("tasks/get", named="taskId", legacy=False),
        Method("tasks/update", named="taskId", legacy=False),
        Method("tasks/cancel", named="taskId", legacy=False),
    )
}


def _letters(method: str) -> str:
    """What a reader without regard to case, blanks and slashes makes of a name."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", method).upper().casefold()))


_CORE: Final = frozenset(map(_letters, METHODS)) | {
    "taskslist", "tasksresult", "samplingcreatemessage", "elicitationcreate", "rootslist",
}  # fmt: skip


def is_core(method: str) -> bool:
    """Whether a method is the protocol's own, of whichever version, however it is written.

    None of those passes as an extension's: a lax server would take it for what is decided otherwise.
    """
    letters = _letters(method)
    return letters in _CORE or letters.startswith("notifications")


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

LEVELS: Final = (
    "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency",
)  # fmt: skip
"""Of log messages, from the least (RFC 5424, section 6.2.1)."""
