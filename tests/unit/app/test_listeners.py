from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, cast

import pytest

from bawn.app import listeners as module
from bawn.app.listeners import Listeners, close_unshared, open_listeners
from bawn.config import Config
from bawn.config.model import Management
from bawn.errors import Misconfigured
from bawn.storage import sockets

UNIX = Path("gate.sock")


class FakeSocket:
    """A socket that is none."""

    numbers = itertools.count(3)

    def __init__(self, address: str) -> None:
        self.address = address
        self.closed = False
        self._number = next(self.numbers)

    def fileno(self) -> int:
        return self._number

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def taken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Addresses that cannot be bound; nothing else is real either."""
    held: set[str] = set()

    def tcp(address: str, setting: str) -> FakeSocket:
        if address in held:
            raise Misconfigured(f"{setting}: {address} cannot be bound")
        return FakeSocket(address)

    monkeypatch.setattr(module, "_tcp", tcp)
    monkeypatch.setattr(sockets, "listen", lambda path: FakeSocket(str(path)))
    return held


def config(listen: str = "127.0.0.1:1", probes: str | None = "127.0.0.1:2") -> Config:
    """A configuration with these addresses."""
    return Config(listen=listen, management=Management(listen=probes))


def opened(wanted: Config, old: Listeners | None = None, before: Config | None = None) -> Listeners:
    """The listeners of a configuration, after another one."""
    return open_listeners(wanted, UNIX, old, before)


def addresses(found: Listeners) -> list[str | None]:
    """Where they listen."""
    sockets: list[Any] = [found.data, found.unix, found.management]
    return [None if each is None else each.address for each in sockets]


def closed(found: Listeners) -> list[bool | None]:
    """Which of them are closed."""
    sockets: list[Any] = [found.data, found.unix, found.management]
    return [None if each is None else each.closed for each in sockets]


def test_everything_that_is_configured_is_opened() -> None:
    found = opened(config())
    assert addresses(found) == ["127.0.0.1:1", "gate.sock", "127.0.0.1:2"]
    assert len(set(found.descriptors)) == 3
    bare = opened(config(probes=None))
    assert addresses(bare) == ["127.0.0.1:1", "gate.sock", None]
    assert len(bare.descriptors) == 2
    found.close()
    assert closed(found) == [True, True, True]


def test_what_stays_where_it_was_is_kept_open() -> None:
    before = config()
    old = opened(before)
    fresh = opened(config(listen="127.0.0.1:9"), old, before)
    assert addresses(fresh) == ["127.0.0.1:9", "gate.sock", "127.0.0.1:2"]
    assert fresh.unix is old.unix
    assert fresh.management is old.management
    close_unshared(old, fresh)
    assert closed(old) == [True, False, False]
    assert closed(fresh) == [False, False, False]


@pytest.mark.parametrize("probes", ["127.0.0.1:9", None])
def test_the_probes_move_or_end_by_themselves(probes: str | None) -> None:
    before = config()
    old = opened(before)
    fresh = opened(config(probes=probes), old, before)
    assert addresses(fresh) == ["127.0.0.1:1", "gate.sock", probes]
    close_unshared(old, fresh)
    assert closed(old) == [False, False, True]


def test_nothing_of_a_reload_that_failed_stays_open() -> None:
    before = config()
    old = opened(before)
    fresh = opened(config("127.0.0.1:8", "127.0.0.1:9"), old, before)
    close_unshared(fresh, old)
    assert closed(fresh) == [True, False, True]
    assert closed(old) == [False, False, False]


def test_an_address_that_cannot_be_bound_leaves_nothing_open(
    taken: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[FakeSocket] = []
    tcp = cast(Any, module._tcp)

    def remembering(address: str, setting: str) -> FakeSocket:
        made.append(tcp(address, setting))
        return made[-1]

    monkeypatch.setattr(module, "_tcp", remembering)
    taken.add("127.0.0.1:2")
    with pytest.raises(Misconfigured, match=r"management\.listen"):
        opened(config())
    assert [each.closed for each in made] == [True]
    before = config(probes=None)
    old = opened(before)
    with pytest.raises(Misconfigured):
        opened(config(listen="127.0.0.1:7"), old, before)
    assert [each.closed for each in made] == [True, False, True]
    assert closed(old) == [False, False, None]
