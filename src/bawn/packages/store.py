"""What is on record of the package of each server."""

from __future__ import annotations

from bawn.launching.package import Resolution
from bawn.storage.directory import StateDirectory
from bawn.storage.files import ServerFiles


def resolutions(state: StateDirectory) -> ServerFiles[Resolution]:
    """The resolution of each server whose package was resolved and installed."""
    return ServerFiles(state.packages, Resolution)
