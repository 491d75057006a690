"""That a server's lists have changed, told as soon as the server says so."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

import msgspec

from bawn.errors import Refused
from bawn.model import Json, Outbound
from bawn.ports import Upstream

log = logging.getLogger("bawn.feeds")

_FIRST: Final = 1.0
_LONGEST: Final = 300.0
_ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
_FLAGS: Final = {
    "tools": "toolsListChanged",
    "prompts": "promptsListChanged",
    "resources": "resourcesListChanged",
}


def wanted(capabilities: Json) -> Json:
    """The filter for all lists of which a server with these capabilities says that they change."""
    found: Json = {}
    for name, flag in _FLAGS.items():
        offered = capabilities.get(name)
        if isinstance(offered, dict) and offered.get("listChanged") is True:
            found[flag] = True
    return found


async def follow(
    upstream: Upstream, listen: Outbound, lists: Json, changed: Callable[[str], None]
) -> None:
    """Call `changed` with the capability's name for each change of these lists; for ever.

    After a gap in the stream anything may have changed.
    """
    wait, gap = _FIRST, False
    honoured: Json = {}

    async def hear(message: Json) -> None:
        nonlocal honoured, gap
        method, params = message.get("method"), message.get("params")
        if method == _ACKNOWLEDGED and isinstance(params, dict):
            told = params.get("notifications")
            honoured = told if isinstance(told, dict) else {}
            for name in _named(honoured) if gap else ():
                changed(name)
            gap = False
        for name in _FLAGS:
            if method == f"notifications/{name}/list_changed":
                changed(name)

    leaving = msgspec.structs.replace(listen, params={**listen.params, "notifications": lists})
    while True:
        honoured = {}
        try:
            await upstream.call(leaving, hear)
        except Refused as refused:
            told = {"server": listen.server, "detail": str(refused)}
            log.debug("nothing tells of changed lists", extra=told)
        except Exception:  # it is tried again, whatever broke
            log.exception("following the lists failed", extra={"server": listen.server})
        stood = bool(_named(honoured))
        gap = gap or stood
        wait = _FIRST if stood else min(2 * wait, _LONGEST)
        await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - to spread load


def _named(honoured: Json) -> list[str]:
    return [name for name, flag in _FLAGS.items() if honoured.get(flag) is True]
