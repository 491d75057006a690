"""Where servers are reviewed: at a gate, by its API, or on its store while no gate runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from bawn.cli.gate_client import Where, answer, gate
from bawn.cli.options import fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded
from bawn.cli.servers import insist_on

if TYPE_CHECKING:
    import httpx2

    from bawn.config.load import Loaded
    from bawn.pins.record import Key, Record
    from bawn.storage.directory import StateDirectory
    from bawn.storage.files import ServerFiles

PATH: Final = "/api/v1/servers"
OWNER: Final = "owner"
"""Who decides without a gate."""


class Desk(Protocol):
    """What the verbs of review need; both ends tell the same JSON."""

    def record(self) -> dict[str, Any]:
        """What is on record of the server, every change that waits judged."""

    def decide(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """Have a decision take effect: approve, reject, quarantine or release."""


@contextmanager
def desk(name: str, where: Where) -> Iterator[Desk]:
    """The gate, if one runs or is named by its URL, else the store."""
    if where.url is None:
        if where.token_file is not None:
            fail("--token-file goes with --url.", code=2)
        found = loaded(where.config)
        insist_on(found, name)
        with alone(found) as directory:
            if directory is not None:
                yield StoreDesk(name, found, directory)
                return
    with gate(where) as client:
        yield GateDesk(name, client)


@contextmanager
def alone(found: Loaded) -> Iterator[StateDirectory | None]:
    """The state directory, held so that no gate starts meanwhile; None when one runs."""
    from contextlib import ExitStack

    from bawn.errors import Misconfigured
    from bawn.storage.directory import StateDirectory

    with ExitStack() as held:
        with explained():
            if not found.state.is_dir():
                fail(
                    f"nothing is on record: no gate ever ran on {found.state}.",
                    f"`bawn up --config {found.path}` starts it.",
                )
            directory = StateDirectory(found.state)
        try:
            held.enter_context(directory.hold())
        except Misconfigured:
            yield None
            return
        yield directory


class GateDesk:
    """A running gate."""

    def __init__(self, name: str, client: httpx2.Client) -> None:
        from urllib.parse import quote

        self._path = f"{PATH}/{quote(name, safe='')}"
        self._client = client

    def record(self) -> dict[str, Any]:
        """Every page of it."""
        found = answer(self._client, "GET", self._path)
        while found["next"] is not None:
            page = answer(self._client, "GET", f"{self._path}?start={found['next']}")
            found["waiting"] += page["waiting"]
            found["next"] = page["next"]
        return found

    def decide(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """Let the gate decide, by the rights of who asks."""
        return answer(self._client, "POST", f"{self._path}/{verb}", body)


class StoreDesk:
    """The store of a gate that does not run: its owner decides, as one person."""

    def __init__(self, name: str, found: Loaded, directory: StateDirectory) -> None:
        from bawn.pins.record import Record
        from bawn.storage.files import ServerFiles

        self._name = name
        self._config = found.config
        self._files: ServerFiles[Record] = ServerFiles(directory.pins, Record)

    def record(self) -> dict[str, Any]:
        """What the API would tell of it."""
        from bawn.app.compiling import keep_compiled
        from bawn.drift.waiting import Review, change_as_json, contents, summary

        keep_compiled()
        needed = self._config.drift.approvals
        record = self._read(self._name)
        review = Review(record, self._foreign())
        waiting = [change_as_json(each, review.drift(each), needed) for each in record.waiting]
        return {**summary(record), **contents(record), "waiting": waiting, "next": None}

    def decide(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """Decide as the owner; alone that is not enough where several people have to approve."""
        needed = self._config.drift.approvals
        if verb == "approve" and needed > 1:
            fail(
                f"{needed} people have to approve a change, and without a gate there is the owner alone.",
                "Start the gate with `bawn up`; each of them then approves with their own token.",
            )
        told: dict[str, Any] = {}

        def change(record: Record | None) -> Record | None:
            from bawn.pins.record import Record

            before = record or Record(self._name, 0.0)
            after, done = _changed(before, verb, body)
            told.update(done)
            return None if after is before else after

        self._trying(lambda: self._files.update(self._name, change))
        return told

    def _foreign(self) -> set[str]:
        """What the other servers of the same tenant call their items; an unreadable one says nothing."""
        from bawn.drift.waiting import names_of
        from bawn.errors import Refused

        tenants = self._config.tenants
        found: set[str] = set()
        for other in tenants:
            if other != self._name and tenants[other] == tenants[self._name]:
                try:
                    record = self._files.read(other)
                except Refused:
                    continue
                found |= names_of(record) if record is not None else frozenset()
        return found

    def _read(self, name: str) -> Record:
        from bawn.pins.record import Record

        return self._trying(lambda: self._files.read(name)) or Record(name, 0.0)

    def _trying(self, action: Callable[[], Record | None]) -> Record | None:
        from bawn.errors import Refused

        try:
            return action()
        except Refused as refused:
            fail(
                printable(f"{refused.message}: {refused.detail} ({refused.reason.id})"),
                refused.reason.fix,
            )


def _changed(record: Record, verb: str, body: dict[str, Any]) -> tuple[Record, dict[str, Any]]:
    from bawn.pins import deciding
    from bawn.pins.record import Hold, Vote

    now = time.time()
    if verb == "quarantine":
        held = Hold(body["aspect"], body["name"], now, OWNER, body.get("why", ""))
        return deciding.hold(record, held), {"held": True}
    if verb == "release":
        return deciding.release(record, body["aspect"], body["name"]), {"held": False}
    seen: dict[Key, str] = {(e["aspect"], e["name"]): e["digest"] for e in body["items"]}
    if verb == "reject":
        after, rejected = deciding.reject(record, seen, OWNER)
        return after, {"rejected": _told(rejected)}
    vote = Vote(OWNER, OWNER, now)
    after, approved = deciding.approve(record, seen, vote, 1, also=body["also"])
    return after, {"approved": _told(approved), "waiting": []}


def _told(keys: tuple[Key, ...]) -> list[dict[str, str]]:
    return [{"aspect": aspect, "name": name} for aspect, name in keys]
