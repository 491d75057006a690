"""A request on its way to a server: what was asked, and what leaves."""

from __future__ import annotations

from typing import Any

import msgspec

from bawn.model import Call, Item, Json
from bawn.protocol.rounds import State
from bawn.protocol.tasks import TaskHandle
from bawn.protocol.versions import Method


class Step(msgspec.Struct, frozen=True, gc=False):
    """`params` and `name` are in the server's own terms; `name` is what Mcp-Name repeats.

    `state` is what a modern caller came back with, `task` the handle that its request names.
    """

    call: Call
    method: Method
    modern: bool
    item: Item
    params: Json
    name: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    state: State | None = None
    task: TaskHandle | None = None
    parked: bool = False
    consented: frozenset[str] = frozenset()  # what it left with before: `consent.keys`
    declined: Any = msgspec.field(default_factory=dict)
