"""Where quarantine is looked at: at a gate, by its API, or in its store while no gate runs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from bawn.cli.gate_client import Where, answer, gate
from bawn.cli.options import fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded
from bawn.cli.server_desk import OWNER, alone

if TYPE_CHECKING:
    import httpx2

    from bawn.config.load import Loaded
    from bawn.storage.directory import StateDirectory
    from bawn.storage.quarantine import Entry

PATH: Final = "/api/v1/quarantine"

T = TypeVar("T")


class Desk(Protocol):
    """What the verbs need; both ends tell the same JSON."""

    def listed(self) -> list[dict[str, Any]]:
        """What is held, the newest first."""

    def one(self, handle: str, *, content: bool) -> dict[str, Any]:
        """One, and with `content` what is held, as `result`."""

    def release(self, handle: str) -> dict[str, Any]:
        """Let who had asked have it."""

    def discard(self, handle: str) -> None:
        """Destroy it."""


@contextmanager
def desk(where: Where) -> Iterator[Desk]:
    """The gate, if one runs or is named by its URL, else the store."""
    if where.url is None:
        if where.token_file is not None:
            fail("--token-file goes with --url.", code=2)
        found = loaded(where.config)
        with alone(found) as directory:
            if directory is not None:
                with explained():
                    held = StoreDesk(found, directory)
                yield held
                return
    with gate(where) as client:
        yield GateDesk(client)


class GateDesk:
    """A running gate."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def listed(self) -> list[dict[str, Any]]:
        """What the gate shows to who asks."""
        found: list[dict[str, Any]] = answer(self._client, "GET", PATH)["held"]
        return found

    def one(self, handle: str, *, content: bool) -> dict[str, Any]:
        """One of them."""
        return answer(self._client, "GET", f"{PATH}/{handle}{'?content=true' if content else ''}")

    def release(self, handle: str) -> dict[str, Any]:
        """By the rights of who asks."""
        return answer(self._client, "POST", f"{PATH}/{handle}/release")

    def discard(self, handle: str) -> None:
        """By the rights of who asks."""
        answer(self._client, "POST", f"{PATH}/{handle}/discard")


class StoreDesk:
    """The store of a gate that does not run: its owner decides, and the audit has it."""

    def __init__(self, found: Loaded, directory: StateDirectory) -> None:
        from bawn.storage.quarantine import Quarantine

        self._config = found.config
        self._state = directory
        self._store = Quarantine(directory, found.config.inspection.quarantine_days)

    def listed(self) -> list[dict[str, Any]]:
        """All of it."""
        from bawn.console.quarantine import as_json

        return [as_json(each) for each in _trying(self._store.listed)]

    def one(self, handle: str, *, content: bool) -> dict[str, Any]:
        """One of it."""
        from bawn.console.quarantine import as_json
        from bawn.storage.quarantine import Broken

        entry = _trying(lambda: self._store.find(handle))
        if isinstance(entry, Broken) or not content:
            return as_json(entry)
        held, result = _trying(lambda: self._store.show(handle))
        self._record("quarantine.shown", held)
        return {**as_json(held), "result": result}

    def release(self, handle: str) -> dict[str, Any]:
        """As the owner."""
        from bawn.console.quarantine import as_json

        self._record("quarantine.released", _trying(lambda: self._store.facts(handle)))
        return as_json(_trying(lambda: self._store.release(handle, OWNER)))

    def discard(self, handle: str) -> None:
        """As the owner."""
        self._record("quarantine.discarded", _trying(lambda: self._store.find(handle)))
        _trying(lambda: self._store.discard(handle))

    def _record(self, what: str, entry: Entry) -> None:
        """Write it down as a gate would, in a segment of its own."""
        import os
        from math import inf

        from bawn.audit.writer import Writer
        from bawn.console.quarantine import told_of
        from bawn.model import Principal

        owner = Principal(f"uid:{os.getuid()}", "local", frozenset(), inf)

        def written() -> None:
            audit = Writer(self._state, self._config.audit.durability)
            try:
                audit.event(owner, what, secrets.token_hex(16), told_of(entry))
            finally:
                audit.close()

        with explained():
            _trying(written)


def _trying(action: Callable[[], T]) -> T:
    from bawn.errors import Refused

    try:
        return action()
    except Refused as refused:
        detail = refused.detail or refused.public
        told = f"{refused.reason.message}: {detail}" if detail else refused.reason.message
        fail(printable(f"{told} ({refused.reason.id})"), refused.reason.fix)
