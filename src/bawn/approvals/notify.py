"""Tells approvers of calls that wait: each on a way of its own, again and again until it worked.

What was told is in the store, so that a notifier that is killed is followed by one that goes on. Each
message arrives at least once, and bears the same id however often.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from bawn.approvals.desktop import Desktop, can_be_had
from bawn.approvals.links import Links, concerns
from bawn.approvals.message import Notice, signing_key
from bawn.approvals.request import Digests, Request, opened
from bawn.approvals.webhook import UntoldError, Webhook
from bawn.config import Config
from bawn.config.policy import Approver
from bawn.config.secrets import resolve
from bawn.errors import Refused
from bawn.ports import HttpClient
from bawn.protocol.sealing import Sealer
from bawn.storage.approvals import Stored, StoredApprovals

LOOK: Final = 1.0  # seconds between looks for what nobody was told of
FIRST_PAUSE: Final = 1.0  # seconds before the second attempt; doubled for each one after it
LONGEST_PAUSE: Final = 60.0
AT_ONCE: Final = 4  # messages on their way to one recipient

log = logging.getLogger("bawn.approvals")


class Channel(Protocol):
    """A way to tell one approver."""

    async def send(self, notice: Notice, id_: str) -> None:
        """Tell it, by a message of this id.

        Raises:
            UntoldError, Refused: it may not have arrived.
        """


@dataclass(frozen=True, slots=True)
class Recipient:
    """An approver and one way to tell it: `webhook` or `desktop`."""

    approver: Approver
    way: str
    channel: Channel
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))


def recipients(
    config: Config, base: Path, client: HttpClient, clock: Callable[[], float]
) -> tuple[Recipient, ...]:
    """Everybody who is to be told; `base` anchors relative references to secrets.

    Raises:
        Misconfigured: a reference leads nowhere, or to what is no URL or key.
    """
    found: list[Recipient] = []
    secret = config.approvals.webhook_secret
    key = signing_key(resolve(secret, base)) if secret is not None else None
    for approver in config.approvals.approvers:
        if approver.webhook is not None:
            url = resolve(approver.webhook, base)
            webhook = Webhook(client, approver.name, url, key, clock)
            found.append(Recipient(approver, "webhook", webhook))
        if approver.desktop and can_be_had():
            found.append(Recipient(approver, "desktop", Desktop(config.base_url, clock)))
        elif approver.desktop:
            log.warning("%s is not told on the desktop: jeepney is not installed", approver.name)
    return tuple(found)


class Notifier:
    """Looks into the store and tells who is concerned; `run` until it is cancelled.

    `key` keys digests, the same one as the Book's. `renew` has the sealer read its keys again. `pause`
    is in seconds, before a second attempt.
    """

    def __init__(
        self,
        store: StoredApprovals,
        sealer: Sealer,
        links: Links,
        everybody: Sequence[Recipient],
        clock: Callable[[], float],
        key: bytes,
        base_url: str,
        renew: Callable[[], None] = lambda: None,
        *,
        look: float = LOOK,
        pause: float = FIRST_PAUSE,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._links = links
        self._everybody = everybody
        self._clock = clock
        self._digests = Digests(key)
        self._base_url = base_url
        self._renew = renew
        self._every = look
        self._pause = pause
        self._telling: dict[str, asyncio.Task[None]] = {}  # by the id of the message

    async def run(self) -> None:
        """Look and tell, for ever; nothing that fails ends it."""
        try:
            while True:
                try:
                    self._look()
                except Refused as refused:  # the store; it says so itself
                    log.debug("nobody can be told now: %s", refused.reason.id)
                except Exception:
                    log.exception("looking for approvals failed")
                await asyncio.sleep(self._every)
        finally:
            telling = list(self._telling.values())
            for task in telling:
                task.cancel()
            await asyncio.gather(*telling, return_exceptions=True)

    def _look(self) -> None:
        for row in self._store.untold():
            request = self._request(row)
            wanted = [] if request is None else self._concerned(row, request)
            if request is None or not wanted:
                self._store.told(row.id)
            for id_, recipient in wanted:
                if request is not None and id_ not in self._telling:
                    task = asyncio.create_task(self._tell(row, request, recipient, id_))
                    self._telling[id_] = task
                    task.add_done_callback(partial(self._done, id_))

    def _done(self, id_: str, task: asyncio.Task[None]) -> None:
        del self._telling[id_]

    def _concerned(self, row: Stored, request: Request) -> list[tuple[str, Recipient]]:
        """Who is still to be told of it, with the ids of their messages."""
        told = self._store.noticed(row.id)
        ids = [
            (f"msg_{self._digests.of('notice', row.id, each.approver.name, each.way)[:32]}", each)
            for each in self._everybody
            if concerns(request, each.approver)
        ]
        return [(id_, each) for id_, each in ids if id_ not in told]

    def _request(self, row: Stored) -> Request | None:
        try:
            return opened(self._sealer, row.id, row.sealed)
        except Refused:
            self._renew()  # a worker may have sealed with a key that is newer than ours
        try:
            return opened(self._sealer, row.id, row.sealed)
        except Refused as refused:
            log.error("nobody is told of approval %s: %s", row.id, refused.detail)
            return None

    async def _tell(self, row: Stored, request: Request, to: Recipient, id_: str) -> None:
        """Tell one recipient, until it worked or there is nothing more to decide."""
        link = self._links.make(row.id, to.approver, row.until)
        notice = Notice(row.id, request, row.until, f"{self._base_url}/approvals/link/{link}")
        pause = self._pause
        while not await self._told(row, notice, to, id_):
            spread = random.uniform(0.5, 1.0)  # noqa: S311 - so that not all come at once
            await asyncio.sleep(pause * spread)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _told(self, row: Stored, notice: Notice, to: Recipient, id_: str) -> bool:
        """Whether there is nothing more to do for this recipient."""
        try:
            async with to.turn:
                now = self._store.find(row.id)
                if now is None or now.state != "pending" or now.until <= self._clock():
                    return True
                await to.channel.send(notice, id_)
                self._store.notice(row.id, id_)
                return True
        except (UntoldError, Refused) as problem:
            why = problem.reason.id if isinstance(problem, Refused) else str(problem)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the next attempt may work
            why = type(problem).__name__
        log.warning("%s was not told by %s of %s: %s", to.approver.name, to.way, row.id, why)
        return False
