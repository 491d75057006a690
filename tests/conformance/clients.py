"""The client scenarios: bawn's own side towards servers, driven by a scripted client."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from tests.conformance import suite
from tests.conformance.compare import Loss, losses
from tests.conformance.suite import Found

EXTENSION: Final = "extension"
"""Extension scenarios belong to no version."""

SCENARIOS: Final[dict[str, tuple[str, ...]]] = {
    "initialize": ("2025-11-25",),
    "tools_call": suite.WIRES,
    "elicitation-sep1034-client-defaults": ("2025-11-25",),
    "sse-retry": ("2025-11-25",),
    "request-metadata": ("2026-07-28",),
    "http-standard-headers": ("2026-07-28",),
    "http-custom-headers": ("2026-07-28",),
    "http-invalid-tool-headers": ("2026-07-28",),
    "json-schema-ref-no-deref": ("2026-07-28",),
    "json-schema-2020-12-preservation": suite.WIRES,
    "sep-2322-client-request-state": ("2026-07-28",),
    "sep-2640-client-no-prefetch": (EXTENSION,),
    "sep-2640-client-verify-digest": (EXTENSION,),
    "sep-2640-client-verify-size": (EXTENSION,),
    "sep-2640-client-verify-frontmatter": (EXTENSION,),
}
"""Every client scenario but those of authorization, with the wires it is defined on."""


def play(path: str, wire: str, scenario: str) -> Found:
    """Run one scenario with the scripted client `direct` or through `bawn`."""
    command = f"{sys.executable} -m tests.conformance.client_command {path}"
    return suite.client(command, None if wire == EXTENSION else wire, scenario)


def chosen(
    scenario: str | None = None, wires: list[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Wire and name of the scenarios that are asked for."""
    for name, defined in SCENARIOS.items():
        for wire in defined:
            if scenario in {None, name} and (not wires or wire in wires):
                yield wire, name


def lost(wire: str, scenario: str) -> tuple[Found, Found, list[Loss]]:
    """What the client finds direct and through bawn, and what is lost between."""
    direct, here = (play(path, wire, scenario) for path in ("direct", "bawn"))
    return direct, here, losses(wire, direct, here)
