"""How a server is reached, as far as that decides what answers and who may hear it; no value of a variable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from bawn.config import Server
from bawn.model import Json

_MORE: Final = ("tenant", "cwd", "prefix", "ca", "proxy", "confine", "launch")
"""Settings that stand in it when they are not as they are by default."""


class Difference(NamedTuple):
    """A setting that is not as it was locked; None where it is not set."""

    setting: str
    locked: Any
    now: Any

    def __str__(self) -> str:
        return f"`{self.setting}` is {self.now!r}, locked is {self.locked!r}"


def reach_of(server: Server) -> Json:
    """What is locked of the settings of a server."""
    told: Json = {"isolation": server.isolation}
    if server.url is not None:
        told["url"] = server.url
        if server.auth.type != "none":
            told["auth"] = server.auth.type
    else:
        told["command"] = list(server.command or ())
        told["env"] = sorted(server.env)
    for name in _MORE:
        value = getattr(server, name)
        if value != Server.model_fields[name].default:
            told[name] = value
    return told


def differences(locked: Json, now: Json) -> Iterator[Difference]:
    """Every setting that differs, by name."""
    for name in sorted(locked.keys() | now.keys()):
        if locked.get(name) != now.get(name):
            yield Difference(name, locked.get(name), now.get(name))
