"""Sightings and configurations for the tests of what is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bawn.config.load import parse
from bawn.discovery.shadow.sighting import Sighting, What
from bawn.discovery.telling.registered import Registered

CONFIG = """\
listen: 127.0.0.1:8811
public_url: https://gate.example.com
servers:
  files:
    command: [npx, "@modelcontextprotocol/server-filesystem@2026.1.1", /srv]
  local:
    command: [./tools/local-mcp, --x]
  linear:
    url: https://mcp.linear.app/mcp
  notes:
    url: http://127.0.0.1:9000/mcp
"""


def registered(text: str = CONFIG) -> Registered:
    """What this configuration registers."""
    return Registered.of(parse(text.encode(), Path("/etc/gate/bawn.yaml"), {}))


def entry(name: str, *command: str, url: str = "", **more: Any) -> Sighting:
    """A client's entry."""
    given: dict[str, Any] = {"where": f"/home/ada/{name}.json:3", "client": "cursor", **more}
    what: What = "stdio" if command else "http"
    return Sighting("client", what, name, command=command, url=url, **given)


def process(*command: str, pid: int = 42, **more: Any) -> Sighting:
    """A process."""
    name = command[0].rpartition("/")[2]
    return Sighting("process", "stdio", name, f"pid {pid}", command=command, pid=pid, **more)


def listener(url: str, pid: int = 42, **more: Any) -> Sighting:
    """A socket on which a server process listens."""
    return Sighting("socket", "http", "server", f"pid {pid}", url=url, pid=pid, **more)


def probed(url: str, access: Any = "open", **more: Any) -> Sighting:
    """A server that answered."""
    return Sighting("probe", "http", "server", url, url=url, access=access, **more)
