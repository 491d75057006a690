"""No configuration is served whose commands break the launch grammar, unless its owner has read them."""

from __future__ import annotations

from bawn.config import Config
from bawn.errors import Misconfigured
from bawn.launching import checked


def refuse_launches(config: Config) -> None:
    """Refuse a configuration that would start what it must not.

    Raises:
        Misconfigured: every word of a command or variable that is refused, with what to do.
    """
    servers = config.servers.items()
    lines = [line for name, server in servers for line in checked.refuse(name, server)]
    if lines:
        raise Misconfigured(*lines)
