"""What is started in place of a command: its package as it was installed."""

from __future__ import annotations

import msgspec


class Installed(msgspec.Struct, frozen=True):
    """How one server is started from what was installed for it.

    `argv` stands for the whole command; `${data}` is still in it. `root` is the file or directory that has
    to have the digest `tree` before each start; empty where another program sees to that (an image).
    With a `problem`, the server must not be started at all.
    """

    argv: tuple[str, ...] = ()
    root: str = ""
    tree: str = ""
    problem: str = ""
