"""Where state lies: the state directory, its keys and its locks."""

from bawn.storage.directory import StateDirectory
from bawn.storage.private import create_once, read_private

__all__ = ["StateDirectory", "create_once", "read_private"]
