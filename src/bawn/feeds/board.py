"""All feeds of a worker: one for each server and credential, shared by whoever may share that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TypeAlias

from bawn.feeds.feed import Feed, Wish
from bawn.feeds.mailbox import Mailbox
from bawn.model import Outbound
from bawn.ports import Upstream
from bawn.protocol import capabilities, lifecycle
from bawn.protocol.versions import META_CAPABILITIES, TASKS

_Key: TypeAlias = tuple[str, str, str, bool]


class Board:
    """Subscribes mailboxes to what servers tell."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams
        self._feeds: dict[_Key, Feed] = {}

    async def join(self, listen: Outbound, mailbox: Mailbox, wish: Wish) -> Wish:
        """Have a mailbox told of this; returns what the server grants of it."""
        key = _key(listen)
        feed = self._feeds.get(key)
        if feed is None:
            upstream = self._upstreams[listen.server]
            feed = self._feeds[key] = Feed(upstream, listen, partial(self._over, key))
        return await feed.join(mailbox, wish)

    def leave(self, mailbox: Mailbox) -> None:
        """Have a mailbox told of nothing any more."""
        for feed in tuple(self._feeds.values()):
            feed.leave(mailbox)

    def _over(self, key: _Key) -> None:
        del self._feeds[key]

    async def aclose(self) -> None:
        """Stop listening."""
        feeds, self._feeds = list(self._feeds.values()), {}
        await asyncio.gather(*[feed.aclose() for feed in feeds])


def _key(listen: Outbound) -> _Key:
    # a legacy server knows its clients by what they can be asked: subscriptions belong to that session
    declared = (listen.params.get("_meta") or {}).get(META_CAPABILITIES) or {}
    asked = capabilities.key(capabilities.offered(declared, shared=False))
    return listen.server, listen.isolation, asked, TASKS in lifecycle.extensions(declared)
