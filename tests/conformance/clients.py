"""The client scenarios: bawn's own side towards servers, driven by a scripted client."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.conformance import subjects, suite
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
    if path == "direct":
        return _played(path, wire, scenario)
    with _door() as door:
        return _played(door, wire, scenario)


def _played(path: str, wire: str, scenario: str) -> Found:
    command = f"{sys.executable} -m tests.conformance.client_command {path}"
    return suite.client(command, None if wire == EXTENSION else wire, scenario)


@contextmanager
def _door() -> Iterator[str]:
    """Where one client is given a gate in front of the URL it sends, for as long as it is connected.

    The suite starts the client, and the gate is forked here, where what it imports is there already.
    """
    with (
        tempfile.TemporaryDirectory(prefix="bawn-door-") as place,
        socket.socket(socket.AF_UNIX) as listening,
        ThreadPoolExecutor(1) as beside,
    ):
        path = Path(place) / "door"
        listening.bind(str(path))
        listening.listen()
        given = beside.submit(_give, listening)
        try:
            yield str(path)
        finally:
            listening.shutdown(socket.SHUT_RDWR)
        given.result()


def _give(listening: socket.socket) -> None:
    try:
        client, _ = listening.accept()
    except OSError:
        return  # nobody came; what the suite printed says why
    with (
        client,
        client.makefile("r") as asks,
        subjects.gate(f"url: '{asks.readline().strip()}'") as up,
    ):
        client.sendall(f"{up.url}\n".encode())
        asks.read()


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
