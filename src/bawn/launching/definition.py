"""How a local server is started, as a definition that can be pinned."""

from __future__ import annotations

from bawn.config import Server
from bawn.launching.package import Resolution
from bawn.model import Json


def launch_of(server: Server, resolution: Resolution | None) -> Json:
    """The definition of `launch`: what is started, and of which package; no value of a variable."""
    launch: Json = {"command": list(server.command or ()), "env": sorted(server.env)}
    if server.cwd is not None:
        launch["cwd"] = server.cwd
    if resolution is not None:
        launch["package"] = {"name": str(resolution.package), "digest": resolution.digest}
    return launch
