"""Telling approvers of calls that wait for them: the steward's work, so that it outlives workers."""

from __future__ import annotations

import time
from pathlib import Path

from bawn.app.sealing import Seals, digest_key
from bawn.approvals.links import Links
from bawn.approvals.notify import Notifier, recipients
from bawn.config import Config
from bawn.errors import Misconfigured, Refused
from bawn.ports import HttpClient
from bawn.storage.approvals import StoredApprovals
from bawn.storage.database import NAME, Database
from bawn.storage.directory import StateDirectory
from bawn.storage.ring import Ring
from bawn.storage.tombstones import Tombstones


def notifier(
    config: Config, base: Path, state: StateDirectory, client: HttpClient
) -> Notifier | None:
    """What tells them; None where nobody is to be told.

    Raises:
        Misconfigured: the gate's keys or a reference to a secret cannot be read.
    """
    if not config.approvals.approvers:
        return None

    def renewed() -> None:
        seals.rebind()

    try:
        database = Database(state.path / NAME, renewed)
    except Refused as refused:
        raise Misconfigured(f"{refused.detail}; expected a disk that can be written") from None
    seals = Seals(Ring(state.keys), database)
    links = Links(seals.handles, Tombstones(database), config.approvals.approvers, time.time)
    return Notifier(
        StoredApprovals(database),
        seals.handles,
        links,
        recipients(config, base, client, time.time),
        time.time,
        digest_key(state),
        config.base_url,
        seals.renew,
    )
